/** What the proofs about auth share: a platform that limits no tries, with instances of auth that can be killed. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase, type Database } from '@caregate/common/database'
import { buildLogger } from '@caregate/common/logger'
import { newPassword, type Account } from '../platform/client.ts'
import { startPlatform } from '../platform/platform.ts'
import { freePort } from '../platform/processes.ts'
import { openProgress } from '../platform/progress.ts'
import { processEnvironment, processSpec, serviceDatabaseUrls, type Ports } from '../platform/services.ts'
import { makeFolder, openSecrets } from '../platform/state.ts'
import { unlimited } from './unlimited.ts'

export type AuthStage = Awaited<ReturnType<typeof openAuthStage>>
export interface Pair {
  accessToken: string
  refreshToken: string
}
interface Person extends Account {
  id: string
}
interface Asked {
  body?: object
  token?: string
  /** Of the request, to find it again in the logs. */
  id?: string
}
interface Answered {
  /** 0 where no answer came. */
  status: number
  headers: Headers
  text: string
  ms: number
}

/** @param count how many instances of auth there are */
export async function openAuthStage(settings: NodeJS.ProcessEnv, count = 1) {
  const folder = makeFolder(mkdtempSync(join(tmpdir(), 'caregate-prove-')))
  const env = { ...unlimited, ...settings }
  const progress = openProgress(process.stderr)
  const platform = await startPlatform({ folder, env, ports: 'free', progress })
  const { supervisor, info } = platform
  const secrets = openSecrets(folder)
  const portOf = (url: string) => Number(new URL(url).port)
  /** What the supervisor calls each instance of auth, and where it listens. */
  const instances = new Map([['auth', portOf(info.services.auth!.url)]])
  let db: Database | undefined

  async function isServing(name: string): Promise<boolean> {
    const options = { signal: AbortSignal.timeout(1000) }
    const own = await fetch(`http://127.0.0.1:${instances.get(name)}/health/ready`, options)
    const answer = await fetch(`${info.backing.consul}/v1/health/service/auth?passing=true`, options)
    const passing = ((await answer.json()) as { Service: { Port: number } }[]).map(({ Service }) => Service.Port)
    return own.ok && [...instances.values()].every((port) => passing.includes(port))
  }

  async function addInstance(): Promise<void> {
    const port = await freePort()
    const name = `auth-${port}`
    const ports = Object.fromEntries(Object.entries(info.services).map(([service, { url }]) => [service, portOf(url)]))
    const inputs = { env, secrets, ports: { ...ports, auth: port } as Ports, backing: info.backing }
    instances.set(name, port)
    await supervisor.start({ ...processSpec('auth', processEnvironment('auth', inputs), false), name })
    await supervisor.waitUntil(name, () => isServing(name), 60)
  }

  async function close(): Promise<void> {
    progress.close()
    await db?.destroy()
    await platform.close({ force: true })
    if (process.exitCode) console.error(`What the processes logged is in ${join(folder, 'logs')}.`)
    else rmSync(folder, { recursive: true })
  }

  try {
    while (instances.size < count) await addInstance()
    const { DATABASE_URL } = serviceDatabaseUrls(info.backing.postgres, 'auth', secrets)
    const options = { DATABASE_URL, DB_POOL_MAX: 2, DB_STATEMENT_TIMEOUT_MS: 10_000 }
    db = await openDatabase(options, [], buildLogger('prove', 'ERROR', 'text'), AbortSignal.timeout(10_000))
  } catch (error) {
    await close()
    throw error
  }
  const { query } = db

  /** Through the gateway, once. */
  async function call(method: string, path: string, { body, token, id }: Asked = {}): Promise<Answered> {
    const headers = {
      ...(body && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
      ...(id && { 'x-request-id': id }),
    }
    const from = performance.now()
    const done = (status: number, sent: Headers, text: string) => ({
      status,
      headers: sent,
      text,
      ms: performance.now() - from,
    })
    try {
      const answer = await fetch(`${info.gateway}/api/v1${path}`, {
        method,
        headers,
        body: body ? JSON.stringify(body) : null,
        signal: AbortSignal.timeout(30_000),
      })
      return done(answer.status, answer.headers, await answer.text())
    } catch (error) {
      return done(0, new Headers(), String(error))
    }
  }

  /** @throws when the answer is another one */
  async function must<T>(status: number, method: string, path: string, asked?: Asked): Promise<T> {
    const answer = await call(method, path, asked)
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return (answer.text && JSON.parse(answer.text)) as T
  }

  return {
    info,
    call,
    must,
    close,
    instances: [...instances.keys()],
    query: <T>(sql: string, values: unknown[]): Promise<T[]> => query.call(db, sql, values) as Promise<T[]>,

    /** Kills an instance in the middle of what it does, and starts it again. */
    async restart(name: string): Promise<void> {
      const { spec } = await supervisor.stop(name, { force: true })
      await supervisor.start(spec)
      await supervisor.waitUntil(name, () => isServing(name), 60)
    },

    /** A patient with an account of their own. */
    async register(): Promise<Person> {
      const account = { email: newEmail(), password: newPassword() }
      const body = { ...account, fullName: 'A Prover' }
      return { ...account, id: (await must<{ id: string }>(201, 'POST', '/auth/register', { body })).id }
    },

    /** The ids of the requests that each instance says it answered. */
    handled(): Set<string>[] {
      return [...instances.keys()].map((name) => {
        const lines = readFileSync(join(folder, 'logs', `${name}.log`), 'utf8')
        return new Set([...lines.matchAll(/"request\.id":"([^"]+)"/g)].map(([, id]) => id!))
      })
    },
  }
}

/** All of one length. */
export const newEmail = (): string => `${randomBytes(8).toString('hex')}@prove.example`
