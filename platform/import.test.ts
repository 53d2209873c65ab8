import { expect, test } from '@jest/globals'
import type { Answer, Client } from './client.ts'
import { readCreateEvents, sendRows, summarise } from './import.ts'
import type { Chart } from './import.ts'
import type { Line, Row } from './synthea.ts'

const answer = (status: number, body: unknown, location = ''): Answer => ({
  status,
  body,
  headers: new Headers(location ? { location } : {}),
  repeated: false,
})
const chart = (id: string, outcome: Chart['outcome']): Chart => ({ id, requestId: `request-${id}`, outcome })

async function* lines(count: number): AsyncGenerator<Line> {
  for (let line = 2; line < count + 2; line++) yield { line, row: { Id: `id-${line}`, FIRST: 'Bo', LAST: 'Ng' } as Row }
}
/** Answers by the source id of the patient that is sent. */
function api(answers: Record<string, Answer>) {
  const sent: string[] = []
  const request: Client['request'] = (_method, _path, body) => {
    const id = (body as { identifiers: { value: string }[] }).identifiers[0]?.value ?? ''
    sent.push(id)
    return Promise.resolve(answers[id] ?? answer(201, { id }))
  }
  return { request, sent }
}
const never = new AbortController().signal

test('each row is created, there already, or refused with its line and reason', async () => {
  const exists = answer(409, { code: 'already_exists' }, '/api/v1/patients/old')
  const client = api({
    'id-3': exists,
    'id-4': { ...exists, repeated: true },
    'id-5': answer(422, {
      errors: [
        { path: 'birthDate', message: 'birthDate must not be in the future' },
        { path: 'sex', message: 'is required' },
      ],
    }),
    'id-6': answer(400, { detail: 'The body is not valid JSON.' }),
  })
  let rows = 0
  const { charts, refused } = await sendRows(client, lines(20), never, () => rows++)
  expect(rows).toBe(20)
  expect(charts).toHaveLength(18)
  expect(charts.filter(({ outcome }) => outcome !== 'created')).toMatchObject([
    { id: 'old', outcome: 'present' },
    { id: 'old', outcome: 'doubtful' },
  ])
  expect(refused).toEqual([
    { line: 5, reason: 'birthDate must not be in the future; sex is required' },
    { line: 6, reason: '400 The body is not valid JSON.' },
  ])
})

test('any other answer ends the import, naming the line', async () => {
  const client = api({ 'id-9': answer(403, { detail: 'The roles of the signed-in user do not allow this.' }) })
  await expect(sendRows(client, lines(1000), never, () => {})).rejects.toThrow('line 9: 403 The roles')
  expect(client.sent.length).toBeLessThan(30)
})

test('an abort lets the requests in flight finish and sends no more', async () => {
  const stop = new AbortController()
  const client = api({})
  const { charts } = await sendRows(client, lines(1000), stop.signal, () => stop.abort())
  expect(charts).toHaveLength(client.sent.length)
  expect(client.sent.length).toBeLessThan(20)
})

test('the log is read page by page until each chart has its event', async () => {
  const event = (sequence: number) => ({
    sequence,
    resource: { id: `chart-${sequence}` },
    request: { id: `request-${sequence}` },
  })
  const pages = [Array.from({ length: 200 }, (_, index) => event(index + 1)), [event(300)], [], [event(301)]]
  const asked: string[] = []
  const get: Client['get'] = (path) => {
    asked.push(path.replace(/.*afterSequence=/, ''))
    return Promise.resolve(answer(200, { items: pages.shift() }))
  }
  const events = await readCreateEvents({ get }, [chart('chart-7', 'present'), chart('chart-301', 'created')])
  expect(asked).toEqual(['0', '200', '300', '300'])
  expect([...events]).toEqual([
    ['chart-7', ['request-7']],
    ['chart-301', ['request-301']],
  ])
})

test('the summary counts a doubtful chart by the request that created it', () => {
  const charts = [chart('a', 'created'), chart('b', 'present'), chart('c', 'doubtful'), chart('d', 'doubtful')]
  const events = new Map([
    ['a', ['request-a']],
    ['b', ['earlier']],
    ['c', ['request-c']],
    ['d', ['earlier']],
  ])
  expect(summarise(charts, [], events)).toEqual({
    ok: true,
    lines: ['2 created, 2 already there, 0 refused, 4 create events'],
  })
})

test('the summary names what does not reconcile', () => {
  const charts = [chart('a', 'created'), chart('b', 'created')]
  const events = new Map([
    ['a', []],
    ['b', ['request-b', 'other']],
  ])
  expect(summarise(charts, [{ line: 17, reason: 'birthDate must not be in the future' }], events)).toEqual({
    ok: false,
    lines: [
      '2 created, 0 already there, 1 refused, 2 create events',
      'line 17: birthDate must not be in the future',
      'no create event for a',
      'more than one create event for b',
    ],
  })
  expect(summarise(charts, [], new Error('403 Not allowed.'))).toEqual({
    ok: false,
    lines: ['2 created, 0 already there, 0 refused; not reconciled with the audit log: 403 Not allowed.'],
  })
})
