import { expect, test } from '@jest/globals'
import type { Client } from './client.ts'
import { readCreateEvents, sendRows, sourceOf, summarise, type Made } from './import.ts'

const one = (id: string, outcome: Made['outcome']): Made => ({ id, outcome })
const sentOf = (made: Made[], refused: { line: number; reason: string }[] = []) => ({
  made,
  refused,
  requestIds: ['ours'],
})
const never = new AbortController().signal

async function* file() {
  yield 'Id\n'
  yield '1\n2\n3\n'
}
const source = { type: 'text/csv', query: '?file=patients', open: file }
const created = (line: number) => ({ line, outcome: 'created', id: `chart-${line}` })
const present = (line: number) => ({ line, outcome: 'present', id: `chart-${line}` })
const done = { done: true }

/** Answers one upload after the other; a number is a status, an answer without its last line breaks off. */
function api(...answers: (number | object[])[]) {
  const asked: { path: string; headers: Record<string, string>; body: string }[] = []
  const upload: Client['upload'] = async (path, open, headers) => {
    const body = (await Array.fromAsync(open())).join('')
    asked.push({ path, headers, body })
    const answer = answers.shift()!
    if (typeof answer === 'number')
      return Response.json({ detail: 'Not now.' }, { status: answer, headers: { 'retry-after': '0' } })
    return new Response(answer.map((line) => `${JSON.stringify(line)}\n`).join(''))
  }
  return { upload, asked }
}

test('each row is created, there already, or refused with its line and reason', async () => {
  const refused = { line: 4, outcome: 'refused', errors: [{ path: 'sex', message: 'is required' }] }
  const client = api([created(2), present(3), refused, done])
  let rows = 0
  const sent = await sendRows(client, source, never, () => rows++)
  expect(rows).toBe(3)
  expect(sent).toMatchObject({
    made: [one('chart-2', 'created'), one('chart-3', 'present')],
    refused: [{ line: 4, reason: 'sex is required' }],
  })
  expect(client.asked).toMatchObject([
    { path: '/api/v1/patients/import?file=patients', headers: { 'content-type': 'text/csv' }, body: 'Id\n1\n2\n3\n' },
  ])
})

test('what breaks off, is stopped or turned away is sent again from the beginning, each row counted once', async () => {
  const stopped = { done: false, code: 'unauthorized', detail: 'The access token has expired meanwhile.' }
  const client = api(429, [created(2)], [present(2), created(3), stopped], 503, [
    present(2),
    present(3),
    present(4),
    done,
  ])
  let rows = 0
  const { made, requestIds } = await sendRows(client, source, never, () => rows++)
  expect(rows).toBe(3)
  expect(made).toEqual([one('chart-2', 'created'), one('chart-3', 'created'), one('chart-4', 'doubtful')])
  expect(requestIds).toEqual(client.asked.map(({ headers }) => headers['x-request-id']))
  expect(new Set(requestIds).size).toBe(5)
})

test('any other answer ends the import, with its reason', async () => {
  await expect(sendRows(api(403), source, never, () => {})).rejects.toThrow('Not imported: 403 Not now.')
})

test('an abort ends it with what there is', async () => {
  const stop = new AbortController()
  const client = api([created(2)])
  const { made } = await sendRows(client, source, stop.signal, () => stop.abort())
  expect(made).toEqual([one('chart-2', 'created')])
})

test('what a file is is told by its name', () => {
  const of = (name: string) => [sourceOf(name).type, sourceOf(name).query]
  expect(of('/tmp/allergies/patients.csv')).toEqual(['text/csv', ''])
  expect(of('/tmp/allergies.csv')).toEqual(['text/csv', '?file=allergies'])
  expect(of('2026-conditions.csv')).toEqual(['text/csv', '?file=conditions'])
  expect(of('Patient.ndjson')).toEqual(['application/x-ndjson', ''])
})

test('the log is read page by page until each has its event', async () => {
  const event = (sequence: number) => ({ sequence, resource: { id: `chart-${sequence}` }, request: { id: 'ours' } })
  const pages: Record<string, object[][]> = {
    patient: [Array.from({ length: 200 }, (_, index) => event(index + 1)), [event(300)], [], [event(301)]],
    allergy: [[], [event(7)]],
  }
  const asked: string[] = []
  const get: Client['get'] = (path) => {
    const [, type, sequence] = /patients\.(\w+)\.created.*afterSequence=(\d+)/.exec(path)!
    if (type === 'patient') asked.push(sequence!)
    const items = pages[type!]?.shift() ?? []
    return Promise.resolve({ status: 200, headers: new Headers(), body: { items }, repeated: false })
  }
  const events = await readCreateEvents({ get }, [one('chart-7', 'present'), one('chart-301', 'created')])
  expect(asked).toEqual(['0', '200', '300', '300'])
  expect([...events]).toEqual([
    ['chart-7', ['ours', 'ours']],
    ['chart-301', ['ours']],
  ])
})

test('the summary counts a doubtful one by the request that created it', () => {
  const made = [one('a', 'created'), one('b', 'present'), one('c', 'doubtful'), one('d', 'doubtful')]
  const events = new Map([
    ['a', ['ours']],
    ['b', ['earlier']],
    ['c', ['ours']],
    ['d', ['earlier']],
  ])
  expect(summarise(sentOf(made), events)).toEqual({
    ok: true,
    lines: ['2 created, 2 already there, 0 refused, 4 create events'],
  })
})

test('the summary names what does not reconcile', () => {
  const made = [one('a', 'created'), one('b', 'created')]
  const events = new Map([
    ['a', []],
    ['b', ['ours', 'other']],
  ])
  const refused = [{ line: 17, reason: 'birthDate must not be in the future' }]
  expect(summarise(sentOf(made, refused), events)).toEqual({
    ok: false,
    lines: [
      '2 created, 0 already there, 1 refused, 2 create events',
      'line 17: birthDate must not be in the future',
      'no create event for a',
      'more than one create event for b',
    ],
  })
  expect(summarise(sentOf(made), new Error('403 Not allowed.'))).toEqual({
    ok: false,
    lines: ['2 created, 0 already there, 0 refused; not reconciled with the audit log: 403 Not allowed.'],
  })
})
