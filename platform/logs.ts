import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { isService } from '@caregate/common/services'
import { signIn, type Client } from './client.ts'
import { PlatformError, runTool } from './errors.ts'
import { openDataFolder, readInfo } from './state.ts'

const askMs = 10_000

interface Line {
  time: number
  source: string
  text: string
  requestId?: string
  traceId?: string
}

await runTool(async () => {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { request: { type: 'string' } } })
  const folder = join(openDataFolder(), 'logs')
  const files = existsSync(folder) ? readdirSync(folder).sort() : []
  const sources = new Set(files.map((file) => file.replace(/\.log(\.1)?$/, '')))
  const [only] = positionals
  if (only && !sources.has(only)) {
    throw new PlatformError(`There is no log of ${only}; there are ${[...sources].join(', ') || 'none yet'}.`)
  }
  const { request } = values
  // A log that grew too long was set aside as .log.1: its lines are the older ones.
  const lines = files.toReversed().flatMap((file) => readLines(join(folder, file), file.replace(/\.log(\.1)?$/, '')))
  // by the id of a trace, those of the requests that are in it
  const ids = new Set([request, ...lines.filter(({ traceId }) => traceId === request).map((line) => line.requestId)])
  const events = request ? await eventsOf([...ids].filter((id) => id !== undefined)) : []
  const wanted = [...lines, ...events].filter(
    (line) => (!only || line.source === only || line.source === 'event') && (!request || ids.has(line.requestId)),
  )
  for (const { time, source, text } of wanted.sort((a, b) => a.time - b.time)) {
    console.log(`${new Date(time).toISOString().replace('T', ' ').replace('Z', '')} - ${source} - ${text}`)
  }
  if (request && !events.length) console.error(`No audit event of it is stored. ${await waiting()}`)
  // what could not be asked may be asked still
  process.exit()
})

/** Lines without a time of their own, such as those of a stack, belong to the one before. */
function readLines(file: string, source: string): Line[] {
  const lines: Line[] = []
  for (const text of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const line = text.startsWith('{') ? parseJson(text, source) : parsePlain(text, source)
    const last = lines.at(-1)
    if (line) lines.push(line)
    else if (last) last.text += `\n    ${text}`
    else lines.push({ time: 0, source, text })
  }
  return lines
}

function parseJson(text: string, source: string): Line | undefined {
  try {
    const { '@timestamp': time, 'log.level': level, message, ...rest } = JSON.parse(text) as Record<string, string>
    const { 'service.name': _service, 'ecs.version': _version, 'http.request.id': requestId, ...told } = rest
    const { 'error.stack_trace': stack, ...details } = told
    const shown = Object.keys(details).length > 0 ? ` ${JSON.stringify(details)}` : ''
    const id = requestId ? ` [${requestId}]` : ''
    return {
      time: Date.parse(time ?? ''),
      source,
      text: [`${level?.toUpperCase()} - ${message}${id}${shown}`, stack].filter(Boolean).join('\n'),
      requestId,
      traceId: details['trace.id'],
    }
  } catch {
    return undefined
  }
}

/** The formats of Postgres, RabbitMQ and Consul: each begins with date and time, and an offset but for UTC. */
function parsePlain(text: string, source: string): Line | undefined {
  const found = /^\s*(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)[.,](\d{3})\d*\s?(Z|UTC|[+-]\d\d:\d\d)?\s*(.*)$/.exec(text)
  if (!found) return undefined
  const [, date, clock, milliseconds, zone = 'Z', rest = ''] = found
  return { time: Date.parse(`${date}T${clock}.${milliseconds}${zone === 'UTC' ? 'Z' : zone}`), source, text: rest }
}

interface Event {
  occurredAt: string
  type: string
  outcome: string
  code: string | null
  sequence: number
  actor: { id: string | null }
  request: { status: number }
}

/** None, with a word about it, while those who would tell of them are away. */
async function eventsOf(requests: string[]): Promise<Line[]> {
  const late = sleep(askMs).then(() => Promise.reject(new Error('no answer')))
  const asked = signIn().then((client) => Promise.all(requests.map((request) => auditEvents(client, request))))
  try {
    return (await Promise.race([asked, late])).flat()
  } catch (error) {
    console.error(`The audit log can’t be asked: ${(error as Error).message}`)
    return []
  }
}

/** What the services have not passed on to the audit log. */
async function waiting(): Promise<string> {
  const services = Object.entries(readInfo(openDataFolder())?.services ?? {}).filter(([name]) => isService(name))
  const told = services.map(async ([name, { url }]) => {
    const metrics = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(askMs) })
      .then((answer) => answer.text())
      .catch(() => '')
    const number = (metric: string): number => Number(new RegExp(`^${metric} (.+)$`, 'm').exec(metrics)?.[1] ?? NaN)
    const [rows, seconds] = [number('caregate_outbox_rows'), number('caregate_outbox_oldest_seconds')]
    if (Number.isNaN(rows)) return `${name} doesn’t say`
    return rows ? `${name} ${rows}, the oldest for ${Math.round(seconds)} s` : `${name} none`
  })
  return `Waiting in outboxes: ${(await Promise.all(told)).join('; ')}.`
}

async function auditEvents(client: Client, request: string): Promise<Line[]> {
  const { body } = await client.get(`/api/v1/audit/events?limit=200&requestId=${encodeURIComponent(request)}`)
  return (body as { items: Event[] }).items.map(({ occurredAt, type, outcome, code, sequence, actor, ...event }) => ({
    time: Date.parse(occurredAt),
    source: 'event',
    text: `${sequence} ${type} ${code ?? outcome} ${event.request.status} by ${actor.id ?? 'nobody'}`,
    requestId: request,
  }))
}
