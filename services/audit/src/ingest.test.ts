import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { connect, type Channel, type ChannelModel, type Message } from 'amqplib'
import { DataSource } from 'typeorm'
import { auditQueue, openBroker, type Broker } from '@caregate/common/broker'
import { canonicalJson } from '@caregate/common/events'
import type { Logger } from '@caregate/common/logger'
import type { Fields } from '@caregate/common/request-context'
import { quietLog, testAmqpUrl, testToken } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { buildIngest, type IngestListener } from './ingest.ts'
import { monthOf } from './partitions.ts'
import { anEvent, openAudit } from './testing.ts'

const auditor = testToken(['auditor'])
let service: Awaited<ReturnType<typeof openAudit>>
let owner: DataSource
let model: ChannelModel
let channel: Channel
let broker: Broker
const dead: Message[] = []

const alerts: string[] = []
const warnings: string[] = []
const log: Logger = Object.assign(Object.create(quietLog) as Logger, {
  warning: (message: string, { error }: { error?: Error } = {}) => warnings.push(error?.message ?? message),
  error: (_message: string, fields: Fields) => alerts.push(String(fields['event.reason'])),
})

/** A broker connection that stores what it gets, like an audit process. */
const openConsumer = (signal = new AbortController().signal) =>
  openBroker(testAmqpUrl(), log, buildIngest(service.sequencer, { stored() {}, rejected() {} }, log, signal).subscribe)

beforeAll(async () => {
  service = await openAudit()
  owner = await new DataSource({ type: 'postgres', url: service.urls.owner }).initialize()
  model = await connect(testAmqpUrl())
  channel = await model.createChannel()
  await channel.deleteQueue(auditQueue)
  await channel.deleteQueue('audit.dead-letters')
  broker = await openConsumer()
  await until(() => broker.connected)
  await channel.consume('audit.dead-letters', (message) => message && dead.push(message), { noAck: true })
})
beforeEach(() => void dead.splice(0))
afterAll(async () => {
  await broker.close()
  await model.close()
  await owner.destroy()
  await service.close()
})

const send = (body: string) => channel.publish('audit.events', 'patients.patient.read', Buffer.from(body))
const stored = () =>
  owner.query<{ id: string; sequence: number }[]>('SELECT id, sequence::int FROM events ORDER BY sequence')

test('events are stored once, in the order of arrival, under numbers without a gap', async () => {
  const events = Array.from({ length: 1500 }, () => anEvent())
  for (const event of events) {
    send(canonicalJson(event))
    if (Math.random() < 0.2) send(canonicalJson(event))
  }
  await until(async () => (await stored()).length === events.length)
  expect((await stored()).map(({ id }) => id)).toEqual(events.map(({ id }) => id))
  expect((await stored()).map(({ sequence }) => sequence)).toEqual(events.map((_event, n) => n + 1))
  const read = await service.call('GET', `/api/v1/audit/events/${events[7]!.id}`, { token: auditor })
  expect(read.body).toMatchObject({ ...events[7], sequence: 8 })
})

test('what is no event goes to the dead letters alone, what came with it is stored', async () => {
  const before = (await stored()).length
  const good = [anEvent(), anEvent({ later: 'a member that a newer producer adds' } as object)]
  const bad = [
    'not JSON',
    '{}',
    canonicalJson(anEvent({ patientIds: ['x'] })),
    canonicalJson({ ...anEvent(), occurredAt: 'yesterday' }),
    canonicalJson(anEvent({ service: '\u0000' })),
    canonicalJson(anEvent({ service: 'x'.repeat(60_000) })),
  ]
  send(canonicalJson(good[0]!))
  bad.forEach(send)
  send(canonicalJson(good[1]!))
  await until(async () => dead.length === bad.length && (await stored()).length === before + good.length)
  expect(dead.map(({ content }) => content.toString())).toEqual(bad)
  expect(alerts).toEqual([
    expect.stringContaining('not valid JSON'),
    'v is not valid',
    'patientIds is not valid',
    'occurredAt is not valid',
    'contains a NUL character or half a surrogate pair',
    'larger than 60000 bytes',
  ])
  const kept = await service.call('GET', `/api/v1/audit/events/${good[1]!.id}`, { token: auditor })
  expect(kept.body.later).toBe('a member that a newer producer adds')
})

test('what can be read but not written goes there too, and holds up nothing', async () => {
  const before = (await stored()).length
  const withMember = (text: string): string => canonicalJson(anEvent()).replace('{', `{"zz":${text},`)
  const bad = [withMember('1e999'), withMember(`${'['.repeat(25_000)}${']'.repeat(25_000)}`)]
  send(canonicalJson(anEvent()))
  bad.forEach(send)
  send(canonicalJson(anEvent()))
  await until(async () => dead.length === bad.length && (await stored()).length === before + 2)
  expect(dead.map(({ content }) => content.toString().slice(0, 20))).toEqual(bad.map((text) => text.slice(0, 20)))
})

test('a channel that the broker closes is opened again', async () => {
  const before = (await stored()).length
  await channel.deleteQueue(auditQueue)
  await until(async () => {
    send(canonicalJson(anEvent()))
    return (await stored()).length > before
  })
  await broker.announce([{ id: 'x', type: 'a.b.c', body: '{}' }], 'there.is.none').catch(() => {})
  await until(() => broker.connected)
})

test('while the database refuses, nothing is rejected: the events wait and are stored after', async () => {
  const before = (await stored()).length
  await owner.query('REVOKE INSERT ON events FROM caregate_audit')
  const events = Array.from({ length: 50 }, () => anEvent())
  for (const event of events) send(canonicalJson(event))
  await expect(until(async () => (await stored()).length > before, 1)).rejects.toThrow()
  await owner.query('GRANT INSERT ON events TO caregate_audit')
  await until(async () => (await stored()).length === before + events.length)
  expect(dead).toEqual([])
})

test('while the table has no partition for now, events wait, and the log names it', async () => {
  const before = (await stored()).length
  const month = monthOf(new Date())
  const { name } = month
  await owner.query(`ALTER TABLE events DETACH PARTITION ${name}`)
  send(canonicalJson(anEvent()))
  await until(() => warnings.some((message) => message.includes(`no partition ${name}`)))
  await owner.query(
    `ALTER TABLE events ATTACH PARTITION ${name} FOR VALUES FROM ('${month.from.toISOString()}') TO ('${month.until.toISOString()}')`,
  )
  await until(async () => (await stored()).length === before + 1)
  expect(dead).toEqual([])
})

test('of two audit processes one stores, and the other takes over when it goes', async () => {
  const before = (await stored()).length
  const second = await openConsumer()
  try {
    await until(() => second.connected)
    const events = Array.from({ length: 600 }, () => anEvent())
    for (const [n, event] of events.entries()) {
      send(canonicalJson(event))
      if (n === 300) await broker.close()
    }
    await until(async () => (await stored()).length === before + events.length)
    expect((await stored()).map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: before + events.length }, (_none, n) => n + 1),
    )
  } finally {
    await second.close()
  }
})

test('a process that is told to stop has announced what it has stored when it has settled, and the next goes on', async () => {
  const before = (await stored()).length
  const stopping = new AbortController()
  const heard: string[] = []
  const listener: IngestListener = {
    stored: (_batch, added) => void heard.push(...added.map(({ id }) => id)),
    rejected() {},
  }
  const ingest = buildIngest(service.sequencer, listener, log, stopping.signal)
  const first = await openBroker(testAmqpUrl(), log, ingest.subscribe)
  await until(() => first.connected)
  for (let n = 0; n < 4000; n++) send(canonicalJson(anEvent()))
  await until(() => heard.length > 0)
  stopping.abort()
  await ingest.settled()
  await first.close()
  const toldOf = heard.length
  expect(toldOf).toBeLessThan(4000)
  await sleep(300)
  expect((await stored()).slice(before).map(({ id }) => id)).toEqual(heard)
  expect(heard).toHaveLength(toldOf)
  const second = await openConsumer()
  try {
    await until(async () => (await stored()).length === before + 4000)
  } finally {
    await second.close()
  }
})

test('a process that ends while the database refuses leaves the events in the queue', async () => {
  const before = (await stored()).length
  const stopping = new AbortController()
  await owner.query('REVOKE INSERT ON events FROM caregate_audit')
  const first = await openConsumer(stopping.signal)
  try {
    for (let n = 0; n < 50; n++) send(canonicalJson(anEvent()))
    await until(() => first.connected)
    await expect(until(async () => (await stored()).length > before, 1)).rejects.toThrow()
    stopping.abort()
    // longer than it waits between two tries
    await sleep(1000)
  } finally {
    await first.close()
    await owner.query('GRANT INSERT ON events TO caregate_audit')
  }
  const second = await openConsumer()
  try {
    await until(async () => (await stored()).length === before + 50)
  } finally {
    await second.close()
  }
})
