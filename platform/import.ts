/** `npm run import -- [FILE]`: the people of a Synthea `patients.csv` become charts, and the audit log is asked whether it saw each. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Problem } from '@caregate/common/errors'
import { reasonOf, signIn } from './client.ts'
import type { Answer, Client } from './client.ts'
import { PlatformError, runTool } from './errors.ts'
import { startProgress } from './progress-bar.ts'
import { readRows, toPatient } from './synthea.ts'
import type { Line } from './synthea.ts'

const IN_FLIGHT = 8
const STRAGGLERS_MS = 30_000
const PAGE = 200
const SHOWN = 20
const goOn = 'Run it again to go on: what is there already is not made twice.'

/** `doubtful`: it was there when a repeated request arrived, so either this run made it or it is older. */
export type Chart = { id: string; requestId: string; outcome: 'created' | 'present' | 'doubtful' }
type Refusal = { line: number; reason: string }
/** The requests that created each chart, as the audit log has them: one, if all is well. */
type CreateEvents = Map<string, string[]>

/** Sends every row, a few at a time, until the file ends or `signal` aborts. */
export async function sendRows(
  client: Pick<Client, 'request'>,
  rows: AsyncGenerator<Line>,
  signal: AbortSignal,
  onRow: () => void,
) {
  const charts: Chart[] = []
  const refused: Refusal[] = []

  async function sendRow({ line, row, problem }: Line) {
    if (problem) return refused.push({ line, reason: problem })
    const requestId = randomUUID()
    const answer = await client.request('POST', '/api/v1/patients?force=true', toPatient(row), {
      'x-request-id': requestId,
    })
    const chart = readChart(answer)
    if (chart) return charts.push({ ...chart, requestId })
    if ([400, 422].includes(answer.status)) return refused.push({ line, reason: reasonOf(answer) })
    throw new PlatformError(`Stopped at line ${line}: ${reasonOf(answer)}\n${goOn}`)
  }

  async function worker() {
    for await (const row of rows) {
      if (signal.aborted) return
      await sendRow(row)
      onRow()
    }
  }
  // One generator for all: whoever is free takes the next row, and the first to leave ends it for the others.
  const ends = await Promise.allSettled(Array.from({ length: IN_FLIGHT }, worker))
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed) throw failed.reason
  return { charts, refused: refused.sort((a, b) => a.line - b.line) }
}

function readChart({ status, headers, body, repeated }: Answer): Omit<Chart, 'requestId'> | undefined {
  if (status === 201) return { id: (body as { id: string }).id, outcome: 'created' }
  if (status !== 409 || (body as Problem).code !== 'already_exists') return undefined
  const id = headers.get('location')?.split('/').at(-1) ?? ''
  return { id, outcome: repeated ? 'doubtful' : 'present' }
}

/**
 * Reads the log from its beginning and waits for events that are still on their way.
 * @throws when the log can't be read; the message says why
 */
export async function readCreateEvents(client: Pick<Client, 'get'>, charts: Chart[]): Promise<CreateEvents> {
  const events: CreateEvents = new Map(charts.map(({ id }) => [id, []]))
  let sequence = 0
  let deadline: number | undefined
  for (;;) {
    const query = `type=patients.patient.created&outcome=success&limit=${PAGE}&afterSequence=${sequence}`
    const answer = await client.get(`/api/v1/audit/events?${query}`)
    if (answer.status !== 200) throw new Error(reasonOf(answer))
    const { items } = answer.body as {
      items: { sequence: number; resource: { id: string }; request: { id: string } }[]
    }
    for (const { resource, request } of items) events.get(resource.id)?.push(request.id)
    sequence = items.at(-1)?.sequence ?? sequence
    if (items.length === PAGE) continue
    deadline ??= Date.now() + STRAGGLERS_MS
    if (Date.now() > deadline || [...events.values()].every(({ length }) => length > 0)) return events
    await sleep(500)
  }
}

/** Without events a doubtful chart counts as created: this run sent a request that had no answer. */
function reconcile(charts: Chart[], events?: CreateEvents) {
  const created = charts.filter(({ id, requestId, outcome }) =>
    outcome === 'doubtful' ? (events?.get(id)?.includes(requestId) ?? true) : outcome === 'created',
  ).length
  const counts = [...(events ?? [])].map(([id, { length }]) => ({ id, length }))
  return {
    created,
    present: charts.length - created,
    events: counts.reduce((sum, { length }) => sum + length, 0),
    missing: counts.filter(({ length }) => length === 0).map(({ id }) => id),
    double: counts.filter(({ length }) => length > 1).map(({ id }) => id),
  }
}

function named(trouble: string, ids: string[]): string[] {
  const more = ids.length > SHOWN ? [`${trouble} ${ids.length - SHOWN} more`] : []
  return [...ids.slice(0, SHOWN).map((id) => `${trouble} ${id}`), ...more]
}

export function summarise(charts: Chart[], refused: Refusal[], events: CreateEvents | Error) {
  const known = events instanceof Error ? undefined : events
  const { created, present, missing, double, ...counted } = reconcile(charts, known)
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

async function importFile(file = fileURLToPath(new URL('../samples/patients.csv', import.meta.url))) {
  let total = 0
  for await (const _ of readRows(file)) total++ // and a broken file is found before anything is sent
  const client = await signIn()

  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort())
  const progress = startProgress(total, client)
  const { charts, refused } = await sendRows(client, readRows(file), stop.signal, progress.tick).finally(progress.stop)
  const { seconds, rate } = progress.pace()

  const events = await readCreateEvents(client, charts).catch((error: Error) => error)
  const { ok, lines } = summarise(charts, refused, events)
  console.log([...lines, `${rate.toFixed(1)} rows/s, ${seconds.toFixed(1)} s`].join('\n'))
  if (stop.signal.aborted) console.log(`Stopped. ${goOn}`)
  process.exitCode = ok && !stop.signal.aborted ? 0 : 1
}

if (import.meta.main) await runTool(() => importFile(process.argv[2]))
