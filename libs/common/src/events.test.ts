import { expect, test } from '@jest/globals'
import { buildEvent, parseEvent, serializeEvent, type AuditEvent } from './events.ts'

function anEvent(userAgent: string, more: Partial<AuditEvent> = {}): AuditEvent {
  const request = { id: 'r', method: 'GET', route: '/x', path: '/x', status: 200, ip: '::1', userAgent }
  const actor = { id: null, name: null, roles: [], sessionId: null }
  return buildEvent({ type: 'patients.patient.read', service: 'patients', action: 'R', actor, request, ...more })
}
const throughTheWire = (event: AuditEvent) => parseEvent(Buffer.from(serializeEvent(event)))

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
  expect(() => parseEvent(Buffer.from(JSON.stringify(event)))).toThrow('NUL')
})

test('a chart that was asked for under an id of no version is told of as it was asked for', () => {
  const event = anEvent('x', { patientIds: ['00000000-0000-0000-0000-000000000000'] })
  expect(throughTheWire(event)).toEqual(event)
})

test('canonical: members sorted, no spaces, whatever their order in memory (RFC 8785)', () => {
  expect(serializeEvent({ b: 1, a: { d: 2, c: 'é' } } as never)).toBe('{"a":{"c":"é","d":2},"b":1}')
})
