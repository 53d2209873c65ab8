import type { AuditEvent, Outcome } from '@caregate/common/events'

/** An event as the API reads it back. */
export type LogEvent = AuditEvent & { sequence: number; storedAt: string; leafHash: string }

export interface Page<T> {
  items: T[]
  nextCursor: string | null
}

/** How many events of each outcome occurred from `start` on, for as long as a bucket is. */
export type Bucket = { start: string } & Record<Outcome, number>
export interface Activity {
  bucketSeconds: number
  buckets: Bucket[]
}

export type Access = Pick<
  LogEvent,
  'sequence' | 'occurredAt' | 'type' | 'action' | 'outcome' | 'basis' | 'breakGlass' | 'changed' | 'count'
> & { eventId: string; actor: Pick<AuditEvent['actor'], 'id' | 'name' | 'roles'>; ip: string | null }

export type ReviewState = 'open' | 'justified' | 'escalated'
export interface Review {
  id: string
  kind: 'denial' | 'break-glass' | 'manual'
  state: ReviewState
  eventId: string
  lastEventId: string
  sequence: number
  count: number
  actor: Pick<AuditEvent['actor'], 'id' | 'name' | 'roles'>
  code: string | null
  route: string
  patientIds: string[]
  note: string | null
  reviewedBy: { id: string; name: string | null } | null
  createdAt: string
  updatedAt: string
  version: number
}

/** A right to open one restricted chart, taken in an emergency. */
export interface Grant {
  grantId: string
  patientId: string
  clinicianId: string
  reason: string
  createdAt: string
  expiresAt: string
}

/** What can't be had is null. */
export interface LogStatus {
  size: number | null
  storedAt: string | null
  perMinute: number | null
  ingestLagMs: number | null
  queued: number | null
  deadLetters: number | null
  outbox: { rows: number | null; oldestSeconds: number | null }
  checkpoint: { size: number | null; storedAt: string | null }
  witness: { size: number | null } | null
  verification: {
    state: 'verifying' | 'verified' | 'failed'
    size: number | null
    completedAt: string | null
    problems: string[]
  }
  partitionsUntil: string | null
}
