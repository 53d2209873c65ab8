import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ConfigError, loadConfig, type Keys } from '@caregate/common/config'
import { byService, factsOf, isService, SERVICES, type Service } from '@caregate/common/services'
import { serverUrl } from './backing/postgres.ts'
import { PlatformError } from './errors.ts'
import { databaseUrls, provision, type DatabaseUrls } from './provision.ts'
import { LAUNCHER_KEYS, ROOT, type PlatformInfo, type Secrets } from './state.ts'
import type { ChildSpec } from './supervisor.ts'

const run = promisify(execFile)

export type ProcessName = Service | 'gateway'
/** `metrics` is the gateway's second one. */
export type Ports = Record<ProcessName | 'metrics', number>

export const DEFAULT_PORTS: Ports = { gateway: 8000, ...byService((service) => factsOf(service).port), metrics: 9464 }

export const PROCESSES: ProcessName[] = ['gateway', ...SERVICES]

/** Where a process has its sources, from the checkout's root. */
const folderOf = (name: ProcessName): string => (isService(name) ? `services/${name}` : name)

/** The settings that a process takes. */
export const settingsOf = async (name: ProcessName): Promise<Keys> =>
  ((await import(`../${folderOf(name)}/src/config.ts`)) as { keys: Keys }).keys

const namesOf = (service: Service) => ({ database: `caregate_${service}`, role: `caregate_${service}` }) as const
const passwordsOf = (service: Service, secrets: Secrets) => ({
  app: secrets[`caregate_${service}`],
  owner: secrets[`caregate_${service}_owner`],
})

export const serviceDatabaseUrls = (admin: string, service: Service, secrets: Secrets): DatabaseUrls =>
  databaseUrls(admin, namesOf(service), passwordsOf(service, secrets))

export async function provisionServices(admin: string, secrets: Secrets): Promise<void> {
  for (const service of SERVICES) {
    await provision(admin, namesOf(service), passwordsOf(service, secrets)).catch((error: Error) => {
      throw new PlatformError(`The database of ${service} can't be made: ${error.message}.`)
    })
  }
}

/** Runs a script of a service to its end and answers what it printed. */
export async function runScript(script: string, args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  try {
    return (await run(process.execPath, [join(ROOT, script), ...args], { cwd: ROOT, env })).stdout
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string }
    throw new PlatformError(`${script} ${args[0]} failed:\n${`${stdout}${stderr}`.trim() || message}`)
  }
}

/** Runs a script of a service in this terminal, and ends as it ends. */
export async function handOver(script: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(process.execPath, [join(ROOT, script), ...args], { stdio: 'inherit', env })
  const [code] = (await once(child, 'exit')) as [number | null]
  process.exitCode = code ?? 1
}

/** What the audit service serves at /console; done at once when it is built already. */
export const buildConsole = (env: NodeJS.ProcessEnv): Promise<string> =>
  runScript('services/audit/console/build.ts', [], env)

export interface EnvironmentInput {
  env: NodeJS.ProcessEnv
  secrets: Secrets
  ports: Ports
  backing: PlatformInfo['backing']
}

/** The environment of a process: what the user set, and what only this process may know. */
export function processEnvironment(
  name: ProcessName,
  { env, secrets, ports, backing }: EnvironmentInput,
): NodeJS.ProcessEnv {
  const own = isService(name) ? name : undefined
  const url = (service: Service) => `http://127.0.0.1:${ports[service]}`
  const holdsSecretKey = own === 'auth' || env.ALGORITHM === 'HS256'
  const passedOn = Object.fromEntries(Object.entries(env).filter(([key]) => !LAUNCHER_KEYS.includes(key)))
  return {
    LOG_FORMAT: 'json',
    ...passedOn,
    PORT: String(ports[name]),
    LISTEN_ADDRESS: '127.0.0.1',
    // with one instance of each there is nobody to go on serving
    DRAIN_GRACE_MS: '0',
    ADVERTISE_ADDRESS: '127.0.0.1',
    AMQP_URL: backing.amqp,
    ...(backing.consul
      ? { DISCOVERY: 'consul', CONSUL_HTTP_ADDR: backing.consul }
      : { DISCOVERY: 'static', SERVICES: SERVICES.map((service) => `${service}=${url(service)}`).join(',') }),
    ...(backing.redis && { REDIS_URL: backing.redis }),
    JWKS_URL: `${url('auth')}/.well-known/jwks.json`,
    ...(holdsSecretKey && {
      SECRET_KEY: env.SECRET_KEY ?? secrets.SECRET_KEY,
      SECRET_KEY_PREVIOUS: env.SECRET_KEY_PREVIOUS,
    }),
    ...(own === 'auth' && { SMTP_URL: env.SMTP_URL }),
    ...(own && {
      DATABASE_URL: serviceDatabaseUrls(backing.postgres, own, secrets).DATABASE_URL,
      CURSOR_KEY: env.CURSOR_KEY ?? secrets.CURSOR_KEY,
      TRUSTED_PROXIES: '127.0.0.1/32,::1/128',
    }),
    ...(own === 'audit' && { AUDIT_SIGNING_KEY: env.AUDIT_SIGNING_KEY ?? secrets.AUDIT_SIGNING_KEY }),
    ...(own === 'patients' && {
      FIELD_KEY: env.FIELD_KEY ?? secrets.FIELD_KEY,
      FIELD_KEY_PREVIOUS: env.FIELD_KEY_PREVIOUS,
    }),
    ...(name === 'gateway' && { METRICS_PORT: String(ports.metrics) }),
  }
}

/**
 * Reads what every process will read of its environment, before anything is brought up.
 * @throws {PlatformError} that names every bad key of them all at once
 */
export async function checkEnvironment(input: Omit<EnvironmentInput, 'backing'>): Promise<void> {
  const { DATABASE_URL } = input.env
  const backing = {
    postgres: 'postgresql://127.0.0.1',
    amqp: 'amqp://user:password@127.0.0.1',
    stream: null,
    consul: null,
    redis: null,
  }
  const checks = (await Promise.all(PROCESSES.map(settingsOf))).map(
    (keys, index) => () => loadConfig(keys, processEnvironment(PROCESSES[index]!, { ...input, backing })),
  )
  const problems = new Set<string>()
  if (input.env.TLS_CERT_FILE)
    problems.add(
      '  TLS_CERT_FILE is for a gateway that is started by itself: here everything is on the loopback, by http',
    )
  for (const check of [() => DATABASE_URL && serverUrl(DATABASE_URL), ...checks]) {
    try {
      check()
    } catch (error) {
      if (error instanceof PlatformError) problems.add(`  ${error.message}`)
      else if (error instanceof ConfigError) for (const line of error.message.split('\n').slice(1)) problems.add(line)
      else throw error
    }
  }
  if (problems.size > 0) throw new PlatformError(['Configuration refused:', ...problems].join('\n'))
}

export function processSpec(name: ProcessName, environment: NodeJS.ProcessEnv, watch: boolean): ChildSpec {
  const script = join(ROOT, folderOf(name), 'src/main.ts')
  return {
    name,
    command: [process.execPath, ...(watch ? ['--watch', '--watch-preserve-output'] : []), script],
    cwd: ROOT,
    env: environment,
    stopSignal: 'SIGTERM',
  }
}
