import { once } from 'node:events'
import { configuredVerify } from '@caregate/common/auth'
import { openBroker } from '@caregate/common/broker'
import { currentUrl } from '@caregate/common/current-url'
import { buildCursors } from '@caregate/common/cursor'
import { openDatabase } from '@caregate/common/database'
import { buildMetrics } from '@caregate/common/metrics'
import { openOutbox } from '@caregate/common/outbox'
import { run, versionOf } from '@caregate/common/run'
import { serve } from '@caregate/common/serve'
import { buildAuditApp } from './app.ts'
import { keys, signerOf } from './config.ts'
import { findConsole } from './console.ts'
import { spec } from './database.ts'
import { openFeed } from './feed.ts'
import { buildIngestMetrics } from './health.ts'
import { buildIngest, type IngestListener } from './ingest.ts'
import { parseVerifier, verifierOf } from './log/note.ts'
import { openSequencer } from './sequencer.ts'
import { openVerification } from './verification.ts'
import { startWitnessing } from './witnessing.ts'

await run(spec.service, keys, async (config, log, lifetime) => {
  const db = await openDatabase(config, spec.entities, log, lifetime.signal)
  lifetime.add('the database', () => db.destroy())
  const signer = signerOf(config)
  // connections of its own: however many read, the log gets on
  const storage = await openDatabase({ ...config, DB_POOL_MAX: 2 }, spec.entities, log, lifetime.signal)
  lifetime.add('the storage', () => storage.destroy())
  const sequencer = await openSequencer(storage, signer)
  const { WITNESS_URL, WITNESS_KEY } = config
  if (WITNESS_URL) {
    const witness = { url: WITNESS_URL, key: parseVerifier(WITNESS_KEY!) }
    await startWitnessing(db, sequencer, witness, log, lifetime.signal)
  }
  const amqpUrl = currentUrl(config.AMQP_URL, config.AMQP_URL_FILE)
  const broker = await openBroker(amqpUrl, log)
  lifetime.add('the broker', () => broker.close())
  const verification = openVerification(db, verifierOf(signer, 'log'), log)
  lifetime.add('the verification', () => verification.close())
  const feed = openFeed(db, broker, log, lifetime.signal)
  lifetime.add('the feed', () => feed.close())
  const metrics = buildMetrics(spec.service, versionOf(import.meta.url))
  const measured = buildIngestMetrics(metrics)
  const listener: IngestListener = {
    stored(batch, added) {
      measured.stored(batch, added)
      feed.stored(added)
    },
    rejected: measured.rejected,
  }
  // a connection of its own: a broker short of memory or disk stops reading from those that publish, acknowledgements too
  const ingest = buildIngest(sequencer, listener, log, lifetime.signal)
  const consumer = await openBroker(amqpUrl, log, ingest.subscribe)
  // at once: another process takes over while this one still serves
  const handedOver = once(lifetime.signal, 'abort').then(async () => {
    await ingest.settled()
    await consumer.close()
  })
  handedOver.catch(() => {})
  lifetime.add('the consumer', () => handedOver)
  const outbox = openOutbox(db, broker, log)
  lifetime.add('the outbox', () => outbox.close())
  const console = findConsole()
  if (!console) log.warning('the console is not built: npm run build:console')
  const app = buildAuditApp({
    console,
    db,
    broker,
    outbox,
    signer,
    feed,
    signal: lifetime.signal,
    verification,
    metrics,
    log,
    verify: configuredVerify(config),
    cursors: buildCursors(config.CURSOR_KEY),
    trustedProxies: config.TRUSTED_PROXIES,
  })
  await serve(spec.service, { request: app }, config, log, lifetime)
})
