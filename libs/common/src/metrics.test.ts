import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { spec } from '../../../services/patients/src/database.ts'
import { buildApp } from './app.ts'
import { openDatabase, type Database } from './database.ts'
import { measureService } from './measure.ts'
import { buildMetrics } from './metrics.ts'
import { openOutbox, type Outbox } from './outbox.ts'
import { cloneDatabase, listenForTest, noBroker, quietLog } from './testing/service.ts'
import { samplesOf } from './testing/samples.ts'
import { openTcpProxy, type TcpProxy } from './testing/tcp-proxy.ts'
import { until } from './testing/until.ts'

let proxy: TcpProxy
let db: Database
let outbox: Outbox
let service: Awaited<ReturnType<typeof listenForTest>>

beforeAll(async () => {
  proxy = await openTcpProxy((await cloneDatabase(spec)).app)
  const config = { DATABASE_URL: proxy.url, DB_POOL_MAX: 2, DB_STATEMENT_TIMEOUT_MS: 5000 }
  db = await openDatabase(config, spec.entities, quietLog, AbortSignal.timeout(10_000))
  outbox = openOutbox(db, noBroker(), quietLog)
  const metrics = buildMetrics('patients', '1.2.3')
  measureService(metrics, { db, broker: noBroker(), outbox })
  service = await listenForTest(
    buildApp({
      service: 'patients',
      refused: 'patients.request.refused',
      routes: [],
      log: quietLog,
      metrics,
      outbox,
      verify: () => Promise.reject(new Error('nobody signs in here')),
      trustedProxies: [],
      ready: async () => {},
    }),
  )
})
afterAll(async () => {
  await service.close()
  await outbox.close()
  await db.destroy()
  await proxy.close()
})

/** The values of a scrape by name; of what has labels, the last one. */
async function scrape(): Promise<Map<string, number>> {
  const { status, headers, body } = await service.call('GET', '/metrics')
  expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  const lines = (body as string).split('\n').filter((line) => line && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.split(/[ {]/, 1)[0]!, Number(line.split(' ').at(-1))]))
}

test('a scrape says what waits in the outbox, and for how long', async () => {
  const before = await scrape()
  expect([before.get('caregate_outbox_rows'), before.get('caregate_outbox_oldest_seconds')]).toEqual([0, 0])
  expect(before.get('process_resident_memory_bytes')).toBeGreaterThan(0)
  await db.query(
    `INSERT INTO outbox (id, type, body, created_at)
     SELECT gen_random_uuid(), 'patients.patient.read', '{}', now() - interval '1 minute' * (4 - n) FROM generate_series(1, 3) AS n`,
  )
  const after = await scrape()
  expect(after.get('caregate_outbox_rows')).toBe(3)
  expect(after.get('caregate_outbox_oldest_seconds')).toBeGreaterThanOrEqual(180)
  expect(after.get('caregate_outbox_oldest_seconds')).toBeLessThan(240)
})

test('a scrape says how the connections of the database are, and whether the broker is there', async () => {
  const read = async () => samplesOf((await service.call('GET', '/metrics')).body as string)
  const idle = await read()
  expect(idle.get('caregate_build_info{service="patients",version="1.2.3"}')).toBe(1)
  expect([idle.get('caregate_broker_connected'), idle.get('caregate_db_pool_max')]).toEqual([0, 2])
  expect(idle.get('caregate_db_pool_connections{state="idle"}')).toBeGreaterThan(0)
  const busy = Promise.all([1, 2, 3, 4].map(() => db.query('SELECT pg_sleep(1)')))
  const loaded = await read()
  expect(loaded.get('caregate_db_pool_waiting')).toBe(2)
  expect(loaded.get('caregate_db_pool_connections{state="busy"}')).toBe(2)
  expect(loaded.get('caregate_db_pool_connections{state="idle"}')).toBe(0)
  await busy
})

test('each number has a text and a type', async () => {
  const { body } = await service.call('GET', '/metrics')
  expect(body).toContain('# HELP caregate_outbox_rows Events that wait')
  expect(body).toContain('# TYPE caregate_outbox_oldest_seconds gauge')
})

test('while the database is away a scrape has the rest, and no number of the outbox', async () => {
  proxy.cut()
  const away = await scrape()
  expect(away.get('process_resident_memory_bytes')).toBeGreaterThan(0)
  expect([...away.keys()].filter((name) => name.startsWith('caregate_outbox_'))).toEqual([])
  proxy.restore()
  await until(async () => (await scrape()).get('caregate_outbox_rows') === 3)
})

test('what never answers keeps a scrape for two seconds, all who ask meanwhile share it, and two apps do not collide', async () => {
  const metrics = buildMetrics('other', '1')
  let readings = 0
  metrics.gauges({ stuck: 'Never known' }, () => {
    readings++
    return new Promise(() => {})
  })
  metrics.gauges({ known: 'Known', unknown: 'Not known' }, async () => ({ known: 7, unknown: null }))
  const from = performance.now()
  const [one, two] = await Promise.all([metrics.scrape(), metrics.scrape()])
  expect(performance.now() - from).toBeLessThan(4000)
  expect([one === two, readings]).toEqual([true, 1])
  expect(one).toContain('\nknown 7\n')
  expect(one).not.toMatch(/^(stuck|unknown) /m)
  expect((await scrape()).has('known')).toBe(false)
})
