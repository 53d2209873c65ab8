import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { connect, type Channel, type ChannelModel, type Message } from 'amqplib'
import { DataSource } from 'typeorm'
import { spec } from '../../../services/patients/src/database.ts'
import { auditQueue, openBroker, type Broker, type Message as BrokerMessage } from './broker.ts'
import { openDatabase, type Database } from './database.ts'
import { buildEvent, canonicalJson, type AuditEvent } from './events.ts'
import { openOutbox, recordEvent, type Outbox } from './outbox.ts'
import { requestContext } from './request-context.ts'
import { cloneDatabase, quietLog, testAmqpUrl } from './testing/service.ts'
import { openTcpProxy, type TcpProxy } from './testing/tcp-proxy.ts'
import { until } from './testing/until.ts'

let db: Database
let urls: Awaited<ReturnType<typeof cloneDatabase>>
let model: ChannelModel
let channel: Channel
let proxy: TcpProxy
const opened: (Broker | Outbox)[] = []

beforeAll(async () => {
  urls = await cloneDatabase(spec)
  const config = { DATABASE_URL: urls.app, DB_POOL_MAX: 10, DB_STATEMENT_TIMEOUT_MS: 5000 }
  db = await openDatabase(config, spec.entities, quietLog, AbortSignal.timeout(10_000))
  model = await connect(testAmqpUrl())
  channel = await model.createChannel()
})
beforeEach(async () => {
  proxy = await openTcpProxy(testAmqpUrl())
  await channel.deleteQueue(auditQueue)
})
afterEach(async () => {
  proxy.restore()
  for (const part of opened.splice(0).reverse()) await part.close()
  await proxy.close()
  await db.query('DELETE FROM outbox')
})
afterAll(async () => {
  await model.close()
  await db.destroy()
})

async function open(): Promise<{ broker: Broker; outbox: Outbox }> {
  const broker = await openBroker(proxy.url, quietLog)
  const outbox = openOutbox(db, broker, quietLog)
  opened.push(broker, outbox)
  return { broker, outbox }
}
const isConnected = (broker: Broker) => until(() => broker.connected)

function anEvent(): AuditEvent {
  const request = { id: 'r', method: 'GET', route: '/x', path: '/x', status: 200, ip: '::1', userAgent: null }
  const actor = { id: null, name: null, roles: [], sessionId: null }
  return buildEvent({ type: 'patients.patient.read', service: 'patients', action: 'R', actor, request })
}
const waiting = async (): Promise<number> =>
  (await db.query<[{ count: number }]>('SELECT count(*)::int AS count FROM outbox'))[0].count

/** Ids of what is in the queue; a queue with a single active consumer can't be read in another way. */
async function arrived(): Promise<string[]> {
  const ids: string[] = []
  const { messageCount } = await channel.checkQueue(auditQueue)
  const take = (message: Message | null) => message && ids.push(String(message.properties.messageId))
  const { consumerTag } = await channel.consume(auditQueue, take, { noAck: true })
  await until(() => ids.length >= messageCount)
  await channel.cancel(consumerTag)
  return ids
}

test('what is recorded while the broker was never there is passed on once it is', async () => {
  proxy.cut()
  const { outbox, broker } = await open()
  const event = anEvent()
  await outbox.record(event)
  expect(await waiting()).toBe(1)
  proxy.restore()
  await isConnected(broker)
  await until(async () => (await waiting()) === 0)
  expect(await arrived()).toEqual([event.id])
})

test('a broker that goes and comes back loses nothing of what is recorded all the while', async () => {
  const { outbox, broker } = await open()
  await isConnected(broker)
  const events = Array.from({ length: 900 }, anEvent)
  for (const [n, event] of events.entries()) {
    await outbox.record(event)
    if (n === 300) proxy.cut()
    if (n === 600) proxy.restore()
  }
  await until(async () => (await waiting()) === 0)
  expect(new Set(await arrived())).toEqual(new Set(events.map(({ id }) => id)))
})

test('two instances share one table and pass each event on once', async () => {
  const [one, two] = [await open(), await open()]
  await isConnected(one.broker)
  await isConnected(two.broker)
  const events = Array.from({ length: 2000 }, anEvent)
  await Promise.all(events.map((event, n) => (n % 2 ? one : two).outbox.record(event)))
  await until(async () => (await waiting()) === 0)
  expect((await arrived()).sort()).toEqual(events.map(({ id }) => id).sort())
})

test('a message that no queue takes stays in the table, and goes when there is one again', async () => {
  const { outbox, broker } = await open()
  await isConnected(broker)
  await channel.unbindQueue(auditQueue, 'audit.events', '#')
  const event = anEvent()
  await expect(broker.publish([{ id: event.id, type: event.type, body: '{}' }])).rejects.toThrow('could not be routed')
  await outbox.record(event)
  await expect(until(async () => (await waiting()) === 0, 1)).rejects.toThrow()
  await channel.bindQueue(auditQueue, 'audit.events', '#')
  await until(async () => (await waiting()) === 0)
  expect(await arrived()).toEqual([event.id])
})

test('accesses recorded at the same time share an insert', async () => {
  proxy.cut()
  const { outbox } = await open()
  await Promise.all(Array.from({ length: 400 }, () => outbox.record(anEvent())))
  // a row names the transaction that inserted it
  const inserts = await db.query('SELECT FROM outbox GROUP BY xmin::text')
  expect(inserts).toHaveLength(1)
  expect(await waiting()).toBe(400)
})

/** A broker that is there, and what it was given. */
function openTap() {
  const given: BrokerMessage[] = []
  const outbox = openOutbox(
    db,
    { connected: true, publish: async (messages) => void given.push(...messages) },
    quietLog,
  )
  opened.push(outbox)
  return { outbox, given }
}
const inTrace = <T>(n: number, sampled: boolean, work: () => T): T => {
  const span = { traceId: 'x', sampled, traceparent: `00-trace-${n}-01`, end() {}, rename() {} }
  return requestContext.run({ line: {}, span }, work)
}

test('each event is passed on under its id and type, as it is, with the trace of its request, in order', async () => {
  const { outbox, given } = openTap()
  const events = Array.from({ length: 700 }, (_, n) => ({ ...anEvent(), code: `n ${n} {"é\\n"}` }))
  await db.transaction((tx) => inTrace(0, true, () => recordEvent(tx, ...events)))
  outbox.wake()
  await until(() => given.length === events.length)
  expect(given).toEqual(
    events.map((event) => ({
      ...{ id: event.id, type: event.type, body: canonicalJson(event), traceparent: '00-trace-0-01' },
    })),
  )
  given.length = 0
  // some of them traced
  await Promise.all([1, 2, 3, 4].map((n) => inTrace(n, n % 2 === 0, () => outbox.record(anEvent()))))
  await until(() => given.length === 4)
  expect(given.map(({ traceparent }) => traceparent)).toEqual([null, '00-trace-2-01', null, '00-trace-4-01'])
})

test('what is recorded is passed on at once, what is committed when the outbox is woken, or within a second or two', async () => {
  const { outbox, given } = openTap()
  const took = async (work: () => Promise<void>): Promise<number> => {
    const began = performance.now()
    await work()
    await until(() => given.length > 0)
    given.length = 0
    return performance.now() - began
  }
  const commit = () => db.transaction((tx) => recordEvent(tx, anEvent()))
  expect(await took(() => outbox.record(anEvent()))).toBeLessThan(700)
  expect(await took(() => commit().then(outbox.wake))).toBeLessThan(700)
  expect(await took(commit)).toBeLessThan(3000)
})

test('the backlog is counted and dated', async () => {
  proxy.cut()
  const { outbox } = await open()
  expect(await outbox.backlog()).toEqual({ rows: 0, oldestSeconds: 0 })
  for (const event of [anEvent(), anEvent(), anEvent()]) await outbox.record(event)
  await db.query(
    `UPDATE outbox SET created_at = now() - interval '1 minute' WHERE position = (SELECT min(position) FROM outbox)`,
  )
  const { rows, oldestSeconds } = await outbox.backlog()
  expect(rows).toBe(3)
  expect(Math.round(oldestSeconds / 10)).toBe(6)
})

test('while the database refuses, an access is refused and told to come again; then it is recorded', async () => {
  proxy.cut()
  const { outbox } = await open()
  const owner = await new DataSource({ type: 'postgres', url: urls.owner }).initialize()
  try {
    await owner.query('REVOKE INSERT ON outbox FROM caregate_patients')
    const refused = await Promise.allSettled([outbox.record(anEvent()), outbox.record(anEvent())])
    for (const one of refused)
      expect(one).toMatchObject({
        status: 'rejected',
        reason: { code: 'audit_unavailable', extras: { headers: { 'Retry-After': '1' } } },
      })
  } finally {
    await owner.query('GRANT INSERT ON outbox TO caregate_patients')
    await owner.destroy()
  }
  await outbox.record(anEvent())
  expect(await waiting()).toBe(1)
})

test('an event is committed with its change or not at all, and refused outside a transaction', async () => {
  await expect(recordEvent(db.manager, anEvent())).rejects.toThrow('needs a transaction')
  const failing = db.transaction(async (tx) => {
    await recordEvent(tx, anEvent())
    throw new Error('the change failed')
  })
  await expect(failing).rejects.toThrow('the change failed')
  expect(await waiting()).toBe(0)
})

test('an event that the log would refuse is not recorded: its access is not granted', async () => {
  proxy.cut()
  const { outbox } = await open()
  const bad = { ...anEvent(), patientIds: ['no id'] }
  const [refused] = await Promise.allSettled([outbox.record(bad), outbox.record(anEvent())])
  expect(refused).toMatchObject({ reason: { code: 'audit_unavailable' } })
  expect(await waiting()).toBe(1)
  await expect(db.transaction((tx) => recordEvent(tx, bad))).rejects.toThrow('patientIds')
})
