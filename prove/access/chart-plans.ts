/** A valid request of each operation of the patients' service. */
import { coded, member, person } from './charts.ts'
import type { Plans } from './shape.ts'

const reason = { reason: 'for the matrix' }
const another = { sourceId: '0190a000-0000-7000-8000-00000000000f', sourceVersion: 1 }
const items = (kind: 'allergies' | 'conditions'): Plans => ({
  [`GET /api/v1/patients/{id}/${kind}`]: { answers: '200' },
  [`POST /api/v1/patients/{id}/${kind}`]: { answers: '201', body: coded },
  [`PUT /api/v1/patients/{id}/${kind}/{itemId}`]: { answers: '200', body: coded, item: kind },
})

const fhirItems = (type: string, item: 'allergies' | 'conditions'): Plans => ({
  [`GET /fhir/R4/${type}`]: { answers: '200', query: '?patient={id}' },
  [`POST /fhir/R4/${type}/_search`]: { answers: '200', form: 'patient=Patient/{id}' },
  [`GET /fhir/R4/${type}/{itemId}`]: { answers: '200', item },
})

/** @param grantId of somebody's break-glass */
export const chartPlans = (grantId: string): Plans => ({
  'POST /api/v1/patients': { answers: '201', body: person, query: '?force=true' },
  'GET /api/v1/patients': { answers: '200' },
  'POST /api/v1/patients/match': { answers: '200', body: person },
  // a row that is no chart: its import begins and ends
  'POST /api/v1/patients/import': {
    answers: '200',
    body: {},
    headers: { 'content-type': 'application/x-ndjson' },
    events: 2,
  },
  'GET /api/v1/patients/export': { answers: '200', query: '?updatedSince=2999-01-01' },
  'POST /api/v1/patients/search': { answers: '200', body: { q: 'nobody' } },
  'GET /api/v1/patients/break-glass/{grantId}': { answers: '200', params: { grantId } },
  'GET /api/v1/patients/{id}': { answers: '200' },
  'PUT /api/v1/patients/{id}': { answers: '200', body: person, ifMatch: true },
  'PATCH /api/v1/patients/{id}': { answers: '200', body: { ethnicity: 'hispanic' }, ifMatch: true },
  'PATCH /api/v1/patients/{id} restricted': {
    answers: '200',
    body: ({ restricted = false }) => ({ restricted: !restricted }),
    ifMatch: true,
    also: 'restriction.change',
  },
  'POST /api/v1/patients/{id}/void': { answers: '200', body: reason },
  'POST /api/v1/patients/{id}/restore': {
    answers: ({ voided }) => (voided ? '200' : '409 conflict'),
    body: reason,
    alsoVoided: true,
  },
  // of a chart that isn't there: who may is told so
  'POST /api/v1/patients/{id}/merge': { answers: '404 not_found', body: another, ifMatch: true },
  'POST /api/v1/patients/{id}/unmerge': { answers: '404 not_found', body: another, ifMatch: true },
  ...items('allergies'),
  ...items('conditions'),
  'GET /api/v1/patients/{id}/care-team': { answers: '200' },
  'POST /api/v1/patients/{id}/care-team': { answers: '201', body: member },
  'DELETE /api/v1/patients/{id}/care-team/{memberId}': { answers: '204', item: 'care-team' },
  'POST /api/v1/patients/{id}/break-glass': {
    answers: ({ restricted, close }) => (restricted && close !== 'care-team' ? '201' : '409 conflict'),
    body: { reason: 'found unconscious at the station' },
  },
  'GET /api/v1/patients/{id}/history': { answers: '200', alsoVoided: true },
  'GET /api/v1/patients/{id}/history/{version}': { answers: '200', params: { version: '1' }, alsoVoided: true },
  'GET /api/v1/patients/{id}/history/{version}/diff': { answers: '200', params: { version: '1' }, alsoVoided: true },
  'GET /fhir/R4/metadata': { answers: '200', untold: true },
  'GET /fhir/R4/Patient': { answers: '200', query: '?_count=1' },
  'POST /fhir/R4/Patient/_search': { answers: '200', form: 'family=nobody' },
  'GET /fhir/R4/Patient/{id}': { answers: '200' },
  'GET /fhir/R4/Patient/{id}/_history/{version}': { answers: '200', params: { version: '1' }, alsoVoided: true },
  ...fhirItems('AllergyIntolerance', 'allergies'),
  ...fhirItems('Condition', 'conditions'),
})
