/** Postgres as its owner sees it, and its own tools. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { isTlsDatabase } from '@caregate/common/config'
import { connectionOf } from '@caregate/common/database'
import type { Service } from '@caregate/common/services'
import { BackupError } from './errors.ts'
import { factsOf } from './services.ts'

export type Client = Pick<pg.Client, 'query'>

/** What is true of a database at one moment. */
export interface Facts {
  /** The moment: what was committed later is not in the backup. */
  at: string
  /** The last that was applied. */
  migration: string
  /** Events that wait to be passed on: they are in the backup, and will be passed on again after a restore. */
  outbox: number
  /** Of the audit log: its signed checkpoint. */
  mark?: string
}

export async function withDatabase<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...connectionOf(url), connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  try {
    await client.connect().catch((error: Error) => {
      throw new BackupError(`The database can't be reached: ${error.message || 'no answer'}`)
    })
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}

/** @throws {BackupError} when the database isn't that service's */
export async function readFacts(client: Client, service: Service): Promise<Facts> {
  const { table, mark } = factsOf(service)
  const { rows: tables } = await client.query<{ found: string | null }>('SELECT to_regclass($1) AS found', [table])
  if (!tables[0]?.found)
    throw new BackupError(
      `The database that DATABASE_OWNER_URL names has no table ${table}: it is not that of ${service}.`,
    )
  const { rows } = await client.query<Facts>(
    `SELECT now() AS at, (SELECT name FROM migrations ORDER BY id DESC LIMIT 1) AS migration,
       (SELECT count(*)::int FROM outbox) AS outbox`,
  )
  const { at, migration, outbox } = rows[0]!
  const marks = mark ? (await client.query<{ note: string }>(mark)).rows : []
  return { at: new Date(at).toISOString(), migration, outbox, ...(marks[0] && { mark: marks[0].note }) }
}

/** Its facts, and the name under which `pg_dump` reads the very same state while `work` is under way. */
export async function withSnapshot<T>(
  url: string,
  service: Service,
  work: (facts: Facts, snapshot: string) => Promise<T>,
): Promise<T> {
  return withDatabase(url, async (client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const facts = await readFacts(client, service)
    const { rows } = await client.query<{ snapshot: string }>('SELECT pg_export_snapshot() AS snapshot')
    await checkTool('pg_dump', client)
    return work(facts, rows[0]!.snapshot)
  })
}

/** @throws {BackupError} where there is no such program, or one that is older than the server */
export async function checkTool(tool: 'pg_dump' | 'pg_restore', client: Client): Promise<void> {
  const { rows } = await client.query<{ major: number }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS major`,
  )
  const server = rows[0]!.major
  const own = Number(/(\d+)/.exec(await version(tool))?.[1])
  if (own < server)
    throw new BackupError(
      `The server is Postgres ${server}, and ${tool} on the PATH is of ${own}: it takes that of ${server} or later (package postgresql-client-${server}, or the image caregate/backup).`,
    )
}

async function version(tool: string): Promise<string> {
  const child = spawn(tool, ['--version'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const failed = once(child, 'error').then(() => {
    throw new BackupError(
      `${tool} is not on the PATH: install the client of Postgres, as new as the server at least, or use the image caregate/backup.`,
    )
  })
  return Promise.race([text(child.stdout), failed])
}

/** Starts one of Postgres's tools on a database; the password is in no list of processes. */
export function startTool(tool: 'pg_dump' | 'pg_restore', args: string[], url?: string) {
  const plain = new URL(url ?? 'postgresql://none')
  const password = decodeURIComponent(plain.password)
  plain.password = ''
  // to encrypt is to verify here, whatever the mode is called; libpq has its own way to be told so
  plain.searchParams.delete('sslmode')
  const verified = { PGSSLMODE: 'verify-full', PGSSLROOTCERT: process.env.TLS_CA_FILE ?? 'system' }
  const child = spawn(tool, [...args, ...(url ? [`--dbname=${plain.href}`] : [])], {
    env: { ...process.env, ...(url && isTlsDatabase(url) && verified), ...(password && { PGPASSWORD: password }) },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const said = text(child.stderr)
  /** @throws {BackupError} with what it said, unless it ended well */
  async function end(): Promise<void> {
    const [code] = (await once(child, 'close')) as [number | null]
    const lines = (await said).trim()
    if (code !== 0) throw new BackupError(`${tool} failed: ${lines || `exit code ${code}`}`)
  }
  const ended = end()
  // whoever waits for it learns of it; until then it isn't uncaught
  ended.catch(() => {})
  return { stdin: child.stdin, stdout: child.stdout, ended }
}
