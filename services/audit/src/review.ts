import { createHash } from 'node:crypto'
import { newId } from '@caregate/common/database'
import type { AuditEvent } from '@caregate/common/events'
import type { ReviewKind, ReviewRow, ReviewState } from './database.ts'

/** What an open review may become, and one that was decided. */
export const nextStates: Record<ReviewState, readonly ReviewState[]> = {
  open: ['justified', 'escalated'],
  escalated: ['justified'],
  justified: [],
}

/** Who broke the glass is asked why, and so is who is signed in and wanted what isn't for them. */
function kindOf({ type, outcome, actor, code }: AuditEvent): ReviewKind | undefined {
  if (type === 'patients.break-glass.created' && outcome === 'success') return 'break-glass'
  if (outcome === 'denied' && actor.id !== null && (code === 'forbidden' || code === 'restricted')) return 'denial'
  return undefined
}

/** What events are counted into together. */
export interface Group {
  kind: ReviewKind
  key: string
}

/** Undefined where no rule asks for a review. */
export function groupOf(event: AuditEvent): Group | undefined {
  const kind = kindOf(event)
  if (!kind) return undefined
  const { actor, code, request, patientIds } = event
  // each chart has a reason of its own
  const charts = kind === 'break-glass' ? patientIds : []
  const like = JSON.stringify([kind, actor.id, code, request.route, ...charts])
  return { kind, key: createHash('sha256').update(like).digest('hex') }
}

/** @param sequence of the event @param at when it was stored, or when the review was asked for */
export function buildReview(
  { kind, key }: Group,
  event: AuditEvent,
  sequence: number,
  at: Date,
  note: string | null = null,
): ReviewRow {
  const { id: eventId, actor, code, request, count } = event
  return {
    id: newId(),
    key,
    kind,
    state: 'open',
    eventId,
    lastEventId: eventId,
    sequence: String(sequence),
    lastSequence: String(sequence),
    count: String(count),
    actorId: actor.id,
    actorName: actor.name,
    actorRoles: actor.roles,
    code,
    route: request.route,
    patientIds: [...new Set(event.patientIds)],
    note,
    reviewedById: null,
    reviewedByName: null,
    createdAt: at,
    updatedAt: at,
    version: 1,
  }
}

/** A review as clients read it. */
export function toReview(row: ReviewRow) {
  const { id, kind, state, eventId, lastEventId, code, route, patientIds, note, reviewedById, version } = row
  return {
    id,
    kind,
    state,
    eventId,
    lastEventId,
    sequence: Number(row.sequence),
    count: Number(row.count),
    actor: { id: row.actorId, name: row.actorName, roles: row.actorRoles },
    code,
    route,
    patientIds,
    note,
    reviewedBy: reviewedById === null ? null : { id: reviewedById, name: row.reviewedByName },
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    version,
  }
}
