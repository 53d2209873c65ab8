import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { PlatformError } from './errors.ts'

/** Writes down a process in a way that no later process with the same pid can be mistaken for it. */
export function noteProcess(file: string, pid: number): void {
  writeFileSync(file, JSON.stringify({ pid, start: processStart(pid) }), { mode: 0o600 })
}

/** The pid of the process that was noted, if it lives. */
export function notedProcess(file: string): number | undefined {
  if (!existsSync(file)) return undefined
  const { pid, start } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number; start: string }
  return processStart(pid) === start ? pid : undefined
}

/** In the system's own words, which are only good for comparing. */
function processStart(pid: number): string | undefined {
  try {
    if (existsSync('/proc/self/stat')) return statFields(pid)[19]
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

/** The fields of /proc/<pid>/stat from the state on; the command before them may hold spaces and brackets. */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function processIds(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger)
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(statFields(pid)[1])
  } catch {
    return undefined
  }
}

/** Memory in bytes of these processes and all that they started; undefined where the system doesn't tell. */
export function memoryOf(roots: number[]): number | undefined {
  if (!existsSync('/proc/self/stat')) return undefined
  const parents = processIds().map((pid) => [pid, parentOf(pid)] as const)
  const family = new Set(roots)
  for (let size = 0; size !== family.size;) {
    size = family.size
    for (const [pid, parent] of parents) if (parent !== undefined && family.has(parent)) family.add(pid)
  }
  return [...family].reduce((sum, pid) => sum + memory(pid), 0)
}

function memory(pid: number): number {
  const read = (file: string, key: string) => {
    const kilobytes = readFileSync(`/proc/${pid}/${file}`, 'utf8').match(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm'))?.[1]
    return Number(kilobytes ?? 0) * 1024
  }
  try {
    return read('smaps_rollup', 'Pss')
  } catch {
    try {
      return read('status', 'VmRSS')
    } catch {
      return 0
    }
  }
}

function canListen(port: number, host?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/**
 * A free port that is this process's until it ends, below the range from which the system takes client ports: there
 * a client could be given the port of a server that is down for a moment and keep it from coming back.
 */
export async function freePort(): Promise<number> {
  const end = firstClientPort()
  for (let tries = 0; tries < 200; tries++) {
    const port = end - 1 - Math.floor(Math.random() * Math.min(10_000, end - 1024))
    if ((await claim(port)) && (await canListen(port, '127.0.0.1'))) return port
  }
  throw new PlatformError(`No free port was found below ${end}.`)
}

/** Between choosing a port and listening on it pass seconds: an abstract socket of its name keeps it from others meanwhile. */
function claim(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().unref()
    server.once('error', () => resolve(false))
    server.listen(`\0caregate-port-${port}`, () => resolve(true))
  })
}

function firstClientPort(): number {
  const file = '/proc/sys/net/ipv4/ip_local_port_range'
  const first = existsSync(file) ? Number(readFileSync(file, 'utf8').split(/\s/)[0]) : 0
  return first > 6000 ? Math.min(first, 30_000) : 30_000
}

export async function assertPortFree(port: number): Promise<void> {
  if (await canListen(port)) return
  throw new PlatformError(`Port ${port} is taken by ${portHolder(port) ?? 'another process'}: stop it and start again.`)
}

/** Without what was closed meanwhile; none where the process has ended, or belongs to another user. */
function openFilesOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  try {
    return readdirSync(folder).flatMap((fd) => {
      try {
        return [readlinkSync(`${folder}/${fd}`)]
      } catch {
        return []
      }
    })
  } catch {
    return []
  }
}

function portHolder(port: number): string | undefined {
  const sockets = new Set<string>()
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    if (!existsSync(table)) continue
    for (const line of readFileSync(table, 'utf8').trim().split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
      if (state === '0A' && Number.parseInt(local?.split(':')[1] ?? '', 16) === port) sockets.add(`socket:[${inode}]`)
    }
  }
  if (sockets.size === 0) return undefined
  for (const pid of processIds()) {
    if (!openFilesOf(pid).some((file) => sockets.has(file))) continue
    return `pid ${pid} (${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()})`
  }
  return undefined
}
