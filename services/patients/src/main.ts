import type { IncomingMessage } from 'node:http'
import { configuredVerify } from '@caregate/common/auth'
import { openBroker } from '@caregate/common/broker'
import { currentUrl } from '@caregate/common/current-url'
import { buildCursors } from '@caregate/common/cursor'
import { openDatabase } from '@caregate/common/database'
import { buildMetrics } from '@caregate/common/metrics'
import { openOutbox } from '@caregate/common/outbox'
import { apiBase } from '@caregate/common/route'
import { run, versionOf } from '@caregate/common/run'
import { serve } from '@caregate/common/serve'
import { buildPatientsApp } from './app.ts'
import { keys } from './config.ts'
import { spec } from './database.ts'
import { buildFieldKeys } from './field-keys.ts'
import { checkFieldKeys } from './repository.ts'
import { importPath } from './transfer/routes.ts'

await run(spec.service, keys, async (config, log, lifetime) => {
  const db = await openDatabase(config, spec.entities, log, lifetime.signal)
  lifetime.add('the database', () => db.destroy())
  const fieldKeys = buildFieldKeys(config)
  await checkFieldKeys(db, fieldKeys)
  const broker = await openBroker(currentUrl(config.AMQP_URL, config.AMQP_URL_FILE), log)
  lifetime.add('the broker', () => broker.close())
  const outbox = openOutbox(db, broker, log)
  lifetime.add('the outbox', () => outbox.close())
  const app = buildPatientsApp({
    db,
    config,
    broker,
    outbox,
    log,
    metrics: buildMetrics(spec.service, versionOf(import.meta.url)),
    verify: configuredVerify(config),
    cursors: buildCursors(config.CURSOR_KEY),
    fieldKeys,
    trustedProxies: config.TRUSTED_PROXIES,
  })
  const isUpload = ({ url }: IncomingMessage) => url?.split('?', 1)[0] === apiBase + importPath
  await serve(spec.service, { request: app, isUpload }, config, log, lifetime)
})
