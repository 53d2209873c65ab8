/** The patients service as it is shipped, but for an outbox that keeps nothing: only to measure what recording costs. */
import { configuredVerify } from '@caregate/common/auth'
import { buildCursors } from '@caregate/common/cursor'
import { openDatabase } from '@caregate/common/database'
import { buildMetrics } from '@caregate/common/metrics'
import { run } from '@caregate/common/run'
import { serve } from '@caregate/common/serve'
import { buildPatientsApp } from '../../services/patients/src/app.ts'
import { keys } from '../../services/patients/src/config.ts'
import { spec } from '../../services/patients/src/database.ts'
import { buildFieldKeys } from '../../services/patients/src/field-keys.ts'

await run(spec.service, keys, async (config, log, lifetime) => {
  const db = await openDatabase(config, spec.entities, log, lifetime.signal)
  lifetime.add('the database', () => db.destroy())
  const app = buildPatientsApp({
    db,
    config,
    metrics: buildMetrics(spec.service, 'unaudited'),
    broker: { connected: false },
    outbox: { record: async () => {}, wake: () => {}, backlog: async () => ({ rows: 0, oldestSeconds: 0 }) },
    log,
    verify: configuredVerify(config),
    cursors: buildCursors(config.CURSOR_KEY),
    fieldKeys: buildFieldKeys(config),
    trustedProxies: config.TRUSTED_PROXIES,
  })
  await serve(spec.service, { request: app }, config, log, lifetime)
})
