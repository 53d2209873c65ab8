import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parseEvent } from '@caregate/common/events'
import { testToken, type Answer } from '@caregate/common/testing/service'
import { openAudit, received } from './testing.ts'

let service: Awaited<ReturnType<typeof openAudit>>
const auditor = testToken(['auditor'])

beforeAll(async () => {
  service = await openAudit()
})
afterAll(() => service.close())

test('a batch is stored once, in order, without gaps, however often it comes', async () => {
  const batch = [received({}, '/a'), received({}, '/b'), received({}, '/c')]
  const stored = await Promise.all([1, 2, 3, 4].map(() => service.append(...batch)))
  expect(stored.map(({ length }) => length).toSorted()).toEqual([0, 0, 0, 3])
  const { body } = await service.call('GET', '/api/v1/audit/events?afterSequence=0', { token: auditor })
  const items = body.items as { sequence: number; request: { path: string } }[]
  expect(items.map(({ sequence, request }) => [sequence, request.path])).toEqual([
    [1, '/a'],
    [2, '/b'],
    [3, '/c'],
  ])
})

test('events are found by what they are of, newest first, and reading them is an event', async () => {
  const chart = randomUUID()
  const batch = [received({ patientIds: [chart] }), received({ patientIds: [chart] })]
  await service.append(...batch)
  await service.events()
  const { body } = await service.call('GET', `/api/v1/audit/events?patientId=${chart}`, { token: auditor })
  const items = body.items as { id: string }[]
  expect(items.map(({ id }) => id)).toEqual(batch.map(({ event }) => event.id).toReversed())
  expect(await service.events()).toMatchObject([{ type: 'audit.event.read', patientIds: [chart] }])
  expect((await service.call('GET', `/api/v1/audit/events/${items[0]!.id}`, { token: auditor })).status).toBe(200)
  expect((await service.call('GET', '/api/v1/audit/events', { token: testToken(['admin']) })).status).toBe(403)
})

test('pages of a filter have each event once, both ways, and the last one says that it is', async () => {
  const batch = Array.from({ length: 60 }, (_, n) => received({}, n % 5 ? '/often' : '/seldom'))
  await service.append(...batch)
  const ids = batch.filter((_one, n) => n % 5 === 0).map(({ event }) => event.id)
  for (const [first, expected] of [
    ['', ids.toReversed()],
    ['&afterSequence=0', ids],
  ] as const) {
    const pages: string[][] = []
    for (let query: string | undefined = first; query !== undefined;) {
      const { body }: Answer = await service.call('GET', `/api/v1/audit/events?path=/seldom&limit=4${query}`, {
        token: auditor,
      })
      pages.push(body.items.map(({ id }: { id: string }) => id))
      query = body.nextCursor === null ? undefined : `&cursor=${encodeURIComponent(body.nextCursor)}`
    }
    expect(pages.map(({ length }) => length)).toEqual([4, 4, 4])
    expect(pages.flat()).toEqual(expected)
  }
})

test('a page names every chart that it disclosed, and has no more events than one event has room for', async () => {
  const found = Array.from({ length: 5 }, () => Array.from({ length: 80 }, () => randomUUID()))
  const { size } = await service.db
    .query<[{ size: number }]>('SELECT max(size)::int AS size FROM checkpoints')
    .then(([row]) => row)
  await service.append(...found.map((patientIds) => received({ type: 'patients.search.read', patientIds })))
  await service.events()
  const named: string[][] = []
  let query = `afterSequence=${size}`
  for (const many of [2, 2, 1]) {
    const { body } = await service.call('GET', `/api/v1/audit/events?${query}`, { token: auditor })
    expect(body.items).toHaveLength(many)
    const [event] = await service.events()
    named.push(event!.patientIds)
    query = `cursor=${encodeURIComponent(body.nextCursor)}`
  }
  expect(named).toEqual([found.slice(0, 2).flat(), found.slice(2, 4).flat(), found[4]])
  expect(query).toBe('cursor=null')
  const [last] = (await service.call('GET', '/api/v1/audit/events?limit=1', { token: auditor })).body.items
  await service.events()
  await service.call('GET', `/api/v1/audit/events/${last.id}`, { token: auditor })
  expect(await service.events()).toMatchObject([{ resource: { id: last.id }, patientIds: found[4] }])
})

test('whoever follows the log does not name for ever what a reading of it named', async () => {
  await service.append(received({ type: 'audit.event.read', patientIds: [randomUUID()] }))
  await service.call('GET', '/api/v1/audit/events?limit=1', { token: auditor })
  expect((await service.events()).at(-1)).toMatchObject({ type: 'audit.event.read', patientIds: [] })
})

test('texts are stored and searched by as they are, whatever is in them', async () => {
  const odd = 'a\tb\nc\rd\\e\\N"f", é \u2028 {}'
  const one = received({ actor: { id: '\\N', name: odd, roles: [], sessionId: null } }, odd)
  const other = received({ actor: { id: odd, name: null, roles: [odd], sessionId: null }, code: odd })
  await service.append(one, other)
  for (const { event } of [one, other])
    expect((await service.call('GET', `/api/v1/audit/events/${event.id}`, { token: auditor })).body).toMatchObject(
      event,
    )
  const columns = 'SELECT actor_id, path, entry FROM events ORDER BY sequence DESC LIMIT 2'
  const [last, before] = await service.db.query<{ entry: string }[]>(columns)
  expect(before).toMatchObject({ actor_id: '\\N', path: odd })
  expect(last).toMatchObject({ actor_id: odd, path: '/x' })
  expect(JSON.parse(last!.entry)).toMatchObject(other.event)
})

test('the app role can neither change nor delete what is stored', async () => {
  await service.append(received())
  await expect(service.db.query(`UPDATE events SET path = '/changed'`)).rejects.toThrow('permission denied')
  for (const table of ['events', 'event_ids', 'leaves', 'nodes', 'checkpoints'])
    await expect(service.db.query(`DELETE FROM ${table}`)).rejects.toThrow('permission denied')
})

test.each([
  ['an unknown version', { v: 2 }],
  ['an id that is none', { id: 'x' }],
  ['a day that is none', { occurredAt: 'yesterday' }],
  ['no actor', { actor: undefined }],
  ['a number that the log gives', { sequence: 1 }],
  ['half a surrogate pair', { code: '\ud800' }],
])('%s is not an event', (_what, wrong) => {
  expect(() => parseEvent(JSON.stringify({ ...received().event, ...wrong }))).toThrow()
})

test.each(['actorId=%00', 'path=%00', 'ip=%07', 'from=-100000-01-01T00:00:00Z', 'to=%2B200000-01-01T00:00:00Z'])(
  'a filter that no database takes is refused: %s',
  async (query) => {
    const answer = await service.call('GET', `/api/v1/audit/events?${query}`, { token: testToken(['auditor']) })
    expect([answer.status, answer.body.errors.length]).toEqual([422, 1])
  },
)
