import { chownSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { byService, SERVICES } from '@caregate/common/services'
import { makeAuthority } from '@caregate/common/testing/authority'
import { buildCall } from '@caregate/common/testing/service'
import { trustAuthorities } from '@caregate/common/tls'
import { addUserIfAbsent } from '../platform/accounts.ts'
import { openMessaging } from '../platform/backing/open.ts'
import { openPostgres } from '../platform/backing/postgres.ts'
import { newPassword } from '../platform/client.ts'
import { freePort } from '../platform/processes.ts'
import { quietProgress } from '../platform/progress.ts'
import {
  processEnvironment,
  processSpec,
  PROCESSES,
  provisionServices,
  runScript,
  serviceDatabaseUrls,
  type ProcessName,
} from '../platform/services.ts'
import { makeFolder, openSecrets, unprivilegedUser } from '../platform/state.ts'
import { openSupervisor } from '../platform/supervisor.ts'
import { freshFolder } from './platform.ts'

const raised = {
  RATE_LIMIT_PER_MINUTE: '1000000',
  RATE_LIMIT_CREDENTIALS_PER_MINUTE: '1000000',
  RATE_LIMIT_PER_MINUTE_SIGNED_IN: '1000000',
  BCRYPT_COST: '4',
}
const { PATH, HOME } = process.env

/**
 * A platform as it is deployed: each process has a certificate of its own, nothing is asked without TLS, URLs with
 * passwords come from files, and an instance is replaced by another beside it.
 */
export async function openDeployed() {
  const folder = freshFolder()
  const files = makeFolder(join(folder, 'files'))
  const authority = makeAuthority(files)
  trustAuthorities(authority.ca)
  const user = unprivilegedUser()
  const issueBacking = () => {
    const pair = authority.issue('backing', 'IP:127.0.0.1')
    if (user) for (const file of Object.values(pair)) chownSync(file, user.uid, user.gid)
    return pair
  }
  const secrets = openSecrets(folder)
  const supervisor = openSupervisor({ folder })
  const env: NodeJS.ProcessEnv = {
    ...{ PATH, HOME, ...raised, TLS_CA_FILE: authority.ca, TLS_REQUIRED: 'true' },
    REDIS_URL: `rediss://:${newPassword()}@127.0.0.1:${await freePort()}`,
  }
  const ports: Record<ProcessName, number> = { gateway: 0, ...byService(() => 0) }
  const ids = new Map<ProcessName, string>()
  /** What a process is given besides; a key that is rolled stays in it. */
  const given: Record<ProcessName, NodeJS.ProcessEnv> = { gateway: {}, ...byService(() => ({})) }

  async function close(): Promise<void> {
    await supervisor.close({ force: true })
    rmSync(folder, { recursive: true })
  }

  async function open() {
    const common = { folder, env, secrets, supervisor, progress: quietProgress, vhosts: [], disposable: true }
    const context = { ...common, kind: 'native' as const, user, tls: issueBacking() }
    const [postgres, messaging] = await Promise.all([openPostgres(context), openMessaging(context)])
    await provisionServices(postgres, secrets)
    for (const service of SERVICES)
      await runScript(`services/${service}/src/migrate.ts`, ['up'], {
        ...env,
        ...serviceDatabaseUrls(postgres, service, secrets),
      })
    return { postgres, ...messaging }
  }
  const backing = await open().catch(async (error: unknown) => {
    await close()
    throw error
  })
  const fileOf = (name: string) => join(files, name)
  const databaseFile = (service: string) => fileOf(`${service}-database`)
  const amqpFile = fileOf('amqp')
  writeFileSync(amqpFile, backing.amqp)
  for (const service of SERVICES)
    writeFileSync(databaseFile(service), serviceDatabaseUrls(backing.postgres, service, secrets).DATABASE_URL)

  /** As an orchestrator does it: another instance beside the one that is there, which is stopped when the new one is found. */
  async function roll(name: ProcessName, changed: NodeJS.ProcessEnv = {}): Promise<void> {
    Object.assign(given[name], changed)
    const before = ids.get(name)
    const port = name === 'gateway' && ports.gateway ? ports.gateway : await freePort()
    ports[name] = port
    const id = `${name}-${port}`
    const { cert, key } = { cert: fileOf(`${name}.crt`), key: fileOf(`${name}.key`) }
    const environment = {
      ...processEnvironment(name, { env, secrets, ports: { ...ports, metrics: await freePort() }, backing }),
      DRAIN_GRACE_MS: '3000',
      // by the one address that stays
      JWKS_URL: `https://127.0.0.1:${ports.gateway}/.well-known/jwks.json`,
      TLS_CERT_FILE: cert,
      TLS_KEY_FILE: key,
      AMQP_URL: undefined,
      AMQP_URL_FILE: amqpFile,
      ...(name !== 'gateway' && { DATABASE_URL: undefined, DATABASE_URL_FILE: databaseFile(name) }),
      ...given[name],
    }
    await supervisor.start({ ...processSpec(name, environment, false), name: id })
    const ready = async () => {
      const probe = await fetch(`https://127.0.0.1:${port}/health/ready`)
      if (!probe.ok || name === 'gateway') return probe.ok
      const found = await fetch(`${backing.consul}/v1/health/service/${name}?passing=true`)
      return ((await found.json()) as { Service: { Port: number } }[]).some(({ Service }) => Service.Port === port)
    }
    await supervisor.waitUntil(id, ready, 60)
    ids.set(name, id)
    if (before) await supervisor.stop(before)
  }

  // the services are asked by name; 127.0.0.1 is for this test's own requests
  const issueAll = (issuer = authority) => {
    for (const name of PROCESSES) issuer.issue(name, `DNS:${name},IP:127.0.0.1`)
  }
  issueAll()
  ports.gateway = await freePort()
  try {
    await Promise.all(PROCESSES.map((name) => roll(name)))
  } catch (error) {
    await close()
    throw error
  }
  const gateway = `https://127.0.0.1:${ports.gateway}`
  const call = buildCall(gateway)

  /** Signs somebody new in, and gives what is needed to go on. */
  async function signIn(email: string, ...roles: string[]): Promise<{ accessToken: string; refreshToken: string }> {
    const { oneTimePassword } = (await addUserIfAbsent(backing.postgres, { email, roles, env, secrets }))!
    const login = async (password: string) =>
      (await call('POST', '/api/v1/auth/login', { body: { email, password } })).body as {
        accessToken: string
        refreshToken: string
      }
    const newOne = newPassword()
    const change = { currentPassword: oneTimePassword, newPassword: newOne }
    const { accessToken } = await login(oneTimePassword)
    await call('POST', '/api/v1/auth/password', { token: accessToken, body: change })
    return login(newOne)
  }

  /** Requests that go on until `stop`, each on a connection of its own. @returns what came of them */
  function startTraffic(send: (ask: Ask, n: number) => Promise<void>) {
    const failures: string[] = []
    let answered = 0
    let on = true
    const ask: Ask = async (method, path, token, body) => {
      const json = body === undefined ? undefined : JSON.stringify(body)
      const headers = {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(json && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }),
      }
      const { status, answer } = await new Promise<{ status: number; answer: string }>((resolve, reject) => {
        const asking = request(`${gateway}${path}`, { method, headers, agent: false }, (res) => {
          text(res).then((answer) => resolve({ status: res.statusCode!, answer }), reject)
        })
        asking.on('error', reject).end(json)
      })
      if (status > 299) throw new Error(`${method} ${path}: ${status} ${answer}`)
      answered += 1
      return answer.startsWith('{') ? JSON.parse(answer) : answer
    }
    async function work(worker: number): Promise<void> {
      for (let n = worker; on; n += 4)
        await send(ask, n).catch((error: Error) => failures.push(error.message.slice(0, 500)))
    }
    const working = Promise.all([0, 1, 2, 3].map(work))
    return {
      get answered() {
        return answered
      },
      failures,
      async stop() {
        on = false
        await working
      },
    }
  }

  return {
    ...{ folder, authority, supervisor, secrets, env, backing, gateway, call, close },
    ...{ roll, ids, databaseFile, amqpFile, fileOf, issueAll, signIn, startTraffic },
  }
}

// what a test expects of it, it asserts
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Ask = (method: string, path: string, token?: string, body?: unknown) => Promise<any>
