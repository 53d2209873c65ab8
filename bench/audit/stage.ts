import { createPrivateKey, randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { sharedKey, type Role } from '@caregate/common/auth'
import { openDatabase, type Database } from '@caregate/common/database'
import { buildLogger } from '@caregate/common/logger'
import { migrateUp } from '@caregate/common/migrate'
import { startPlatform } from '../../platform/platform.ts'
import { openProgress } from '../../platform/progress.ts'
import { provision } from '../../platform/provision.ts'
import { serviceDatabaseUrls } from '../../platform/services.ts'
import { makeFolder, openSecrets, ROOT } from '../../platform/state.ts'
import { spec } from '../../services/audit/src/database.ts'
import type { Signer } from '../../services/audit/src/log/note.ts'
import type { PgClient } from './copy.ts'

export type Stage = Awaited<ReturnType<typeof openStage>>

const { Client } = createRequire(join(ROOT, 'libs/common/package.json'))('pg') as {
  Client: new (url: string) => PgClient
}
export const quiet = buildLogger('bench', 'WARNING', 'text')

/**
 * A platform as it is shipped, the parts of which are measured; and further databases like audit's.
 * @param more of its environment
 */
export async function openStage(more: NodeJS.ProcessEnv = {}) {
  const folder = makeFolder(mkdtempSync(join(tmpdir(), 'caregate-bench-')))
  const { PATH, HOME } = process.env
  const secretKey = randomBytes(48).toString('base64')
  const env = { PATH, HOME, LOG_LEVEL: 'WARNING', ALGORITHM: 'HS256', SECRET_KEY: secretKey, ...more }
  const progress = openProgress(process.stderr)
  const platform = await startPlatform({ folder, env, ports: 'free', progress }).finally(() => progress.close())
  const { info, supervisor } = platform
  const secrets = openSecrets(folder)
  const opened: { close(): Promise<unknown> }[] = []

  async function openStore(DATABASE_URL: string): Promise<Database> {
    const settings = { DATABASE_URL, DB_POOL_MAX: 4, DB_STATEMENT_TIMEOUT_MS: 60_000 }
    const db = await openDatabase(settings, spec.entities, quiet, AbortSignal.timeout(10_000))
    opened.push({ close: () => db.destroy() })
    return db
  }

  return {
    folder,
    env,
    info,
    secrets,
    supervisor,
    /** What the log of the platform is signed with. */
    signer: { name: 'caregate.local/audit', privateKey: createPrivateKey(secrets.AUDIT_SIGNING_KEY) } satisfies Signer,
    portOf: (service: string) => Number(new URL(info.services[service]!.url).port),
    /** The database of the platform's audit service. */
    openLog: () => openStore(serviceDatabaseUrls(info.backing.postgres, 'audit', secrets).DATABASE_URL),
    /** An empty database with audit's tables, indexes and roles. */
    async openEmptyLog(database: string) {
      const passwords = { app: secrets.caregate_audit, owner: secrets.caregate_audit_owner }
      const urls = await provision(info.backing.postgres, { database, role: 'caregate_audit' }, passwords)
      await migrateUp(spec, urls)
      const client = new Client(urls.DATABASE_URL)
      await client.connect()
      opened.push({ close: () => client.end() })
      return { db: await openStore(urls.DATABASE_URL), client }
    },
    async token(roles: Role[]): Promise<string> {
      const { kid, key } = sharedKey(secretKey)
      return new SignJWT({ sid: randomUUID(), jti: randomUUID(), name: 'Somebody', roles })
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid })
        .setSubject(randomUUID())
        .setIssuer('caregate')
        .setAudience('caregate')
        .setIssuedAt()
        .setExpirationTime('1d')
        .sign(key)
    },
    async close(): Promise<void> {
      for (const { close } of opened.toReversed()) await close()
      await platform.close({ force: true })
      rmSync(folder, { recursive: true })
    },
  }
}
