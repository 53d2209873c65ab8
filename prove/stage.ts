/** A platform whose processes can be rolled, as the proofs under load need it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '@caregate/common/database'
import { buildLogger } from '@caregate/common/logger'
import { addUserIfAbsent } from '../platform/accounts.ts'
import { startPlatform } from '../platform/platform.ts'
import { freePort } from '../platform/processes.ts'
import { openProgress } from '../platform/progress.ts'
import { PROCESSES, processEnvironment, processSpec, type Ports, type ProcessName } from '../platform/services.ts'
import { makeFolder, openSecrets } from '../platform/state.ts'
import { eventsByRequest, isReady } from './load.ts'
import { unlimited } from './unlimited.ts'

/** A platform as it is deployed: its processes drain, and auth has a name that outlives each of its instances. */
/** @param more settings of the processes */
export async function openStage(more: NodeJS.ProcessEnv = {}) {
  const folder = makeFolder(mkdtempSync(join(tmpdir(), 'caregate-prove-')))
  const env = { ...unlimited, ACCESS_TOKEN_EXPIRE_MINUTES: '1440', ...more }
  const progress = openProgress(process.stderr)
  const platform = await startPlatform({ folder, env, ports: 'free', progress })
  const { supervisor, info } = platform
  const secrets = openSecrets(folder)
  const portOf = (url: string): number => Number(new URL(url).port)
  const ports = {
    ...Object.fromEntries(PROCESSES.map((name) => [name, portOf(info.services[name]!.url)])),
    metrics: portOf(info.metrics),
  } as Ports
  const ids = new Map<ProcessName, string>(PROCESSES.map((name) => [name, name]))
  /** What the supervisor calls the process that serves. */
  const idOf = (name: ProcessName) => ids.get(name)!
  const gateways = new Set([ports.gateway])

  const authByName = createServer((req, res) => {
    const passedOn = request({ port: ports.auth, path: req.url }, (answer) => {
      res.writeHead(answer.statusCode!)
      answer.pipe(res)
    })
    passedOn.on('error', () => res.writeHead(502).end()).end()
  }).listen(0, '127.0.0.1')

  /** Whether the instances of a service that Consul says pass are these. */
  async function isRegistered(service: string, expected: number[]): Promise<boolean> {
    const options = { signal: AbortSignal.timeout(1000) }
    const answer = await fetch(`${info.backing.consul}/v1/health/service/${service}?passing=true`, options)
    const found = ((await answer.json()) as { Service: { Port: number } }[]).map(({ Service }) => Service.Port)
    return String(found.sort()) === String(expected.sort())
  }

  /** As Kubernetes does it: a new process beside the old one, which is told to stop when the new one is ready and found. */
  async function roll(name: ProcessName) {
    const from = performance.now()
    const [oldId, oldPort] = [ids.get(name)!, ports[name]]
    const [port, metrics] = [await freePort(), await freePort()]
    const id = `${name}-${port}`
    const environment = {
      ...processEnvironment(name, {
        env,
        secrets,
        ports: { ...ports, [name]: port, metrics },
        backing: info.backing,
      }),
      DRAIN_GRACE_MS: '5000',
      JWKS_URL: `http://127.0.0.1:${(authByName.address() as AddressInfo).port}/.well-known/jwks.json`,
    }
    await supervisor.start({ ...processSpec(name, environment, false), name: id })
    if (name === 'gateway') gateways.add(port)
    const isThere = async () => (await isReady(port)) && (await isRegistered(name, [oldPort, port]))
    await supervisor.waitUntil(id, isThere, 60)
    ids.set(name, id)
    ports[name] = port
    if (name === 'gateway') ports.metrics = metrics
    const readyMs = performance.now() - from
    const { code } = await supervisor.stop(oldId)
    if (name === 'gateway') gateways.delete(oldPort)
    return { readyMs, drainMs: performance.now() - from - readyMs, code }
  }

  async function close(): Promise<void> {
    progress.close()
    authByName.close()
    await platform.close({ force: true })
    if (process.exitCode) console.error(`What the processes logged is in ${join(folder, 'logs')}.`)
    else rmSync(folder, { recursive: true })
  }

  /** Asks the log's database. */
  async function query<Row>(sql: string): Promise<Row[]> {
    const url = new URL(info.backing.postgres)
    url.pathname = 'caregate_audit'
    const settings = { DATABASE_URL: url.href, DB_POOL_MAX: 2, DB_STATEMENT_TIMEOUT_MS: 60_000 }
    const db = await openDatabase(settings, [], buildLogger('prove', 'ERROR', 'text'), AbortSignal.timeout(10_000))
    try {
      return await db.query<Row[]>(sql)
    } finally {
      await db.destroy()
    }
  }

  try {
    // those that the launcher has started don't drain
    for (const name of PROCESSES) await roll(name)
  } catch (error) {
    await close()
    throw error
  }
  return {
    info,
    supervisor,
    gateways,
    pidOf: (name: ProcessName) => supervisor.pid(idOf(name))!,
    /** What a process has logged so far. */
    logOf: (name: ProcessName) => readFileSync(join(folder, 'logs', `${idOf(name)}.log`), 'utf8'),
    metricsOf: (name: ProcessName) => `http://127.0.0.1:${ports[name === 'gateway' ? 'metrics' : name]}/metrics`,
    roll,
    close,
    query,
    countEvents: async () =>
      new Map((await query<{ id: string; events: number }>(eventsByRequest)).map(({ id, events }) => [id, events])),
    idOf,
    isWhole: async () => (await Promise.all(PROCESSES.map((name) => isRegistered(name, [ports[name]])))).every(Boolean),
    addUser: (email: string, roles: string[]) => addUserIfAbsent(info.backing.postgres, { email, roles, env, secrets }),
  }
}
