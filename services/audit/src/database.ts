import { join } from 'node:path'
import { EntitySchema } from 'typeorm'
import type { Action, Outcome } from '@caregate/common/events'
import type { DatabaseSpec } from '@caregate/common/migrate'
import { outboxEntity } from '@caregate/common/outbox'

/** An event as it is kept: its bytes, and columns derived from them for search. */
export interface EventRow {
  /** From 1, without gaps: the order of storage. A bigint: text in JavaScript. */
  sequence: string
  id: string
  storedAt: Date
  occurredAt: Date
  type: string
  action: Action
  outcome: Outcome
  actorId: string | null
  patientIds: string[]
  method: string
  path: string
  ip: string
  requestId: string
  /** The RFC 8785 bytes as they came. */
  body: string
}

export const eventEntity = new EntitySchema<EventRow>({
  name: 'events',
  columns: {
    sequence: { type: 'bigint', primary: true },
    id: { type: 'uuid' },
    storedAt: { name: 'stored_at', type: 'timestamptz' },
    occurredAt: { name: 'occurred_at', type: 'timestamptz' },
    type: { type: 'text' },
    action: { type: 'text' },
    outcome: { type: 'text' },
    actorId: { name: 'actor_id', type: 'text', nullable: true },
    patientIds: { name: 'patient_ids', type: 'uuid', array: true },
    method: { type: 'text' },
    path: { type: 'text' },
    ip: { type: 'text' },
    requestId: { name: 'request_id', type: 'text' },
    body: { type: 'text' },
  },
  indices: [
    { name: 'events_occurred', columns: ['occurredAt'] },
    { name: 'events_actor', columns: ['actorId', 'sequence'] },
    { name: 'events_type', columns: ['type', 'sequence'] },
    { name: 'events_outcome', columns: ['outcome', 'sequence'] },
    { name: 'events_request', columns: ['requestId'] },
    // GIN, which an entity can't say
    { name: 'events_patients', columns: ['patientIds'], synchronize: false },
  ],
})

/** Every id that was ever stored, kept for good: an event that comes again is dropped, however late. */
export interface EventIdRow {
  id: string
  sequence: string
}

export const eventIdEntity = new EntitySchema<EventIdRow>({
  name: 'event_ids',
  columns: { id: { type: 'uuid', primary: true }, sequence: { type: 'bigint' } },
})

export const spec: DatabaseSpec = {
  service: 'audit',
  entities: [eventEntity, eventIdEntity, outboxEntity],
  migrations: join(import.meta.dirname, 'migrations'),
  grants: {
    events: 'SELECT, INSERT',
    event_ids: 'SELECT, INSERT',
    outbox: 'SELECT, INSERT, UPDATE, DELETE',
  },
  async beforeDown(query) {
    const [row] = await query<{ found: string | null }[]>(`SELECT to_regclass('events') AS found`)
    if (!row?.found) return
    const events = await query<unknown[]>('SELECT 1 FROM events LIMIT 1')
    if (events.length) throw new Error('The log has events in it: undoing the migration would destroy them.')
  },
}
