import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createPublicKey } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@caregate/common/config'
import { openDatabase } from '@caregate/common/database'
import { buildLogger } from '@caregate/common/logger'
import { byService, SERVICES } from '@caregate/common/services'
import { newPassword } from '../../platform/client.ts'
import { startPlatform } from '../../platform/platform.ts'
import { freePort } from '../../platform/processes.ts'
import { openProgress } from '../../platform/progress.ts'
import { processEnvironment, processSpec, serviceDatabaseUrls } from '../../platform/services.ts'
import { makeFolder, openSecrets } from '../../platform/state.ts'
import { openSupervisor } from '../../platform/supervisor.ts'
import { keys as authKeys } from '../../services/auth/src/config.ts'
import { spec as authDatabase } from '../../services/auth/src/database.ts'
import { authSeal, openKeys } from '../../services/auth/src/keys.ts'
import { buildAsk, logIn, settle } from '../people.ts'
import { buildForge } from './forge.ts'
import { openRelay, type Passed } from './relay.ts'
import { host, hostSuffix, origin, roleNames, type RoleName, type World } from './shot.ts'
import { unlimited } from '../unlimited.ts'

export type Bed = Awaited<ReturnType<typeof openBed>>

const env = { ...unlimited, BCRYPT_COST: '4' }

/** A platform, and beside its gateway one more that reaches the services through relays which write down what passes. */
export async function openBed() {
  const folder = makeFolder(mkdtempSync(join(tmpdir(), 'caregate-edge-')))
  const progress = openProgress(process.stdout)
  const platform = await startPlatform({ folder, env, ports: 'free', progress }).finally(() => progress.close())
  const { services, backing } = platform.info
  const portOf = (name: string): number => Number(new URL(services[name]!.url).port)
  const secrets = openSecrets(folder)
  const passed: Passed[] = []
  const opened = await Promise.all(SERVICES.map((service) => openRelay(service, portOf(service), passed)))
  const relays = byService((service) => opened[SERVICES.indexOf(service)]!)
  const port = await freePort()
  const ports = {
    gateway: port,
    ...byService((service) => relays[service].port),
    metrics: await freePort(),
  }
  const edgeFolder = makeFolder(join(folder, 'edge'))
  const supervisor = openSupervisor({ folder: edgeFolder, note: (text) => console.error(text) })
  const environment = {
    // without Consul it is told where the services are: at the relays
    ...processEnvironment('gateway', { env, secrets, ports, backing: { ...backing, consul: null } }),
    JWKS_URL: `${services.auth!.url}/.well-known/jwks.json`,
    ALLOWED_HOSTS: `${host},*${hostSuffix},127.0.0.1`,
    CORS_ORIGINS: origin,
  }
  const url = `http://127.0.0.1:${port}`
  const isUp = async () => (await healthOf(url)) === 'healthy' && (await fetch(`${url}/health/ready`)).ok
  await supervisor.start(processSpec('gateway', environment, false))
  await supervisor.waitUntil('gateway', isUp, 60)

  return {
    port,
    url,
    passed,
    platform,
    untilUp: () => supervisor.waitUntil('gateway', isUp, 60),
    /** Of the gateway under test. */
    pid: () => supervisor.pid('gateway'),
    /** What all processes say that somebody must act on, and how often. */
    alarms(): string[] {
      const logs = [
        join(edgeFolder, 'logs/gateway.log'),
        ...['gateway', ...SERVICES].map((name) => join(folder, 'logs', `${name}.log`)),
      ]
      const lines = logs.flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(isAlarm).map(describeAlarm))
      return [...Map.groupBy(lines, (line) => line)].map(([line, same]) => `${same.length} × ${line}`)
    },
    /** Asks it to stop, so that it publishes the refusals that it holds back. */
    closeGateway: () => supervisor.close(),
    async signingKey() {
      const { DATABASE_URL } = serviceDatabaseUrls(backing.postgres, 'auth', secrets)
      const log = buildLogger('prove', 'ERROR', 'text')
      const options = { DATABASE_URL, DB_POOL_MAX: 2, DB_STATEMENT_TIMEOUT_MS: 5000 }
      const db = await openDatabase(options, authDatabase.entities, log, AbortSignal.timeout(10_000))
      const config = loadConfig(authKeys, { ...secrets, DATABASE_URL, AMQP_URL: backing.amqp })
      return openKeys(db, config, authSeal(config)).finally(() => db.destroy())
    },
    async close() {
      await supervisor.close()
      for (const relay of opened) relay.close()
      await platform.close()
      rmSync(folder, { recursive: true })
    },
  }
}

const isAlarm = (line: string): boolean => /"log\.level":"(error|critical)"/.test(line)

function describeAlarm(line: string): string {
  const { message, error, ...rest } = JSON.parse(line) as Record<string, unknown> & {
    error?: { message: string; stack_trace?: string }
  }
  const frames = error?.stack_trace?.split('\n').slice(0, 4).join(' ') ?? ''
  return `${String(rest['service.name'])}: ${String(message)}: ${error?.message ?? ''} ${frames}`
}

export async function healthOf(url: string): Promise<unknown> {
  const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(5000) })
  return ((await answer.json()) as { status: unknown }).status
}

/** Accounts and tokens of each role, and charts large enough to fill a connection. All by the platform's own gateway. */
export async function populate({
  platform,
  signingKey,
}: Bed): Promise<{ world: World; accounts: Record<RoleName, { email: string; password: string }> }> {
  const ask = buildAsk(platform.info.gateway)
  const accounts = {} as Record<RoleName, { email: string; password: string }>
  const tokens = {} as Record<RoleName, string>
  let refreshToken = ''

  async function enter(role: RoleName, email: string, oneTime: string): Promise<void> {
    const { account, tokens: lasting } = await settle(ask, email, oneTime)
    refreshToken = lasting.refreshToken
    accounts[role] = account
    tokens[role] = lasting.accessToken
  }
  async function addStaff(name: string, role: RoleName): Promise<[email: string, oneTime: string]> {
    const email = `${name}@edge.test`
    const body = { email, fullName: `The ${name}`, roles: [role] }
    const { oneTimePassword } = await ask<{ oneTimePassword: string }>(
      201,
      'POST',
      '/api/v1/auth/users',
      body,
      tokens.admin,
    )
    return [email, oneTimePassword]
  }

  const { admin } = platform.info
  await enter('admin', admin!.email, admin!.password)
  for (const role of roleNames) {
    if (role !== 'admin' && role !== 'patient') await enter(role, ...(await addStaff(role, role)))
  }
  const patient = { email: 'patient@edge.test', password: newPassword() }
  await ask(201, 'POST', '/api/v1/auth/register', { ...patient, fullName: 'A Patient' })
  accounts.patient = patient
  tokens.patient = (await logIn(ask, patient)).accessToken
  const [newcomer, oneTime] = await addStaff('newcomer', 'nurse')
  const { accessToken: oneTimeToken } = await logIn(ask, { email: newcomer, password: oneTime })
  const { accessToken: endedToken } = await logIn(ask, accounts.nurse)
  await ask(204, 'POST', '/api/v1/auth/logout', undefined, endedToken)

  const address = { line: Array.from({ length: 4 }, () => 'x'.repeat(200)), city: 'y'.repeat(100) }
  const large = { birthDate: '1970-01-01', sex: 'unknown', addresses: Array.from({ length: 10 }, () => address) }
  let chartId = ''
  for (let n = 0; n < 60; n++) {
    const name = { given: ['Large'], family: `Chart${n}` }
    chartId = (await ask<{ id: string }>(201, 'POST', '/api/v1/patients', { ...large, name }, tokens.nurse)).id
  }

  const keys = await signingKey()
  const { privateKey } = keys.signing()
  const forge = buildForge(tokens.nurse, privateKey, createPublicKey(privateKey))
  const good = [...Object.values(tokens), oneTimeToken]
  const subOf = (token: string): string =>
    (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString('utf8')) as { sub: string }).sub
  const owners = new Map(good.map((token) => [token, subOf(token)]))
  return { world: { tokens, endedToken, oneTimeToken, refreshToken, owners, chartId, forge }, accounts }
}
