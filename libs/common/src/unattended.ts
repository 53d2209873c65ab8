import { randomUUIDv7 } from 'node:crypto'
import type { Tx } from './database.ts'
import { buildEvent, type AuditEvent, type EventDetails } from './events.ts'
import { recordEvent } from './outbox.ts'

/**
 * The event of what no request asked for: a command of an operator, or the service's own schedule.
 * @param name what did it; it stands where a request has its path
 */
export const unattendedEvent = (
  name: string,
  details: Pick<EventDetails, 'service' | 'type' | 'action'> & Partial<Pick<EventDetails, 'resource' | 'outcome'>>,
): AuditEvent =>
  buildEvent({
    ...details,
    actor: { id: null, name: null, roles: [], sessionId: null },
    request: { id: randomUUIDv7(), method: 'NONE', route: name, path: name, status: 200, ip: '', userAgent: null },
  })

/** Records it in the transaction of what it tells of. */
export const recordUnattended = (tx: Tx, ...event: Parameters<typeof unattendedEvent>): Promise<void> =>
  recordEvent(tx, unattendedEvent(...event))
