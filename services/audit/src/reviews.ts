import { LessThan } from 'typeorm'
import type { Tx } from '@caregate/common/database'
import { AppError, notFound } from '@caregate/common/errors'
import { maxPatientIds, type AuditEvent } from '@caregate/common/events'
import { reviewEntity, type ReviewKind, type ReviewRow, type ReviewState } from './database.ts'
import { buildReview, groupOf } from './review.ts'

const insertRows = `
  INSERT INTO reviews (id, key, kind, state, event_id, last_event_id, sequence, last_sequence, count, actor_id, actor_name,
    actor_roles, code, route, patient_ids, note, created_at, updated_at, version)
  SELECT * FROM json_to_recordset($1) AS row(
    id uuid, key text, kind text, state text, "eventId" uuid, "lastEventId" uuid, sequence bigint, "lastSequence" bigint,
    count bigint, "actorId" text, "actorName" text, "actorRoles" text[], code text, route text, "patientIds" uuid[],
    note text, "createdAt" timestamptz, "updatedAt" timestamptz, version int)`

/** What one review counts and names at most: more would be no JSON integer, or no event has room for it. */
const bounds = [Number.MAX_SAFE_INTEGER, maxPatientIds]

/**
 * Opens reviews of new events in the transaction that stores them, so that each is counted once. What is like an open one
 * is counted into that.
 * @param events those that no rule asks for may be undefined
 * @param first the sequence number of the first event
 */
export async function openReviews(
  tx: Tx,
  events: readonly (AuditEvent | undefined)[],
  first: number,
  at: Date,
): Promise<void> {
  const opened = new Map<string, ReviewRow>()
  for (const [n, event] of events.entries()) {
    const group = event && groupOf(event)
    if (!group) continue
    const row = buildReview(group, event, first + n, at)
    const before = opened.get(group.key)
    opened.set(group.key, before ? { ...before, ...laterOf(before, row) } : row)
  }
  if (!opened.size) return
  await tx.query(
    `${insertRows}
     ON CONFLICT (key) WHERE state = 'open' DO UPDATE SET
       count = least(reviews.count + excluded.count, $2),
       last_event_id = excluded.last_event_id,
       last_sequence = excluded.last_sequence,
       patient_ids = ARRAY(
         SELECT id FROM unnest(reviews.patient_ids || excluded.patient_ids) WITH ORDINALITY AS named(id, n)
         GROUP BY id ORDER BY min(n) LIMIT $3),
       updated_at = excluded.updated_at,
       version = reviews.version + 1`,
    [JSON.stringify([...opened.values()]), ...bounds],
  )
}

function laterOf(before: ReviewRow, { lastEventId, lastSequence, count, patientIds }: ReviewRow): Partial<ReviewRow> {
  return {
    lastEventId,
    lastSequence,
    count: String(Math.min(Number(before.count) + Number(count), Number.MAX_SAFE_INTEGER)),
    patientIds: [...new Set([...before.patientIds, ...patientIds])].slice(0, maxPatientIds),
  }
}

/** Opens one that no rule asks for. @throws {AppError} 409 when there is one of that event */
export async function createReview(
  tx: Tx,
  event: AuditEvent,
  sequence: number,
  note: string | null,
): Promise<ReviewRow> {
  const row = buildReview({ kind: 'manual', key: event.id }, event, sequence, new Date(), note)
  await tx.query(`${insertRows} ON CONFLICT DO NOTHING`, [JSON.stringify([row])])
  // an open one takes all that are like its first event, so those between its first and its last are its own too
  const [other] = await tx.query<{ id: string }[]>(
    'SELECT id FROM reviews WHERE id <> $1 AND (event_id = $2 OR (key = $3 AND $4 BETWEEN sequence AND last_sequence))',
    [row.id, event.id, groupOf(event)?.key, sequence],
  )
  if (other) {
    throw new AppError('already_exists', 'There is a review of this event.', {
      headers: { Location: `/api/v1/audit/reviews/${other.id}` },
    })
  }
  return row
}

/** @throws {AppError} 404 */
export async function getReview(tx: Tx, id: string): Promise<ReviewRow> {
  const row = await tx.findOneBy(reviewEntity, { id })
  if (!row) throw notFound('review')
  return row
}

export interface ReviewFilter {
  state?: ReviewState
  kind?: ReviewKind
}

/** Newest first, from before a review on. */
export async function findReviews(
  tx: Tx,
  filter: ReviewFilter,
  before: string | undefined,
  limit: number,
): Promise<ReviewRow[]> {
  const where = before === undefined ? filter : { ...filter, id: LessThan(before) }
  return tx.find(reviewEntity, { where, order: { id: 'DESC' }, take: limit })
}

type Decision = Pick<ReviewRow, 'state' | 'note' | 'reviewedById' | 'reviewedByName'>

/** @throws {AppError} 412 when the review is no longer in version `version` */
export async function decideReview(tx: Tx, id: string, version: number, decision: Decision): Promise<ReviewRow> {
  const { affected } = await tx.update(
    reviewEntity,
    { id, version },
    { ...decision, version: version + 1, updatedAt: new Date() },
  )
  if (affected !== 1) throw new AppError('stale')
  return getReview(tx, id)
}
