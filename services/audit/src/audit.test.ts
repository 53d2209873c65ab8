import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parseEvent } from '@caregate/common/events'
import { testToken } from '@caregate/common/testing/service'
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
  expect(() => parseEvent(Buffer.from(JSON.stringify({ ...received().event, ...wrong })))).toThrow()
})

test.each(['actorId=%00', 'path=%00', 'ip=%07', 'from=-100000-01-01T00:00:00Z', 'to=%2B200000-01-01T00:00:00Z'])(
  'a filter that no database takes is refused: %s',
  async (query) => {
    const answer = await service.call('GET', `/api/v1/audit/events?${query}`, { token: testToken(['auditor']) })
    expect([answer.status, answer.body.errors.length]).toEqual([422, 1])
  },
)
