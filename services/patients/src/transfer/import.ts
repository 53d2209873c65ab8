import type { AppOptions } from '@caregate/common/app'
import { newId, type Tx } from '@caregate/common/database'
import { AppError, toAppError, type FieldError } from '@caregate/common/errors'
import type { AuditEvent } from '@caregate/common/events'
import { recordEvent } from '@caregate/common/outbox'
import type { Context, Facts } from '@caregate/common/route'
import { checkDates } from '../clinical/item.ts'
import type { ItemRow } from '../database.ts'
import { createPatient, type Editor } from '../repository.ts'
import type { Deps } from '../routes.ts'
import { learnWords } from '../search/indexes.ts'
import { errorsOf, type Entry, type KindItem } from './entry.ts'
import { findKnown, insertItems, itemKeyOf, keyOf, lockCharts, toItemRow, type KnownChart } from './repository.ts'
import type { Line } from './rows.ts'

export type TransferDeps = Deps & Pick<AppOptions, 'outbox' | 'log'>

/** What became of a row: `id` is the chart's or the item's. */
type Outcome = { line: number } & (
  { outcome: 'created' | 'present'; id: string } | { outcome: 'refused'; errors: FieldError[] }
)
type Counts = Record<Outcome['outcome'], number>
/** A row that can be read. */
interface Job {
  line: number
  entry: Entry
}
type ImportContext = Pick<Context<unknown, unknown, unknown>, 'takeEvent' | 'claims'>

/** @throws {AppError} 401: nobody goes on for longer than they could by asking again */
export function checkExpiry({ claims }: ImportContext): void {
  if (claims.exp * 1000 <= Date.now())
    throw new AppError('unauthorized', 'The access token has expired meanwhile: go on with a new one.')
}

const refusal = (line: number, path: string, message: string): Outcome => ({
  line,
  outcome: 'refused',
  errors: [{ path, message }],
})

export function buildImport({ db, fieldKeys, outbox, log }: TransferDeps) {
  /** All of the jobs in one transaction with their events, in their order: a row finds the charts of those before it. */
  async function write(tx: Tx, context: ImportContext, by: Editor, jobs: readonly Job[]): Promise<Outcome[]> {
    const known = await findKnown(
      tx,
      jobs.flatMap(({ entry }) => ('chart' in entry ? entry.sources : [entry.source])),
    )
    const itemsOf = jobs.flatMap(({ entry }) => ('chart' in entry ? [] : (known.get(keyOf(entry.source)) ?? [])))
    const charts = await lockCharts(tx, [...new Set(itemsOf)])
    const rows: ItemRow[] = []
    const events: AuditEvent[] = []
    const seen = new Set<string>()

    function addItem(patientId: string, chart: KnownChart, one: KindItem): string {
      const row = toItemRow(patientId, one, by.userId)
      chart.items.set(itemKeyOf(one), row.id)
      rows.push(row)
      const { kind, id } = row
      const event: Facts = { type: `patients.${kind}.created`, action: 'C', resource: { type: kind, id } }
      events.push(context.takeEvent({ ...event, patientIds: [patientId], basis: 'role' }))
      return id
    }

    async function writeChart(line: number, { sources, chart, items }: Extract<Entry, { chart: unknown }>) {
      const there = sources.map((source) => known.get(keyOf(source))).find((id) => id !== undefined)
      if (there) {
        seen.add(there)
        return { line, outcome: 'present', id: there } as const
      }
      const { restricted = false, ...demographics } = chart
      const id = newId()
      const event = { type: 'patients.patient.created', action: 'C', basis: 'role' } as const
      const made = context.takeEvent({ ...event, resource: { type: 'patient', id }, patientIds: [id] })
      await createPatient(tx, fieldKeys, id, demographics, restricted, by, made)
      const own: KnownChart = { birthDate: chart.birthDate, voided: false, items: new Map() }
      charts.set(id, own)
      for (const source of sources) known.set(keyOf(source), id)
      for (const one of items) if (!own.items.has(itemKeyOf(one))) addItem(id, own, one)
      return { line, outcome: 'created', id } as const
    }

    function writeItem(line: number, { source, ...one }: Extract<Entry, KindItem>): Outcome {
      const patientId = known.get(keyOf(source))
      const chart = patientId && charts.get(patientId)
      if (!chart) return refusal(line, 'patient', 'patient is none that is here: import the patients first')
      const there = chart.items.get(itemKeyOf(one))
      if (there ?? chart.voided) seen.add(patientId)
      if (chart.voided) return refusal(line, 'patient', 'patient is one whose chart was voided')
      if (there) return { line, outcome: 'present', id: there }
      try {
        checkDates(one.item, chart.birthDate)
        return { line, outcome: 'created', id: addItem(patientId, chart, one) }
      } catch (error) {
        return { line, outcome: 'refused', errors: errorsOf(error) }
      }
    }

    const outcomes: Outcome[] = []
    for (const { line, entry } of jobs)
      outcomes.push('chart' in entry ? await writeChart(line, entry) : writeItem(line, entry))
    await insertItems(tx, rows)
    if (seen.size) {
      const told: Facts = { type: 'patients.import.read', action: 'R', patientIds: [...seen], basis: 'role' }
      events.push(context.takeEvent(told))
    }
    if (events.length) await recordEvent(tx, ...events)
    return outcomes
  }

  /** What the database refuses of many it is asked one by one, and twice: others may have written the same just now. */
  async function writeAll(context: ImportContext, by: Editor, jobs: readonly Job[], again = false): Promise<Outcome[]> {
    if (!jobs.length) return []
    try {
      return await db.transaction((tx) => write(tx, context, by, jobs))
    } catch (error) {
      if (jobs.length > 1) {
        const outcomes = []
        for (const job of jobs) outcomes.push(...(await writeAll(context, by, [job])))
        return outcomes
      }
      if (!again) return writeAll(context, by, jobs, true)
      const { code, message } = toAppError(error)
      if (code !== 'already_exists' && code !== 'database_error') throw error
      if (code === 'database_error') log.error('a row of an import was refused by the database', { error })
      return [refusal(jobs[0]!.line, 'row', `row could not be kept: ${message}`)]
    }
  }

  /** @returns in the order of the lines */
  async function importBatch<T>(
    context: ImportContext,
    by: Editor,
    lines: readonly Line<T>[],
    read: (row: T) => Entry,
  ): Promise<Outcome[]> {
    const refused: Outcome[] = []
    const jobs = lines.flatMap((one): Job[] => {
      const { line } = one
      try {
        if ('row' in one) return [{ line, entry: read(one.row) }]
        refused.push({ line, outcome: 'refused', errors: one.errors })
      } catch (error) {
        refused.push({ line, outcome: 'refused', errors: errorsOf(error) })
      }
      return []
    })
    await learnWords(
      db.manager,
      jobs.flatMap(({ entry }) => ('chart' in entry ? entry.chart : [])),
    )
    const outcomes = [...refused, ...(await writeAll(context, by, jobs))]
    outbox.wake()
    return outcomes.sort((a, b) => a.line - b.line)
  }

  /**
   * Rows as they come, and what becomes of them as it is committed, a line of NDJSON each; the last line sums up, and says
   * why it was not to the end if it wasn't.
   */
  return async function* importRows<T>(
    context: ImportContext,
    by: Editor,
    batches: AsyncIterable<Line<T>[]>,
    read: (row: T) => Entry,
  ): AsyncGenerator<string> {
    const counts: Counts = { created: 0, present: 0, refused: 0 }
    let stopped: AppError | undefined
    // unless it is told otherwise, the client went away
    let end: Facts = { outcome: 'failure' }
    try {
      for await (const lines of batches) {
        checkExpiry(context)
        const outcomes = await importBatch(context, by, lines, read)
        for (const { outcome } of outcomes) counts[outcome] += 1
        if (outcomes.length) yield outcomes.map((one) => `${JSON.stringify(one)}\n`).join('')
      }
      end = {}
    } catch (error) {
      stopped = toAppError(error)
      if (stopped.status >= 500) log.warning('an import stopped', { error })
      end = { outcome: 'failure', code: stopped.code }
    } finally {
      await outbox.record(context.takeEvent({ ...end, type: 'patients.import.ended' }))
    }
    const why = stopped && { code: stopped.code, detail: stopped.message }
    yield `${JSON.stringify({ done: !stopped, ...counts, ...why })}\n`
  }
}
