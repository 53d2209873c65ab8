import { expect, test } from '@jest/globals'
import { buildEvent, canonicalJson, type AuditEvent } from '@caregate/common/events'
import { buildEntry, withLeafHash } from './entry.ts'

const request = { id: 'r', method: 'GET', route: '/x', path: '/x', status: 200, ip: '::1', userAgent: 'Zoë "\\" 1.0' }
const actor = { id: null, name: 'José', roles: [], sessionId: null }
const plain = buildEvent({ type: 'patients.patient.read', service: 'patients', action: 'R', actor, request })
const storedAt = '2026-01-02T03:04:05.678Z'

test.each<[string, object]>([
  ['as producers send it', {}],
  ['with threats', { threats: ['null byte'] }],
  [
    'with members of a newer producer all over',
    { aa: 1, resource2: { b: [1.5, 1e21], a: null }, sf: 'x', storedBy: 'y', zz: { '10': 1, '9': 2 } },
  ],
  ['with names that look like numbers', { '10': 1, '9': 2, '': 3 }],
])('the entry of an event %s is its canonical form, with number and time', (_name, more) => {
  const event = { ...plain, ...more }
  const body = canonicalJson(event)
  const expected = canonicalJson({ ...event, sequence: 7, storedAt })
  expect(buildEntry(JSON.parse(body) as AuditEvent, body, 7, storedAt)).toBe(expected)
})

test.each<[string, (body: string) => string]>([
  ['with spaces', (body) => body.replace(',"', ', "')],
  [
    'in another order',
    (body) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(body) as object).reverse())),
  ],
  ['with a needless escape', (body) => body.replace('José', 'Jos\\u00e9')],
  ['with a member twice', (body) => body.replace('{', '{"count":2,')],
  ['with another spelling of a number', (body) => body.replace('"count":1', '"count":1.0')],
])('an event that comes %s is kept in canonical form', (_name, spell) => {
  const body = spell(canonicalJson(plain))
  const event = JSON.parse(body) as AuditEvent
  expect(buildEntry(event, body, 7, storedAt)).toBe(canonicalJson({ ...event, sequence: 7, storedAt }))
})

test('an entry is read back with its hash in the tree behind it', () => {
  const read = JSON.parse(withLeafHash('{"a":1,"b":{"c":2}}', Buffer.from([1, 2, 3]))) as object
  expect(read).toEqual({ a: 1, b: { c: 2 }, leafHash: 'AQID' })
})
