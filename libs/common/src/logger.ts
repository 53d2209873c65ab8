import { createLogger, format, transports, type Logger as WinstonLogger } from 'winston'
import { requestContext, type Fields } from './request-context.ts'

export const logLevels = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const
export type LogLevel = (typeof logLevels)[number]

/** `error`, whatever was thrown, becomes the fields that may be told of it. */
type Write = (message: string, fields?: Fields & { readonly error?: unknown }) => void
/** ERROR means that somebody must act; a refused request is at most a WARNING. */
export type Logger = Pick<WinstonLogger, 'close' | 'isLevelEnabled'> &
  Record<'debug' | 'info' | 'warning' | 'error', Write>

const levels = { critical: 0, error: 0, warning: 1, info: 2, debug: 3 }

/**
 * What may be logged of an error. A database driver's message quotes values, so of its errors only the
 * SQLSTATE, the constraint and the stack's frames are kept.
 */
function describeError(error: unknown): Fields {
  if (!(error instanceof Error)) return { 'error.type': typeof error, 'error.message': String(error) }
  const driver = ((error as { driverError?: unknown }).driverError ?? error) as { code?: string; constraint?: string }
  const frames = error.stack
    ?.split('\n')
    .filter((line) => line.startsWith('    at '))
    .join('\n')
  const fromDatabase = /^[0-9A-Z]{5}$/.test(driver.code ?? '')
  const message = fromDatabase
    ? ['database error', driver.code, driver.constraint].filter(Boolean).join(' ')
    : error.message
  return { 'error.type': error.name, 'error.message': message, ...(frames && { 'error.stack_trace': frames }) }
}

const pad = (value: number, width = 2): string => String(value).padStart(width, '0')

function localTime(date: Date): string {
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())},${pad(date.getMilliseconds(), 3)}`
}

let timed = { at: 0, text: '' }
/** To write the time costs a third of what the rest of a line does, and a busy millisecond has many lines. */
function timestamp(): string {
  const now = Date.now()
  if (now !== timed.at) timed = { at: now, text: new Date(now).toISOString() }
  return timed.text
}

let unwritten = ''
/** Lines of ten milliseconds are written at once: a system call for each would cost more than all else of it. */
function writeSoon(line: string): void {
  if (!unwritten) setTimeout(writeNow, 10)
  unwritten += `${line}\n`
}
function writeNow(): void {
  process.stdout.write(unwritten)
  unwritten = ''
}
process.on('exit', writeNow)

/**
 * JSON lines with ECS names (https://www.elastic.co/docs/reference/ecs), as ecs-logging has them, or for a terminal
 * `2026-11-24 08:00:00,123 - patients - WARNING - message`.
 */
export function buildLogger(service: string, level: LogLevel, style: 'text' | 'json', write = writeSoon): Logger {
  function lineOf(at: string, message: unknown, fields: Readonly<Record<string, unknown>>): string {
    const { error } = fields
    const details = error === undefined ? fields : { ...fields, ...describeError(error), error: undefined }
    const context = requestContext.getStore()?.line
    if (style === 'json')
      return JSON.stringify({
        '@timestamp': timestamp(),
        'log.level': at,
        message,
        'ecs.version': '8.17.0',
        'service.name': service,
        ...context,
        ...details,
      })
    const rest = JSON.stringify({ ...context, ...details })
    return `${localTime(new Date())} - ${service} - ${at.toUpperCase()} - ${String(message)}${rest === '{}' ? '' : ` ${rest}`}`
  }
  // the transport formats, and only what it writes; the logger would also format what is below its level
  const formatted = format.printf(({ level: at, message, ...fields }) => lineOf(at, message, fields))
  const logger = createLogger({
    levels,
    level: level.toLowerCase(),
    format: format((info) => info)(),
    transports: [
      new transports.Console({
        format: formatted,
        log(info: Record<symbol, string>, next: () => void) {
          write(info[Symbol.for('message')]!)
          next()
        },
      }),
    ],
  })
  // each request is a line at this level: it goes past winston's streams, which cost several times what the line does
  const told = logger.isLevelEnabled('info')
  const info: Write = (message, fields = {}) => void (told && write(lineOf('info', message, fields)))
  return Object.assign(logger, { info })
}
