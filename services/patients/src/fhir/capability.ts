import type { CapabilityStatement } from 'fhir/r4.js'
import { fhirBase } from '@caregate/common/fhir'
import { fhirApi, type FhirType, type SearchParam } from '@caregate/common/fhir-api'

/** What there is, from the table that the routes are made from. @param origin of the gateway, as the client wrote it */
export const buildCapabilityStatement = (origin: string): CapabilityStatement => ({
  resourceType: 'CapabilityStatement',
  status: 'active',
  date: '2026-11-27',
  kind: 'instance',
  fhirVersion: '4.0.1',
  format: ['json'],
  software: { name: 'Caregate' },
  implementation: { description: 'Charts and the audit log, to read and to search', url: origin + fhirBase },
  rest: [
    {
      mode: 'server',
      documentation:
        'Unknown parameters are refused. What says who somebody is, or what they have, is searched for by POST to _search: it never stands in a URL. Every request is on record.',
      security: {
        cors: true,
        description: 'Authorization: Bearer, with the accessToken of POST /api/v1/auth/login or /api/v1/auth/token',
      },
      resource: Object.entries(fhirApi).map(([type, { interactions, search }]) => ({
        type: type as FhirType,
        interaction: interactions.map((code) => ({ code })),
        versioning: type === 'AuditEvent' ? 'no-version' : 'versioned',
        readHistory: interactions.some((code) => code === 'vread'),
        searchParam: Object.entries<SearchParam>(search).map(([name, param]) => ({
          name,
          type: param.type,
          documentation: `${param.inUrl ? 'By GET and POST' : 'By POST alone'}. ${param.documentation}`,
        })),
      })),
    },
  ],
})
