import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { Express } from 'express'
import jwt from 'jsonwebtoken'
import pg from 'pg'
import { buildVerify, type Claims, type Role, type Verify } from '../auth.ts'
import { buildCursors, type Cursors } from '../cursor.ts'
import { openDatabase, type Database } from '../database.ts'
import type { AuditEvent } from '../events.ts'
import { buildLogger, type Logger } from '../logger.ts'
import { buildMetrics, type Metrics } from '../metrics.ts'
import type { DatabaseSpec } from '../migrate.ts'
import type { Description } from '../openapi.ts'
import { openOutbox, type Outbox } from '../outbox.ts'

export interface TestBacking {
  /** The administrator's URL. */
  postgres: string
  /** The broker's URL without a virtual host: append `/w1`. */
  amqp: string
  /** Virtual hosts made beforehand, one a test worker. */
  vhosts: string[]
  consul: string
  redis: string
}

/** The backing services that the test run brought up. */
export const testBacking = (): TestBacking => JSON.parse(process.env.CAREGATE_TEST_BACKING!) as TestBacking
export const quietLog: Logger = buildLogger('test', 'ERROR', 'text')

/** A virtual host for this test worker alone: its queues outlive a test file, so a file begins by emptying them. */
export function testAmqpUrl(): string {
  const { amqp, vhosts } = testBacking()
  return `${amqp}/${vhosts[(Number(process.env.JEST_WORKER_ID) - 1) % vhosts.length]}`
}

export const issuer = { ALGORITHM: 'ES256', JWT_ISSUER: 'caregate', JWT_AUDIENCE: 'caregate' } as const
export const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const publicKey = createPublicKey(privateKey)

/** An access token as auth would issue it; `claims` overrides, undefined takes a claim away. */
export function testToken(roles: Role[], claims: Partial<Claims> = {}): string {
  const ids = { sub: randomUUID(), sid: randomUUID(), jti: randomUUID() }
  const payload = { ...ids, name: `A ${roles[0]}`, roles, exp: Math.floor(Date.now() / 1000) + 600, ...claims }
  return jwt.sign(payload, privateKey, {
    algorithm: 'ES256',
    keyid: 'test',
    header: { alg: 'ES256', typ: 'at+jwt' },
    issuer: issuer.JWT_ISSUER,
    audience: issuer.JWT_AUDIENCE,
  })
}

/** Empty clone of a service's migrated database. */
export async function cloneDatabase(spec: DatabaseSpec): Promise<{ app: string; owner: string; admin: string }> {
  const { postgres } = testBacking()
  const name = `test_${spec.service}_${randomUUID().slice(0, 8)}`
  const admin = new pg.Client(postgres)
  await admin.connect()
  await admin.query(`CREATE DATABASE ${name} TEMPLATE template_${spec.service} OWNER caregate_${spec.service}_owner`)
  await admin.end()
  const as = (user?: string, password?: string): string => {
    const url = new URL(postgres)
    url.pathname = name
    if (user) Object.assign(url, { username: user, password })
    return url.href
  }
  return {
    app: as(`caregate_${spec.service}`, 'app'),
    owner: as(`caregate_${spec.service}_owner`, 'owner'),
    admin: as(),
  }
}

export interface Answer {
  status: number
  headers: Headers
  // what a test expects of it, it asserts
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any
}
export type Call = (
  method: string,
  path: string,
  options?: { token?: string; body?: unknown; headers?: Record<string, string> },
) => Promise<Answer>

export function buildCall(base: string): Call {
  return async (method, path, { token, body, headers = {} } = {}) => {
    const raw = typeof body === 'string' || body === undefined
    const answer = await fetch(base + path, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: raw ? body : JSON.stringify(body),
    })
    const text = await answer.text()
    return {
      status: answer.status,
      headers: answer.headers,
      body: /[/+]json/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(text) : text,
    }
  }
}

/** Fails when an operation answers what its description does not list. */
function checkDocumented({ paths }: Description, method: string, path: string, { status, body }: Answer): void {
  const [plain] = path.split('?') as [string]
  const fits = (template: string) => new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(plain)
  const template = plain in paths ? plain : Object.keys(paths).find(fits)
  const operation = template && paths[template]![method.toLowerCase()]
  if (!operation) return
  const documented = (operation.responses as Record<string, { $ref?: string }>)[status]
  // an OperationOutcome has it too
  const code = body?.code ?? body?.issue?.[0].details.coding[0].code
  if (!documented || (status >= 400 && !documented.$ref?.split(/[/.]/).includes(String(code))))
    throw new Error(`${method} ${template} answers ${status} ${code}, which OpenAPI does not say`)
}

/** An app behind a real socket. */
export async function listenForTest(
  app: RequestListener | Server,
): Promise<{ url: string; call: Call; close(): Promise<void> }> {
  const server = typeof app === 'function' ? createServer(app) : app
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    call: buildCall(url),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A broker that is away. */
export const noBroker = () => ({
  connected: false as const,
  publish: () => Promise.reject<never>(new Error('no broker in this test')),
})

export interface TestDeps {
  db: Database
  broker: ReturnType<typeof noBroker>
  outbox: Outbox
  log: Logger
  metrics: Metrics
  verify: Verify
  cursors: Cursors
  trustedProxies: string[]
}

/**
 * A service on a database of its own. Its broker is away, so that every event it records stays in the outbox,
 * where `events()` takes them from.
 */
export async function openTestService(spec: DatabaseSpec, build: (deps: TestDeps) => Express | Promise<Express>) {
  const urls = await cloneDatabase(spec)
  const db = await openDatabase(
    { DATABASE_URL: urls.app, DB_POOL_MAX: 5, DB_STATEMENT_TIMEOUT_MS: 5000 },
    spec.entities,
    quietLog,
    AbortSignal.timeout(10_000),
  )
  const broker = noBroker()
  const outbox = openOutbox(db, broker, quietLog)
  const metrics = buildMetrics(spec.service, 'test')
  const verify = buildVerify(issuer, async (kid) => (kid === 'test' ? publicKey : undefined))
  const app = await build({
    db,
    broker,
    outbox,
    log: quietLog,
    metrics,
    verify,
    cursors: buildCursors('a key for the cursors of the tests!!'),
    trustedProxies: [],
  })
  const { url, call, close } = await listenForTest(app)
  const description = (await call('GET', '/internal/description')).body as Description
  return {
    url,
    call: async (...asked: Parameters<Call>) => {
      const answer = await call(...asked)
      checkDocumented(description, asked[0], asked[1], answer)
      return answer
    },
    db,
    metrics,
    urls,
    /** Events recorded since the last call, oldest first. */
    async events(): Promise<AuditEvent[]> {
      const [rows] = await db.query<[{ body: string; position: string }[], number]>(
        'DELETE FROM outbox RETURNING position, body',
      )
      return rows
        .sort((a, b) => Number(a.position) - Number(b.position))
        .map(({ body }) => JSON.parse(body) as AuditEvent)
    },
    async close() {
      await close()
      await outbox.close()
      await db.destroy()
    },
  }
}
