import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openBroker } from '@caregate/common/broker'
import { openDatabase } from '@caregate/common/database'
import { SERVICES } from '@caregate/common/services'
import { makeAuthority } from '@caregate/common/testing/authority'
import { quietLog } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { trustAuthorities } from '@caregate/common/tls'
import { openRedis } from '../gateway/src/redis.ts'
import { openDeployed } from './deployed.ts'
import { ask } from './platform.ts'

let platform: Awaited<ReturnType<typeof openDeployed>>
let token: string
let auditor: string

beforeAll(async () => {
  platform = await openDeployed()
  token = (await platform.signIn('nurse@e2e.caregate.local', 'nurse')).accessToken
  auditor = (await platform.signIn('auditor@e2e.caregate.local', 'auditor')).accessToken
}, 120_000)
afterAll(() => platform.close())

const person = (n: number) => ({ name: { given: ['Ada'], family: `Tls ${n}` }, birthDate: '1975-12-10', sex: 'female' })
const logsOf = (name: string) => readFileSync(`${platform.folder}/logs/${platform.ids.get(name as 'auth')}.log`, 'utf8')

test('with everything asked by TLS a chart is created, and its event is in the log', async () => {
  const { call, backing } = platform
  const created = await call('POST', '/api/v1/patients', { token, body: person(0) })
  expect(created.status).toBe(201)
  const path = `/api/v1/audit/events?type=patients.patient.created&patientId=${created.body.id}`
  await until(async () => (await call('GET', path, { token: auditor })).body.items.length === 1, 5)
  // as Postgres sees it: of all that is connected nothing is plain
  const query = `SELECT count(*) FILTER (WHERE NOT ssl)::int AS plain, count(*)::int AS total
    FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename LIKE 'caregate_%'`
  const [connections] = await ask<{ plain: number; total: number }>(backing.postgres, 'postgres', query)
  expect(connections!.plain).toBe(0)
  expect(connections!.total).toBeGreaterThan(3)
  const { host } = new URL(platform.gateway)
  await expect(fetch(`http://${host}/health`)).rejects.toThrow()
})

test('certificates, and the authority behind them, are replaced under traffic without a refused request', async () => {
  const { authority, issueAll, startTraffic, roll, fileOf } = platform
  const traffic = startTraffic(async (send, n) => {
    const { id } = await send('POST', '/api/v1/patients?force=true', token, person(n))
    await send('GET', `/api/v1/patients/${id}`, token)
    await send('GET', '/api/v1/auth/me', token)
    await send('GET', '/api/v1/audit/checkpoint')
  })
  const goOn = async () => {
    const { answered } = traffic
    await until(() => traffic.answered > answered + 50 || traffic.failures.length > 0, 15)
  }
  const counted = (name: string, line: string) => logsOf(name).split(line).length - 1
  const names = ['gateway', ...SERVICES]
  const whenAll = async (line: string, change: () => void) => {
    const before = names.map((name) => counted(name, line))
    change()
    await until(() => names.every((name, index) => counted(name, line) > before[index]!), 10)
    await goOn()
  }
  try {
    await goOn()
    await whenAll('the TLS certificate was read', () => issueAll())
    const next = makeAuthority(fileOf('.'), 'next')
    const [old, coming] = [readFileSync(authority.ca, 'utf8'), readFileSync(next.ca, 'utf8')]
    const trusted = authority.ca
    await whenAll('the TLS authorities were read again', () => writeFileSync(trusted, old + coming))
    trustAuthorities(trusted)
    await whenAll('the TLS certificate was read', () => issueAll(next))
    // by a connection that didn't exist before
    await roll('patients')
    await goOn()
  } finally {
    await traffic.stop()
  }
  expect(traffic.failures).toEqual([])
}, 90_000)

/** What connections say when they fail. Consul’s client takes an error of Jest’s realm for an answer, so it isn’t here. */
async function complaints(host = '127.0.0.1'): Promise<string[]> {
  const { backing, env } = platform
  const lines: string[] = []
  const log = Object.assign(Object.create(quietLog) as typeof quietLog, {
    warning: (message: string, { error, ...where }: { error?: Error }) =>
      lines.push(`${message} ${JSON.stringify(where)} ${error?.message}`),
  })
  const at = (url: string) => url.replace('@127.0.0.1', `@${host}`)
  const stopping = new AbortController()
  const options = { DATABASE_URL: at(backing.postgres), DB_POOL_MAX: 2, DB_STATEMENT_TIMEOUT_MS: 5000 }
  const database = openDatabase(options, [], log, stopping.signal).then((db) => db.destroy())
  database.catch(() => {})
  const broker = await openBroker(at(backing.amqp), log)
  const redis = openRedis(at(env.REDIS_URL!), log)
  const parts = ['database is not there', 'broker can’t be reached', 'Redis is away']
  await until(() => parts.every((part) => lines.some((line) => line.includes(part))), 10).catch(() => {})
  stopping.abort()
  redis.close()
  await broker.close()
  return parts.map((part) => lines.find((line) => line.includes(part)) ?? `${part}: nothing was said`)
}

test('a data service whose certificate is another authority’s or another name’s is not talked to; the log says which and why', async () => {
  const { fileOf } = platform
  expect(await complaints()).toEqual(
    ['database is not there', 'broker can’t be reached', 'Redis is away'].map((part) => `${part}: nothing was said`),
  )
  for (const line of await complaints('localhost')) expect(line).toMatch(/localhost:\d+"\} .*Host: localhost\. is not /)
  trustAuthorities(makeAuthority(fileOf('.'), 'stranger').ca)
  for (const line of await complaints())
    expect(line).toMatch(/127\.0\.0\.1:\d+"\} .*(unable to verify|unable to get local issuer|self-signed)/)
}, 60_000)
