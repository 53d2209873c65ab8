import type { Database, Tx } from '@caregate/common/database'
import { notFound } from '@caregate/common/errors'
import type { AuditEvent } from '@caregate/common/events'
import { eventEntity, eventIdEntity, type EventRow } from './database.ts'

export interface Received {
  event: AuditEvent
  body: string
}
export type StoredEvent = AuditEvent & { sequence: number; storedAt: string }

export function toStoredEvent({ body, sequence, storedAt }: EventRow): StoredEvent {
  return { ...(JSON.parse(body) as AuditEvent), sequence: Number(sequence), storedAt: storedAt.toISOString() }
}

const insertEvents = `
  INSERT INTO events (sequence, id, stored_at, occurred_at, type, action, outcome, actor_id, patient_ids, method, path, ip, request_id, body)
  SELECT * FROM json_to_recordset($1) AS row(
    sequence bigint, id uuid, stored_at timestamptz, occurred_at timestamptz, type text, action text, outcome text,
    actor_id text, patient_ids uuid[], method text, path text, ip text, request_id text, body text)`

/**
 * Appends a batch to the log in one transaction; events that are stored already are dropped.
 * The lock makes one sequencer of however many there are, so that sequence numbers have no gaps.
 * @returns how many were new
 */
export async function appendEvents(db: Pick<Database, 'transaction'>, batch: readonly Received[]): Promise<number> {
  return db.transaction(async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtext('caregate audit sequencer'))`)
    // a statement of its own: its snapshot has what the holder of the lock before us committed
    const [last] = await tx.find(eventEntity, {
      select: { sequence: true, storedAt: true },
      order: { sequence: 'DESC' },
      take: 1,
    })
    let size = Number(last?.sequence ?? 0)
    const byId = new Map(batch.map((received) => [received.event.id, received]))
    const known = await tx.query<{ id: string }[]>('SELECT id FROM event_ids WHERE id = ANY($1::uuid[])', [
      [...byId.keys()],
    ])
    for (const { id } of known) byId.delete(id)
    // never decreasing, also when the clock is set back
    const storedAt = new Date(Math.max(Date.now(), last?.storedAt.getTime() ?? 0)).toISOString()
    const rows = [...byId.values()].map(({ event, body }) => ({
      sequence: (size += 1),
      id: event.id,
      stored_at: storedAt,
      occurred_at: new Date(event.occurredAt).toISOString(),
      type: event.type,
      action: event.action,
      outcome: event.outcome,
      actor_id: event.actor.id,
      patient_ids: event.patientIds,
      method: event.request.method,
      path: event.request.path,
      ip: event.request.ip,
      request_id: event.request.id,
      body,
    }))
    if (!rows.length) return 0
    await tx.insert(
      eventIdEntity,
      rows.map(({ id, sequence }) => ({ id, sequence: String(sequence) })),
    )
    await tx.query(insertEvents, [JSON.stringify(rows)])
    return rows.length
  })
}

export interface EventFilter {
  from?: Date
  to?: Date
  actorId?: string
  patientId?: string
  action?: string
  outcome?: string
  type?: string
  method?: string
  path?: string
  ip?: string
  requestId?: string
}

/** Newest first below `before`, or ascending above `after`. */
export async function findEvents(
  tx: Tx,
  filter: EventFilter,
  position: { before?: number; after?: number },
  limit: number,
): Promise<EventRow[]> {
  const select = tx.createQueryBuilder(eventEntity, 'e')
  const { from, to, patientId, ...equal } = filter
  for (const [column, value] of Object.entries(equal)) {
    if (value !== undefined) select.andWhere(`e.${column} = :${column}`, { [column]: value })
  }
  if (from) select.andWhere('e.occurredAt >= :from', { from })
  if (to) select.andWhere('e.occurredAt < :to', { to })
  if (patientId) select.andWhere('e.patientIds @> ARRAY[:patientId]::uuid[]', { patientId })
  if (position.before !== undefined) select.andWhere('e.sequence < :before', position)
  if (position.after !== undefined) select.andWhere('e.sequence > :after', position)
  return select
    .orderBy('e.sequence', position.after === undefined ? 'DESC' : 'ASC')
    .limit(limit)
    .getMany()
}

/** @throws {AppError} 404 */
export async function getEvent(tx: Tx, id: string): Promise<EventRow> {
  const known = await tx.findOneBy(eventIdEntity, { id })
  const row = known && (await tx.findOneBy(eventEntity, { sequence: known.sequence }))
  if (!row) throw notFound('event')
  return row
}
