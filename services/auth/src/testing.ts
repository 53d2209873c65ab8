import { randomUUIDv7 } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect } from '@jest/globals'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { buildVerify, type Role } from '@caregate/common/auth'
import { openBroker, revocationExchange, type Broker } from '@caregate/common/broker'
import { loadConfig } from '@caregate/common/config'
import { openTestService, quietLog, testAmqpUrl, type Answer } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { buildAuthApp } from './app.ts'
import { keys, type AuthConfig } from './config.ts'
import { spec, type UserRow } from './database.ts'
import { authSeal, openKeys, type Keys } from './keys.ts'
import { buildPasswords, type Passwords } from './passwords.ts'
import { createUser } from './repository/users.ts'
import { buildTotp } from './totp.ts'

export const SECRET_KEY = 'a secret of forty bytes, for the tests of auth'
export const password = 'Tulip-7-lantern'
export const minutes = 30
export const uniform = { status: 401, code: 'unauthorized', detail: 'E-mail or password is wrong.' }

export let service: Awaited<ReturnType<typeof openAuth>>
let broker: Broker
export let passwords: Passwords
/** What the gateways are told: by the session that ended, until when it is to be remembered. */
export const told = new Map<string, string>()

/** As it would be configured; `more` is what a test wants otherwise. */
export const authConfig = (more: Partial<AuthConfig> = {}): AuthConfig => ({
  ...loadConfig(keys, {
    SECRET_KEY,
    DATABASE_URL: 'postgres://unused/unused',
    AMQP_URL: 'amqp://unused',
    CURSOR_KEY: 'a key for the cursors of the tests!!',
  }),
  SIGN_IN_ATTEMPTS: 1_000_000,
  SIGN_IN_ATTEMPTS_PER_ADDRESS: 1_000_000,
  BCRYPT_COST: 4,
  ...more,
})

export async function openAuth(more: Partial<AuthConfig> = {}, mails?: { wake(): void }) {
  const config = authConfig(more)
  let signingKeys: Keys
  const opened = await openTestService(spec, async (deps) => {
    const seal = authSeal(config)
    signingKeys = await openKeys(deps.db, config, seal)
    return buildAuthApp({
      ...deps,
      trustedProxies: config.TRUSTED_PROXIES,
      broker,
      config,
      keys: signingKeys,
      mails,
      passwords: await buildPasswords(config.BCRYPT_COST),
      totp: buildTotp(seal),
      verify: buildVerify(config, signingKeys.find),
    })
  })
  return { ...opened, keys: signingKeys! }
}

/** Opens the service for a test file, and gathers what the gateways are told. */
export function useAuth(mails?: { wake(): void }): void {
  beforeAll(() => openAll(mails))
  beforeEach(() => service.events())
  afterAll(async () => {
    await service.close()
    await broker.close()
  })
}

async function openAll(mails?: { wake(): void }): Promise<void> {
  broker = await openBroker(testAmqpUrl(), quietLog, async (model) => {
    const channel = await model.createChannel()
    const { queue } = await channel.assertQueue('', { exclusive: true })
    await channel.bindQueue(queue, revocationExchange, '')
    await channel.consume(
      queue,
      (message) => {
        const { sessionId, expiresAt } = JSON.parse(message!.content.toString()) as Record<string, string>
        told.set(sessionId!, expiresAt!)
      },
      { noAck: true },
    )
  })
  await until(() => broker.connected)
  passwords = await buildPasswords(4)
  service = await openAuth({}, mails)
}

export const post = (path: string, body: object, token?: string) =>
  service.call('POST', `/api/v1/auth${path}`, { token, body })
export const login = (email: string, secret = password) => post('/login', { email, password: secret })
export const refresh = (refreshToken: string) => post('/refresh', { refreshToken })
export const query = <T = unknown>(sql: string, parameters: unknown[] = []) => service.db.query<T[]>(sql, parameters)
export const freshEmail = () => `${randomUUIDv7()}@example.org`

export async function addUser(roles: Role[], more: Partial<UserRow> = {}): Promise<UserRow> {
  const passwordHash = await passwords.hash(password)
  const details = { email: freshEmail(), fullName: `A ${roles[0]}`, roles, passwordHash, oneTimeUntil: null, ...more }
  return service.db.transaction((tx) => createUser(tx, details))
}

interface Session {
  id: string
  token: string
  refreshToken: string
}
export async function signIn(email: string, secret = password): Promise<Session> {
  const body = (await login(email, secret)).body as { accessToken: string; refreshToken: string }
  const [, claims] = body.accessToken.split('.')
  const { sid } = JSON.parse(Buffer.from(claims!, 'base64url').toString()) as { sid: string }
  return { id: sid, token: body.accessToken, refreshToken: body.refreshToken }
}
/** Somebody signed in; the events so far are forgotten. */
export async function signedIn(...roles: Role[]): Promise<UserRow & { session: Session }> {
  const user = await addUser(roles)
  const session = await signIn(user.email)
  await service.events()
  return { ...user, session }
}

export async function verified(accessToken: string, on = service) {
  const jwks = (await on.call('GET', '/.well-known/jwks.json')).body as JSONWebKeySet
  return jwtVerify(accessToken, createLocalJWKSet(jwks), {
    typ: 'at+jwt',
    issuer: 'caregate',
    audience: 'caregate',
  })
}
const isAlive = async (id: string) =>
  (await query<{ endedAt: Date | null }>('SELECT ended_at AS "endedAt" FROM sessions WHERE id = $1', [id]))[0]!
    .endedAt === null
export async function revocations(): Promise<Map<string, string>> {
  const answer = await service.call('GET', '/internal/revocations')
  const { items } = answer.body as { items: { sessionId: string; expiresAt: string }[] }
  return new Map(items.map((r) => [r.sessionId, r.expiresAt]))
}
/** Ended in the database, told to the gateways, and on the list for those that did not hear it. */
export async function expectEnded(id: string): Promise<void> {
  expect(await isAlive(id)).toBe(false)
  await until(() => told.has(id))
  expect((await revocations()).has(id)).toBe(true)
}
/** Lets a request run into a change that is being made, and commits that once the request waits for it. */
export async function meanwhile(request: () => Promise<Answer>, ...change: [sql: string, parameters: unknown[]]) {
  const { answer } = await service.db.transaction(async (tx) => {
    await tx.query(...change)
    const [{ pid }] = await tx.query<[{ pid: number }]>('SELECT pg_backend_pid() AS pid')
    const started = request()
    await until(
      async () => (await query('SELECT 1 FROM pg_locks WHERE $1 = ANY(pg_blocking_pids(pid))', [pid])).length > 0,
    )
    return { answer: started }
  })
  return answer
}
