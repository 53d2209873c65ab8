import { expect, test } from '@jest/globals'
import {
  buildEvent,
  canonicalJson,
  eventTypes,
  hasSortedNames,
  parseEvent,
  serializeEvent,
  type AuditEvent,
  type Outcome,
} from './events.ts'

function anEvent(userAgent: string, more: Partial<AuditEvent> = {}): AuditEvent {
  const request = { id: 'r', method: 'GET', route: '/x', path: '/x', status: 200, ip: '::1', userAgent }
  const actor = { id: null, name: null, roles: [], sessionId: null }
  return buildEvent({ type: 'patients.patient.read', service: 'patients', action: 'R', actor, request, ...more })
}
const throughTheWire = (event: AuditEvent) => parseEvent(serializeEvent(event))

test.each(['curl/8', 'José 🦊', 'a literal \\u0000 and \\ud800', 'a\\\\u0000', '"quoted"\n'])(
  'what a client calls itself arrives as it is: %j',
  (userAgent) => {
    const event = anEvent(userAgent)
    expect(throughTheWire(event)).toEqual(event)
  },
)

test('what no log can keep is replaced by the producer, and refused by the consumer', () => {
  const event = anEvent('nul \0, half \ud800 a pair')
  expect(throughTheWire(event).request.userAgent).toBe('nul \ufffd, half \ufffd a pair')
  expect(() => parseEvent(JSON.stringify(event))).toThrow('NUL')
  for (const bad of ['\0', '\udfff', '\ud800x']) expect(() => parseEvent(JSON.stringify(anEvent(bad)))).toThrow('NUL')
})

const id = '01a20dc4-cb42-76fd-b0bf-6c159d131954'
// also under an id of no version, as it was asked for
const nil = '00000000-0000-0000-0000-000000000000'

test('an event with all that it may have is taken as it is, also one of a newer producer', () => {
  const full = {
    actor: { id, name: 'José', roles: ['nurse'], sessionId: id },
    ...{ code: 'stale', basis: 'break-glass', breakGlass: { grantId: id }, resource: { type: 'patient', id: 'x' } },
    ...{ patientIds: Array<string>(200).fill(nil), changed: ['telecom'], count: 7, action: 'E', outcome: 'failure' },
    ...{ occurredAt: '2026-01-02T03:04:05Z', type: `a.b.${'c'.repeat(196)}`, newer: { member: true } },
  } as object
  const event = anEvent('curl/8', full)
  expect(throughTheWire(event)).toEqual(event)
})

test('an event tells of any type, action and outcome that there is', () => {
  for (const type of eventTypes) expect(throughTheWire(anEvent('x', { type })).type).toBe(type)
  for (const action of ['C', 'R', 'U', 'D', 'E'] as const)
    for (const outcome of ['success', 'denied', 'failure'] as const)
      expect(throughTheWire(anEvent('x', { action, outcome }))).toMatchObject({ action, outcome })
})

const { actor, request } = anEvent('x')
const time = '2026-01-02T03:04:05.678Z'
test.each<[member: string, ...values: unknown[]]>([
  ['v', undefined, 2, '1'],
  ['id', undefined, 'x', 7, id.toUpperCase(), `${id}0`, `0${id}`],
  ['type', undefined, 'patients.read', 'a.b.c.d', 'A.b.c', 'a.b.1', 'a..c', `a.b.${'c'.repeat(197)}`],
  [
    'occurredAt',
    undefined,
    Date.parse(time),
    'yesterday',
    '1899-01-02T03:04:05Z',
    '2026-13-02T03:04:05Z',
    '+012026-01-02T03:04:05Z',
  ],
  ['occurredAt', `${time}\n`, ` ${time}`, '2026-01-02T03:04:05+01:00', '2026-01-02T03:04:05.Z', '2026-01-02'],
  ['service', undefined, 7],
  ['sequence', 1, null],
  ['storedAt', time],
  ['leafHash', 'x'],
  ['actor', undefined, null, 'x', { ...actor, id: 7 }, { ...actor, id: 'x'.repeat(201) }, { ...actor, name: 7 }],
  [
    'actor',
    { ...actor, roles: 'nurse' },
    { ...actor, roles: [7] },
    { ...actor, roles: null },
    { ...actor, sessionId: 7 },
  ],
  ['action', undefined, 'X', 'read'],
  ['outcome', undefined, 'ok'],
  ['code', undefined, 7],
  ['basis', undefined, 7],
  ['breakGlass', undefined, {}, { grantId: 'x' }, { grantId: null }],
  ['resource', undefined, {}, { type: 'patient' }, { id: 'x' }, { type: 'patient', id: 7 }],
  ['patientIds', undefined, null, nil, ['x'], [nil, 7], Array<string>(201).fill(nil)],
  ['changed', undefined, 'telecom', ['telecom', 7]],
  ['count', undefined, 0, -1, 1.5, '1', 2 ** 53],
  [
    'request',
    undefined,
    null,
    { ...request, id: 'x'.repeat(201) },
    { ...request, id: 7 },
    { ...request, userAgent: 7 },
  ],
  ['request', { ...request, status: '200' }, { ...request, status: 200.5 }, { ...request, userAgent: undefined }],
  ...(['method', 'route', 'path', 'ip'] as const).map((part): [string, unknown] => [
    'request',
    { ...request, [part]: 7 },
  ]),
])('an event whose %s is another than it may be is refused by its name', (member, ...values) => {
  for (const value of values)
    expect([value, refusalOf({ ...anEvent('x'), [member]: value })]).toEqual([value, `${member} is not valid`])
})
const refusalOf = (event: object): string => {
  try {
    return `taken: ${parseEvent(JSON.stringify(event)).id}`
  } catch (error) {
    return (error as Error).message
  }
}

test('an event is as large as a leaf of the log may be, and no larger', () => {
  const padded = (bytes: number) => {
    const text = JSON.stringify(anEvent(''))
    return text.replace(
      '"userAgent":""',
      `"userAgent":"${'é'.repeat((bytes - text.length) / 2)}${'x'.repeat((bytes - text.length) % 2)}"`,
    )
  }
  expect(Buffer.byteLength(padded(60_000))).toBe(60_000)
  expect(parseEvent(padded(60_000)).v).toBe(1)
  expect(() => parseEvent(padded(60_001))).toThrow('larger than 60000 bytes')
})

test.each<[Outcome, ...statuses: number[]]>([
  ['success', 200, 204, 299, 304],
  ['denied', 401, 403, 429],
  ['failure', 199, 300, 400, 404, 409, 500, 503],
])('what was answered is a %s: %j', (outcome, ...statuses) => {
  for (const status of statuses) expect(anEvent('x', { request: { ...request, status } }).outcome).toBe(outcome)
})

test('canonical: members sorted, no spaces, whatever their order in memory (RFC 8785)', () => {
  expect(serializeEvent({ b: 1, a: { d: 2, c: 'é' } } as never)).toBe('{"a":{"c":"é","d":2},"b":1}')
})

test('an event is built in the order of its canonical form, which costs no sorting then', () => {
  const request = { id: 'r', ip: '::1', method: 'GET', path: '/x', route: '/x', status: 200, userAgent: 'Zoë "\\"' }
  const actor = { id: null, name: null, roles: [], sessionId: null }
  const event = buildEvent({ type: 'audit.event.read', service: 'audit', action: 'R', actor, request, basis: 'role' })
  expect(hasSortedNames(event)).toBe(true)
  expect(serializeEvent(event)).toBe(canonicalJson(event))
  expect(hasSortedNames({ a: [{ c: 1, b: 2 }] })).toBe(false)
})
