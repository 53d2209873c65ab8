import { buildVerify } from '@caregate/common/auth'
import { openBroker } from '@caregate/common/broker'
import { currentUrl } from '@caregate/common/current-url'
import { buildCursors } from '@caregate/common/cursor'
import { openDatabase } from '@caregate/common/database'
import { buildMetrics } from '@caregate/common/metrics'
import { openOutbox } from '@caregate/common/outbox'
import { run, versionOf } from '@caregate/common/run'
import { serve } from '@caregate/common/serve'
import { buildAuthApp } from './app.ts'
import { keys as configKeys } from './config.ts'
import { spec } from './database.ts'
import { authSeal, openKeys } from './keys.ts'
import { openResetMails } from './mail.ts'
import { buildPasswords } from './passwords.ts'
import { buildTotp } from './totp.ts'
import { startUpkeep } from './upkeep.ts'

await run(spec.service, configKeys, async (config, log, lifetime) => {
  const db = await openDatabase(config, spec.entities, log, lifetime.signal)
  lifetime.add('the database', () => db.destroy())
  const broker = await openBroker(currentUrl(config.AMQP_URL, config.AMQP_URL_FILE), log)
  lifetime.add('the broker', () => broker.close())
  const outbox = openOutbox(db, broker, log)
  lifetime.add('the outbox', () => outbox.close())
  const seal = authSeal(config)
  const keys = await openKeys(db, config, seal)
  const { SMTP_URL } = config
  const mails = SMTP_URL === undefined ? undefined : openResetMails(db, { ...config, SMTP_URL }, log)
  if (mails) lifetime.add('the mails', () => mails.close())
  void startUpkeep({ db, config, keys, seal }, log, lifetime.signal)
  const app = buildAuthApp({
    db,
    broker,
    outbox,
    log,
    metrics: buildMetrics(spec.service, versionOf(import.meta.url)),
    config,
    keys,
    mails,
    totp: buildTotp(seal),
    verify: buildVerify(config, keys.find),
    cursors: buildCursors(config.CURSOR_KEY),
    passwords: await buildPasswords(config.BCRYPT_COST),
    trustedProxies: config.TRUSTED_PROXIES,
  })
  await serve(spec.service, { request: app }, config, log, lifetime)
})
