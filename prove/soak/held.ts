/** What processes hold on to: heap, files, connections. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { openDatabase } from '@caregate/common/database'
import { buildLogger } from '@caregate/common/logger'
import { PROCESSES, type ProcessName } from '../../platform/services.ts'
import { unprivilegedUser } from '../../platform/state.ts'
import type { openStage } from '../stage.ts'

type Stage = Pick<Awaited<ReturnType<typeof openStage>>, 'info' | 'supervisor' | 'pidOf' | 'logOf'>

/** Has every process open an inspector on a port of the loopback, as `node --inspect` does; the code of none knows of it. */
export const inspected = { NODE_OPTIONS: '--inspect=127.0.0.1:0' }

/** In one turn, so that no request comes between; what is finalised by the first collection is gone with the second. */
const collected = `{
  process.getBuiltinModule('v8').setFlagsFromString('--expose-gc')
  const gc = process.getBuiltinModule('vm').runInNewContext('gc')
  gc(), gc(), process.memoryUsage().heapUsed
}`

/** Bytes that are in use once a process has collected what isn't. */
async function heapOf(inspector: string): Promise<number> {
  const socket = new WebSocket(inspector)
  const told = new Promise<number>((resolve, reject) => {
    socket.onerror = () => reject(new Error(`${inspector} doesn't answer`))
    socket.onopen = () => {
      const asked = { method: 'Runtime.evaluate', params: { expression: collected } }
      socket.send(JSON.stringify({ id: 1, ...asked }))
    }
    socket.onmessage = ({ data }) => {
      const { result } = JSON.parse(String(data)) as { result: { result: { value?: number; description?: string } } }
      const { value, description } = result.result
      if (value === undefined) reject(new Error(description))
      else resolve(value)
    }
  })
  return told.finally(() => socket.close())
}

export interface Held {
  /** In bytes. */
  heap: Record<ProcessName, number>
  files: Record<ProcessName, number>
  /** To Postgres, and to the broker. */
  database: number
  broker: number
}

export async function openHeld({ info, supervisor, pidOf, logOf }: Stage) {
  const byProcess = async <T>(read: (name: ProcessName) => T | Promise<T>): Promise<Record<ProcessName, T>> => {
    const entries: [ProcessName, T][] = []
    // one after the other: a collection takes a core
    for (const name of PROCESSES) entries.push([name, await read(name)])
    return Object.fromEntries(entries) as Record<ProcessName, T>
  }
  const inspectors = await byProcess((name) =>
    logOf(name)
      .match(/ws:\/\/127\.0\.0\.1:\d+\/[\w-]+/g)!
      .at(-1)!,
  )
  const settings = { DATABASE_URL: info.backing.postgres, DB_POOL_MAX: 1, DB_STATEMENT_TIMEOUT_MS: 10_000 }
  const db = await openDatabase(settings, [], buildLogger('prove', 'ERROR', 'text'), AbortSignal.timeout(10_000))
  const backends = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname LIKE 'caregate\\_%'`

  return {
    async measure(): Promise<Held> {
      const [row] = await db.query<{ n: number }[]>(backends)
      return {
        heap: await byProcess((name) => heapOf(inspectors[name])),
        files: await byProcess((name) => readdirSync(`/proc/${pidOf(name)}/fd`).length),
        database: row!.n,
        broker: connectionsTo(Number(new URL(info.backing.amqp).port)),
      }
    },
    /** Of the broker, by its own tool, which costs seconds of a core. */
    channels: () => countChannels(supervisor.pid('rabbitmq')!),
    close: () => db.destroy(),
  }
}

function connectionsTo(port: number): number {
  const established = '01'
  const remote = port.toString(16).toUpperCase().padStart(4, '0')
  return ['/proc/net/tcp', '/proc/net/tcp6']
    .flatMap((file) => readFileSync(file, 'utf8').trim().split('\n').slice(1))
    .filter((line) => {
      const [, , to, state] = line.trim().split(/\s+/)
      return to?.endsWith(`:${remote}`) && state === established
    }).length
}

/** As the broker is run here: its tool needs the same environment and user. */
async function countChannels(broker: number): Promise<number> {
  const lines = readFileSync(`/proc/${broker}/environ`, 'utf8').split('\0').filter(Boolean)
  const env = Object.fromEntries(lines.map((line) => [line.split('=', 1)[0]!, line.slice(line.indexOf('=') + 1)]))
  const args = ['-n', env.RABBITMQ_NODENAME!, '--quiet', 'list_channels', '--no-table-headers', 'pid']
  const tool = '/usr/lib/rabbitmq/bin/rabbitmqctl'
  const { stdout } = await promisify(execFile)(tool, args, { ...unprivilegedUser(), env })
  return stdout.trim().split('\n').filter(Boolean).length
}
