import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { DataSource } from 'typeorm'
import { testToken } from '@caregate/common/testing/service'
import { openPatients } from '../testing.ts'

let service: Awaited<ReturnType<typeof openPatients>>
const clinicianId = randomUUID()
const clinician = testToken(['clinician'], { sub: clinicianId })
const nurseId = randomUUID()
const nurse = testToken(['nurse'], { sub: nurseId })
const registrar = testToken(['registrar'])
const birthDate = '1989-05-25'

beforeAll(async () => {
  service = await openPatients()
})
beforeEach(() => service.events())
afterAll(() => service.close())

async function aChart(restricted = false): Promise<string> {
  const body = { name: { given: ['José'], family: 'Gómez' }, birthDate, sex: 'male', restricted }
  return (await service.call('POST', '/api/v1/patients?force=true', { token: registrar, body })).body.id
}
/** What only the owner of the tables may do. */
async function asOwner(query: string, parameters: unknown[]): Promise<void> {
  const owner = await new DataSource({ type: 'postgres', url: service.urls.owner }).initialize()
  await owner.query(query, parameters)
  await owner.destroy()
}
const paths = ({ body }: { body: { errors: { path: string }[] } }) => [...new Set(body.errors.map(({ path }) => path))]

describe.each([
  { name: 'allergies', other: 'conditions', kind: 'allergy', code: '300916003', display: 'Latex allergy' },
  {
    name: 'conditions',
    other: 'allergies',
    kind: 'condition',
    code: '444814009',
    display: 'Viral sinusitis (disorder)',
  },
])('$name', ({ name, other, kind, code, display }) => {
  const aCode = { system: 'http://snomed.info/sct', code, display }
  const body = { code: { code, display }, onset: '2011-08-09' }
  const list = (chart: string, token = clinician, query = '') =>
    service.call('GET', `/api/v1/patients/${chart}/${name}${query}`, { token })
  const record = (chart: string, more: object = {}, token = clinician) =>
    service.call('POST', `/api/v1/patients/${chart}/${name}`, { token, body: { ...body, ...more } })
  const put = (chart: string, id: string, version: string | undefined, more: object = {}, token = clinician) =>
    service.call('PUT', `/api/v1/patients/${chart}/${name}/${id}`, {
      token,
      body: { ...body, ...more },
      headers: version === undefined ? {} : { 'if-match': version },
    })

  test('one is recorded with its place, its version and who recorded it, and is on record itself', async () => {
    const chart = await aChart()
    await service.events()
    const answer = await record(chart, {}, nurse)
    const { id } = answer.body
    expect(answer.status).toBe(201)
    expect(answer.headers.get('etag')).toBe('"1"')
    expect(answer.headers.get('location')).toBe(`/api/v1/patients/${chart}/${name}/${id}`)
    expect(answer.body).toEqual({
      id,
      code: aCode,
      onset: '2011-08-09',
      resolved: null,
      recordedBy: nurseId,
      version: 1,
      createdAt: expect.any(String),
      updatedAt: answer.body.createdAt,
    })
    expect((await list(chart)).body).toEqual({ items: [answer.body], nextCursor: null })
    const events = await service.events()
    expect(events).toMatchObject([
      {
        type: `patients.${kind}.created`,
        action: 'C',
        resource: { type: kind, id },
        patientIds: [chart],
        basis: 'role',
      },
      { type: `patients.${kind}.read`, action: 'R', resource: { type: 'patient', id: chart }, patientIds: [chart] },
    ])
    for (const value of [code, display, '2011-08-09']) expect(JSON.stringify(events)).not.toContain(value)
  })

  test('a change is a new version, which names the fields; what was before is kept', async () => {
    const chart = await aChart()
    const { id, createdAt } = (await record(chart)).body
    await service.events()
    const changed = await put(
      chart,
      id,
      '"1"',
      { code: { code, display: 'Another word' }, resolved: '2012-01-01' },
      nurse,
    )
    expect([changed.status, changed.headers.get('etag')]).toEqual([200, '"2"'])
    expect(changed.body).toMatchObject({ id, version: 2, resolved: '2012-01-01', recordedBy: nurseId, createdAt })
    expect((await list(chart)).body.items).toEqual([changed.body])
    expect((await service.events())[0]).toMatchObject({
      type: `patients.${kind}.updated`,
      resource: { type: kind, id },
      patientIds: [chart],
      changed: ['code.display', 'resolved'],
    })
    const kept = await service.db.query(
      'SELECT version, display, recorded_by AS by FROM clinical_items WHERE id = $1 ORDER BY version',
      [id],
    )
    expect(kept).toEqual([
      { version: 1, display, by: clinicianId },
      { version: 2, display: 'Another word', by: nurseId },
    ])
    for (const statement of ['UPDATE clinical_items SET display = $1', 'DELETE FROM clinical_items WHERE display = $1'])
      await expect(service.db.query(statement, [display])).rejects.toThrow('permission denied')
  })

  test('a change needs the current version, and of two at once one is made', async () => {
    const chart = await aChart()
    const { id } = (await record(chart)).body
    expect((await put(chart, id, undefined)).body.code).toBe('precondition_required')
    expect((await put(chart, id, '*')).status).toBe(428)
    expect((await put(chart, id, '"2"')).body.code).toBe('stale')
    const both = await Promise.all(['2011-01-01', '2011-01-02'].map((onset) => put(chart, id, '"1"', { onset })))
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412])
    const { items } = (await list(chart)).body
    expect(items).toEqual([both.find(({ status }) => status === 200)!.body])
    expect(await service.db.query('SELECT version FROM clinical_items WHERE id = $1', [id])).toHaveLength(2)
  })

  test('what is of another chart, of the other kind or of none is not there', async () => {
    const [chart, another] = [await aChart(), await aChart()]
    const { id } = (await record(chart)).body
    await service.events()
    expect((await put(another, id, '"1"')).body.code).toBe('not_found')
    expect((await put(chart, randomUUID(), '"1"')).status).toBe(404)
    const asOther = await service.call('PUT', `/api/v1/patients/${chart}/${other}/${id}`, {
      token: clinician,
      body,
      headers: { 'if-match': '"1"' },
    })
    expect(asOther.status).toBe(404)
    expect((await list(randomUUID())).status).toBe(404)
    expect((await record(randomUUID())).status).toBe(404)
    expect((await service.events())[0]).toMatchObject({
      code: 'not_found',
      resource: { type: kind, id },
      patientIds: [another],
    })
  })

  test('of a voided chart nothing is told or recorded', async () => {
    const chart = await aChart()
    const { id } = (await record(chart)).body
    await service.call('POST', `/api/v1/patients/${chart}/void`, { token: clinician, body: { reason: 'made twice' } })
    for (const answer of [await list(chart), await record(chart), await put(chart, id, '"1"')])
      expect(answer.body.code).toBe('gone')
  })

  test('a patient reads their own and writes nothing, a registrar neither', async () => {
    const [own, another] = [await aChart(), await aChart()]
    const { id } = (await record(own)).body
    const patient = testToken(['patient'], { patientId: own })
    await service.events()
    expect((await list(own, patient)).body.items).toHaveLength(1)
    for (const answer of [
      await list(another, patient),
      await list(randomUUID(), patient),
      await record(own, {}, patient),
      await put(own, id, '"1"', {}, patient),
      await list(own, registrar),
      await record(own, {}, registrar),
      await put(own, id, '"1"', {}, registrar),
      await list(own, testToken(['auditor', 'admin'])),
    ])
      expect(answer.body.code).toBe('forbidden')
    const events = await service.events()
    expect(events[0]).toMatchObject({ outcome: 'success', basis: 'self', actor: { name: null } })
    expect(events.slice(1).map(({ outcome }) => outcome)).toEqual(Array(8).fill('denied'))
  })

  test('of a restricted chart its care team reads and writes them, and who broke the glass', async () => {
    const chart = await aChart(true)
    expect((await list(chart)).body.code).toBe('restricted')
    expect((await record(chart)).body.code).toBe('restricted')
    await asOwner(
      `INSERT INTO break_glass_grants VALUES ($1, $2, $3, 'A clinician', 'an emergency', now(), now() + interval '1 hour')`,
      [randomUUID(), chart, clinicianId],
    )
    const broken = await record(chart)
    expect([broken.status, broken.headers.get('x-break-glass')]).toEqual([201, expect.any(String)])
    expect((await list(chart, nurse)).body.code).toBe('restricted')
    await asOwner(`INSERT INTO care_team VALUES ($1, $2, $3, 'treats', '2020-01-01', NULL, $3, now())`, [
      randomUUID(),
      chart,
      nurseId,
    ])
    await service.events()
    expect((await list(chart, nurse)).body.items).toEqual([broken.body])
    expect((await put(chart, broken.body.id, '"1"', {}, nurse)).status).toBe(200)
    expect((await service.events()).map(({ basis }) => basis)).toEqual(['care-team', 'care-team'])
  })

  test('they come in pages, in the order of recording, and one list takes no cursor of another', async () => {
    const chart = await aChart()
    const ids: string[] = []
    for (let n = 0; n < 5; n++) ids.push((await record(chart)).body.id)
    await put(chart, ids[0]!, '"1"')
    const seen: string[] = []
    let cursor = ''
    do {
      const { body: page } = await list(
        chart,
        clinician,
        `?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      )
      seen.push(...page.items.map(({ id }: { id: string }) => id))
      cursor = page.nextCursor ?? ''
      const elsewhere = cursor && (await list(await aChart(), clinician, `?cursor=${encodeURIComponent(cursor)}`))
      if (elsewhere) expect(elsewhere.status).toBe(422)
    } while (cursor)
    expect(seen).toEqual(ids)
  })

  test.each<[what: string, more: object, path: string]>([
    ['no code', { code: undefined }, 'code'],
    ['a wrong check digit', { code: { code: '300916004', display } }, 'code.code'],
    ['digits swapped', { code: { code: '309016003', display } }, 'code.code'],
    ['a SNOMED code of letters', { code: { code: 'latex-1', display } }, 'code.code'],
    ['one digit too few', { code: { code: '12345', display } }, 'code.code'],
    ['a space behind the code', { code: { ...aCode, system: 'urn:oid:1.2', code: 'J45 ' } }, 'code.code'],
    ['a hidden character in the code', { code: { ...aCode, system: 'urn:oid:1.2', code: 'J4\u200b5' } }, 'code.code'],
    ['a code of 65 characters', { code: { ...aCode, system: 'urn:oid:1.2', code: 'x'.repeat(65) } }, 'code.code'],
    ['a system that is no URI', { code: { ...aCode, system: 'SNOMED' } }, 'code.system'],
    ['a system of another scheme', { code: { ...aCode, system: 'ftp://snomed.info/sct' } }, 'code.system'],
    ['a script for a system', { code: { ...aCode, system: 'javascript:alert(1)' } }, 'code.system'],
    ['a URI without a host', { code: { ...aCode, system: 'http:snomed' } }, 'code.system'],
    ['a system much too long', { code: { ...aCode, system: `urn:x:${'y'.repeat(300)}` } }, 'code.system'],
    ['no word for the code', { code: { code, display: ' ' } }, 'code.display'],
    ['256 characters of display', { code: { code, display: 'x'.repeat(256) } }, 'code.display'],
    ['more in the code than there is', { code: { ...aCode, version: '1' } }, 'code.version'],
    ['an onset before birth', { onset: '1989-05-24' }, 'onset'],
    ['an onset to come', { onset: '2999-01-01' }, 'onset'],
    ['a day that is none', { onset: '2011-02-29' }, 'onset'],
    ['an end before the onset', { resolved: '2011-08-08' }, 'resolved'],
    ['an end before birth', { onset: null, resolved: '1989-05-24' }, 'resolved'],
    ['an id of its own', { id: randomUUID() }, 'id'],
    ['somebody else who recorded it', { recordedBy: randomUUID() }, 'recordedBy'],
  ])('%s is refused, and nothing kept', async (_what, more, path) => {
    const chart = await aChart()
    const answer = await record(chart, more)
    expect([answer.status, paths(answer)]).toEqual([422, [path]])
    const { id } = (await record(chart)).body
    const changed = await put(chart, id, '"1"', more)
    expect([changed.status, paths(changed)]).toEqual([422, [path]])
    expect((await list(chart)).body.items).toMatchObject([{ id, version: 1 }])
  })

  test.each([
    'http://hl7.org/fhir/sid/icd-10',
    'https://x.example/codes?v=2',
    'urn:oid:2.16.840.1.113883.6.90',
    'urn:iso:std:iso:3166',
  ])('codes of %s are taken as they are', async (system) => {
    const coded = { system, code: 'J45.909 A', display: 'Unspecified asthma & <5 attacks' }
    expect((await record(await aChart(), { code: coded, onset: birthDate })).body.code).toEqual(coded)
  })
})
