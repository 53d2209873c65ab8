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
import type { Entry, KindItem } from './entry.ts'
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
  /** A row stops no other, also by what nobody foresaw. */
  function refuse(line: number, error: unknown): Outcome {
    if (error instanceof AppError && error.extras.errors)
      return { line, outcome: 'refused', errors: error.extras.errors }
    log.error('a row of an import could not be read', { error })
    return refusal(line, 'row', 'row could not be read')
  }

  /** All of the jobs in one transaction with their events, in their order: a row finds the charts of those before it. */
  async function write(tx: Tx, context: ImportContext, by: Editor, jobs: readonly Job[]): Promise<Outcome[]> {
    const known = await findKnown(
      tx,
      jobs.flatMap(({ entry }) => ('chart' in entry ? entry.sources : [entry.source])),
    )
    const itemsOf = jobs.flatMap(({ entry }) => ('chart' in entry ? [] : [entry.source]))
    const charts = await lockCharts(tx, [...new Set(itemsOf.flatMap((source) => known.get(keyOf(source)) ?? []))])
    // who waited for a merge, or its undoing, asked before it
    const since = await findKnown(tx, itemsOf)
    const isOther = (id?: string, now?: string) => id !== now || (id !== undefined && !charts.has(id))
    if (itemsOf.some((source) => isOther(known.get(keyOf(source)), since.get(keyOf(source)))))
      throw new AppError('unavailable', 'Others were changing the same. Try again.')
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

    function writeItemOf(patientId: string, chart: KnownChart, line: number, one: KindItem): Outcome {
      if (chart.voided) return refusal(line, 'patient', 'patient is one whose chart was voided')
      try {
        checkDates(one.item, chart.birthDate)
      } catch (error) {
        return refuse(line, error)
      }
      const there = chart.items.get(itemKeyOf(one))
      if (there) return { line, outcome: 'present', id: there }
      return { line, outcome: 'created', id: addItem(patientId, chart, one) }
    }

    function writeItem(line: number, { source, ...one }: Extract<Entry, KindItem>): Outcome {
      const patientId = known.get(keyOf(source))
      const chart = patientId && charts.get(patientId)
      if (!chart) return refusal(line, 'patient', 'patient is none that is here: import the patients first')
      const outcome = writeItemOf(patientId, chart, line, one)
      // why a row is refused tells of the chart as well
      if (outcome.outcome !== 'created') seen.add(patientId)
      return outcome
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

  /**
   * What the database refuses of many it is asked one by one, and twice: others may have written the same just now.
   * @param outcomes to which those of what is committed are added
   */
  async function writeAll(
    context: ImportContext,
    by: Editor,
    jobs: readonly Job[],
    outcomes: Outcome[],
    again = false,
  ): Promise<void> {
    if (!jobs.length) return
    try {
      outcomes.push(...(await db.transaction((tx) => write(tx, context, by, jobs))))
    } catch (error) {
      if (jobs.length > 1) {
        for (const job of jobs) await writeAll(context, by, [job], outcomes)
        return
      }
      if (!again) return writeAll(context, by, jobs, outcomes, true)
      const { code, message } = toAppError(error)
      if (code !== 'already_exists' && code !== 'database_error') throw error
      if (code === 'database_error') log.error('a row of an import was refused by the database', { error })
      outcomes.push(refusal(jobs[0]!.line, 'row', `row could not be kept: ${message}`))
    }
  }

  /** @param outcomes to which they are added, also where it comes to no end */
  async function importBatch<T>(
    context: ImportContext,
    by: Editor,
    lines: readonly Line<T>[],
    read: (row: T) => Entry,
    outcomes: Outcome[],
  ): Promise<void> {
    const jobs = lines.flatMap((one): Job[] => {
      const { line } = one
      try {
        if ('row' in one) return [{ line, entry: read(one.row) }]
        outcomes.push({ line, outcome: 'refused', errors: one.errors })
      } catch (error) {
        outcomes.push(refuse(line, error))
      }
      return []
    })
    await learnWords(
      db.manager,
      jobs.flatMap(({ entry }) => ('chart' in entry ? entry.chart : [])),
    )
    try {
      await writeAll(context, by, jobs, outcomes)
    } finally {
      outbox.wake()
    }
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
        const outcomes: Outcome[] = []
        try {
          await importBatch(context, by, lines, read, outcomes)
        } finally {
          outcomes.sort((a, b) => a.line - b.line)
          for (const { outcome } of outcomes) counts[outcome] += 1
          if (outcomes.length) yield outcomes.map((one) => `${JSON.stringify(one)}\n`).join('')
        }
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
