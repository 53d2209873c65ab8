import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { signIn } from './client.ts'
import { PlatformError, runTool } from './errors.ts'
import { openDataFolder } from './state.ts'

interface Line {
  time: number
  source: string
  text: string
  requestId?: string
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
  const events = request ? await auditEvents(request) : []
  const wanted = [...lines, ...events].filter(
    (line) => (!only || line.source === only || line.source === 'event') && (!request || line.requestId === request),
  )
  for (const { time, source, text } of wanted.sort((a, b) => a.time - b.time)) {
    console.log(`${new Date(time).toISOString().replace('T', ' ').replace('Z', '')} - ${source} - ${text}`)
  }
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
    const { 'service.name': _service, 'request.id': requestId, ...details } = rest
    const shown = Object.keys(details).length > 0 ? ` ${JSON.stringify(details)}` : ''
    const id = requestId ? ` [${requestId}]` : ''
    return {
      time: Date.parse(time ?? ''),
      source,
      text: `${level?.toUpperCase()} - ${message}${id}${shown}`,
      requestId,
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
  sequence: number
  actor: { id: string | null }
  request: { status: number }
}

async function auditEvents(request: string): Promise<Line[]> {
  const client = await signIn()
  const { body } = await client.get(`/api/v1/audit/events?limit=200&requestId=${encodeURIComponent(request)}`)
  return (body as { items: Event[] }).items.map(({ occurredAt, type, outcome, sequence, actor, ...event }) => ({
    time: Date.parse(occurredAt),
    source: 'event',
    text: `${sequence} ${type} ${outcome} ${event.request.status} by ${actor.id ?? 'nobody'}`,
    requestId: request,
  }))
}
