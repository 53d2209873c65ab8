import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { testToken } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { openAudit, received } from './testing.ts'

const auditor = testToken(['auditor'])
const chart = '0190b2c4-0000-7000-8000-0000000000aa'
let service: Awaited<ReturnType<typeof openAudit>>
beforeAll(async () => void (service = await openAudit()))
afterAll(() => service.close())

interface Frame {
  id?: string
  event?: string
  data?: string
}

/** Follows the stream until it ends or is left. */
async function follow(query = '', { token = auditor, headers = {} }: { token?: string; headers?: object } = {}) {
  const leave = new AbortController()
  const answer = await fetch(`${service.url}/api/v1/audit/stream${query}`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
    signal: leave.signal,
  })
  const frames: Frame[] = []
  async function read(): Promise<void> {
    let text = ''
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (text + chunk).split('\n\n')
      text = parts.pop()!
      for (const part of parts) {
        const lines = part.split('\n').filter((line) => !line.startsWith(':'))
        frames.push(Object.fromEntries(lines.map((line) => line.split(/: (.*)/).slice(0, 2))) as Frame)
      }
    }
  }
  const ended = read().catch(() => {})
  const events = () => frames.flatMap(({ id, event, data }) => (data && !event ? [{ id: Number(id), data }] : []))
  return { answer, frames, events, ended, leave: () => leave.abort() }
}
const head = async () => Number((await service.call('GET', '/api/v1/audit/checkpoint')).body.split('\n')[1])

test('events come as they are stored, under their sequence, as they are read back, and opening it is an event', async () => {
  await service.events()
  const stream = await follow()
  expect(stream.answer.headers.get('content-type')).toMatch('text/event-stream')
  await service.append(received(), received())
  await until(() => stream.events().length === 2)
  stream.leave()
  const { body } = await service.call('GET', '/api/v1/audit/events', { token: auditor })
  expect(stream.events().map(({ data }) => JSON.parse(data) as unknown)).toEqual(body.items.toReversed())
  expect(stream.events().map(({ id }) => id)).toEqual([1, 2])
  expect((await service.events()).map(({ type }) => type)).toEqual(['audit.stream.read', 'audit.event.read'])
})

test('whoever comes again misses nothing and gets nothing twice, in the midst of a storm', async () => {
  const from = await head()
  let storming = true
  const storm = (async () => {
    while (storming) await service.append(...Array.from({ length: 90 }, () => received()))
  })()
  const seen: number[] = []
  for (let turn = 0; turn < 8; turn++) {
    const last = seen.at(-1) ?? from
    const stream = await follow('', { headers: { 'last-event-id': String(last) } })
    await until(() => stream.events().length > 100)
    stream.leave()
    await stream.ended
    seen.push(...stream.events().map(({ id }) => id))
  }
  storming = false
  await storm
  expect(seen).toEqual(seen.map((_id, n) => from + n + 1))
})

test('a filter lets through what it should', async () => {
  const stream = await follow(`?patientId=${chart}&outcome=success`)
  await service.append(
    received(),
    received({ patientIds: [chart] }),
    received({ patientIds: [chart], outcome: 'denied' }),
  )
  await service.append(received({ patientIds: [chart] }))
  await until(() => stream.events().length === 2)
  await sleep(200)
  stream.leave()
  const [first, second] = stream.events().map(({ id }) => id)
  expect(second! - first!).toBe(2)
  expect((await service.events()).at(-1)).toMatchObject({ type: 'audit.stream.read', patientIds: [chart] })
})

test('says where it is when a filter lets nothing through, however much is stored', async () => {
  const from = await head()
  const stream = await follow('?type=auth.key.created')
  const storm = setInterval(() => void service.append(received()), 300)
  await until(() => stream.frames.length === 2, 14)
  clearInterval(storm)
  stream.leave()
  expect(stream.frames[0]).toEqual({ retry: '1000', id: String(from) })
  expect(Number(stream.frames[1]!.id)).toBeGreaterThan(from + 20)
}, 20_000)

test('a reader that does not read holds up nobody', async () => {
  const size = await head()
  const slow = await fetch(`${service.url}/api/v1/audit/stream?afterSequence=0`, {
    headers: { authorization: `Bearer ${auditor}` },
  })
  const quick = await follow(`?afterSequence=${size}`)
  for (let n = 0; n < 20; n++) await service.append(...Array.from({ length: 200 }, () => received()))
  await until(() => quick.events().length === 4000)
  quick.leave()
  await slow.body!.cancel()
})

test('it says that the token has expired, and ends', async () => {
  // a token lasts whole seconds
  const stream = await follow('', { token: testToken(['auditor'], { exp: Math.floor(Date.now() / 1000) + 2 }) })
  await stream.ended
  expect(stream.frames.at(-1)).toEqual({ event: 'expired', data: '{}' })
})

test.each([
  ['?afterSequence=x', {}, 'afterSequence'],
  ['?afterSequence=999999999', {}, 'afterSequence'],
  ['', { 'last-event-id': 'yesterday' }, 'Last-Event-ID'],
  ['?patient=1', {}, 'patient'],
])('a place that there is not is refused: %s %j', async (query, headers, path) => {
  const answer = await service.call('GET', `/api/v1/audit/stream${query}`, { token: auditor, headers })
  expect([answer.status, answer.body.errors[0].path]).toEqual([422, path])
})

test('it is for auditors', async () => {
  const answer = await service.call('GET', '/api/v1/audit/stream', { token: testToken(['clinician']) })
  expect(answer.status).toBe(403)
})

// the last: the process is over then
test('it ends when the process is stopped, and none begins any more', async () => {
  const stream = await follow()
  service.stop()
  await stream.ended
  expect(stream.frames.at(-1)).not.toHaveProperty('event')
  expect((await service.call('GET', '/api/v1/audit/stream', { token: auditor })).status).toBe(503)
})
