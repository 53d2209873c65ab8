import { randomUUIDv7 } from 'node:crypto'
import canonicalize from 'canonicalize'

/** FHIR AuditEvent.action: create, read, update, delete, execute (https://hl7.org/fhir/R4/valueset-audit-event-action.html). */
export type Action = 'C' | 'R' | 'U' | 'D' | 'E'
export type Outcome = 'success' | 'denied' | 'failure'
/** The right by which a chart was opened. */
export type Basis = 'role' | 'care-team' | 'break-glass' | 'self'

/** Every type of event there is: `<service>.<thing>.<verb>`; also the routing key. */
export const eventTypes = [
  'auth.user.created',
  'auth.user.read',
  'auth.user.updated',
  'auth.session.started',
  'auth.session.refreshed',
  'auth.session.read',
  'auth.session.ended',
  'auth.session.failed',
  'auth.password.updated',
  'auth.password.requested',
  'auth.password.reset',
  'auth.password.failed',
  'auth.totp.created',
  'auth.totp.updated',
  'auth.totp.deleted',
  'auth.key.created',
  'auth.key.deleted',
  'auth.service-account.created',
  'auth.service-account.read',
  'auth.service-account.updated',
  'auth.service-account.deleted',
  'auth.request.refused',
  'patients.patient.created',
  'patients.patient.read',
  'patients.patient.updated',
  'patients.patient.voided',
  'patients.patient.restored',
  'patients.patient.merged',
  'patients.patient.unmerged',
  'patients.allergy.created',
  'patients.allergy.read',
  'patients.allergy.updated',
  'patients.condition.created',
  'patients.condition.read',
  'patients.condition.updated',
  'patients.care-team.created',
  'patients.care-team.read',
  'patients.care-team.deleted',
  'patients.break-glass.created',
  'patients.break-glass.read',
  'patients.search.read',
  'patients.match.read',
  'patients.import.started',
  'patients.import.read',
  'patients.import.ended',
  'patients.export.started',
  'patients.export.read',
  'patients.request.refused',
  'audit.event.read',
  'audit.proof.read',
  'audit.export.read',
  'audit.stream.read',
  'audit.access.read',
  'audit.activity.read',
  'audit.review.created',
  'audit.review.read',
  'audit.review.updated',
  'audit.hold.created',
  'audit.hold.read',
  'audit.hold.deleted',
  'audit.retention.applied',
  'audit.verification.failed',
  'audit.log.created',
  'audit.request.refused',
  'gateway.request.denied',
] as const
export type EventType = (typeof eventTypes)[number]

export interface Actor {
  id: string | null
  /** Staff only: a patient's name is PHI. */
  name: string | null
  roles: string[]
  sessionId: string | null
}

/** The request that caused an event. `route` is the pattern, `path` is without the query string. */
export interface RequestFacts {
  id: string
  method: string
  route: string
  path: string
  status: number
  ip: string
  userAgent: string | null
}

/** What happened, without any value of a record: ids and field names only. */
export interface AuditEvent {
  v: 1
  /** UUIDv7 */
  id: string
  type: EventType
  /** UTC, ISO 8601 */
  occurredAt: string
  service: string
  actor: Actor
  action: Action
  outcome: Outcome
  /** The code of the problem that was answered. */
  code: string | null
  basis: Basis | null
  breakGlass: { grantId: string } | null
  resource: { type: string; id: string } | null
  /** Every chart disclosed, changed or refused: at most `maxPatientIds`. */
  patientIds: string[]
  /** Names of the fields that changed, dotted. */
  changed: string[]
  /** How many equal occurrences the event stands for. */
  count: number
  /** Dangerous patterns that the input contained, by name. */
  threats?: string[]
  request: RequestFacts
}

export type EventDetails = Pick<AuditEvent, 'type' | 'service' | 'actor' | 'action' | 'request'> & Partial<AuditEvent>

/** 2xx and 304 are a success; 401, 403 and 429 a denial; the rest a failure. */
function outcomeOf(status: number): Outcome {
  if (status === 304 || (status >= 200 && status < 300)) return 'success'
  return [401, 403, 429].includes(status) ? 'denied' : 'failure'
}

/** Members are in the order of RFC 8785, so that they needn't be sorted for the log. */
export function buildEvent({ action, actor, request, service, type, ...more }: EventDetails): AuditEvent {
  return {
    action,
    actor,
    basis: null,
    breakGlass: null,
    changed: [],
    code: null,
    count: 1,
    id: randomUUIDv7(),
    occurredAt: new Date().toISOString(),
    outcome: outcomeOf(request.status),
    patientIds: [],
    request,
    resource: null,
    service,
    type,
    v: 1,
    ...more,
  }
}

/** Whether all members are in the order of RFC 8785 already: then JSON.stringify writes its bytes, given text that is Unicode. */
export function hasSortedNames(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(hasSortedNames)
  let before = ''
  for (const name in value) {
    if (name < before) return false
    before = name
    if (!hasSortedNames((value as Record<string, unknown>)[name])) return false
  }
  return true
}

/** RFC 8785 canonical JSON. */
export function canonicalJson(value: object): string {
  return canonicalize(value) as string
}

/** Text that Postgres can't keep, or that is no Unicode. */
const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0')
/** How JSON writes what isn't storable; the same letters behind an escaped backslash are harmless. */
const suspicious = /\\u(0000|d[89a-f])/i

/** The RFC 8785 bytes of an event. What a client put into it, a browser's name say, must not make it unreadable. */
export function serializeEvent(event: AuditEvent): string {
  const text = JSON.stringify(event)
  if (!suspicious.test(text)) return hasSortedNames(event) ? text : canonicalJson(event)
  const mend = (_name: string, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\ufffd') : value
  return canonicalJson(JSON.parse(text, mend) as AuditEvent)
}

/** More charts than a page of a list has aren't disclosed at once. */
export const maxPatientIds = 200

/** tlog entries have a 16-bit length, and `sequence` and `storedAt` are still to be added. */
const maxEventBytes = 60_000

/** Of any version: what a client asked for need not be an id of ours. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const timestamp = /^(19|2\d)\d{2}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/
const isText = (value: unknown): value is string => typeof value === 'string'
const isTextOrNull = (value: unknown): boolean => value === null || isText(value)
/** What the log has an index over: a longer one would keep it from storing anything. */
const isName = (value: unknown): boolean => isText(value) && value.length <= 200
const isTextList = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const isUuid = (value: unknown): boolean => isText(value) && uuid.test(value)

const envelope: readonly [path: string, holds: (event: AuditEvent) => boolean][] = [
  ['v', (e) => e.v === 1],
  ['id', (e) => isUuid(e.id)],
  ['type', (e) => isName(e.type) && /^[a-z][a-z-]*(\.[a-z][a-z-]*){2}$/.test(e.type)],
  [
    'occurredAt',
    (e) => isText(e.occurredAt) && timestamp.test(e.occurredAt) && !Number.isNaN(Date.parse(e.occurredAt)),
  ],
  ['service', (e) => isText(e.service)],
  // the log's own
  ['sequence', (e) => !('sequence' in e)],
  ['storedAt', (e) => !('storedAt' in e)],
  ['leafHash', (e) => !('leafHash' in e)],
  [
    'actor',
    (e) =>
      (e.actor.id === null || isName(e.actor.id)) &&
      isTextOrNull(e.actor.name) &&
      isTextList(e.actor.roles) &&
      isTextOrNull(e.actor.sessionId),
  ],
  ['action', (e) => ['C', 'R', 'U', 'D', 'E'].includes(e.action)],
  ['outcome', (e) => ['success', 'denied', 'failure'].includes(e.outcome)],
  ['code', (e) => isTextOrNull(e.code)],
  ['basis', (e) => isTextOrNull(e.basis)],
  ['breakGlass', (e) => e.breakGlass === null || isUuid(e.breakGlass.grantId)],
  ['resource', (e) => e.resource === null || (isText(e.resource.type) && isText(e.resource.id))],
  ['patientIds', (e) => isTextList(e.patientIds) && e.patientIds.length <= maxPatientIds && e.patientIds.every(isUuid)],
  ['changed', (e) => isTextList(e.changed)],
  ['count', (e) => Number.isSafeInteger(e.count) && e.count >= 1],
  [
    'request',
    ({ request: r }) =>
      isName(r.id) &&
      [r.method, r.route, r.path, r.ip].every(isText) &&
      Number.isInteger(r.status) &&
      isTextOrNull(r.userAgent),
  ],
]

function checkSize(bytes: number): void {
  if (bytes > maxEventBytes) throw new Error(`larger than ${maxEventBytes} bytes`)
}

/**
 * By hand, since a joi schema would cost more than all the rest of storing an event.
 * @param size of its bytes
 * @throws {Error} that names the member that does not hold
 */
export function checkEvent(event: AuditEvent, size: number): void {
  checkSize(size)
  for (const [member, holds] of envelope) {
    let ok = false
    try {
      ok = holds(event)
    } catch {
      // a missing object: the member does not hold
    }
    if (!ok) throw new Error(`${member} is not valid`)
  }
}

/**
 * Reads an event off the wire. Unknown members are kept: a producer may be one release ahead.
 * @param size of its bytes
 * @throws {Error} that says why the log refuses it
 */
export function parseEvent(text: string, size = Buffer.byteLength(text)): AuditEvent {
  checkSize(size)
  let storable = true
  const check = (_name: string, value: unknown): unknown => {
    if (typeof value === 'string' && !isStorable(value)) storable = false
    return value
  }
  const event = JSON.parse(text, text.includes('\\u') && suspicious.test(text) ? check : undefined) as AuditEvent
  if (!storable) throw new Error('contains a NUL character or half a surrogate pair')
  checkEvent(event, size)
  return event
}
