/** What the proof of the log runs on: a platform and a witness of its log, and people of each role. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPrivateKey } from 'node:crypto'
import { auditQueue, openBroker } from '@caregate/common/broker'
import { openDatabase } from '@caregate/common/database'
import { buildLogger } from '@caregate/common/logger'
import { SERVICES, type Service } from '@caregate/common/services'
import type { Account } from '../../platform/client.ts'
import { startPlatform } from '../../platform/platform.ts'
import { freePort } from '../../platform/processes.ts'
import { openProgress } from '../../platform/progress.ts'
import { makeFolder, openSecrets, ROOT } from '../../platform/state.ts'
import { openSupervisor } from '../../platform/supervisor.ts'
import { formatVerifier, verifierOf } from '../../services/audit/src/log/note.ts'
import { buildAsk, settle } from '../people.ts'
import { unlimited } from '../unlimited.ts'

export type AuditStage = Awaited<ReturnType<typeof openAuditStage>>
export const roles = ['clinician', 'nurse', 'auditor'] as const
export type Tokens = Record<(typeof roles)[number], string>

const cli = join(ROOT, 'services/audit/src/cli.ts')
const env = { ...unlimited, BCRYPT_COST: '4', LOG_LEVEL: 'WARNING', ACCESS_TOKEN_EXPIRE_MINUTES: '1440' }

/** @param more settings of the processes */
export async function openAuditStage(more: NodeJS.ProcessEnv = {}) {
  const folder = makeFolder(mkdtempSync(join(tmpdir(), 'caregate-prove-')))
  const inFolder = (name: string) => join(folder, name)
  const secrets = openSecrets(folder)
  const signing = { name: 'caregate.local/audit', privateKey: createPrivateKey(secrets.AUDIT_SIGNING_KEY) }
  const logKey = formatVerifier(verifierOf(signing, 'log'))
  const witness = { name: 'witness.prove', privateKey: generateKeyPairSync('ed25519').privateKey }
  const witnessKey = formatVerifier(verifierOf(witness, 'witness'))
  const port = await freePort()
  const seen = inFolder('seen.ndjson')
  writeFileSync(inFolder('witness.pem'), witness.privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 })
  // by itself, as one would run it that the operator has no say over
  const beside = openSupervisor({ folder: makeFolder(inFolder('witness')) })
  await beside.start({
    name: 'witness',
    command: [
      process.execPath,
      ...[cli, 'witness', '--key', inFolder('witness.pem'), '--name', witness.name, '--log-key', logKey],
      ...['--store', seen, '--port', String(port)],
    ],
    cwd: ROOT,
    env: { PATH: env.PATH },
    stopSignal: 'SIGTERM',
  })
  const progress = openProgress(process.stderr)
  const settings = { ...env, ...more, WITNESS_URL: `http://127.0.0.1:${port}`, WITNESS_KEY: witnessKey }
  // the supervisor would note each of the deaths that the proof is about
  const quiet = { step: progress.step, note: () => {} }
  const platform = await startPlatform({ folder, env: settings, ports: 'free', progress: quiet }).finally(() =>
    progress.close(),
  )
  const { info } = platform

  async function close(): Promise<void> {
    await platform.close({ force: true })
    await beside.close({ force: true })
    if (process.exitCode) console.error(`What the processes logged is in ${inFolder('logs')}, the export beside it.`)
    else rmSync(folder, { recursive: true })
  }

  const log = buildLogger('prove', 'ERROR', 'text')
  async function count(service: Service, sql: string): Promise<number> {
    const url = new URL(info.backing.postgres)
    url.pathname = `caregate_${service}`
    const options = { DATABASE_URL: url.href, DB_POOL_MAX: 1, DB_STATEMENT_TIMEOUT_MS: 60_000 }
    const db = await openDatabase(options, [], log, AbortSignal.timeout(60_000))
    const [row] = await db.query<{ n: number }[]>(`SELECT (${sql})::int AS n`).finally(() => db.destroy())
    return row!.n
  }

  /** Messages that wait in the queue of the log. */
  async function queued(): Promise<number> {
    let found: (count: number) => void
    const answer = new Promise<number>((resolve) => (found = resolve))
    const broker = await openBroker(info.backing.amqp, log, async (model) => {
      const channel = await model.createChannel()
      found((await channel.checkQueue(auditQueue)).messageCount)
    })
    return answer.finally(() => broker.close())
  }

  return {
    ...platform,
    env: settings,
    /** Of the witness. */
    beside,
    cli,
    keys: ['--log-key', logKey, '--witness-key', witnessKey],
    seen,
    /** What the witness had seen before the export. */
    checkpoints: inFolder('checkpoints.ndjson'),
    exported: inFolder('export.ndjson'),
    count,
    queued,
    waiting: async () =>
      (await Promise.all(SERVICES.map((service) => count(service, 'SELECT count(*) FROM outbox')))).reduce(
        (sum, rows) => sum + rows,
        await queued(),
      ),
    close,
  }
}

/** Somebody of each role, and a service account that exports the log. */
export async function bringPeople({ info }: AuditStage) {
  const ask = buildAsk(info.gateway)
  const { admin } = info
  const { accessToken } = (await settle(ask, admin!.email, admin!.password)).tokens
  const tokens = {} as Tokens
  const accounts = {} as Record<keyof Tokens, Account>
  for (const role of roles) {
    const body = { email: `${role}@prove.test`, fullName: `The ${role}`, roles: [role] }
    const made = await ask<{ oneTimePassword: string }>(201, 'POST', '/api/v1/auth/users', body, accessToken)
    const settled = await settle(ask, body.email, made.oneTimePassword)
    tokens[role] = settled.tokens.accessToken
    accounts[role] = settled.account
  }
  const account = await ask<{ clientId: string; clientSecret: string }>(
    201,
    'POST',
    '/api/v1/auth/service-accounts',
    { name: 'exporter', roles: ['auditor'] },
    accessToken,
  )
  const { clientId, clientSecret } = account
  return {
    tokens,
    accounts,
    /** A token of theirs. */
    admin: accessToken,
    /** A new token of the service account. */
    exporter: async () =>
      (await ask<{ accessToken: string }>(200, 'POST', '/api/v1/auth/token', { clientId, clientSecret })).accessToken,
  }
}
