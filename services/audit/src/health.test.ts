import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { connect, type Channel, type ChannelModel } from 'amqplib'
import { DataSource } from 'typeorm'
import { auditQueue, deadLetterQueue, openBroker, type Broker } from '@caregate/common/broker'
import { canonicalJson } from '@caregate/common/events'
import { buildMetrics } from '@caregate/common/metrics'
import { quietLog, testAmqpUrl, testToken } from '@caregate/common/testing/service'
import { openTcpProxy, type TcpProxy } from '@caregate/common/testing/tcp-proxy'
import { until } from '@caregate/common/testing/until'
import { buildIngestMetrics } from './health.ts'
import { buildIngest } from './ingest.ts'
import { monthOf } from './partitions.ts'
import { anEvent, openAudit, received } from './testing.ts'
import type { VerificationStatus } from './verification.ts'

const verification: { status: VerificationStatus } = {
  status: { state: 'verifying', size: 0, completedAt: null, problems: [] },
}
let service: Awaited<ReturnType<typeof openAudit>>
let proxy: TcpProxy
let broker: Broker
let consumer: Broker | undefined
let model: ChannelModel
let channel: Channel

beforeAll(async () => {
  model = await connect(testAmqpUrl())
  channel = await model.createChannel()
  for (const queue of [auditQueue, deadLetterQueue]) await channel.deleteQueue(queue)
  proxy = await openTcpProxy(testAmqpUrl())
  broker = await openBroker(proxy.url, quietLog)
  service = await openAudit({ broker, verification })
  await until(() => broker.connected)
})
afterAll(async () => {
  await consumer?.close()
  await broker.close()
  await model.close()
  await service.close()
  await proxy.close()
})

const send = (body: string) => channel.publish('audit.events', 'patients.patient.read', Buffer.from(body))
const status = async () => (await service.call('GET', '/api/v1/audit/status', { token: testToken(['auditor']) })).body
const scraped = async (name: string): Promise<number | undefined> => {
  const { body } = await service.call('GET', '/metrics')
  const found = new RegExp(`^${name} (.+)$`, 'm').exec(body as string)
  return found ? Number(found[1]) : undefined
}

test('of an empty log the status says so, to auditors alone, and leaves no event', async () => {
  expect(await status()).toEqual({
    size: 0,
    storedAt: null,
    perMinute: 0,
    ingestLagMs: null,
    queued: 0,
    deadLetters: 0,
    outbox: { rows: 0, oldestSeconds: 0 },
    checkpoint: { size: 0, storedAt: null },
    witness: null,
    verification: { state: 'verifying', size: 0, completedAt: null, problems: [] },
    partitionsUntil: monthOf(new Date(), 13).from.toISOString(),
  })
  expect(await service.events()).toEqual([])
  expect((await service.call('GET', '/api/v1/audit/status')).status).toBe(401)
  expect((await service.call('GET', '/api/v1/audit/status', { token: testToken(['admin']) })).status).toBe(403)
  expect((await service.events()).map(({ type, code }) => [type, code])).toEqual([
    ['audit.request.refused', 'unauthorized'],
    ['audit.request.refused', 'forbidden'],
  ])
})

test('what waits for the log is seen, and what is not an event', async () => {
  const occurredAt = new Date(Date.now() - 20_000).toISOString()
  for (let n = 0; n < 7; n++) send(canonicalJson(anEvent({ occurredAt })))
  send('not an event')
  await until(async () => (await status()).queued === 8)
  expect(await scraped('caregate_audit_queue_messages')).toBe(8)
  const { subscribe } = buildIngest(
    service.sequencer,
    buildIngestMetrics(service.metrics),
    quietLog,
    new AbortController().signal,
  )
  consumer = await openBroker(testAmqpUrl(), quietLog, subscribe)
  // what is no event may be a dead letter before what came with it is stored
  await until(async () => {
    const { deadLetters, size } = await status()
    return deadLetters === 1 && size === 7
  })
  const now = await status()
  expect(now).toMatchObject({ size: 7, perMinute: 7, queued: 0, checkpoint: { size: 7, storedAt: now.storedAt } })
  expect(now.ingestLagMs).toBeGreaterThan(19_000)
  expect(now.ingestLagMs).toBeLessThan(60_000)
  const names = ['log_size', 'queue_messages', 'dead_letters', 'events_stored_total', 'rejected_total']
  const numbers = await Promise.all(names.map((name) => scraped(`caregate_audit_${name}`)))
  expect(numbers).toEqual([7, 0, 1, 7, 1])
})

test('the lag of a batch is that of its oldest event', async () => {
  const metrics = buildMetrics('audit', 'test')
  const agoMs = [500, 8000, 100]
  const batch = agoMs.map((ms) => received({ occurredAt: new Date(Date.now() - ms).toISOString() }))
  buildIngestMetrics(metrics).stored(batch, [])
  const text = await metrics.scrape()
  expect(text).toContain('caregate_audit_ingest_lag_seconds_bucket{le="5"} 0\n')
  expect(text).toContain('caregate_audit_ingest_lag_seconds_bucket{le="10"} 1\n')
  expect(text).toContain('caregate_audit_ingest_lag_seconds_count 1\n')
})

test('what was stored more than a minute ago is not counted any more', async () => {
  const owner = await new DataSource({ type: 'postgres', url: service.urls.owner }).initialize()
  await owner.query(`UPDATE checkpoints SET stored_at = stored_at - interval '61 seconds' WHERE size <= 7`)
  await owner.destroy()
  expect((await status()).perMinute).toBe(0)
  send(canonicalJson(anEvent()))
  await until(async () => (await status()).size === 8)
  expect((await status()).perMinute).toBe(1)
})

test('the witness and the verification are seen', async () => {
  expect(await scraped('caregate_audit_witnessed_size')).toBeUndefined()
  expect(await scraped('caregate_audit_verification_completed_timestamp_seconds')).toBeUndefined()
  await service.db.query(`INSERT INTO cosignatures (size, line) VALUES (7, 'a line')`)
  const completedAt = new Date('2026-11-24T08:00:00Z')
  verification.status = { state: 'failed', size: 6, completedAt, problems: ['event 3 was changed', 'event 5 is gone'] }
  expect(await status()).toMatchObject({
    witness: { size: 7 },
    verification: {
      state: 'failed',
      size: 6,
      completedAt: completedAt.toISOString(),
      problems: ['event 3 was changed', 'event 5 is gone'],
    },
  })
  const names = ['witnessed_size', 'verification_problems', 'verified_size', 'verification_completed_timestamp_seconds']
  const numbers = await Promise.all(names.map((name) => scraped(`caregate_audit_${name}`)))
  expect(numbers).toEqual([7, 2, 6, completedAt.getTime() / 1000])
})

test('while the broker is away its numbers are null, and the rest is there', async () => {
  proxy.cut()
  await until(() => !broker.connected)
  expect(await status()).toMatchObject({
    size: 8,
    queued: null,
    deadLetters: null,
    outbox: { rows: expect.any(Number) },
  })
  expect(await scraped('caregate_audit_queue_messages')).toBeUndefined()
  expect(await scraped('caregate_audit_log_size')).toBe(8)
  proxy.restore()
  await until(async () => (await status()).queued === 0)
})

test('a queue that is not there is no reason to lose the connection', async () => {
  await expect(broker.depth('no.such.queue')).rejects.toThrow('404')
  expect(await broker.depth(deadLetterQueue)).toBe(1)
})

test('while the database refuses its numbers are null, and the rest is there', async () => {
  const owner = await new DataSource({ type: 'postgres', url: service.urls.admin }).initialize()
  await owner.query('REVOKE SELECT ON checkpoints, outbox FROM caregate_audit')
  try {
    expect(await status()).toMatchObject({
      size: null,
      perMinute: null,
      deadLetters: 1,
      outbox: { rows: null, oldestSeconds: null },
      checkpoint: { size: null, storedAt: null },
      witness: null,
    })
    expect(await scraped('caregate_audit_log_size')).toBeUndefined()
    expect(await scraped('caregate_audit_dead_letters')).toBe(1)
  } finally {
    await owner.query('GRANT SELECT ON checkpoints, outbox TO caregate_audit')
    await owner.destroy()
  }
})
