import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, openSync, closeSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { PlatformError } from './errors.ts'
import { noteProcess } from './processes.ts'

export interface ChildSpec {
  name: string
  command: string[]
  cwd: string
  env: NodeJS.ProcessEnv
  stopSignal: NodeJS.Signals
  user?: { uid: number; gid: number }
  /** The Docker container that the command runs; a stale one of that name is removed before each start. */
  container?: string
}

interface Child {
  spec: ChildSpec
  process: ChildProcess | undefined
  gone: Promise<void>
  startedAt: number
  delay: number
  exits: number
  stopping: boolean
  logStart: number
}

export type Supervisor = ReturnType<typeof openSupervisor>

const FIRST_DELAY = 200
const LONGEST_DELAY = 5_000
const HEALTHY_AFTER = 10_000
const STOP_GRACE = 10_000
const LOG_LIMIT = 20 * 1024 * 1024
const run = promisify(execFile)

/**
 * Keeps child processes alive, each in its own process group with its own log file, until `close`.
 * A guard process ends them when this process dies without closing.
 */
export function openSupervisor(options: {
  /** The data folder: logs go to its `logs`, and it tells the next run of a guard that is still at work. */
  folder: string
  onChange?: () => void
  note?: (text: string) => void
}) {
  const { folder, onChange = () => {}, note = () => {} } = options
  const logs = join(folder, 'logs')
  const children: Child[] = []
  const closed = new AbortController()
  mkdirSync(logs, { recursive: true, mode: 0o700 })
  let guard = startGuard()

  function startGuard(): ChildProcess {
    const script = join(import.meta.dirname, 'guard.sh')
    const started = spawn('sh', [script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' })
    started.stdin?.on('error', () => {})
    started.on('exit', () => {
      if (closed.signal.aborted) return
      guard = startGuard()
      tellGuard()
    })
    started.unref()
    if (started.pid !== undefined) noteProcess(join(folder, 'guard.json'), started.pid)
    return started
  }

  function tellGuard(): void {
    const running = children.toReversed().flatMap((child) => {
      const pid = child.process?.pid
      return pid === undefined ? [] : [`${pid}:${child.spec.stopSignal.slice(3)}:${child.spec.container ?? ''}`]
    })
    guard.stdin?.write(`${running.join(' ')}\n`)
  }

  async function launch(child: Child): Promise<void> {
    const { spec } = child
    if (spec.container) await run('docker', ['rm', '--force', '--volumes', spec.container]).catch(() => {})
    if (child.stopping) return
    const log = openLog(join(logs, `${spec.name}.log`))
    child.logStart = log.size
    const [command = '', ...args] = spec.command
    const started = spawn(command, args, {
      cwd: spec.cwd,
      env: spec.env,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      ...spec.user,
    })
    closeSync(log.fd)
    child.process = started
    child.startedAt = Date.now()
    child.gone = new Promise((resolve) => {
      started.once('error', (error) => {
        note(`${spec.name} can't be started: ${error.message}`)
        resolve()
      })
      started.once('exit', () => resolve())
    })
    void child.gone.then(() => afterExit(child))
    tellGuard()
    onChange()
  }

  async function afterExit(child: Child): Promise<void> {
    const ended = child.process
    child.process = undefined
    child.exits += 1
    // What a killed leader leaves in its group would still hold its port and its files.
    if (ended?.pid !== undefined) killGroup(ended.pid)
    tellGuard()
    onChange()
    if (child.stopping) return
    if (Date.now() - child.startedAt >= HEALTHY_AFTER) child.delay = FIRST_DELAY
    const how = ended?.signalCode ?? `code ${ended?.exitCode}`
    note(`${child.spec.name} ended (${how}); starting it again in ${child.delay / 1000} s`)
    await sleep(child.delay, undefined, { signal: closed.signal }).catch(() => {})
    child.delay = Math.min(child.delay * 2, LONGEST_DELAY)
    if (!child.stopping) await launch(child)
  }

  async function stop(child: Child, force: boolean): Promise<void> {
    child.stopping = true
    const { process: running, spec } = child
    if (running?.pid === undefined) return
    if (!force) {
      running.kill(spec.stopSignal)
      if (await Promise.race([child.gone.then(() => true), sleep(STOP_GRACE, false, { ref: false })])) return
    }
    killGroup(running.pid)
    if (spec.container) await run('docker', ['rm', '--force', '--volumes', spec.container]).catch(() => {})
    await child.gone
  }

  return {
    async start(spec: ChildSpec): Promise<void> {
      if (closed.signal.aborted) throw new PlatformError(`${spec.name} isn't started any more.`)
      const child: Child = {
        spec,
        process: undefined,
        gone: Promise.resolve(),
        startedAt: 0,
        delay: FIRST_DELAY,
        exits: 0,
        stopping: false,
        logStart: 0,
      }
      children.push(child)
      await launch(child)
    },

    /** Resolves when `check` first answers true; throws with the end of the child's log when it keeps ending or takes too long. */
    async waitUntil(name: string, check: () => Promise<boolean>, seconds: number): Promise<void> {
      const child = children.find((candidate) => candidate.spec.name === name)
      if (!child) throw new Error(`no child ${name}`)
      const deadline = Date.now() + seconds * 1000
      for (;;) {
        if (await check().catch(() => false)) return
        if (child.stopping) throw new PlatformError(`${name} was stopped while it started.`)
        if (child.exits >= 3 || Date.now() > deadline) {
          const file = join(logs, `${name}.log`)
          const what = child.exits >= 3 ? 'keeps ending' : `isn't ready after ${seconds} s`
          throw new PlatformError(`${name} ${what}. The end of ${file}:\n${tail(file, child.logStart)}`)
        }
        await sleep(50)
      }
    },

    pid(name: string): number | undefined {
      return children.find((child) => child.spec.name === name)?.process?.pid
    },

    /** Ends a child for good. @returns what to start it with again, and its exit code: null when it was killed */
    async stop(name: string, { force = false } = {}): Promise<{ spec: ChildSpec; code: number | null }> {
      const child = children.find(({ spec }) => spec.name === name)
      if (!child) throw new Error(`no child ${name}`)
      const running = child.process
      await stop(child, force)
      children.splice(children.indexOf(child), 1)
      return { spec: child.spec, code: running?.exitCode ?? null }
    },

    /** The running children, in the order of their start. */
    list(): { name: string; pid: number; container?: string }[] {
      return children.flatMap(({ spec, process: running }) =>
        running?.pid === undefined ? [] : [{ name: spec.name, pid: running.pid, container: spec.container }],
      )
    },

    /** Stops all children, the last started first; with `force` all at once and without asking. */
    async close({ force = false } = {}): Promise<void> {
      for (const child of children) child.stopping = true
      closed.abort()
      if (force) await Promise.all(children.map((child) => stop(child, true)))
      else for (const child of children.toReversed()) await stop(child, false)
      guard.stdin?.end()
    },
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The group is gone already.
  }
}

function openLog(file: string): { fd: number; size: number } {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > LOG_LIMIT) renameSync(file, `${file}.1`)
  return { fd: openSync(file, 'a', 0o600), size: size > LOG_LIMIT ? 0 : size }
}

function tail(file: string, from: number): string {
  const lines = readFileSync(file).subarray(from).toString().trimEnd().split('\n')
  return lines.slice(-12).join('\n')
}
