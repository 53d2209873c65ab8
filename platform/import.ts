/** `npm run import -- [FILE…]`: files go to `POST /patients/import`, and the audit log is asked whether it saw each chart made. */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { FieldError } from '@caregate/common/errors'
import { passing, reasonOf, signIn, type Client } from './client.ts'
import { PlatformError, runTool } from './errors.ts'
import { startProgress } from './progress-bar.ts'

const STRAGGLERS_MS = 30_000
/** How long an import may stand still, tries to go on included. */
const PATIENCE_MS = 120_000
const PAGE = 200
const SHOWN = 20
const goOn = 'Run it again to go on: what is there already is not made twice.'

/** `doubtful`: it was there when the file was sent again, so either this run made it or it is older. */
export type Made = { id: string; outcome: 'created' | 'present' | 'doubtful' }
type Refusal = { line: number; reason: string }
type Outcome = { line: number } & (
  { outcome: 'created' | 'present'; id: string } | { outcome: 'refused'; errors: FieldError[] }
)
type LastLine = { done: boolean; detail?: string }
/** The requests that made each chart, allergy or condition, as the audit log has them: one, if all is well. */
type CreateEvents = Map<string, string[]>
/** What is sent, from its beginning. */
export interface Source {
  /** Content type. */
  type: string
  query?: string
  open(): AsyncIterable<string | Buffer>
}
interface Sent {
  made: Made[]
  refused: Refusal[]
  /** One a try. */
  requestIds: string[]
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Outcome | LastLine> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop()!
    for (const line of lines) yield JSON.parse(line) as Outcome | LastLine
  }
}

/** Sends all rows, and all again where that breaks off, until each has its outcome or `signal` aborts. */
export async function sendRows(
  client: Pick<Client, 'upload'>,
  { type, query = '', open }: Source,
  signal: AbortSignal,
  onRow: () => void,
): Promise<Sent> {
  const made = new Map<number, Made>()
  const refused = new Map<number, Refusal>()
  const requestIds: string[] = []
  let [rows, deadline] = [0, 0]

  function note(row: Outcome): void {
    if (made.has(row.line) || refused.has(row.line)) return
    if (row.outcome === 'refused')
      refused.set(row.line, { line: row.line, reason: reasonOf({ status: 422, body: row }) })
    else
      made.set(row.line, {
        id: row.id,
        outcome: row.outcome === 'present' && requestIds.length > 1 ? 'doubtful' : row.outcome,
      })
    onRow()
  }

  /** @returns milliseconds to wait before it is tried again, and why; undefined when all is done */
  async function attempt(): Promise<{ ms: number; why: string } | undefined> {
    const requestId = randomUUID()
    requestIds.push(requestId)
    const headers = { 'content-type': type, 'x-request-id': requestId }
    const answer = await client.upload(`/api/v1/patients/import${query}`, open, headers, signal)
    if (answer.status !== 200) {
      const why = reasonOf({ status: answer.status, body: await answer.json().catch(() => ({})) })
      if (!passing.includes(answer.status)) throw new PlatformError(`Not imported: ${why}`)
      return { ms: Number(answer.headers.get('retry-after') ?? 0) * 1000, why }
    }
    for await (const line of linesOf(answer.body!)) {
      if (!('done' in line)) note(line)
      else return line.done ? undefined : { ms: 0, why: line.detail ?? '' }
    }
    return { ms: 0, why: 'the answer broke off' }
  }

  for (let tries = 0; ; tries++) {
    const failed = await attempt().catch((error: Error) => {
      if (error instanceof PlatformError) throw error
      return { ms: 0, why: error.cause instanceof Error ? error.cause.message : error.message }
    })
    if (!failed || signal.aborted) break
    const now = made.size + refused.size
    if (now > rows) [rows, deadline, tries] = [now, 0, 0]
    deadline ||= Date.now() + PATIENCE_MS
    const wait = Math.max(failed.ms, Math.min(5000, 100 * 2 ** tries))
    if (Date.now() + wait > deadline) throw new PlatformError(`Stopped after ${rows} rows: ${failed.why}\n${goOn}`)
    await sleep(wait, undefined, { signal }).catch(() => {})
  }
  return { made: [...made.values()], refused: [...refused.values()].sort((a, b) => a.line - b.line), requestIds }
}

const createTypes = ['patients.patient.created', 'patients.allergy.created', 'patients.condition.created']

/**
 * Reads the log from its beginning and waits for events that are still on their way.
 * @throws when the log can't be read; the message says why
 */
export async function readCreateEvents(client: Pick<Client, 'get'>, made: Made[]): Promise<CreateEvents> {
  const events: CreateEvents = new Map(made.map(({ id }) => [id, []]))
  const sequences = new Map(createTypes.map((type) => [type, 0]))
  let deadline: number | undefined
  for (;;) {
    let more = false
    for (const [type, sequence] of sequences) {
      const query = `type=${type}&outcome=success&limit=${PAGE}&afterSequence=${sequence}`
      const answer = await client.get(`/api/v1/audit/events?${query}`)
      if (answer.status !== 200) throw new Error(reasonOf(answer))
      const { items } = answer.body as {
        items: { sequence: number; resource: { id: string }; request: { id: string } }[]
      }
      for (const { resource, request } of items) events.get(resource.id)?.push(request.id)
      sequences.set(type, items.at(-1)?.sequence ?? sequence)
      more ||= items.length === PAGE
    }
    if (more) continue
    deadline ??= Date.now() + STRAGGLERS_MS
    if (Date.now() > deadline || [...events.values()].every(({ length }) => length > 0)) return events
    await sleep(500)
  }
}

/** Without events a doubtful one counts as created: this run sent a request that had no answer. */
function reconcile({ made, requestIds }: Pick<Sent, 'made' | 'requestIds'>, events?: CreateEvents) {
  const isOurs = (id: string) => events?.get(id)?.some((request) => requestIds.includes(request)) ?? true
  const created = made.filter(({ id, outcome }) => (outcome === 'doubtful' ? isOurs(id) : outcome === 'created')).length
  const counts = [...(events ?? [])].map(([id, { length }]) => ({ id, length }))
  return {
    created,
    present: made.length - created,
    events: counts.reduce((sum, { length }) => sum + length, 0),
    missing: counts.filter(({ length }) => length === 0).map(({ id }) => id),
    double: counts.filter(({ length }) => length > 1).map(({ id }) => id),
  }
}

function named(trouble: string, ids: string[]): string[] {
  const more = ids.length > SHOWN ? [`${trouble} ${ids.length - SHOWN} more`] : []
  return [...ids.slice(0, SHOWN).map((id) => `${trouble} ${id}`), ...more]
}

export function summarise(sent: Sent, events: CreateEvents | Error) {
  const { refused } = sent
  const known = events instanceof Error ? undefined : events
  const { created, present, missing, double, ...counted } = reconcile(sent, known)
  const totals = `${created} created, ${present} already there, ${refused.length} refused`
  return {
    ok: known !== undefined && missing.length + double.length + refused.length === 0,
    lines: [
      events instanceof Error
        ? `${totals}; not reconciled with the audit log: ${events.message}`
        : `${totals}, ${counted.events} create events`,
      ...refused.map(({ line, reason }) => `line ${line}: ${reason}`),
      ...named('no create event for', missing),
      ...named('more than one create event for', double),
    ],
  }
}

/** What a file is, by its name; the header tells patients from the rest. */
export function sourceOf(file: string): Source {
  const kind = /allergies|conditions/.exec(basename(file))?.[0]
  return {
    type: /json$/.test(file) ? 'application/x-ndjson' : 'text/csv',
    query: kind && file.endsWith('.csv') ? `?file=${kind}` : '',
    open: () => createReadStream(file),
  }
}

/** @throws {PlatformError} when it can't be read */
async function countLines(file: string): Promise<number> {
  let lines = 0
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>)
      for (let at = -1; (at = chunk.indexOf('\n', at + 1)) !== -1;) lines += 1
  } catch (error) {
    throw new PlatformError(`${file} can't be imported: ${(error as Error).message}`)
  }
  return lines
}

async function importFile(client: Client, file: string, signal: AbortSignal): Promise<boolean> {
  const source = sourceOf(file)
  const rows = Math.max(0, (await countLines(file)) - (source.type === 'text/csv' ? 1 : 0))
  const progress = startProgress(rows)
  const sent = await sendRows(client, source, signal, progress.tick).finally(progress.stop)
  const { seconds, rate } = progress.pace()
  const events = await readCreateEvents(client, sent.made).catch((error: Error) => error)
  const { ok, lines } = summarise(sent, events)
  console.log([...lines, `${rate.toFixed(1)} rows/s, ${seconds.toFixed(1)} s`].join('\n'))
  if (signal.aborted) console.log(`Stopped. ${goOn}`)
  return ok && !signal.aborted
}

export const SAMPLES = fileURLToPath(new URL('../samples/patients.csv', import.meta.url))

async function importFiles(files: string[]) {
  for (const file of files) await countLines(file) // what isn't there is said before anything is sent
  const client = await signIn()
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort())
  for (const file of files) if (!(await importFile(client, file, stop.signal))) process.exitCode = 1
}

if (import.meta.main) await runTool(() => importFiles(process.argv.length > 2 ? process.argv.slice(2) : [SAMPLES]))
