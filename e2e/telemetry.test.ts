import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { fieldNames } from '@caregate/common/request-context'
import { SERVICES } from '@caregate/common/services'
import { openCollector, type CollectedSpan } from '@caregate/common/testing/collector'
import { until } from '@caregate/common/testing/until'
import { freshFolder, openTestPlatform } from './platform.ts'

let collector: Awaited<ReturnType<typeof openCollector>>
let platform: Awaited<ReturnType<typeof openTestPlatform>>
let nurse: string
const folder = freshFolder()
const ana = { name: { given: ['Ana'], family: 'Quispe' }, birthDate: '1991-02-03', sex: 'female' }

beforeAll(async () => {
  collector = await openCollector()
  const env = {
    LOG_LEVEL: 'DEBUG',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=of-the-collector',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  }
  platform = await openTestPlatform({ env, folder })
  nurse = (await platform.addStaff('nurse')).token
}, 120_000)
afterAll(async () => {
  await platform?.close()
  await collector?.close()
})

/** A client that has a trace of its own. */
function aClient(flags = '01') {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')]
  return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-${flags}`, tracestate: 'a=somebody' } }
}
const stored = 'store audit.store'

/** The spans of a client's trace, once it has come from the client as far as the audit log; each process sends its own. */
async function traceOf({ traceId, spanId }: ReturnType<typeof aClient>) {
  const spans = () => collector.spans.filter((span) => span.traceId === traceId)
  /** From the row of the log up to the client. */
  const chain = (): CollectedSpan[] => {
    const up = spans().filter(({ name }) => name === stored)
    for (let above; (above = spans().find((span) => span.spanId === up[0]?.parentSpanId));) up.unshift(above)
    return up
  }
  await until(() => chain()[0]?.parentSpanId === spanId, 20)
  return { spans: spans(), up: chain() }
}
const text = ({ service, name }: CollectedSpan): string => `${service}: ${name}`

test.each(['a read, which shares its insert', 'a change, which inserts in its own statement'])(
  'one trace from the client over HTTP and AMQP to the stored event: %s',
  async (what) => {
    const made = await platform.call('POST', '/api/v1/patients?force=true', { token: nurse, body: ana })
    const client = aClient()
    const options = { token: nurse, headers: client.headers }
    const answer = what.startsWith('a read')
      ? await platform.call('GET', `/api/v1/patients/${made.body.id}`, options)
      : await platform.call('POST', '/api/v1/patients?force=true', { ...options, body: ana })
    expect(answer.status).toBeLessThan(300)
    const { spans, up } = await traceOf(client)
    const [method, route] = what.startsWith('a read') ? ['GET', '/patients/{id}'] : ['POST', '/patients']
    expect(up.map(text)).toEqual([
      `gateway: ${method} /api/v1/patients/*`,
      `gateway: ${method} patients`,
      `patients: ${method} ${route}`,
      'patients: publish audit.events',
      `audit: ${stored}`,
    ])
    expect(up.map(({ kind }) => kind)).toEqual([2, 3, 2, 4, 5])
    // and what the databases did for it
    const below = (span: CollectedSpan) => spans.filter(({ parentSpanId }) => parentSpanId === span.spanId).map(text)
    expect(below(up[2]!)).toContain(what.startsWith('a read') ? 'patients: INSERT outbox' : 'patients: WITH patients')
    expect(below(up[4]!)).toEqual(expect.arrayContaining(['audit: COPY events', 'audit: COMMIT']))
    const [event] = await platform.events({
      requestId: platform.sent.findLast(({ path }) => path !== '/api/v1/audit/events')!.id,
    })
    expect(up[4]!.attributes['messaging.message.id']).toBe(event!.id)
  },
  60_000,
)

test('the collector is told its key; of a client’s own words about its trace nothing is kept', () => {
  expect(collector.headers.at(-1)).toMatchObject({ 'api-key': 'of-the-collector' })
  expect(JSON.stringify(collector.spans)).not.toMatch(/somebody|Quispe/)
})

test('what isn’t a trace begins another one, and a client that keeps none has none kept', async () => {
  const before = collector.spans.length
  const unkept = aClient('00')
  const refused = [
    '00-x',
    `${'0'.repeat(5000)}`,
    `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
    `ff-${unkept.traceId}-${unkept.spanId}-01`,
  ]
  for (const traceparent of refused)
    expect((await platform.call('GET', '/api/v1/patients', { token: nurse, headers: { traceparent } })).status).toBe(
      200,
    )
  const fresh = () =>
    collector.spans
      .slice(before)
      .filter(({ name, parentSpanId }) => name.startsWith('GET /api/v1/patients') && !parentSpanId)
  await until(() => fresh().length === refused.length)
  expect(new Set(fresh().map(({ traceId }) => traceId)).size).toBe(refused.length)
  await platform.call('GET', '/api/v1/patients', { token: nurse, headers: unkept.headers })
  const kept = aClient()
  await platform.call('GET', '/api/v1/patients', { token: nurse, headers: kept.headers })
  await traceOf(kept)
  expect(collector.spans.filter(({ traceId }) => traceId === unkept.traceId)).toEqual([])
})

test('what the edge refuses is in the trace as well', async () => {
  const client = aClient()
  await platform.call('GET', '/api/v1/patients', { token: 'forged', headers: client.headers })
  expect((await traceOf(client)).up.map(text)).toEqual([
    'gateway: GET /api/v1/patients/*',
    'gateway: publish audit.events',
    'audit: store audit.store',
  ])
})

test('each line of each process is JSON with known names, and those of a request name it, its trace and its user', async () => {
  const client = aClient()
  await platform.call('GET', '/api/v1/patients', { token: nurse, headers: client.headers })
  await platform.call('POST', '/api/v1/patients', { token: nurse, body: { ...ana, race: '<script>alert(1)</script>' } })
  await platform.call('GET', '/nowhere')
  await traceOf(client)
  const logs = join(folder, 'logs')
  const lines = ['gateway', ...SERVICES].flatMap((name) => {
    expect(readdirSync(logs)).toContain(`${name}.log`)
    return readFileSync(join(logs, `${name}.log`), 'utf8')
      .trim()
      .split('\n')
  })
  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const known = new Set<string>(['@timestamp', 'log.level', 'message', 'ecs.version', 'service.name', ...fieldNames])
  expect(records.flatMap((record) => Object.keys(record)).filter((name) => !known.has(name))).toEqual([])
  expect(new Set(records.map((record) => record['log.level']))).toEqual(new Set(['info', 'warning', 'debug']))
  const own = records.filter((record) => record['trace.id'] === client.traceId)
  const { id } = platform.sent.findLast(({ path, status }) => path === '/api/v1/patients' && status === 200)!
  expect(own.map((record) => [record['service.name'], record['http.request.id'], record.message])).toEqual([
    ['gateway', id, 'GET /api/v1/patients/* 200'],
    ['patients', id, 'GET /patients 200'],
  ])
  expect(new Set(own.map((record) => record['user.id'])).size).toBe(1)
})
