import { csvLines } from '@caregate/common/csv'
import type { Tx } from '@caregate/common/database'
import { findBatches } from './export.ts'
import type { StoredEvent } from './log/entry.ts'
import type { EventFilter } from './repository.ts'

/** What a spreadsheet shows of an event: a column each, lists joined by a space. */
const columns = {
  sequence: (e) => e.sequence,
  storedAt: (e) => e.storedAt,
  occurredAt: (e) => e.occurredAt,
  type: (e) => e.type,
  action: (e) => e.action,
  outcome: (e) => e.outcome,
  code: (e) => e.code,
  actorId: (e) => e.actor.id,
  actorName: (e) => e.actor.name,
  actorRoles: (e) => e.actor.roles.join(' '),
  sessionId: (e) => e.actor.sessionId,
  basis: (e) => e.basis,
  grantId: (e) => e.breakGlass?.grantId,
  resourceType: (e) => e.resource?.type,
  resourceId: (e) => e.resource?.id,
  patientIds: (e) => e.patientIds.join(' '),
  changed: (e) => e.changed.join(' '),
  count: (e) => e.count,
  requestId: (e) => e.request.id,
  method: (e) => e.request.method,
  route: (e) => e.request.route,
  path: (e) => e.request.path,
  status: (e) => e.request.status,
  ip: (e) => e.request.ip,
  userAgent: (e) => e.request.userAgent,
} satisfies Record<string, (event: StoredEvent) => string | number | null | undefined>

/**
 * All events that a filter lets through, oldest first, with a row of names above: for people, since nothing in it can be
 * verified.
 * @param size of the log: of what comes later there is nothing
 */
export async function* exportCsv(tx: Tx, filter: EventFilter, size: number): AsyncGenerator<string> {
  yield csvLines([Object.keys(columns)])
  for await (const rows of findBatches(tx, filter, size)) {
    const events = rows.map(({ entry }) => JSON.parse(entry) as StoredEvent)
    yield csvLines(events.map((event) => Object.values(columns).map((read) => read(event))))
  }
}
