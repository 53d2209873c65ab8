import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { jwtVerify } from 'jose'
import { openBackingContext } from '../platform/backing/open.ts'
import { openPostgres } from '../platform/backing/postgres.ts'
import { newPassword } from '../platform/client.ts'
import { startPlatform } from '../platform/platform.ts'
import { freePort } from '../platform/processes.ts'
import { quietProgress } from '../platform/progress.ts'
import { launcherPid, readEnv } from '../platform/state.ts'
import { openSupervisor } from '../platform/supervisor.ts'
import { ask, freshFolder, openTestPlatform } from './platform.ts'

const own = { PATH: process.env.PATH, HOME: process.env.HOME }
const secretKey = newPassword()
let folder: string
/** A database server that its user had before there was a Caregate. */
let server: ReturnType<typeof openSupervisor>
let databaseUrl: string

beforeAll(async () => {
  folder = freshFolder()
  server = openSupervisor({ folder })
  databaseUrl = `postgresql+asyncpg://healthcare:p%40ss@127.0.0.1:${await freePort()}/healthcare_db`
  const context = await openBackingContext({
    folder,
    env: { DATABASE_URL: databaseUrl },
    secrets: { postgres: newPassword(), rabbitmq: '', rabbitmq_stream: '' },
    supervisor: server,
    progress: quietProgress,
    disposable: true,
  })
  await openPostgres(context)
}, 60_000)
afterAll(async () => {
  await server.close({ force: true })
  rmSync(folder, { recursive: true })
})

/** The environment that a checkout with this `.env` has: the eight lines that users of the platform already keep. */
function eightLines(lines: Record<string, string> = {}): NodeJS.ProcessEnv {
  const file = {
    DATABASE_URL: databaseUrl,
    SECRET_KEY: secretKey,
    ALGORITHM: 'HS256',
    ACCESS_TOKEN_EXPIRE_MINUTES: '15',
    ALLOWED_HOSTS: 'localhost,127.0.0.1',
    CORS_ORIGINS: 'http://localhost:3000,http://localhost:8080',
    RATE_LIMIT_PER_MINUTE: '60',
    LOG_LEVEL: 'INFO',
    ...lines,
  }
  expect(Object.keys(file)).toHaveLength(8)
  const text = Object.entries(file).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(join(folder, '.env'), text.join(''))
  return readEnv(folder, own)
}

test('a .env of eight lines starts the platform, on the database server that it names', async () => {
  const platform = await openTestPlatform({ env: eightLines() })
  try {
    const account = { email: 'eve@e2e.caregate.local', password: newPassword() }
    const body = { ...account, fullName: 'Eve Adamu' }
    expect((await platform.call('POST', '/api/v1/auth/register', { body })).status).toBe(201)
    const login = await platform.call('POST', '/api/v1/auth/login', { body: account })
    expect(login).toMatchObject({ status: 200, body: { expiresIn: 900 } })
    expect(login.headers.get('ratelimit-policy')).toMatch('q=60')
    const token = login.body.accessToken as string
    expect(await platform.call('GET', '/api/v1/auth/me', { token })).toMatchObject({
      status: 200,
      body: { email: account.email, fullName: 'Eve Adamu' },
    })
    // another service takes it too, and refuses for the role alone
    expect((await platform.call('GET', '/api/v1/patients', { token })).status).toBe(403)
    const { payload, protectedHeader } = await jwtVerify(token, Buffer.from(secretKey))
    expect([protectedHeader.alg, payload.roles]).toEqual(['HS256', ['patient']])
    expect((await platform.call('GET', '/.well-known/jwks.json')).body).toEqual({ keys: [] })

    const made = "SELECT datname FROM pg_database WHERE datname LIKE 'caregate%' ORDER BY 1"
    const rows = await ask<{ datname: string }>(databaseUrl.replace('+asyncpg', ''), 'postgres', made)
    expect(rows.map(({ datname }) => datname)).toEqual(['caregate_audit', 'caregate_auth', 'caregate_patients'])
  } finally {
    await platform.close()
  }
}, 60_000)

test('every bad line of a .env is named at once, before anything is brought up', async () => {
  const env = eightLines({
    DATABASE_URL: 'mysql://127.0.0.1/healthcare_db',
    SECRET_KEY: 'too-short',
    ALGORITHM: 'HS255',
    ACCESS_TOKEN_EXPIRE_MINUTES: 'soon',
    RATE_LIMIT_PER_MINUTE: '0',
    LOG_LEVEL: 'LOUD',
  })
  const data = freshFolder()
  const start = startPlatform({ folder: data, env, ports: 'free', progress: quietProgress })
  const { message } = await start.then(
    async (platform) => platform.close().then(() => new Error('it started')),
    (error: Error) => error,
  )
  const bad = message.split('\n').flatMap((line) => /^ {2}([A-Z_]+)/.exec(line)?.[1] ?? [])
  expect(bad.sort()).toEqual([
    'ACCESS_TOKEN_EXPIRE_MINUTES',
    'ALGORITHM',
    'DATABASE_URL',
    'LOG_LEVEL',
    'RATE_LIMIT_PER_MINUTE',
    'SECRET_KEY',
  ])
  for (const value of ['too-short', 'soon', 'LOUD', 'HS255']) expect(message).not.toContain(value)
  expect(readdirSync(join(data, 'logs'))).toEqual([])
  expect(launcherPid(data)).toBeUndefined()
  rmSync(data, { recursive: true })
})
