import { buildVerify } from '@caregate/common/auth'
import { openBroker } from '@caregate/common/broker'
import { buildCursors } from '@caregate/common/cursor'
import { openDatabase } from '@caregate/common/database'
import { openOutbox } from '@caregate/common/outbox'
import { run } from '@caregate/common/run'
import { serve } from '@caregate/common/serve'
import { buildAuthApp } from './app.ts'
import { keys as configKeys } from './config.ts'
import { spec } from './database.ts'
import { openKeys } from './keys.ts'
import { buildPasswords } from './passwords.ts'
import { buildTokens } from './tokens.ts'

await run(spec.service, configKeys, async (config, log, lifetime) => {
  const db = await openDatabase(config, spec.entities, log, lifetime.signal)
  lifetime.add('the database', () => db.destroy())
  const broker = await openBroker(config.AMQP_URL, log)
  lifetime.add('the broker', () => broker.close())
  const outbox = openOutbox(db, broker, log)
  lifetime.add('the outbox', () => outbox.close())
  const keys = await openKeys(db, config.ALGORITHM, config.SECRET_KEY)
  const app = buildAuthApp({
    db,
    broker,
    outbox,
    log,
    config,
    keys,
    verify: buildVerify(config, keys.find),
    cursors: buildCursors(config.CURSOR_KEY),
    passwords: await buildPasswords(config.BCRYPT_COST),
    tokens: buildTokens(config, keys.signing),
    trustedProxies: config.TRUSTED_PROXIES,
  })
  await serve(spec.service, { request: app }, config, log, lifetime)
})
