import { EntitySchema } from 'typeorm'
import type { Broker } from './broker.ts'
import type { Database, Tx } from './database.ts'
import { AppError } from './errors.ts'
import { serializeEvent, type AuditEvent } from './events.ts'
import type { Logger } from './logger.ts'

export interface OutboxRow {
  /** Order of publication. */
  position: string
  id: string
  type: string
  /** RFC 8785 bytes of the event. */
  body: string
  createdAt: Date
}

export const outboxEntity = new EntitySchema<OutboxRow>({
  name: 'outbox',
  columns: {
    position: { type: 'bigint', primary: true, generated: 'increment' },
    id: { type: 'uuid' },
    type: { type: 'text' },
    body: { type: 'text' },
    createdAt: { name: 'created_at', type: 'timestamptz', default: () => 'now()' },
  },
})

const insertRows = 'INSERT INTO outbox (id, type, body) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])'
const rowsOf = (events: readonly AuditEvent[]): unknown[] => [
  events.map((event) => event.id),
  events.map((event) => event.type),
  events.map(serializeEvent),
]

/**
 * Records an event with the change that it tells of: both are committed, or neither is.
 * @throws outside a transaction
 */
export async function recordEvent(tx: Tx, event: AuditEvent): Promise<void> {
  if (!tx.queryRunner?.isTransactionActive) throw new Error('recordEvent needs a transaction')
  await tx.query(insertRows, rowsOf([event]))
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
  close(): Promise<void>
}

const batchSize = 500
const pollMs = 1000

/** The relay moves events from the table to the broker; `FOR UPDATE SKIP LOCKED` lets several instances share it. */
export function openOutbox(db: Database, broker: Pick<Broker, 'connected' | 'publish'>, log: Logger): Outbox {
  interface Pending {
    event: AuditEvent
    done: () => void
    failed: (error: AppError) => void
  }
  const pending: Pending[] = []
  let inserting = false
  let relaying: Promise<void> | undefined
  let again = false
  let closed = false

  async function insertPending(): Promise<void> {
    inserting = true
    while (pending.length) {
      const batch = pending.splice(0, batchSize)
      try {
        await db.query(insertRows, rowsOf(batch.map(({ event }) => event)))
        for (const { done } of batch) done()
        wake()
      } catch (error) {
        log.error('an access could not be recorded', { error })
        for (const { failed } of batch)
          failed(new AppError('audit_unavailable', undefined, { headers: { 'Retry-After': '1' } }))
      }
    }
    inserting = false
  }

  async function relayBatch(): Promise<number> {
    return db.transaction(async (tx) => {
      const rows = await tx.query<OutboxRow[]>(
        'SELECT position, id, type, body FROM outbox ORDER BY position LIMIT $1 FOR UPDATE SKIP LOCKED',
        [batchSize],
      )
      if (!rows.length) return 0
      await broker.publish(rows)
      await tx.query('DELETE FROM outbox WHERE position = ANY($1::bigint[])', [rows.map((row) => row.position)])
      return rows.length
    })
  }

  async function relay(): Promise<void> {
    do {
      again = false
      try {
        while (!closed && broker.connected && (await relayBatch()) === batchSize);
      } catch (error) {
        // the rows are still there: the next poll tries again
        log.warning('events could not be passed on', { error })
      }
    } while (again && !closed)
  }

  function wake(): void {
    again = true
    relaying ??= relay().finally(() => (relaying = undefined))
  }

  const poll = setInterval(wake, pollMs)
  return {
    record(event) {
      return new Promise<void>((done, failed) => {
        pending.push({ event, done, failed })
        if (!inserting) void insertPending()
      })
    },
    wake,
    async close() {
      clearInterval(poll)
      wake()
      await relaying
      closed = true
    },
  }
}
