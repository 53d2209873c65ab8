import { expect, test } from '@jest/globals'
import { buildEvent, canonicalJson, hasSortedNames, parseEvent, serializeEvent, type AuditEvent } from './events.ts'

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
})

test.each([
  ['type', { type: `patients.${'x'.repeat(200)}.read` as never }],
  ['actor', { actor: { id: 'x'.repeat(201), name: null, roles: [], sessionId: null } }],
  ['request', { request: { ...anEvent('x').request, id: 'x'.repeat(201) } }],
])('a name too long for an index of the log is refused: %s', (member, more) => {
  expect(() => throughTheWire(anEvent('x', more))).toThrow(`${member} is not valid`)
})

test('a chart that was asked for under an id of no version is told of as it was asked for', () => {
  const event = anEvent('x', { patientIds: ['00000000-0000-0000-0000-000000000000'] })
  expect(throughTheWire(event)).toEqual(event)
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
