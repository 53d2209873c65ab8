import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises'
import { EntitySchema } from 'typeorm'
import type { Broker, Message } from './broker.ts'
import { queryPrepared, startQuery, type Database, type Tx } from './database.ts'
import { AppError, levelOf } from './errors.ts'
import { checkEvent, serializeEvent, type AuditEvent } from './events.ts'
import type { Logger } from './logger.ts'
import { requestContext } from './request-context.ts'
import { currentTraceparent, within } from './tracing.ts'
import { openWorker } from './worker.ts'

export interface OutboxRow {
  /** Order of publication. */
  position: string
  id: string
  type: string
  /** RFC 8785 bytes of the event. */
  body: string
  /** W3C Trace Context of the request, where that is traced. */
  traceparent: string | null
  createdAt: Date
}

export const outboxEntity = new EntitySchema<OutboxRow>({
  name: 'outbox',
  columns: {
    position: { type: 'bigint', primary: true, generated: 'increment' },
    id: { type: 'uuid' },
    type: { type: 'text' },
    body: { type: 'text' },
    traceparent: { type: 'text', nullable: true },
    createdAt: { name: 'created_at', type: 'timestamptz', default: () => 'now()' },
  },
})

const insertRows = {
  name: 'record',
  text: `INSERT INTO outbox (id, type, body, traceparent) SELECT * FROM ${rowsFrom(1)}`,
}
/** Bodies come as lines: in an array each of their many quotes would have to be escaped, and canonical JSON has no line breaks. */
function rowsFrom(n: number): string {
  return `unnest($${n}::uuid[], $${n + 1}::text[], string_to_array($${n + 2}, E'\\n'), $${n + 3}::text[])`
}
/** Without a trace there is nothing of it to send or to keep: a null takes no room in a row. */
type Columns = [ids: string, types: string, bodies: string, traceparents: string | null]
const columnsOf = (rows: readonly Row[]): Columns => [
  // nothing in any of them has to be escaped
  `{${rows.map(({ id }) => id).join()}}`,
  `{${rows.map(({ type }) => type).join()}}`,
  rows.map(({ body }) => body).join('\n'),
  rows.some(({ traceparent }) => traceparent)
    ? `{${rows.map(({ traceparent }) => traceparent ?? 'NULL').join()}}`
    : null,
]

/** The oldest that no other instance is passing on, as lines: gone once the transaction is committed. */
const takeRows = {
  name: 'take from the outbox',
  text: `WITH taken AS (DELETE FROM outbox WHERE position = ANY(ARRAY(
      SELECT position FROM outbox ORDER BY position LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING position, id, type, body, traceparent)
    SELECT string_agg(concat_ws(' ', id, type, traceparent, body), E'\\n' ORDER BY position) AS lines FROM taken`,
}
/** Of a line: id, type, the traceparent if there is one, body. */
function messageOf(line: string): Message {
  const start = line.indexOf('{')
  const [id = '', type = '', traceparent] = line.slice(0, start - 1).split(' ')
  return { id, type, body: line.slice(start), traceparent: traceparent ?? null }
}

type Row = Pick<OutboxRow, 'id' | 'type' | 'body' | 'traceparent'>

/** @throws when the log would refuse the event: nothing may be answered on the strength of it */
function rowOf(event: AuditEvent): Row {
  const body = serializeEvent(event)
  checkEvent(event, Buffer.byteLength(body))
  return { id: event.id, type: event.type, body, traceparent: currentTraceparent() ?? null }
}

/**
 * Records events with the change that they tell of: all are committed, or nothing is.
 * @throws outside a transaction
 */
export async function recordEvent(tx: Tx, ...events: AuditEvent[]): Promise<void> {
  if (!tx.queryRunner?.isTransactionActive) throw new Error('recordEvent needs a transaction')
  await queryPrepared(tx, insertRows, columnsOf(events.map(rowOf)))
}

/**
 * A part of a `WITH` that records events with the change that the statement makes: one turn to the database instead of four.
 * @param changed another part, with one row where there was something to change and none where there wasn't
 * @param n place of the first of `eventValues`
 */
export const recording = (changed: string, n: number): string => `
  event AS (INSERT INTO outbox (id, type, body, traceparent)
    SELECT e.* FROM ${changed}, ${rowsFrom(n)} AS e)`

/** @throws when the log would refuse the event */
export const eventValues = (event: AuditEvent | undefined): Columns => columnsOf(event ? [rowOf(event)] : [])

/** What waits to be published. */
export interface Backlog {
  /** Counted up to 100,000. */
  rows: number
  /** 0 when there is none. */
  oldestSeconds: number
}

export interface Outbox {
  /**
   * Records an event on its own, as for a read: resolves once it is committed. Concurrent calls share one insert
   * (the next batch starts when the one in flight commits), so an idle system waits for no timer.
   * @throws {AppError} 503 `audit_unavailable`
   */
  record(event: AuditEvent): Promise<void>
  /** Tells the relay that something was committed. */
  wake(): void
  backlog(): Promise<Backlog>
  close(): Promise<void>
}

const batchSize = 500
const maxTurns = 8
const pollMs = 1000
/** Beyond it a backlog isn't counted: with many millions of rows that would take seconds. */
const countedRows = 100_000
/** Between batches that aren't full, so that they are larger: each costs transactions and commits, which reads wait for. */
const restMs = 50

/** The relay moves events from the table to the broker; `FOR UPDATE SKIP LOCKED` lets several instances share it. */
export function openOutbox(db: Database, broker: Pick<Broker, 'connected' | 'publish'>, log: Logger): Outbox {
  interface Pending {
    row: Row
    done: () => void
    failed: (error: AppError) => void
  }
  const pending: Pending[] = []
  let inserting = false

  function unrecorded(error: unknown): AppError {
    log[levelOf(error)]('accesses could not be recorded', { error })
    return new AppError('audit_unavailable', undefined, { headers: { 'Retry-After': '1' } })
  }

  async function insertPending(): Promise<void> {
    inserting = true
    while (pending.length) {
      // as long as each turn of the event loop brings more, that comes along: an insert costs as much as ten events
      for (let [turn, known] = [0, 0]; turn < maxTurns && known < pending.length; turn++) {
        known = pending.length
        await immediate()
      }
      const batch = pending.splice(0, batchSize)
      try {
        await queryPrepared(db.manager, insertRows, columnsOf(batch.map(({ row }) => row)))
        for (const { done } of batch) done()
        relay.wake()
      } catch (error) {
        const refusal = unrecorded(error)
        for (const { failed } of batch) failed(refusal)
      }
    }
    inserting = false
  }

  async function relayBatch(): Promise<number> {
    return db.transaction(async (tx) => {
      const [taken] = await queryPrepared<{ lines: string | null }>(tx, takeRows, [batchSize])
      if (!taken?.lines) return 0
      const messages = taken.lines.split('\n').map(messageOf)
      await broker.publish(messages)
      log.debug('events were passed on', { 'caregate.events': messages.length })
      return messages.length
    })
  }

  const relay = openWorker(
    pollMs,
    async () => {
      const full = broker.connected && (await relayBatch()) === batchSize
      if (!full) await sleep(restMs)
      return full
    },
    // the rows are still there: the next poll tries again
    (error) => log.warning('events could not be passed on', { error }),
  )

  return {
    record(event) {
      const recorded = new Promise<void>((done, failed) => {
        try {
          pending.push({ row: rowOf(event), done, failed })
        } catch (error) {
          failed(unrecorded(error))
        }
        // for all, not for the request that happened to be the first
        if (!inserting) void requestContext.exit(insertPending)
      })
      return within(startQuery(insertRows.text), () => recorded)
    },
    wake: relay.wake,
    async backlog() {
      // the oldest has the lowest position, but for those that were committed at the same time
      const [row] = await db.query<[Backlog]>(
        `SELECT (SELECT count(*)::int FROM (SELECT 1 FROM outbox LIMIT ${countedRows}) AS counted) AS rows,
           coalesce((SELECT extract(epoch FROM clock_timestamp() - created_at) FROM outbox ORDER BY position LIMIT 1), 0)::float8
             AS "oldestSeconds"`,
      )
      return row
    },
    async close() {
      relay.wake()
      await relay.close()
    },
  }
}
