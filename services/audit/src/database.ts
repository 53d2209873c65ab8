import { join } from 'node:path'
import { EntitySchema } from 'typeorm'
import type { Action, AuditEvent, Outcome } from '@caregate/common/events'
import type { DatabaseSpec } from '@caregate/common/migrate'
import { outboxEntity } from '@caregate/common/outbox'
import type { StoredEvent } from './log/entry.ts'
import { makePartitions } from './partitions.ts'

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
  /** The bytes of the event as it is read back (RFC 8785): what the tree has a hash of. */
  entry: string
}

/** What an event is searched by. */
export type SearchColumns = Omit<EventRow, 'sequence' | 'storedAt' | 'entry'>

export const columnsOf = (event: AuditEvent): SearchColumns => ({
  id: event.id,
  occurredAt: new Date(event.occurredAt),
  type: event.type,
  action: event.action,
  outcome: event.outcome,
  actorId: event.actor.id,
  patientIds: event.patientIds,
  method: event.request.method,
  path: event.request.path,
  ip: event.request.ip,
  requestId: event.request.id,
})

/** The columns that an event's bytes say. */
export const rowOf = (event: StoredEvent, entry: string): EventRow => ({
  sequence: String(event.sequence),
  storedAt: new Date(event.storedAt),
  ...columnsOf(event),
  entry,
})

export const eventEntity = new EntitySchema<EventRow>({
  name: 'events',
  columns: {
    sequence: { type: 'bigint', primary: true },
    id: { type: 'uuid' },
    // in the key since the table is partitioned by it
    storedAt: { name: 'stored_at', type: 'timestamptz', primary: true },
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
    entry: { type: 'text' },
  },
  indices: [
    { name: 'events_occurred', columns: ['occurredAt', 'outcome'] },
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

/** Hashes of leaves of the tree that came together: 32 bytes each, from leaf `start` on, which counts from 0. */
export interface LeavesRow {
  start: string
  hashes: Buffer
}

const leavesEntity = new EntitySchema<LeavesRow>({
  name: 'leaves',
  columns: { start: { type: 'bigint', primary: true }, hashes: { type: 'bytea' } },
})

/** The hash of 256^tier leaves, the `position`-th; tiers from 1 on. What is between is hashed from 256 of them. */
export interface NodeRow {
  tier: number
  position: string
  hash: Buffer
}

const nodeEntity = new EntitySchema<NodeRow>({
  name: 'nodes',
  columns: {
    tier: { type: 'smallint', primary: true },
    position: { type: 'bigint', primary: true },
    hash: { type: 'bytea' },
  },
})

/** A signed head of the tree. */
export interface CheckpointRow {
  size: string
  /** Of the last event. */
  storedAt: Date
  /** Roots of the maximal perfect subtrees, left to right: all that it takes to go on. */
  roots: Buffer
  /** C2SP signed note. */
  note: string
}

export const checkpointEntity = new EntitySchema<CheckpointRow>({
  name: 'checkpoints',
  columns: {
    size: { type: 'bigint', primary: true },
    storedAt: { name: 'stored_at', type: 'timestamptz' },
    roots: { type: 'bytea' },
    note: { type: 'text' },
  },
})

/** What a witness signed of a checkpoint. */
export interface CosignatureRow {
  size: string
  line: string
}

const cosignatureEntity = new EntitySchema<CosignatureRow>({
  name: 'cosignatures',
  columns: { size: { type: 'bigint', primary: true }, line: { type: 'text' } },
})

/** Numbers of events whose retention has ended. Which of these the log has all the same are held. */
export interface RetainedRow {
  first: string
  last: string
}

const retainedEntity = new EntitySchema<RetainedRow>({
  name: 'retained',
  columns: { first: { type: 'bigint', primary: true }, last: { type: 'bigint' } },
})

/** Events about this patient stay beyond their retention. */
export interface HoldRow {
  patientId: string
  reason: string
  /** Who set it, or last changed it. */
  heldBy: string
  heldByName: string | null
  createdAt: Date
}

export const holdEntity = new EntitySchema<HoldRow>({
  name: 'legal_holds',
  columns: {
    patientId: { name: 'patient_id', type: 'uuid', primary: true },
    reason: { type: 'text' },
    heldBy: { name: 'held_by', type: 'text' },
    heldByName: { name: 'held_by_name', type: 'text', nullable: true },
    createdAt: { name: 'created_at', type: 'timestamptz' },
  },
})

export type ReviewKind = 'denial' | 'break-glass' | 'manual'
export type ReviewState = 'open' | 'justified' | 'escalated'

/** What an auditor is to look at: an event, and those like it while nobody has decided. */
export interface ReviewRow {
  id: string
  /** What is counted into one review while it is open: hashed, since an index takes no long texts. */
  key: string
  kind: ReviewKind
  state: ReviewState
  /** The event that opened it, and the last that was counted. */
  eventId: string
  lastEventId: string
  sequence: string
  lastSequence: string
  count: string
  actorId: string | null
  actorName: string | null
  actorRoles: string[]
  code: string | null
  route: string
  patientIds: string[]
  note: string | null
  reviewedById: string | null
  reviewedByName: string | null
  createdAt: Date
  updatedAt: Date
  version: number
}

export const reviewEntity = new EntitySchema<ReviewRow>({
  name: 'reviews',
  columns: {
    id: { type: 'uuid', primary: true },
    key: { type: 'text' },
    kind: { type: 'text' },
    state: { type: 'text' },
    eventId: { name: 'event_id', type: 'uuid' },
    lastEventId: { name: 'last_event_id', type: 'uuid' },
    sequence: { type: 'bigint' },
    lastSequence: { name: 'last_sequence', type: 'bigint' },
    count: { type: 'bigint' },
    actorId: { name: 'actor_id', type: 'text', nullable: true },
    actorName: { name: 'actor_name', type: 'text', nullable: true },
    actorRoles: { name: 'actor_roles', type: 'text', array: true },
    code: { type: 'text', nullable: true },
    route: { type: 'text' },
    patientIds: { name: 'patient_ids', type: 'uuid', array: true },
    note: { type: 'text', nullable: true },
    reviewedById: { name: 'reviewed_by_id', type: 'text', nullable: true },
    reviewedByName: { name: 'reviewed_by_name', type: 'text', nullable: true },
    createdAt: { name: 'created_at', type: 'timestamptz' },
    updatedAt: { name: 'updated_at', type: 'timestamptz' },
    version: { type: 'int' },
  },
  indices: [
    { name: 'reviews_event', columns: ['eventId'], unique: true },
    { name: 'reviews_open', columns: ['key'], unique: true, where: `state = 'open'` },
    { name: 'reviews_state', columns: ['state', 'id'] },
  ],
})

export const spec: DatabaseSpec = {
  service: 'audit',
  entities: [
    eventEntity,
    eventIdEntity,
    leavesEntity,
    nodeEntity,
    checkpointEntity,
    cosignatureEntity,
    retainedEntity,
    holdEntity,
    reviewEntity,
    outboxEntity,
  ],
  migrations: join(import.meta.dirname, 'migrations'),
  grants: {
    events: 'SELECT, INSERT',
    event_ids: 'SELECT, INSERT',
    leaves: 'SELECT, INSERT',
    nodes: 'SELECT, INSERT',
    checkpoints: 'SELECT, INSERT',
    cosignatures: 'SELECT, INSERT',
    retained: 'SELECT',
    legal_holds: 'SELECT, INSERT, DELETE',
    reviews: 'SELECT, INSERT, UPDATE',
    outbox: 'SELECT, INSERT, UPDATE, DELETE',
  },
  async afterUp(owner) {
    await makePartitions(owner, new Date())
  },
  async beforeDown(query) {
    const [row] = await query<{ found: string | null }[]>(`SELECT to_regclass('events') AS found`)
    if (!row?.found) return
    // where retention has dropped all events, their ids are there
    const events = await query<unknown[]>('SELECT 1 FROM events UNION ALL SELECT 1 FROM event_ids LIMIT 1')
    if (events.length) throw new Error('The log has events in it: undoing the migration would destroy them.')
  },
}
