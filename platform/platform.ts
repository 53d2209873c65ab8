import { get } from 'node:http'
import { json } from 'node:stream/consumers'
import { SERVICES } from '@caregate/common/services'
import { addUserIfAbsent } from './accounts.ts'
import type { BackingContext } from './backing/context.ts'
import { openBackingContext, openMessaging } from './backing/open.ts'
import { openPostgres } from './backing/postgres.ts'
import { PlatformError } from './errors.ts'
import { assertPortFree, freePort } from './processes.ts'
import type { Progress } from './progress.ts'
import {
  buildConsole,
  checkEnvironment,
  DEFAULT_PORTS,
  processEnvironment,
  processSpec,
  PROCESSES,
  provisionServices,
  runScript,
  serviceDatabaseUrls,
  type Ports,
  type ProcessName,
} from './services.ts'
import {
  lockDataFolder,
  makeFolder,
  openSecrets,
  readAdmin,
  writeAdmin,
  writeInfo,
  type PlatformInfo,
  type Secrets,
} from './state.ts'
import { openSupervisor } from './supervisor.ts'

export interface PlatformOptions {
  /** The data folder: another one is another platform. */
  folder: string
  /** What the user has set; it reaches every process, but for what only some may know. */
  env: NodeJS.ProcessEnv
  /** The well-known ports, or free ones for an instance beside others. */
  ports: 'default' | 'free'
  progress: Progress
  /** Ends a start that isn't over yet. */
  signal?: AbortSignal
  /** Restart a process when a file that it imports changes. */
  watch?: boolean
  onPids?: (pids: Record<string, number | null>) => void
}

export type Platform = Awaited<ReturnType<typeof startPlatform>>

/** Brings up the whole platform and keeps it up until `close`. */
export async function startPlatform({
  env,
  ports: choice,
  progress,
  watch = false,
  signal,
  ...options
}: PlatformOptions) {
  const folder = makeFolder(options.folder)
  const lock = await lockDataFolder(folder)
  const secrets = openSecrets(folder)
  const supervisor = openSupervisor({ folder, note: progress.note, onChange: tellPids })
  let info: PlatformInfo | undefined

  function tellPids(): void {
    if (!info) return
    const pids = Object.fromEntries(PROCESSES.map((name) => [name, supervisor.pid(name) ?? null]))
    for (const name of PROCESSES) info.services[name] = { url: info.services[name]!.url, pid: pids[name] ?? null }
    writeInfo(folder, info)
    options.onPids?.(pids)
  }

  async function close({ force = false } = {}): Promise<void> {
    info = undefined
    await supervisor.close({ force })
    lock.release()
  }

  async function start() {
    const ports = choice === 'free' ? await freePorts() : DEFAULT_PORTS
    await checkEnvironment({ env, secrets, ports })
    for (const port of Object.values(ports)) await assertPortFree(port)
    const context = await openBackingContext({ folder, env, secrets, supervisor, progress })
    const [postgres, messaging] = await Promise.all([
      openDatabases(context, secrets),
      openMessaging(context),
      progress.step('console', () => buildConsole(env)),
    ])
    const backing = { postgres, ...messaging }

    for (const name of PROCESSES) {
      const environment = processEnvironment(name, { env, secrets, ports, backing })
      await supervisor.start(processSpec(name, environment, watch))
    }
    const hosts = (env.ALLOWED_HOSTS ?? '*').split(',').map((host) => host.trim())
    const ready = PROCESSES.map((name) =>
      progress.step(name, () => supervisor.waitUntil(name, () => isReady(name, ports[name], hosts), 60)),
    )
    await Promise.all(ready)

    const services = Object.fromEntries(
      PROCESSES.map((name) => [name, { url: `http://127.0.0.1:${ports[name]}`, pid: null }]),
    )
    const host = hosts.includes('localhost') && !hosts.includes('127.0.0.1') ? 'localhost' : '127.0.0.1'
    info = {
      gateway: `http://${host}:${ports.gateway}`,
      services,
      metrics: `http://127.0.0.1:${ports.metrics}`,
      backing,
      admin: readAdmin(folder) ?? null,
    }
    tellPids()
    return { folder, info, supervisor, close }
  }

  try {
    return await Promise.race([start(), aborted(signal)])
  } catch (error) {
    await close()
    throw error
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new PlatformError('Stopped before it was up.')), { once: true })
  })
}

async function openDatabases(context: BackingContext, secrets: Secrets): Promise<string> {
  const { env, folder, progress } = context
  const postgres = await progress.step('postgres', () => openPostgres(context))
  await provisionServices(postgres, secrets)
  const migrations = SERVICES.map((service) =>
    runScript(`services/${service}/src/migrate.ts`, ['up'], {
      ...env,
      ...serviceDatabaseUrls(postgres, service, secrets),
    }),
  )
  await progress.step('migrations', () => Promise.all(migrations))
  if (!readAdmin(folder)) {
    const user = { email: 'admin@caregate.local', roles: ['admin'], env, secrets }
    const added = await progress.step('first admin', () => addUserIfAbsent(postgres, user))
    if (added) writeAdmin(folder, { email: added.email, password: added.oneTimePassword })
  }
  return postgres
}

async function freePorts(): Promise<Ports> {
  const names = [...PROCESSES, 'metrics'] as const
  const ports = await Promise.all(names.map(async (name) => [name, await freePort()] as const))
  return Object.fromEntries(ports) as Ports
}

/** A service answers for itself, the gateway for all of them; it must be called by a name that it is allowed to have. */
async function isReady(name: ProcessName, port: number, hosts: string[]): Promise<boolean> {
  const ready = await fetch(`http://127.0.0.1:${port}/health/ready`)
  if (name !== 'gateway') return ready.ok
  const host = hosts.includes('*') ? '127.0.0.1' : hosts[0]
  const health = await new Promise<unknown>((resolve, reject) => {
    const request = get({ port, path: '/health', headers: { host }, timeout: 5_000 }, (answer) => resolve(json(answer)))
    request.on('error', reject).on('timeout', () => request.destroy(new Error('no answer')))
  })
  return ready.ok && (health as { status?: string }).status === 'healthy'
}
