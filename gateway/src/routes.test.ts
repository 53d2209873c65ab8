import { expect, test } from '@jest/globals'
import { SERVICES } from '@caregate/common/services'
import { findRoute } from './routes.ts'

/** Service, and what is special of it. */
function told(path: string): string | undefined {
  const route = findRoute(path)
  if (!route) return undefined
  const flags = (['public', 'streaming', 'guarded'] as const).filter((flag) => route[flag])
  return [route.service, ...flags, route.bodyLimit].join(' ')
}

const [plain, small] = [1_048_576, 16_384]
const places: [path: string, where: string][] = [
  ...['register', 'login', 'refresh', 'token', 'password/forgot', 'password/reset'].map((name): [string, string] => [
    `/api/v1/auth/${name}`,
    `auth public guarded ${small}`,
  ]),
  ['/api/v1/auth/password', `auth guarded ${small}`],
  ['/.well-known/jwks.json', `auth public ${plain}`],
  ['/api/v1/auth', `auth ${plain}`],
  ['/api/v1/auth/users/1/sessions', `auth ${plain}`],
  ['/api/v1/auth/login/', `auth ${plain}`],
  ['/api/v1/patients', `patients ${plain}`],
  ['/api/v1/patients/1/care-team', `patients ${plain}`],
  ['/api/v1/patients/import', `patients streaming ${plain}`],
  ['/api/v1/patients/export', `patients streaming ${plain}`],
  ['/api/v1/audit', `audit ${plain}`],
  ['/api/v1/audit/events', `audit ${plain}`],
  ['/api/v1/audit/checkpoint', `audit public ${plain}`],
  ['/api/v1/audit/key', `audit public ${plain}`],
  ['/api/v1/audit/export', `audit streaming ${plain}`],
  ['/api/v1/audit/stream', `audit streaming ${plain}`],
  ['/fhir/R4/metadata', `patients public ${plain}`],
  ['/fhir/R4', `patients ${plain}`],
  ['/fhir/R4/Patient/1', `patients ${plain}`],
  ['/fhir/R4/AuditEvent', `audit ${plain}`],
  ['/fhir/R4/AuditEvent/1', `audit ${plain}`],
  ['/fhir/R4/AuditEvents', `patients ${plain}`],
  ['/console', `audit public ${plain}`],
  ['/console/main.js', `audit public ${plain}`],
]
test.each(places)('%s leads to %s', (path, where) => expect(told(path)).toBe(where))

test('they lead to all services that there are', () => {
  expect(new Set(places.map(([, where]) => where.split(' ')[0]))).toEqual(new Set(SERVICES))
})

test.each([
  ...['', '/', '/api/v1', '/api/v1/', '/api/v1/authx', '/api/v1/patient', '/x/api/v1/auth', '/internal/description'],
  ...['/fhir', '/fhir/R4x', '/consoles', '/.well-known/jwks.json/', '/.well-known', '/metrics', '/health/live'],
])('%j leads to no service', (path) => expect(findRoute(path)).toBeUndefined())
