import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { AuditEvent } from '@caregate/common/events'
import { fhirFaults } from '@caregate/common/testing/fhir'
import { testToken } from '@caregate/common/testing/service'
import { openAudit, received } from '../testing.ts'

let service: Awaited<ReturnType<typeof openAudit>>
const auditor = testToken(['auditor'])

beforeAll(async () => {
  service = await openAudit()
})
beforeEach(() => service.events())
afterAll(() => service.close())

const get = (path: string, token = auditor) => service.call('GET', `/fhir/R4/AuditEvent${path}`, { token })
const ids = ({ body }: { body: { entry?: { resource: { id: string } }[] } }) =>
  (body.entry ?? []).map(({ resource }) => resource.id)
async function stored(more: Partial<AuditEvent>, path?: string): Promise<AuditEvent> {
  const one = received(more, path)
  await service.append(one)
  return one.event
}

const actor = { id: randomUUID(), name: 'Clara', roles: ['clinician'], sessionId: randomUUID() }
const chart = randomUUID()
const balp = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.'
const dcm = (code: string) => ({ coding: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code }] })

/** What the published patterns (BALP 1.1.3) say of an event: how often each of their slices is there, and what is fixed. */
function patternFaults(event: ReturnType<typeof JSON.parse>): string[] {
  const [profile] = event.meta.profile
  const pattern = (profile as string).slice(balp.length).replace('Patient', '')
  const roles: Record<string, [client: string, server: string, subtype: string, action: string]> = {
    Create: ['110153', '110152', 'create', 'C'],
    Read: ['110152', '110153', 'read', 'R'],
    Update: ['110153', '110152', 'update', 'U'],
    Delete: ['110150', 'custodian', 'delete', 'D'],
    Query: ['110153', '110152', 'search', 'E'],
  }
  const [client, server, subtype, action] = roles[pattern]!
  type Coded = { type?: { code?: string; coding?: { code: string }[] } }
  const of = (list: Coded[], code: string) =>
    list.filter(({ type }) => (type?.coding?.[0]?.code ?? type?.code) === code)
  const rules: [string, boolean][] = [
    ['type', event.type.code === 'rest'],
    ['subtype', event.subtype.filter(({ code }: { code: string }) => code === subtype).length === 1],
    ['one subtype', pattern !== 'Delete' || event.subtype.length === 1],
    ['action', event.action === action],
    ['outcome', event.outcome === '0'],
    [
      'client',
      of(event.agent, client).length === 1 &&
        'who' in of(event.agent, client)[0]! &&
        'network' in of(event.agent, client)[0]!,
    ],
    [
      'server',
      of(event.agent, server).length === 1 &&
        'who' in of(event.agent, server)[0]! &&
        'network' in of(event.agent, server)[0]!,
    ],
    [
      'object',
      of(event.entity, '2').length === 1 && (pattern === 'Query' ? 'query' : 'what') in of(event.entity, '2')[0]!,
    ],
    ['patient', !(profile as string).includes('Patient') || of(event.entity, '1').length === 1],
    ['transaction', of(event.entity, 'XrequestId').length === 1],
    ['one requestor', event.agent.filter(({ requestor }: { requestor: boolean }) => requestor).length === 1],
  ]
  return rules.filter(([, holds]) => !holds).map(([name]) => name)
}

test.each<[what: string, profile: string, more: Partial<AuditEvent>]>([
  ['reading a chart', 'PatientRead', { resource: { type: 'patient', id: chart }, patientIds: [chart] }],
  [
    'a change of one',
    'PatientUpdate',
    {
      type: 'patients.patient.updated',
      action: 'U',
      resource: { type: 'patient', id: chart },
      patientIds: [chart],
      changed: ['telecom'],
    },
  ],
  [
    'an allergy',
    'PatientCreate',
    {
      type: 'patients.allergy.created',
      action: 'C',
      resource: { type: 'allergy', id: randomUUID() },
      patientIds: [chart],
    },
  ],
  [
    'one less in the care team',
    'PatientDelete',
    {
      type: 'patients.care-team.deleted',
      action: 'D',
      resource: { type: 'care-team', id: randomUUID() },
      patientIds: [chart],
      basis: 'role',
    },
  ],
  ['a search that found one', 'PatientQuery', { type: 'patients.search.read', action: 'E', patientIds: [chart] }],
  ['one that found two', 'Query', { type: 'patients.search.read', action: 'E', patientIds: [chart, randomUUID()] }],
  ['one that found nobody', 'Query', { type: 'patients.search.read', action: 'E' }],
  ['reading accounts', 'Read', { type: 'auth.user.read', action: 'R' }],
])('%s is of the pattern %s', async (_what, profile, more) => {
  const event = await stored({ actor, ...more }, '/api/v1/patients/x')
  const { status, body } = await get(`/${event.id}`)
  expect([status, fhirFaults(body)]).toEqual([200, []])
  expect(body.meta.profile).toEqual([balp + profile])
  expect(patternFaults(body)).toEqual([])
  expect(body).toMatchObject({
    id: event.id,
    action: event.action,
    recorded: event.occurredAt,
    outcome: '0',
    agent: [
      { network: { address: '::1' } },
      {},
      { name: 'Clara', who: { identifier: { value: actor.id } }, role: [{ text: 'clinician' }] },
    ],
    source: { observer: { identifier: { value: 'patients' } } },
  })
  const patients = body.entity.filter(({ type }: { type: { code: string } }) => type.code === '1')
  expect(patients.map(({ what }: { what: { reference: string } }) => what.reference)).toEqual(
    event.patientIds.map((id) => `Patient/${id}`),
  )
  expect(await service.events()).toMatchObject([
    { type: 'audit.event.read', resource: { type: 'event', id: event.id }, patientIds: event.patientIds },
  ])
})

test('what was refused or failed, and who signs in, is of no pattern and says so', async () => {
  const denied = await stored({ outcome: 'denied', code: 'restricted', patientIds: [chart], actor })
  const failed = await stored({ outcome: 'failure', code: 'not_found', actor })
  const login = await stored({ type: 'auth.session.started', action: 'E', service: 'auth', actor })
  const seen = []
  for (const { id } of [denied, failed, login]) {
    const { body } = await get(`/${id}`)
    expect(fhirFaults(body)).toEqual([])
    seen.push([body.outcome, body.outcomeDesc, body.meta.profile, body.type.code, body.subtype[0].code])
  }
  expect(seen).toEqual([
    ['4', 'restricted', undefined, 'rest', 'read'],
    ['8', 'not_found', undefined, 'rest', 'read'],
    ['0', undefined, undefined, '110114', '110122'],
  ])
})

test('a broken glass is a purpose, and the grant and the right are policies', async () => {
  const grantId = randomUUID()
  const { id } = await stored({ actor, patientIds: [chart], basis: 'break-glass', breakGlass: { grantId } })
  const { body } = await get(`/${id}`)
  expect(fhirFaults(body)).toEqual([])
  expect(body.purposeOfEvent[0].coding[0].code).toBe('BTG')
  expect(body.agent[2]).toMatchObject({
    policy: ['urn:caregate:basis:break-glass', `urn:uuid:${grantId}`],
    type: { coding: [{ code: 'IRCP' }] },
  })
  expect(body.agent[0]).toMatchObject({ type: dcm('110152') })
})

test('events are found by what FHIR asks for, newest first, and each reading is on record', async () => {
  const [who, whose, other] = [randomUUID(), randomUUID(), randomUUID()]
  const from = new Date(Date.now() - 1000).toISOString()
  const batch = [
    await stored({ actor: { ...actor, id: who }, patientIds: [whose] }),
    await stored({
      actor: { ...actor, id: who },
      patientIds: [whose, other],
      type: 'patients.search.read',
      action: 'E',
    }),
    await stored({ actor: { ...actor, id: who }, patientIds: [whose], outcome: 'denied', code: 'restricted' }),
  ].map(({ id }) => id)
  const [read, search, denied] = batch
  await service.events()
  for (const [query, found] of [
    [`agent=${who}`, [denied, search, read]],
    [`patient=${whose}`, [denied, search, read]],
    [`patient=Patient/${other}`, [search]],
    [`entity=Patient/${other}`, [search]],
    [`agent=${who}&action=R`, [denied, read]],
    [`agent=${who}&outcome=4`, [denied]],
    [`agent=${who}&subtype=patients.search.read`, [search]],
    [`agent=${who}&subtype=urn:caregate:event-type|patients.search.read`, [search]],
    [`agent=${who}&date=ge${from}&date=lt2100`, [denied, search, read]],
    [`agent=${who}&date=lt2020`, []],
  ] as const) {
    const answer = await get(`?${query}`)
    expect([query, answer.status, fhirFaults(answer.body), ids(answer)]).toEqual([query, 200, [], found])
    expect(await service.events()).toMatchObject([{ type: 'audit.event.read', outcome: 'success' }])
  }
  const posted = await service.call('POST', '/fhir/R4/AuditEvent/_search', {
    token: auditor,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `patient=${whose}&_count=2`,
  })
  expect(ids(posted)).toEqual([denied, search])
  const [{ patientIds }] = (await service.events()) as [AuditEvent]
  expect(patientIds.toSorted()).toEqual([whose, other].toSorted())
  const next = posted.body.link[1].url as string
  expect(next).not.toMatch(whose)
  expect(ids(await service.call('GET', next.slice(service.url.length), { token: auditor }))).toEqual([read])
})

test('nobody but auditors reads it, and what is not known is refused', async () => {
  for (const role of ['clinician', 'registrar', 'admin', 'patient'] as const) {
    expect((await get('', testToken([role]))).status).toBe(403)
    expect((await get(`/${randomUUID()}`, testToken([role]))).status).toBe(403)
  }
  expect((await get(`/${randomUUID()}`)).body.issue[0].details.coding[0].code).toBe('not_found')
  for (const query of [
    'outcome=12',
    'action=X',
    'date=yesterday',
    'subtype=read',
    'patient=x',
    'site=x',
    `patient=${chart}&entity=${randomUUID()}`,
  ])
    expect([query, (await get(`?${query}`)).status]).toEqual([query, 422])
})
