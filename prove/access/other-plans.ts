/** A valid request of each operation of auth, audit and the gateway. What it names is mostly not there: who may is told so. */
import { randomUUID } from 'node:crypto'
import { newPassword, type Account } from '../../platform/client.ts'
import { unknownId, type Plan, type Plans } from './shape.ts'

/** Accounts that things may be done to. */
export interface Targets {
  staff: string
  patient: string
  /** Signs in again and again. */
  account: Account
}
const absent: Plan = { answers: '404 not_found', params: { id: unknownId } }
const newEmail = () => `${randomUUID()}@prove.test`
const roles = ['auditor']

export function authPlans({ staff, patient, account }: Targets): Plans {
  const ofStaff = { params: { id: staff } }
  const ofPatient = { params: { id: patient } }
  const wrong = { answers: '401 unauthorized' }
  return {
    'GET /.well-known/jwks.json': { answers: '200', untold: true },
    'POST /api/v1/auth/register': {
      answers: '201',
      body: () => ({ email: newEmail(), password: newPassword(), fullName: 'A Newcomer' }),
    },
    'POST /api/v1/auth/login': { answers: '200', body: { ...account } },
    'POST /api/v1/auth/refresh': { ...wrong, body: { refreshToken: 'none' } },
    'POST /api/v1/auth/token': { ...wrong, body: { clientId: unknownId, clientSecret: 'none' } },
    'POST /api/v1/auth/password/forgot': { answers: '202', body: { email: 'nobody@prove.test' } },
    'POST /api/v1/auth/password/reset': { ...wrong, body: { token: 'none', newPassword: newPassword() } },
    'POST /api/v1/auth/logout': { answers: '204', ends: true },
    'GET /api/v1/auth/me': { answers: '200' },
    'PATCH /api/v1/auth/me': { answers: '200', body: { fullName: 'Of the Matrix' } },
    'POST /api/v1/auth/password': {
      answers: '422 validation_failed',
      body: { currentPassword: 'wrong', newPassword: newPassword() },
      scope: 'password',
    },
    // in this order: there is none yet, there is one, there was one
    'POST /api/v1/auth/totp/confirm': { answers: '404 not_found', body: { totp: '000000' }, scope: 'totp' },
    'POST /api/v1/auth/totp': { answers: '201', scope: 'totp' },
    'DELETE /api/v1/auth/totp': { answers: '204' },
    'GET /api/v1/auth/sessions': { answers: '200' },
    'DELETE /api/v1/auth/sessions/{id}': absent,
    'POST /api/v1/auth/users': {
      answers: '201',
      body: () => ({ email: newEmail(), fullName: 'A Newcomer', roles }),
    },
    'GET /api/v1/auth/users': { answers: '200', query: '?email=nobody@prove.test' },
    'GET /api/v1/auth/users/{id}': { answers: '200', ...ofStaff },
    'PATCH /api/v1/auth/users/{id}': { answers: '200', body: { fullName: 'A Target' }, ...ofStaff },
    'DELETE /api/v1/auth/users/{id}/sessions': { answers: '204', ...ofStaff },
    'DELETE /api/v1/auth/users/{id}/totp': { answers: '204', ...ofStaff },
    'POST /api/v1/auth/users/{id}/reset-password': { answers: '200', ...ofStaff },
    'PUT /api/v1/auth/users/{id}/patient': { answers: '200', body: { patientId: unknownId }, ...ofPatient },
    'DELETE /api/v1/auth/users/{id}/patient': { answers: '204', ...ofPatient },
    'POST /api/v1/auth/service-accounts': { answers: '201', body: () => ({ name: randomUUID(), roles }) },
    'GET /api/v1/auth/service-accounts': { answers: '200' },
    'POST /api/v1/auth/service-accounts/{id}/rotate': absent,
    'DELETE /api/v1/auth/service-accounts/{id}': absent,
    // the next key is made already
    'POST /api/v1/auth/keys/rotate': { answers: ['201', '409 conflict'] },
  }
}

/** And the gateway's own. */
export const auditPlans: Plans = {
  'GET /api/v1/audit/key': { answers: '200', untold: true },
  'GET /api/v1/audit/checkpoint': { answers: '200', untold: true },
  'GET /api/v1/audit/events': { answers: '200', query: '?limit=1' },
  'GET /api/v1/audit/events/{id}': absent,
  'GET /api/v1/audit/export': { answers: '200', query: '?requestId=none-has-this' },
  'GET /api/v1/audit/stream': { answers: '200' },
  'GET /api/v1/audit/activity': { answers: '200' },
  'GET /api/v1/audit/status': { answers: '200', untold: true },
  'GET /api/v1/audit/patients/{id}/accesses': { answers: '200', rights: { auditor: ['any'], patient: ['self'] } },
  'GET /api/v1/audit/proof/inclusion': { answers: '200', query: '?sequence=1' },
  'GET /api/v1/audit/proof/consistency': { answers: '200', query: '?from=1' },
  'GET /api/v1/audit/tile/{level}/{tile}': { answers: '404 not_found', params: { level: '0', tile: '999' } },
  'GET /api/v1/audit/reviews': { answers: '200' },
  'GET /api/v1/audit/reviews/{id}': absent,
  'POST /api/v1/audit/reviews': { answers: '422 validation_failed', body: { eventId: unknownId } },
  'PATCH /api/v1/audit/reviews/{id}': {
    ...absent,
    body: { state: 'justified', note: 'for the matrix' },
    headers: { 'if-match': '"1"' },
  },
  'GET /api/v1/audit/holds': { answers: '200' },
  'PUT /api/v1/audit/holds/{id}': { answers: ['200', '201'], body: { reason: 'a lawsuit' }, params: { id: unknownId } },
  'DELETE /api/v1/audit/holds/{id}': { answers: ['204', '404 not_found'], params: { id: unknownId } },
  'GET /fhir/R4/AuditEvent': { answers: '200', query: '?_count=1' },
  'POST /fhir/R4/AuditEvent/_search': { answers: '200', form: '_count=1' },
  'GET /fhir/R4/AuditEvent/{id}': absent,
  'GET /health': { answers: '200', untold: true },
  'GET /console': { answers: '200', untold: true },
  'GET /console/assets/{name}.js': { answers: '404 not_found', params: { name: 'none' }, untold: true },
  'GET /console/assets/{name}.css': { answers: '404 not_found', params: { name: 'none' }, untold: true },
}
