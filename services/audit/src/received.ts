import { parseEvent, type AuditEvent } from '@caregate/common/events'
import { columnsOf } from './database.ts'
import { draftEntry, type Draft } from './log/entry.ts'
import { lineOf } from './repository.ts'
import { groupOf } from './review.ts'

/**
 * An event as it came, made ready for the log as far as its number and time allow. The event itself goes: what waits for the
 * database is moved about by the garbage collector, a thousand small objects at a time.
 */
export interface Received {
  id: string
  type: string
  occurredAt: string
  /** What it is searched by, as COPY reads it. */
  columns: string
  entry: Draft
  /** The event where a rule asks for a review of it. */
  reviewed: AuditEvent | undefined
}

/** @throws {Error} that says why it is no event, or can't be written */
export function receive(bytes: Buffer): Received {
  const text = bytes.toString('utf8')
  const event = parseEvent(text, bytes.length)
  return {
    id: event.id,
    type: event.type,
    occurredAt: event.occurredAt,
    columns: lineOf(columnsOf(event)),
    entry: draftEntry(event, text),
    reviewed: groupOf(event) && event,
  }
}
