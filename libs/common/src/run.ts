import { readFileSync } from 'node:fs'
import { ConfigError, loadConfig, plainSettings, type Config, type Keys, type TraceConfig } from './config.ts'
import { buildLogger, type Logger, type LogLevel } from './logger.ts'
import { followAuthorities } from './tls.ts'
import { startTracing } from './tracing.ts'

/** The version of the package that a module of its `src` belongs to. */
export function versionOf(moduleUrl: string): string {
  const manifest = readFileSync(new URL('../package.json', moduleUrl), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

/** Work that a process does until it is told to stop: `stop()` is called in the reverse order of `add`. */
export interface Lifetime {
  /** Aborts when the process is told to stop. */
  signal: AbortSignal
  add(what: string, stop: () => unknown): void
}

/** Beyond the grace: to finish what is in flight, and to close connections. */
export const closingMs = 20_000

interface Settings extends TraceConfig {
  NODE_ENV: string
  TLS_CA_FILE?: string
  DRAIN_GRACE_MS: number
  LOG_LEVEL: LogLevel
  LOG_FORMAT: 'text' | 'json'
}

/**
 * The life of a process: environment → config → `start` → SIGTERM or SIGINT → close in reverse order.
 * A refused configuration or a failed start ends it with exit code 1; so does whatever nobody caught.
 */
export async function run<K extends Keys>(
  service: string,
  keys: K,
  start: (config: Config<K>, log: Logger, lifetime: Lifetime) => Promise<void>,
): Promise<void> {
  const stopping = new AbortController()
  const closers: [what: string, stop: () => unknown][] = []
  let log: Logger | undefined
  let graceMs = 0

  async function stop(reason: string): Promise<void> {
    if (stopping.signal.aborted) return
    log?.info('stopping', { 'event.reason': reason })
    setTimeout(() => process.exit(1), graceMs + closingMs).unref()
    stopping.abort()
    for (const [what, close] of closers.reverse()) {
      try {
        await close()
      } catch (error) {
        log?.warning(`${what} did not close`, { error })
      }
    }
    log?.info('stopped')
  }

  try {
    const config = loadConfig(keys, process.env)
    const settings = config as unknown as Settings
    const { LOG_LEVEL, LOG_FORMAT, DRAIN_GRACE_MS, NODE_ENV, TLS_CA_FILE } = settings
    graceMs = DRAIN_GRACE_MS
    const logger = buildLogger(service, LOG_LEVEL, LOG_FORMAT)
    log = logger
    process.once('SIGTERM', () => void stop('SIGTERM'))
    process.once('SIGINT', () => void stop('SIGINT'))
    process.on('uncaughtException', (error) => {
      logger.error('uncaught', { error })
      process.exitCode = 1
      void stop('uncaught error')
    })
    if (TLS_CA_FILE) followAuthorities(TLS_CA_FILE, logger, stopping.signal)
    const plain = NODE_ENV === 'production' ? plainSettings(config) : []
    if (plain.length)
      logger.warning('there are connections without TLS, which TLS_REQUIRED would refuse', {
        'caregate.settings': plain,
      })
    const endTracing = await startTracing(service, settings, logger)
    if (endTracing) closers.push(['the traces', endTracing])
    await start(config, logger, { signal: stopping.signal, add: (what, close) => closers.push([what, close]) })
  } catch (error) {
    if (stopping.signal.aborted) return
    process.exitCode = 1
    if (error instanceof ConfigError) return console.error(error.message)
    log?.error('could not start', { error })
    process.exit()
  }
}
