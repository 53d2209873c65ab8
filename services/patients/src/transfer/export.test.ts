import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Patient } from '../patient.ts'
import { openPatients, registrar, someone, type Person } from '../testing.ts'

const clinician = someone(['clinician'])
const latex = { system: 'http://snomed.info/sct', code: '300916003', display: 'Latex allergy' }
const asthma = { system: 'http://snomed.info/sct', code: '195967001', display: 'Asthma' }
const ssn = { system: 'ssn', value: '999-11-6789' }

let service: Awaited<ReturnType<typeof openPatients>>
let open: Patient, team: Patient, restricted: Patient, broken: Patient, voided: Patient

beforeAll(async () => {
  service = await openPatients()
  open = await service.create({ identifiers: [ssn] })
  team = await service.create({ identifiers: [ssn, { system: 'source:clinic', value: '17' }], language: 'es' })
  restricted = await service.create({ restricted: true, name: { given: ['=1+1'], family: '@Cmd' } })
  broken = await service.create({ restricted: true })
  voided = await service.create()
  const other = someone(['clinician'])
  for (const chart of [team, restricted]) await service.assign(chart, clinician)
  await service.as(other, 'POST', `/${team.id}/allergies`, { code: latex, onset: '2019-04-01' })
  await service.as(other, 'POST', `/${team.id}/conditions`, { code: asthma })
  await service.as(clinician, 'POST', `/${broken.id}/break-glass`, { reason: 'unconscious at the station' })
  await service.as(other, 'POST', `/${voided.id}/void`, { reason: 'made twice' })
})
afterAll(() => service.close())
beforeEach(() => service.events())

const get = (person: Person, query = '') => service.as(person, 'GET', `/export${query}`)
type Line = Patient & { allergies?: object[]; conditions?: object[] }
const linesOf = (body: string) =>
  body
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line)
const exported = async (person: Person, query = '') => linesOf((await get(person, query)).body as string)
const idsOf = (lines: Line[]) => lines.map(({ id }) => id)

describe('an export', () => {
  test('by a registrar has the demographics of all charts in full, and is on record', async () => {
    const answer = await get(registrar)
    expect(answer.headers.get('content-type')).toMatch(/^application\/x-ndjson/)
    const lines = linesOf(answer.body as string)
    expect(idsOf(lines)).toEqual([open, team, restricted, broken].map(({ id }) => id))
    expect(lines[0]).toEqual((await service.as(registrar, 'GET', `/${open.id}`)).body)
    expect(lines.some((line) => 'allergies' in line || 'conditions' in line)).toBe(false)
    const events = (await service.events()).slice(0, 2)
    expect(events.map(({ type, action, patientIds, basis }) => [type, action, patientIds, basis])).toEqual([
      ['patients.export.started', 'E', [], null],
      ['patients.export.read', 'R', idsOf(lines), 'role'],
    ])
  })

  test('by a clinician has the charts of their care teams, with allergies and conditions; a broken glass opens none', async () => {
    const lines = await exported(clinician)
    expect(idsOf(lines)).toEqual([team.id, restricted.id])
    expect(lines[0]!.identifiers[0]).toEqual({ system: 'ssn', value: '***6789' })
    expect(lines[0]).toMatchObject({ allergies: [{ code: latex }], conditions: [{ code: asthma }] })
    expect(lines[1]).toMatchObject({ allergies: [], conditions: [] })
    expect((await service.events())[1]).toMatchObject({ patientIds: idsOf(lines), basis: 'care-team' })
    expect(await exported(someone(['clinician']))).toEqual([])
    expect((await service.events()).map(({ type }) => type)).toEqual(['patients.export.started'])
  })

  test('by who is both has all charts, clinical where they treat', async () => {
    const both = someone(['clinician', 'registrar'])
    await service.assign(team, both)
    await service.events()
    const lines = await exported(both)
    expect(lines.map((line) => [line.id, 'allergies' in line])).toEqual(
      [open, team, restricted, broken].map(({ id }) => [id, id === team.id]),
    )
    const told = (await service.events()).slice(1).map(({ basis, patientIds }) => [basis, patientIds])
    expect(told).toEqual([
      ['role', [open.id, restricted.id, broken.id]],
      ['care-team', [team.id]],
    ])
  })

  test('is everybody else’s to be refused', async () => {
    for (const roles of [['nurse'], ['admin', 'auditor'], ['patient']] as const)
      expect((await get(someone([...roles]))).status).toBe(403)
    expect((await get(registrar, '?format=csv&file=allergies')).status).toBe(403)
  })

  test('has what its filter lets through', async () => {
    expect(idsOf(await exported(registrar, '?status=voided'))).toEqual([voided.id])
    expect(await exported(registrar, '?status=deceased')).toEqual([])
    const since = new Date().toISOString()
    expect(await exported(registrar, `?updatedSince=${since}`)).toEqual([])
    await service.as(someone(['nurse']), 'POST', `/${team.id}/allergies`, { code: asthma })
    expect(idsOf(await exported(clinician, `?updatedSince=${since}`))).toEqual([team.id])
    // that something clinical has changed is clinical
    const member = someone(['registrar'])
    await service.assign(team, member)
    expect(await exported(member, `?updatedSince=${since}`)).toEqual([])
    for (const query of ['status=none', 'updatedSince=yesterday', 'format=xml', 'file=allergies', 'name=G'])
      expect((await get(registrar, `?${query}`)).status).toBe(422)
  })

  test('that can’t be recorded never begins', async () => {
    await service.asOwner('REVOKE INSERT ON outbox FROM caregate_patients')
    try {
      expect((await get(registrar)).body).toMatchObject({ code: 'audit_unavailable' })
    } finally {
      await service.asOwner('GRANT INSERT ON outbox TO caregate_patients')
    }
  })
})

describe('CSV', () => {
  test('has Synthea’s columns, and nothing that a spreadsheet would run', async () => {
    const answer = await get(clinician, '?format=csv')
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="patients.csv"')
    const [header, , row, end] = (answer.body as string).split('\r\n')
    expect(header).toMatch(/^Id,BIRTHDATE,DEATHDATE,SSN,/)
    expect(row).toBe(`${restricted.id},1989-05-25,,,,,,'=1+1,'@Cmd,,,,,,M,,,,,,`)
    expect(end).toBe('')
    const items = await get(clinician, '?format=csv&file=conditions')
    expect(items.body).toBe(
      'START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION,SYSTEM\r\n' +
        `,,${team.id},,195967001,Asthma,http://snomed.info/sct\r\n`,
    )
  })
})

describe('what was exported', () => {
  const importTo = async (target: typeof service, body: string, type = 'application/x-ndjson', query = '') =>
    (
      await target.call('POST', `/api/v1/patients/import${query}`, {
        token: registrar.token,
        body,
        headers: { 'content-type': type },
      })
    ).body as string

  test('is the same charts elsewhere, and there already where it came from', async () => {
    const both = someone(['clinician', 'registrar'])
    for (const chart of [open, team, restricted, broken]) await service.assign(chart, both)
    const body = (await get(both)).body as string
    expect(await importTo(service, body)).toMatch(/"done":true,"created":0,"present":4,"refused":0/)
    const elsewhere = await openPatients()
    try {
      expect(await importTo(elsewhere, body)).toMatch(/"done":true,"created":4,"present":0,"refused":0/)
      const charts = await elsewhere.db.query<{ id: string }[]>('SELECT id FROM patients ORDER BY id')
      for (const chart of charts) await elsewhere.assign(chart as Patient, both)
      const there = linesOf((await elsewhere.as(both, 'GET', '/export')).body as string)
      expect(there.map(contentOf)).toEqual(
        linesOf(body).map((line) => {
          const isKnown = line.identifiers.some(({ system }) => system.startsWith('source:'))
          const source = { system: 'source:caregate', value: line.id }
          return contentOf({ ...line, identifiers: isKnown ? line.identifiers : [source, ...line.identifiers] })
        }),
      )
      expect(await importTo(elsewhere, body)).toMatch(/"created":0,"present":4,"refused":0/)
    } finally {
      await elsewhere.close()
    }
  })

  test('as CSV too, as far as its columns go', async () => {
    const both = someone(['clinician', 'registrar'])
    await service.assign(team, both)
    const patients = (await get(both, '?format=csv')).body as string
    const allergies = (await get(both, '?format=csv&file=allergies')).body as string
    const elsewhere = await openPatients()
    try {
      const query = '?source=clinic-csv'
      expect(await importTo(elsewhere, patients, 'text/csv', query)).toMatch(/"done":true,"created":4/)
      expect(await importTo(elsewhere, allergies, 'text/csv', `${query}&file=allergies`)).toMatch(
        /"done":true,"created":2/,
      )
      const [found] = linesOf((await elsewhere.as(registrar, 'GET', '/export')).body as string).slice(2)
      expect(found!.name).toEqual(restricted.name)
    } finally {
      await elsewhere.close()
    }
  })

  test('is told of 200 charts an event at most', async () => {
    const rows = Array.from({ length: 450 }, (_, n) =>
      JSON.stringify({ ...open, id: undefined, identifiers: [{ system: 'source:many', value: String(n) }] }),
    )
    await importTo(service, rows.join('\n'))
    await service.events()
    const lines = await exported(registrar)
    const told = (await service.events()).slice(1).map(({ patientIds }) => patientIds)
    expect(told.map(({ length }) => length)).toEqual([200, 200, 54])
    expect(told.flat()).toEqual(idsOf(lines))
  })
})

/** A chart without what is the platform's own. */
function contentOf({ id, mrn, version, createdAt, updatedAt, allergies = [], conditions = [], ...chart }: Line) {
  const plain = (items: object[]) =>
    (items as { code: object; onset: unknown; resolved: unknown }[]).map(({ code, onset, resolved }) => ({
      ...{ code, onset, resolved },
    }))
  return { ...chart, allergies: plain(allergies), conditions: plain(conditions) }
}
