import { randomUUID } from 'node:crypto'
import { buildEvent, serializeEvent, type AuditEvent } from '@caregate/common/events'
import { rowOf, type EventRow } from '../../services/audit/src/database.ts'
import { buildEntry } from '../../services/audit/src/log/entry.ts'

const charts = Array.from({ length: 5000 }, () => randomUUID())
/** An event, and its bytes. */
export interface Arrived {
  event: AuditEvent
  body: string
}

const nurses = Array.from({ length: 200 }, () => ({ id: randomUUID(), sessionId: randomUUID() }))

/** A chart that somebody of a hospital has read, as it comes from the queue. */
function arrived(n: number): Arrived {
  const chart = charts[(n * 7919) % charts.length]!
  const { id, sessionId } = nurses[n % nurses.length]!
  const actor = { id, name: 'Noor Example', roles: ['nurse'], sessionId }
  const event = buildEvent({
    type: 'patients.patient.read',
    service: 'patients',
    action: 'R',
    actor,
    basis: 'role',
    resource: { id: chart, type: 'patient' },
    patientIds: [chart],
    request: {
      id: randomUUID(),
      ip: '10.20.30.40',
      method: 'GET',
      path: `/api/v1/patients/${chart}`,
      route: '/patients/{id}',
      status: 200,
      userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    },
  })
  return { event, body: serializeEvent(event) }
}

export const arrive = (count: number): Arrived[] => Array.from({ length: count }, (_none, n) => arrived(n))

/** The rows of events that are stored now, from a sequence number on. */
export function rowsOf(events: readonly Arrived[], first: number): EventRow[] {
  const storedAt = new Date().toISOString()
  return events.map(({ event, body }, n) => {
    const sequence = first + n
    return rowOf({ ...event, sequence, storedAt }, buildEntry(event, body, sequence, storedAt))
  })
}
