import type { AuditEvent, AuditEventAgent, AuditEventEntity, CodeableConcept, Coding, Reference } from 'fhir/r4.js'
import type { Outcome } from '@caregate/common/events'
import { compact } from '@caregate/common/fhir'
import type { ReadEvent } from '../repository.ts'

/** IHE's Basic Audit Log Patterns (https://profiles.ihe.net/ITI/BALP/), 1.1.3. */
const balp = 'https://profiles.ihe.net/ITI/BALP'
const terminology = 'http://terminology.hl7.org/CodeSystem'
export const eventTypeSystem = 'urn:caregate:event-type'
const userSystem = 'urn:caregate:user'

const entityType = (code: string): Coding => ({ system: `${terminology}/audit-entity-type`, code })
const objectRole = (code: string, display: string): Coding => ({ system: `${terminology}/object-role`, code, display })
const concept = (coding: Coding): CodeableConcept => ({ coding: [coding] })
const dicom = (code: string, display: string): Coding => ({
  system: 'http://dicom.nema.org/resources/ontology/DCM',
  code,
  display,
})

const rest = { system: `${terminology}/audit-event-type`, code: 'rest', display: 'Restful Operation' }
const interactions = { C: 'create', R: 'read', U: 'update', D: 'delete' } as const
const patterns = { C: 'Create', R: 'Read', U: 'Update', D: 'Delete' } as const
/** https://hl7.org/fhir/R4/valueset-audit-event-outcome.html: a refusal is the smaller failure, since nothing came of it. */
export const outcomes = { success: '0', denied: '4', failure: '8' } as const satisfies Record<Outcome, string>

/** Signing in and out has codes of its own, and no pattern of BALP. */
const signing: Readonly<Record<string, Coding>> = {
  'auth.session.started': dicom('110122', 'Login'),
  'auth.session.failed': dicom('110122', 'Login'),
  'auth.session.ended': dicom('110123', 'Logout'),
}

/** What are resources here. */
const resources: Readonly<Record<string, string>> = {
  patient: 'Patient',
  allergy: 'AllergyIntolerance',
  condition: 'Condition',
  event: 'AuditEvent',
}

type Event = Pick<
  ReadEvent,
  | 'action'
  | 'actor'
  | 'basis'
  | 'breakGlass'
  | 'changed'
  | 'code'
  | 'id'
  | 'occurredAt'
  | 'outcome'
  | 'patientIds'
  | 'request'
  | 'resource'
  | 'service'
  | 'storedAt'
  | 'type'
>

const isSearch = ({ type }: Event): boolean => type === 'patients.search.read'

/** What it is by FHIR's own codes, and by ours; the pattern of deleting has room for one alone. */
function subtypesOf(event: Event): Coding[] {
  const { type, action } = event
  const code = isSearch(event) ? 'search' : action === 'E' ? 'operation' : interactions[action]
  const known = signing[type] ?? { system: 'http://hl7.org/fhir/restful-interaction', code }
  return action === 'D' ? [known] : [known, { system: eventTypeSystem, code: type }]
}

/** The pattern that it is one of, if any: they are of what succeeded. `Patient…` wants one patient, no more. */
function profileOf(event: Event): string | undefined {
  const { type, action, outcome, patientIds, request } = event
  const pattern = isSearch(event) ? 'Query' : action === 'E' ? undefined : patterns[action]
  // it wants the client's address, which is missing where a connection was reset
  if (outcome !== 'success' || !pattern || signing[type] || !request.ip) return undefined
  return `${balp}/StructureDefinition/IHE.BasicAudit.${patientIds.length === 1 ? 'Patient' : ''}${pattern}`
}

/** DICOM's words for where the data came from and where they went: what was asked for by a search is the search. */
const [source, destination] = [dicom('110153', 'Source Role ID'), dicom('110152', 'Destination Role ID')]
const application = dicom('110150', 'Application')
const custodian = { system: `${terminology}/provenance-participant-type`, code: 'custodian', display: 'Custodian' }
const participation = (code: string): CodeableConcept =>
  concept({ system: `${terminology}/v3-ParticipationType`, code })
const breakTheGlass: CodeableConcept = concept({
  system: `${terminology}/v3-ActReason`,
  code: 'BTG',
  display: 'break the glass',
})

const rightsOf = (basis: Event['basis'], breakGlass: Event['breakGlass']): string[] => [
  ...(basis ? [`urn:caregate:basis:${basis}`] : []),
  ...(breakGlass ? [`urn:uuid:${breakGlass.grantId}`] : []),
]

function agentsOf({ action, actor, basis, breakGlass, request, service }: Event): AuditEventAgent[] {
  const [from, to] =
    action === 'R' ? [destination, source] : action === 'D' ? [application, custodian] : [source, destination]
  const user: AuditEventAgent = {
    type: participation(action === 'R' || action === 'E' ? 'IRCP' : 'AUT'),
    who: { identifier: { system: userSystem, value: actor.id! } },
    ...(actor.name !== null && { name: actor.name }),
    role: actor.roles.map((role) => ({ text: role })),
    requestor: true,
    // the pattern of deleting has no room for it
    policy: action === 'D' ? [] : rightsOf(basis, breakGlass),
    purposeOfUse: breakGlass ? [breakTheGlass] : [],
  }
  return [
    {
      type: concept(from),
      who: { display: request.userAgent ?? (request.ip || 'unknown') },
      requestor: actor.id === null,
      network: request.ip ? { address: request.ip, type: '2' } : {},
    },
    { type: concept(to), who: observerOf(service), requestor: false, network: { address: service, type: '1' } },
    ...(actor.id === null ? [] : [user]),
  ]
}

const observerOf = (service: string): Reference => ({
  identifier: { system: 'urn:caregate:service', value: service },
  display: service,
})

function dataOf({ resource, request }: Event): Reference {
  if (!resource) return { display: request.path }
  const type = resources[resource.type]
  if (type) return { reference: `${type}/${resource.id}` }
  return { identifier: { system: `urn:caregate:${resource.type}`, value: resource.id } }
}

/** Ids and names of fields, as in the event: no value of a record, and of a search no more than its path. */
function entitiesOf(event: Event): AuditEventEntity[] {
  const { patientIds, request, changed } = event
  const patients = patientIds.map((id) => ({
    what: { reference: `Patient/${id}` },
    type: entityType('1'),
    role: objectRole('1', 'Patient'),
  }))
  const object: AuditEventEntity = isSearch(event)
    ? {
        type: entityType('2'),
        role: objectRole('24', 'Query'),
        query: Buffer.from(`${request.method} ${request.path}`).toString('base64'),
      }
    : {
        what: dataOf(event),
        type: entityType('2'),
        role: objectRole('4', 'Domain Resource'),
        detail: changed.map((field) => ({ type: 'changed', valueString: field })),
      }
  const transaction = {
    what: { identifier: { value: request.id } },
    type: { system: `${balp}/CodeSystem/BasicAuditEntityType`, code: 'XrequestId' },
  }
  return [...patients, object, transaction]
}

export function toFhirAuditEvent(event: Event): AuditEvent {
  const { id, type, action, outcome, code, occurredAt, storedAt, service, breakGlass } = event
  return compact<AuditEvent>({
    resourceType: 'AuditEvent',
    id,
    meta: { lastUpdated: storedAt, profile: [profileOf(event) ?? ''] },
    type: signing[type] ? dicom('110114', 'User Authentication') : rest,
    subtype: subtypesOf(event),
    action,
    recorded: occurredAt,
    outcome: outcomes[outcome],
    ...(code !== null && { outcomeDesc: code }),
    purposeOfEvent: breakGlass ? [breakTheGlass] : [],
    agent: agentsOf(event),
    source: {
      observer: observerOf(service),
      type: [{ system: `${terminology}/security-source-type`, code: '4', display: 'Application Server' }],
    },
    entity: entitiesOf(event),
  })
}
