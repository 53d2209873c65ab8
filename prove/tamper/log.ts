/** The log that is tampered with: events, a witness that has seen some of it, and what somebody outside has kept. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase, type Database, type Tx } from '@caregate/common/database'
import { buildEvent, canonicalJson, type AuditEvent, type EventDetails } from '@caregate/common/events'
import { buildLogger, type Logger } from '@caregate/common/logger'
import { migrateUp } from '@caregate/common/migrate'
import { openBackingContext } from '../../platform/backing/open.ts'
import { openPostgres } from '../../platform/backing/postgres.ts'
import { openProgress } from '../../platform/progress.ts'
import { provisionServices, serviceDatabaseUrls } from '../../platform/services.ts'
import { makeFolder, openSecrets } from '../../platform/state.ts'
import { openSupervisor } from '../../platform/supervisor.ts'
import { spec } from '../../services/audit/src/database.ts'
import { exportLines } from '../../services/audit/src/export.ts'
import { inspect, uninspected, type Inspected } from '../../services/audit/src/inspect.ts'
import { parseCheckpoint, splitNote, verifierOf, type Checkpoint } from '../../services/audit/src/log/note.ts'
import { getHead, type EventFilter } from '../../services/audit/src/repository.ts'
import { receive, type Received } from '../../services/audit/src/received.ts'
import { openSequencer, type Sequencer } from '../../services/audit/src/sequencer.ts'
import { openWitness } from '../../services/audit/src/witness.ts'
import { startWitnessing } from '../../services/audit/src/witnessing.ts'
import type { Chance } from '../chance.ts'

export type World = Awaited<ReturnType<typeof openWorld>>

const total = 1500
/** Of the log's size, when the witness is shown it. */
const witnessedAt = [0.2, 0.5, 0.8, 0.9]
/** When somebody outside exports all of it, or a part. */
const exportedAt = [0.35, 0.65]
const logSigner = { name: 'care.example.org/audit', privateKey: generateKeyPairSync('ed25519').privateKey }
const witnessSigner = { name: 'witness.example.org', privateKey: generateKeyPairSync('ed25519').privateKey }

/** A log's own alarms are what is looked for here: they aren't printed. */
const log: Logger = Object.assign(Object.create(buildLogger('prove', 'ERROR', 'text')) as Logger, { error: () => {} })

const people = Array.from({ length: 7 }, (_, n) => ({ id: randomUUID(), name: `Somebody ${n}`, roles: ['nurse'] }))
const charts = Array.from({ length: 40 }, () => randomUUID())

/** An event as it comes from the queue. */
export function anEvent({ int, pick }: Chance): Received & { event: AuditEvent } {
  const chart = pick(charts)
  const kinds = [
    { type: 'patients.patient.read', action: 'R', method: 'GET', status: 200 },
    { type: 'patients.patient.updated', action: 'U', method: 'PATCH', status: 200 },
    { type: 'patients.patient.read', action: 'R', method: 'GET', status: 403 },
  ] as const
  const { type, action, method, status } = pick(kinds)
  const path = `/api/v1/patients/${chart}`
  const ip = `10.0.0.${int(250)}`
  const details: EventDetails = {
    ...{ type, action, service: 'patients', actor: { ...pick(people), sessionId: randomUUID() }, patientIds: [chart] },
    request: { id: randomUUID(), method, route: '/patients/{id}', path, status, ip, userAgent: 'a “browser”' },
  }
  const event = buildEvent(details)
  return { ...receive(Buffer.from(canonicalJson(event))), event }
}

/** The last of an export's checkpoints. */
async function keep(tx: Tx, filter: EventFilter): Promise<Checkpoint> {
  let last: object | undefined
  for await (const line of exportLines(tx, filter, await getHead(tx))) last = line
  return parseCheckpoint(splitNote((last as { checkpoint: string }).checkpoint).text)
}

/** All events in batches of random sizes, and what others see of them meanwhile. */
async function write(
  db: Database,
  sequencer: Sequencer,
  witness: (sequencer: Sequencer) => Promise<void>,
  chance: Chance,
) {
  const kept: Checkpoint[] = []
  const [witnessings, exports] = [witnessedAt.map((share) => share * total), exportedAt.map((share) => share * total)]
  for (let size = 0; size < total;) {
    const batch = Array.from({ length: Math.min(total - size, 1 + chance.int(150)) }, () => anEvent(chance))
    size += (await sequencer.append(batch)).length
    if (size >= witnessings[0]!) {
      witnessings.shift()
      await witness(sequencer)
    }
    if (size >= exports[0]!) {
      exports.shift()
      kept.push(await keep(db.manager, exports.length ? {} : { patientId: charts[0]! }))
    }
  }
  return [...kept, await keep(db.manager, {})]
}

async function inspectWhole(tx: Tx): Promise<Inspected> {
  for (let at = uninspected; ;) {
    const { now, done } = await inspect(tx, at, verifierOf(logSigner, 'log'))
    if (done) return now
    at = now
  }
}

export async function openWorld(chance: Chance) {
  const folder = makeFolder(mkdtempSync(join(tmpdir(), 'caregate-tamper-')))
  const seen = join(folder, 'seen.ndjson')
  const progress = openProgress(process.stderr)
  const secrets = openSecrets(folder)
  const supervisor = openSupervisor({ folder, note: progress.note })
  let db: Database | undefined
  async function close(): Promise<void> {
    progress.close()
    await db?.destroy()
    await supervisor.close({ force: true })
    rmSync(folder, { recursive: true })
  }

  /** Shows the head to a witness that has seen what stands in the file, as an audit process does that starts. */
  async function showWitness(own: Pick<Database, 'manager'>, sequencer: Sequencer, file = seen): Promise<void> {
    const server = openWitness(witnessSigner, [verifierOf(logSigner, 'log')], file).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const showing = new AbortController()
    try {
      const witness = { url, key: verifierOf(witnessSigner, 'witness') }
      await startWitnessing(own, sequencer, witness, log, showing.signal)
    } finally {
      showing.abort()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }

  try {
    const { PATH } = process.env
    // nobody will miss these data
    const backing = { folder, env: { PATH }, secrets, supervisor, progress, disposable: true }
    const admin = await openPostgres(await openBackingContext(backing))
    await provisionServices(admin, secrets)
    await migrateUp(spec, serviceDatabaseUrls(admin, 'audit', secrets))
    const url = new URL(admin)
    url.pathname = 'caregate_audit'
    const options = { DATABASE_URL: url.href, DB_POOL_MAX: 2, DB_STATEMENT_TIMEOUT_MS: 30_000 }
    const opened = await openDatabase(options, spec.entities, log, AbortSignal.timeout(10_000))
    db = opened
    const sequencer = await openSequencer(opened, logSigner)
    const kept = await write(opened, sequencer, (own) => showWitness(opened, own), chance)
    const witnessed = readFileSync(seen, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => parseCheckpoint(splitNote((JSON.parse(line) as { checkpoint: string }).checkpoint).text))
    const rows = await opened.query<{ size: number }[]>('SELECT size::int FROM checkpoints WHERE size > 0 ORDER BY 1')
    const inspected = await inspectWhole(opened.manager)
    return {
      db: opened,
      signer: logSigner,
      key: verifierOf(logSigner, 'log'),
      /** Events that there are, before anybody has touched them. */
      total,
      /** Of all checkpoints, ascending. */
      sizes: rows.map(({ size }) => size),
      witnessed,
      kept,
      /** What a process knows of it that runs. */
      inspected,
      /** Shows the head to a witness that knows what the true one does, and tells nobody. */
      async showCopy(own: Pick<Database, 'manager'>, sequencing: Sequencer): Promise<void> {
        const copy = join(folder, 'copy.ndjson')
        copyFileSync(seen, copy)
        await showWitness(own, sequencing, copy)
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
