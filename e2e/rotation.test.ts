import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { until } from '@caregate/common/testing/until'
import { newPassword } from '../platform/client.ts'
import { runScript, serviceDatabaseUrls } from '../platform/services.ts'
import { unprivilegedUser } from '../platform/state.ts'
import { openDeployed } from './deployed.ts'
import { ask } from './platform.ts'

// as docs/tls.md and docs/auth.md and docs/at-rest.md say it, step by step, on running processes that are never idle
let platform: Awaited<ReturnType<typeof openDeployed>>
let token: string
let auditor: string

beforeAll(async () => {
  platform = await openDeployed()
  token = (await platform.signIn('registrar@e2e.caregate.local', 'registrar')).accessToken
  auditor = (await platform.signIn('auditor@e2e.caregate.local', 'auditor')).accessToken
}, 120_000)
afterAll(() => platform.close())

const passport = (n: number) => `X${10_000_000 + n}`
const person = (n: number) => ({
  name: { given: ['Ada'], family: `Rotation ${n}` },
  birthDate: '1975-12-10',
  sex: 'female',
  identifiers: [{ system: 'passport', value: passport(n) }],
})
const admin = <Row>(sql: string) => ask<Row>(platform.backing.postgres, 'postgres', sql)

/** Charts are made, found again and read as long as it runs. @returns how many there are */
async function whileChartsAreMade(from: number, work: (goOn: () => Promise<void>) => Promise<void>): Promise<number[]> {
  const made: number[] = []
  const traffic = platform.startTraffic(async (send, n) => {
    const number = from + n
    const { id } = await send('POST', '/api/v1/patients?force=true', token, person(number))
    made.push(number)
    const { items } = await send('POST', '/api/v1/patients/search', token, { identifier: passport(number) })
    if (items.length !== 1 || items[0].id !== id) throw new Error(`${number} is found ${items.length} times`)
  })
  const goOn = async () => {
    const { answered } = traffic
    await until(() => traffic.answered > answered + 40 || traffic.failures.length > 0, 15)
  }
  try {
    await goOn()
    await work(goOn)
    await goOn()
  } finally {
    await traffic.stop()
  }
  expect(traffic.failures).toEqual([])
  return made
}

test('a database password is changed under traffic: a stand-in signs in meanwhile', async () => {
  const { databaseFile, secrets } = platform
  const file = databaseFile('patients')
  const url = new URL(readFileSync(file, 'utf8'))
  const role = decodeURIComponent(url.username)
  const point = (username: string, password: string) =>
    writeFileSync(file, Object.assign(new URL(url), { username, password }).href)
  /** Those who have rested for a while make room for new ones. */
  const renew = () =>
    admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = 'caregate_patients' AND state = 'idle' AND state_change < now() - interval '2 s'`)
  const signedIn = async (name: string, since: string) => {
    // what the last round has woken has to rest first
    await sleep(2500)
    await renew()
    await Promise.all(Array.from({ length: 20 }, () => platform.call('GET', '/api/v1/patients', { token })))
    const [row] = await admin<{ count: number }>(
      `SELECT count(*)::int FROM pg_stat_activity WHERE usename = '${name}' AND backend_start > '${since}'`,
    )
    return row!.count > 0
  }
  const now = async () => (await admin<{ now: string }>('SELECT now()::text'))[0]!.now
  await whileChartsAreMade(0, async () => {
    const [standIn, password] = [newPassword(), newPassword()]
    await admin(`CREATE ROLE ${role}_stand_in LOGIN PASSWORD '${standIn}' IN ROLE ${role}`)
    let since = await now()
    point(`${role}_stand_in`, standIn)
    await until(() => signedIn(`${role}_stand_in`, since), 30)
    await admin(`ALTER ROLE ${role} PASSWORD '${password}'`)
    since = await now()
    point(role, password)
    await until(() => signedIn(role, since), 30)
    await admin(`ALTER ROLE ${role}_stand_in NOLOGIN`)
  })
  // the old one is good for nothing any more
  const before = serviceDatabaseUrls(platform.backing.postgres, 'patients', secrets).DATABASE_URL
  await expect(ask(before, 'caregate_patients', 'SELECT 1')).rejects.toThrow()
}, 90_000)

test('the broker’s password is changed under traffic: events wait, and none is lost', async () => {
  const { supervisor, amqpFile, call } = platform
  const environ = readFileSync(`/proc/${supervisor.pid('rabbitmq')}/environ`, 'utf8')
    .split('\0')
    .filter(Boolean)
  const env = Object.fromEntries(environ.map((line) => [line.split('=', 1)[0]!, line.slice(line.indexOf('=') + 1)]))
  const control = (...args: string[]) =>
    execFileSync('/usr/lib/rabbitmq/bin/rabbitmqctl', ['-n', env.RABBITMQ_NODENAME!, ...args], {
      ...unprivilegedUser(),
      env,
      stdio: 'pipe',
    })
  const made = await whileChartsAreMade(100_000, async () => {
    const url = new URL(readFileSync(amqpFile, 'utf8'))
    url.password = newPassword()
    control('change_password', url.username, url.password)
    writeFileSync(amqpFile, url.href)
    control('close_all_connections', 'the password was changed')
  })
  const numbers = new Set<number>()
  const since = async (after: number): Promise<void> => {
    const path = `/api/v1/audit/events?type=patients.patient.created&limit=200&afterSequence=${after}`
    const { items } = (await call('GET', path, { token: auditor })).body as { items: { sequence: number }[] }
    for (const { sequence } of items) numbers.add(sequence)
    if (items.length) await since(items.at(-1)!.sequence)
  }
  const [charts] = await ask<{ count: number }>(
    platform.backing.postgres,
    'caregate_patients',
    'SELECT count(*)::int FROM patients',
  )
  expect(made.length).toBeGreaterThan(20)
  await until(async () => (await since(0), numbers.size === charts!.count), 20)
}, 60_000)

test('SECRET_KEY is changed under traffic: who is signed in stays so', async () => {
  const { roll, secrets, signIn, startTraffic } = platform
  const [old, next] = [secrets.SECRET_KEY, newPassword()]
  const sessions = await Promise.all([0, 1, 2, 3].map((n) => signIn(`nurse-${n}@e2e.caregate.local`, 'nurse')))
  const traffic = startTraffic(async (send, n) => {
    const session = sessions[n % 4]!
    Object.assign(
      session,
      await send('POST', '/api/v1/auth/refresh', undefined, { refreshToken: session.refreshToken }),
    )
    await send('GET', '/api/v1/auth/me', session.accessToken)
    await send('GET', '/api/v1/patients', session.accessToken)
  })
  try {
    for (const keys of [
      { SECRET_KEY: old, SECRET_KEY_PREVIOUS: next },
      { SECRET_KEY: next, SECRET_KEY_PREVIOUS: old },
      { SECRET_KEY: next, SECRET_KEY_PREVIOUS: undefined },
    ]) {
      const { answered } = traffic
      await roll('auth', keys)
      await until(() => traffic.answered > answered + 40 || traffic.failures.length > 0, 15)
    }
  } finally {
    await traffic.stop()
  }
  expect(traffic.failures).toEqual([])
}, 90_000)

test('FIELD_KEY is changed under traffic: what is sealed is found before, meanwhile and after', async () => {
  const { roll, secrets, backing, env } = platform
  const [old, next] = [secrets.FIELD_KEY, newPassword()]
  const made = await whileChartsAreMade(200_000, async (goOn) => {
    await roll('patients', { FIELD_KEY: old, FIELD_KEY_PREVIOUS: next })
    await goOn()
    const keys = { FIELD_KEY: next, FIELD_KEY_PREVIOUS: old }
    await roll('patients', keys)
    const urls = serviceDatabaseUrls(backing.postgres, 'patients', secrets)
    await runScript('services/patients/src/rotate.ts', [], { ...env, ...urls, ...keys })
    await goOn()
    await roll('patients', { FIELD_KEY: next, FIELD_KEY_PREVIOUS: undefined })
  })
  for (const number of [made[0]!, made.at(-1)!]) {
    const found = await platform.call('POST', '/api/v1/patients/search', {
      token,
      body: { identifier: passport(number) },
    })
    expect(found.body.items[0].identifiers).toEqual([{ system: 'passport', value: passport(number) }])
  }
}, 90_000)
