import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { fhirFaults } from '@caregate/common/testing/fhir'
import { day, openPatients, registrar, someone, type Person } from '../testing.ts'

let service: Awaited<ReturnType<typeof openPatients>>
const [clinician, nurse, member] = [someone(['clinician']), someone(['nurse']), someone(['clinician'])]
const form = 'application/x-www-form-urlencoded'

beforeAll(async () => {
  service = await openPatients()
})
beforeEach(() => service.events())
afterAll(() => service.close())

const get = (path: string, { token }: Person = clinician, headers: Record<string, string> = {}) =>
  service.call('GET', `/fhir/R4/${path}`, { token, headers })
const find = (
  type: string,
  params: Partial<Record<string, string>> | [string, string][],
  { token }: Person = clinician,
) =>
  service.call('POST', `/fhir/R4/${type}/_search`, {
    token,
    headers: { 'content-type': form },
    body: new URLSearchParams(params as Record<string, string>).toString(),
  })
interface Found {
  body: { entry?: { resource: { id: string } }[] }
}
const ids = ({ body }: Found) => (body.entry ?? []).map(({ resource }) => resource.id)
const codes = ({
  status,
  body,
}: {
  status: number
  body: { issue?: { details: { coding: { code: string }[] } }[] }
}) => [status, body.issue?.[0]?.details.coding[0]?.code]

/** It has a number that no other chart may have. */
const whole = (source: string) => ({
  name: { given: ['José', 'Eduardo'], family: 'Gómez', prefix: 'Mr.', suffix: null },
  otherNames: [{ use: 'maiden', given: [], family: 'Vargas' }],
  birthDate: '1959-05-25',
  deathDate: '2020-02-29',
  sex: 'male',
  identifiers: [
    { system: 'ssn', value: '999-12-6789' },
    { system: 'passport', value: 'X1234567' },
    { system: 'driving-licence', value: 'S99912345' },
    { system: 'insurance', value: 'INS-1' },
    { system: 'source:clinic-a', value: source },
  ],
  telecom: [{ system: 'phone', value: '617-555-0123', use: 'mobile' }],
  addresses: [{ line: ['1 Main St'], city: 'Boston', state: 'MA', postalCode: '02110', country: 'US' }, {}],
  contacts: [{ name: { given: ['Ana'], family: 'Gómez' }, relationship: 'sister', telecom: [] }],
  language: 'es',
  maritalStatus: 'M',
  race: 'white',
  ethnicity: 'nonhispanic',
})

describe('a chart', () => {
  test('is a Patient with all that it says', async () => {
    const { id, mrn } = await service.create(whole('a-77'))
    const { status, headers, body } = await get(`Patient/${id}`, registrar)
    expect([status, headers.get('content-type'), headers.get('etag')]).toEqual([
      200,
      'application/fhir+json; charset=utf-8',
      'W/"1"',
    ])
    expect(fhirFaults(body)).toEqual([])
    expect(body).toMatchObject({
      resourceType: 'Patient',
      id,
      meta: { versionId: '1', lastUpdated: expect.any(String) },
      active: true,
      name: [
        { use: 'official', family: 'Gómez', given: ['José', 'Eduardo'], prefix: ['Mr.'] },
        { use: 'maiden', family: 'Vargas' },
      ],
      gender: 'male',
      birthDate: '1959-05-25',
      deceasedDateTime: '2020-02-29',
      telecom: [{ system: 'phone', value: '617-555-0123', use: 'mobile' }],
      address: [{ line: ['1 Main St'], city: 'Boston', state: 'MA', postalCode: '02110', country: 'US' }],
      contact: [{ relationship: [{ text: 'sister' }], name: { family: 'Gómez', given: ['Ana'] } }],
      communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'es' }] } }],
      maritalStatus: { coding: [{ code: 'M', display: 'Married' }] },
    })
    const { extension, identifier } = body as {
      extension: { url: string; extension: object[] }[]
      identifier: { system: string; value: string; type?: { coding: { code: string }[] } }[]
    }
    expect(extension).toMatchObject([
      { extension: [{ url: 'ombCategory', valueCoding: { code: '2106-3' } }, { valueString: 'white' }] },
      { extension: [{ url: 'ombCategory', valueCoding: { code: '2186-5' } }, { valueString: 'nonhispanic' }] },
    ])
    expect(identifier.map(({ system, value, type }) => [system, value, type?.coding[0]!.code])).toEqual([
      ['urn:caregate:mrn', mrn, 'MR'],
      ['http://hl7.org/fhir/sid/us-ssn', '999-12-6789', 'SS'],
      ['urn:caregate:passport', 'X1234567', 'PPN'],
      ['urn:caregate:driving-licence', 'S99912345', 'DL'],
      ['urn:caregate:insurance', 'INS-1', 'MB'],
      ['urn:caregate:source:clinic-a', 'a-77', undefined],
    ])
    expect(await service.events()).toMatchObject([
      { type: 'patients.patient.created' },
      { type: 'patients.patient.read', action: 'R', outcome: 'success', basis: 'role', patientIds: [id] },
    ])
  })

  test('has no value where a government’s number is masked, and how it looks beside it', async () => {
    const { id } = await service.create(whole('a-78'))
    const { body } = await get(`Patient/${id}`)
    expect(fhirFaults(body)).toEqual([])
    const [, ssn] = body.identifier
    expect(ssn).not.toHaveProperty('value')
    expect(ssn._value.extension).toContainEqual({
      url: 'http://hl7.org/fhir/StructureDefinition/rendered-value',
      valueString: '***6789',
    })
    expect(JSON.stringify(body)).not.toMatch(/999-12|X1234567|S99912345/)
  })

  test('that says little is one too', async () => {
    for (const more of [
      {},
      { status: 'inactive', race: 'of Mars', maritalStatus: 'complicated' },
      { status: 'deceased' },
    ]) {
      const { id } = await service.create(more)
      const { body } = await get(`Patient/${id}`)
      expect(fhirFaults(body)).toEqual([])
      expect(JSON.stringify(body)).not.toMatch(/null|\[\]|\{\}/)
      expect(body.active).toBe((more as { status?: string }).status !== 'inactive')
    }
  })

  test.each(['constructor', '__proto__'])('whose words are %s is one, and no category', async (word) => {
    const { id } = await service.create({ race: word, ethnicity: word, maritalStatus: word })
    const { status, body } = await get(`Patient/${id}`)
    expect([status, fhirFaults(body), body.maritalStatus]).toEqual([200, [], { text: word }])
    expect(body.extension.map(({ extension }: { extension: object[] }) => extension)).toEqual(
      Array(2).fill([{ url: 'text', valueString: word }]),
    )
    expect(ids(await find('Patient', { _id: id }))).toEqual([id])
  })

  test('is not sent to who has it, and is read as it was', async () => {
    const chart = await service.create({ race: 'asian' })
    const patch = { token: registrar.token, headers: { 'if-match': '"1"' }, body: { race: 'white' } }
    await service.call('PATCH', `/api/v1/patients/${chart.id}`, patch)
    await service.events()
    for (const known of ['W/"2"', '"2"'])
      expect((await get(`Patient/${chart.id}`, clinician, { 'if-none-match': known })).status).toBe(304)
    expect((await get(`Patient/${chart.id}`, clinician, { 'if-none-match': 'W/"1"' })).status).toBe(200)
    expect(await service.events()).toHaveLength(3)
    const then = await get(`Patient/${chart.id}/_history/1`)
    expect(fhirFaults(then.body)).toEqual([])
    expect([then.body.meta.versionId, then.headers.get('etag')]).toEqual(['1', 'W/"1"'])
    expect(JSON.stringify(then.body)).toMatch('2028-9')
    expect(codes(await get(`Patient/${chart.id}/_history/3`))).toEqual([404, 'not_found'])
    await service.as(clinician, 'POST', `/${chart.id}/void`, { reason: 'a test' })
    expect(codes(await get(`Patient/${chart.id}`))).toEqual([410, 'gone'])
    expect(codes(await get(`Patient/${chart.id}/_history/3`))).toEqual([410, 'gone'])
    expect((await get(`Patient/${chart.id}/_history/2`)).status).toBe(200)
  })

  test('that was merged says by which it is replaced, and is found as that one', async () => {
    const [target, source] = [
      await service.create(),
      await service.create({ name: { given: ['Jo'], family: 'Mergedin' } }),
    ]
    const body = { sourceId: source.id, sourceVersion: 1 }
    const merged = await service.as(registrar, 'POST', `/${target.id}/merge`, body, { 'if-match': '"1"' })
    expect(merged.status).toBe(200)
    const answer = await get(`Patient/${source.id}`)
    expect([answer.status, fhirFaults(answer.body)]).toEqual([200, []])
    expect(answer.body).toMatchObject({
      active: false,
      link: [{ type: 'replaced-by', other: { reference: `Patient/${target.id}` } }],
    })
    for (const params of [
      { family: 'Mergedin' },
      { identifier: source.mrn },
      { identifier: `urn:caregate:mrn|${source.mrn}` },
    ])
      expect(ids(await find('Patient', params))).toEqual([target.id])
    expect(ids(await find('Patient', { _id: source.id }))).toEqual([])
    expect(codes(await get(`Condition?patient=${source.id}`))).toEqual([410, 'gone'])
  })

  test('that is restricted opens as ever: to its care team, to its patient and by break-glass', async () => {
    const chart = await service.create({ restricted: true })
    await service.assign(chart, member)
    await service.events()
    expect((await get(`Patient/${chart.id}`, member)).body.meta.security).toMatchObject([{ code: 'R' }])
    expect((await get(`Patient/${chart.id}`, someone(['patient'], { patientId: chart.id }))).status).toBe(200)
    const refused = await get(`Patient/${chart.id}`)
    expect(codes(refused)).toEqual([403, 'restricted'])
    expect(refused.headers.get('content-type')).toMatch('application/fhir+json')
    expect(fhirFaults(refused.body)).toEqual([])
    await service.as(clinician, 'POST', `/${chart.id}/break-glass`, { reason: 'found unconscious' })
    const opened = await get(`Patient/${chart.id}`)
    expect([opened.status, opened.headers.get('x-break-glass')]).toEqual([200, expect.any(String)])
    expect((await service.events()).map(({ basis, code }) => basis ?? code)).toEqual([
      ...['care-team', 'self', 'restricted', 'role', 'break-glass'],
    ])
  })
})

describe('searching for charts', () => {
  let count = 0
  /** As many as a field takes, others for each number. */
  const words = (n: number) => Array.from({ length: 33 }, (_, at) => (700 + n * 33 + at).toString(36)).join(' ')
  /** A name that nobody else has. */
  const aName = () => `Fhirson${'abcdefghijklmnopqrstuvwxyz'[(count += 1)]!.repeat(3)}`
  const named = (family: string, given = 'Zoë') => ({ name: { given: [given], family } })

  test('names are found by POST, by what part they are, from their beginnings', async () => {
    const family = aName()
    const [one, other] = [await service.create(named(family)), await service.create(named('Elsewhere', family))]
    await service.events()
    const answer = await find('Patient', { family: family.toUpperCase() })
    expect([answer.status, fhirFaults(answer.body)]).toEqual([200, []])
    expect(answer.body).toMatchObject({ resourceType: 'Bundle', type: 'searchset' })
    expect(answer.body.entry).toMatchObject([
      { fullUrl: `${service.url}/fhir/R4/Patient/${one.id}`, search: { mode: 'match' }, resource: { id: one.id } },
    ])
    expect(await service.events()).toMatchObject([
      { type: 'patients.search.read', action: 'E', patientIds: [one.id], basis: 'role' },
    ])
    expect(ids(await find('Patient', { given: family.slice(0, 8) }))).toContain(other.id)
    expect(ids(await find('Patient', { given: family }))).toEqual([other.id])
    expect(ids(await find('Patient', { name: family }))).toHaveLength(2)
    expect(ids(await find('Patient', { family, given: 'zoe' }))).toEqual([one.id])
    expect(
      ids(
        await find('Patient', [
          ['family', family],
          ['given', 'zoe'],
          ['given', 'ann'],
        ]),
      ),
    ).toEqual([])
  })

  test('by numbers, days and ids', async () => {
    const family = aName()
    const number = `N-${family}`
    const chart = await service.create({
      ...named(family),
      birthDate: '1931-07-09',
      identifiers: [
        { system: 'ssn', value: number },
        { system: 'source:clinic-b', value: number },
      ],
      telecom: [{ system: 'phone', value: '+1 (207) 555-0188' }],
    })
    for (const params of [
      { identifier: `http://hl7.org/fhir/sid/us-ssn|${number}` },
      { identifier: `urn:caregate:source:clinic-b|${number}` },
      { identifier: number },
      { identifier: `urn:caregate:mrn|${chart.mrn}` },
      { identifier: chart.mrn },
      { phone: '207 555 0188' },
      { family, birthdate: '1931-07-09' },
      { family, birthdate: '1931-07' },
      { family, birthdate: 'eq1931' },
      { family, birthdate: 'le1931-07-09' },
      { family, birthdate: 'gt1931-07-08' },
      { family, birthdate: 'le9999' },
      { family, birthdate: 'le9999-12-31' },
      { _id: chart.id },
    ])
      expect([params, ids(await find('Patient', params))]).toEqual([params, [chart.id]])
    const between = (from: string, to: string) =>
      find('Patient', [
        ['family', family],
        ['birthdate', from],
        ['birthdate', to],
      ])
    expect(ids(await between('ge1931-07-09', 'lt1931-07-10'))).toEqual([chart.id])
    expect(ids(await between('gt1931-07-09', 'lt1932'))).toEqual([])
    for (const params of [
      { identifier: `urn:caregate:passport|${number}` },
      { identifier: `urn:nobody:knows|${number}` },
      { identifier: `|${number}` },
      { family, birthdate: 'lt1931-07-09' },
      { family, birthdate: 'sa1931' },
      { family, birthdate: '9999' },
      { family, birthdate: 'gt9999-12-31' },
    ])
      expect([params, ids(await find('Patient', params))]).toEqual([params, []])
    expect(ids(await get(`Patient?_id=${chart.id}`))).toEqual([chart.id])
  })

  test.each<[what: string, params: [string, string][], named: string]>([
    ['a family name without a word', [['family', '-']], 'family'],
    [
      'a name without a word beside others',
      [
        ['family', 'Smith'],
        ['name', '--'],
      ],
      'name',
    ],
    [
      'one of two given names without a word',
      [
        ['given', 'Ann'],
        ['given', '- -'],
      ],
      'given',
    ],
    [
      'more words than 50',
      [
        ['name', words(0)],
        ['family', words(1)],
      ],
      'family',
    ],
    [
      'hundreds of words',
      [['birthdate', '1931'], ...Array.from({ length: 10 }, (_, n): [string, string] => ['given', words(n)])],
      'given',
    ],
    ['a time of birth', [['birthdate', '1931-07-09T10:00Z']], 'birthdate'],
  ])('%s is refused', async (_what, params, field) => {
    const answer = await find('Patient', params)
    expect([...codes(answer), answer.body.issue?.[0].expression]).toEqual([422, 'validation_failed', [field]])
  })

  test('50 words are looked for', async () => {
    expect(ids(await find('Patient', { name: words(0), given: words(1).slice(0, 50), birthdate: '1931' }))).toEqual([])
  })

  test('on pages, whose links say nothing of what was searched for', async () => {
    const family = aName()
    const charts = [
      await service.create(named(family, 'A')),
      await service.create(named(family, 'B')),
      await service.create(named(family, 'C')),
    ]
    const seen: string[] = []
    let page = await find('Patient', { family, _count: '2' })
    for (;;) {
      expect(JSON.stringify(page.body.link)).not.toMatch(new RegExp(family, 'i'))
      seen.push(...ids(page))
      const url = (relation: string) =>
        page.body.link.find((link: { relation: string }) => link.relation === relation)?.url as string | undefined
      expect(ids(await service.call('GET', url('self')!.slice(service.url.length), clinician))).toEqual(ids(page))
      if (!url('next')) break
      page = await service.call('GET', url('next')!.slice(service.url.length), clinician)
    }
    expect(seen.toSorted()).toEqual(charts.map(({ id }) => id).toSorted())
  })

  test('what is restricted is found by its care team, and by its number to be there', async () => {
    const family = aName()
    const chart = await service.create({ ...named(family), restricted: true })
    await service.assign(chart, member)
    await service.as(clinician, 'POST', `/${chart.id}/break-glass`, { reason: 'found unconscious' })
    for (const person of [clinician, nurse])
      for (const params of [{ family }, { name: family }, { _id: chart.id }, { identifier: chart.mrn }])
        expect(ids(await find('Patient', params, person))).toEqual([])
    for (const person of [member, registrar])
      for (const params of [{ family }, { _id: chart.id }, { identifier: chart.mrn }])
        expect(ids(await find('Patient', params, person))).toEqual([chart.id])
    const { body } = await find('Patient', { identifier: `urn:caregate:mrn|${chart.mrn}` }, nurse)
    expect(fhirFaults(body)).toEqual([])
    expect(Object.keys(body.entry[0].resource)).toEqual(['resourceType', 'id', 'meta', 'identifier'])
    expect(body.entry[0].resource.meta.tag).toMatchObject([{ code: 'SUBSETTED' }])
  })

  test('a URL takes no names and no numbers, and nothing is passed over', async () => {
    await service.events()
    for (const query of [
      'family=Gomez',
      'identifier=1',
      'birthdate=1989',
      'name=x',
      'phone=5550123',
      '_sort=name',
      '_total=accurate',
    ]) {
      const answer = await get(`Patient?${query}`)
      expect([query, ...codes(answer)]).toEqual([query, 422, 'validation_failed'])
      expect(answer.body.issue[0]).toMatchObject({
        severity: 'error',
        code: 'invalid',
        expression: [query.split('=')[0]],
      })
      expect(answer.body.issue[0].details.text).toMatch('POST /fhir/R4/Patient/_search')
      expect(fhirFaults(answer.body)).toEqual([])
    }
    expect(JSON.stringify(await service.events())).not.toMatch(/Gomez|5550123/)
    for (const params of [
      { unknown: '1' },
      { 'family:exact': 'Gómez' },
      { family: 'Gómez,Meyer' },
      { birthdate: '1989-02-30' },
      { birthdate: 'ne1989' },
      { birthdate: '10000' },
      { _count: '0' },
      { _id: 'x' },
      { identifier: 'urn:caregate:mrn|' },
      { _cursor: 'forged' },
    ])
      expect([params, ...codes(await find('Patient', params as never))]).toEqual([params, 422, 'validation_failed'])
    const page = await find('Patient', { _count: '1' })
    const next = page.body.link[1].url as string
    expect(codes(await service.call('GET', `${next.slice(service.url.length)}&_id=${day(0)}`, clinician))[0]).toBe(422)
    // of another list, and of the plain routes
    expect(codes(await get(`Condition?${next.split('?')[1]}`))).toEqual([422, 'validation_failed'])
    expect((await service.call('GET', `/api/v1/patients?cursor=${next.split('=')[1]}`, clinician)).status).toBe(422)
    const json = { token: clinician.token, body: { family: 'Gómez' } }
    expect(codes(await service.call('POST', '/fhir/R4/Patient/_search', json))).toEqual([415, 'unsupported_media_type'])
  })

  test('is for those who find charts by the plain routes', async () => {
    for (const role of ['patient', 'auditor', 'admin'] as const) {
      expect(codes(await find('Patient', { family: 'x' }, someone([role])))).toEqual([403, 'forbidden'])
      expect(codes(await get('Patient', someone([role])))).toEqual([403, 'forbidden'])
    }
  })
})

describe.each([
  { type: 'AllergyIntolerance', name: 'allergies', kind: 'allergy', whose: 'patient', code: '300916003' },
  { type: 'Condition', name: 'conditions', kind: 'condition', whose: 'subject', code: '444814009' },
])('$type', ({ type, name, kind, whose, code }) => {
  async function aChart(more: object = {}) {
    const chart = await service.create(more)
    const record = async (body: object) =>
      (await service.as(more === restricted ? registrar : clinician, 'POST', `/${chart.id}/${name}`, body)).body
        .id as string
    if (more === restricted) {
      await service.assign(chart, member)
      const { body } = await service.as(member, 'POST', `/${chart.id}/${name}`, { code: { code, display: 'It' } })
      return { chart, one: body.id as string, other: '' }
    }
    const one = await record({ code: { code, display: 'It' }, onset: '2011-08-09', resolved: '2012-01-01' })
    const other = await record({ code: { system: 'urn:oid:1.2', code: 'J45', display: 'Other' } })
    await service.events()
    return { chart, one, other }
  }
  const restricted = { restricted: true }

  test('is what the chart has, by the chart and by itself', async () => {
    const { chart, one, other } = await aChart()
    const answer = await get(`${type}?patient=Patient/${chart.id}`)
    expect([answer.status, fhirFaults(answer.body), ids(answer)]).toEqual([200, [], [one, other]])
    expect(await service.events()).toMatchObject([
      {
        type: `patients.${kind}.read`,
        action: 'R',
        patientIds: [chart.id],
        resource: { type: 'patient', id: chart.id },
      },
    ])
    const { status, headers, body } = await get(`${type}/${one}`)
    expect([status, headers.get('etag'), fhirFaults(body)]).toEqual([200, 'W/"1"', []])
    expect(body).toMatchObject({
      resourceType: type,
      id: one,
      meta: { versionId: '1' },
      clinicalStatus: { coding: [{ code: 'resolved' }] },
      verificationStatus: { coding: [{ code: 'confirmed' }] },
      code: { coding: [{ system: 'http://snomed.info/sct', code, display: 'It' }] },
      [whose]: { reference: `Patient/${chart.id}` },
      onsetDateTime: '2011-08-09',
      recorder: { identifier: { value: clinician.id } },
    })
    expect(JSON.stringify(body)).toMatch('2012-01-01')
    expect(await service.events()).toMatchObject([
      { type: `patients.${kind}.read`, patientIds: [chart.id], resource: { type: kind, id: one }, basis: 'role' },
    ])
    for (const [token, found] of [
      [code, one],
      [`http://snomed.info/sct|${code}`, one],
      ['urn:oid:1.2|', other],
    ] as const)
      expect(ids(await find(type, { patient: chart.id, code: token }))).toEqual([found])
    expect(ids(await find(type, { patient: chart.id, code: `urn:oid:1.2|${code}` }))).toEqual([])
    const first = await find(type, { patient: chart.id, _count: '1' })
    const next = (first.body.link[1].url as string).slice(service.url.length)
    expect([ids(first), ids(await service.call('GET', next, clinician))]).toEqual([[one], [other]])
  })

  test('is sent to who has that version too: it may be in another chart since', async () => {
    const [target, { chart, one }] = [await service.create(), await aChart()]
    const body = { sourceId: chart.id, sourceVersion: 1 }
    await service.as(registrar, 'POST', `/${target.id}/merge`, body, { 'if-match': '"1"' })
    const answer = await get(`${type}/${one}`, clinician, { 'if-none-match': 'W/"1"' })
    expect([answer.status, answer.body[whose]?.reference]).toEqual([200, `Patient/${target.id}`])
  })

  test('needs to be told whose, and no codes in a URL', async () => {
    const { chart, one } = await aChart()
    expect(codes(await get(type))).toEqual([422, 'validation_failed'])
    expect(codes(await get(`${type}?patient=${chart.id}&code=${code}`))).toEqual([422, 'validation_failed'])
    expect(codes(await get(`${type}?patient=${one}`))).toEqual([404, 'not_found'])
    expect(codes(await get(`${type}/${chart.id}`))).toEqual([404, 'not_found'])
    if (type === 'Condition') {
      await service.events()
      expect(codes(await get(`${type}?subject=Patient/${chart.id}`, registrar))).toEqual([403, 'forbidden'])
      expect(await service.events()).toMatchObject([{ outcome: 'denied', patientIds: [chart.id] }])
      expect(ids(await get(`${type}?subject=${chart.id}`))).toContain(one)
      expect(codes(await get(`${type}?subject=${chart.id}&patient=${one}`))).toEqual([422, 'validation_failed'])
    }
  })

  test('opens as the chart does: not to registrars, to others by the policy, to patients their own', async () => {
    const { chart, one } = await aChart(restricted)
    const own = someone(['patient'], { patientId: chart.id })
    for (const path of [`${type}?patient=${chart.id}`, `${type}/${one}`]) {
      expect(codes(await get(path, registrar))).toEqual([403, 'forbidden'])
      expect(codes(await get(path, clinician))).toEqual([403, 'restricted'])
      expect(codes(await get(path, someone(['patient'])))).toEqual([403, 'forbidden'])
      expect((await get(path, member)).status).toBe(200)
      expect((await get(path, own)).status).toBe(200)
    }
    // a stranger can't tell whether there is such a thing
    expect(codes(await get(`${type}/${chart.id}`, someone(['patient'])))).toEqual([403, 'forbidden'])
    const events = (await service.events()).filter(({ outcome }) => outcome === 'denied')
    for (const { patientIds, request } of events.filter(
      ({ code, actor }) => code === 'restricted' || actor.roles[0] === 'registrar',
    ))
      expect([request.path, patientIds]).toEqual([
        request.path,
        request.path.endsWith(one) && patientIds.length === 0 ? [] : [chart.id],
      ])
  })
})

test('JSON of R4 is all there is', async () => {
  const { id } = await service.create()
  for (const accept of [
    'application/fhir+json',
    'application/json',
    '*/*',
    'text/html, */*;q=0.1',
    'application/fhir+json; fhirVersion=4.0',
  ])
    expect([accept, (await get(`Patient/${id}`, clinician, { accept })).status]).toEqual([accept, 200])
  for (const accept of [
    'application/fhir+xml',
    'text/html',
    'application/json;q=0',
    'application/fhir+json; fhirVersion=3.0',
  ])
    expect([accept, ...codes(await get(`Patient/${id}`, clinician, { accept }))]).toEqual([
      accept,
      406,
      'not_acceptable',
    ])
  for (const format of ['json', 'application/json', 'application/fhir+json', 'application/fhir%2Bjson'])
    expect((await get(`Patient/${id}?_format=${format}`, clinician, { accept: 'text/html' })).status).toBe(200)
  expect(codes(await get(`Patient/${id}?_format=xml`))).toEqual([406, 'not_acceptable'])
})

test('what is refused is an OperationOutcome, with the code that a problem would have', async () => {
  const nobody = await service.call('GET', '/fhir/R4/Patient')
  expect([...codes(nobody), nobody.headers.get('www-authenticate')]).toEqual([
    401,
    'unauthorized',
    'Bearer realm="caregate"',
  ])
  expect(nobody.body.issue[0].code).toBe('login')
  expect(codes(await get('Observation'))).toEqual([404, 'not_found'])
  expect(codes(await service.call('POST', '/fhir/R4/Patient', clinician))).toEqual([405, 'method_not_allowed'])
  for (const path of ['Patient/none', 'AllergyIntolerance/1'])
    expect(codes(await get(path))).toEqual([404, 'not_found'])
  const answer = await get('Patient?_id=none')
  expect(answer.body).toMatchObject({ issue: [{ code: 'invalid', expression: ['_id'] }] })
  expect(answer.body.issue[0].diagnostics).toBe(`X-Request-Id: ${answer.headers.get('x-request-id')}`)
  for (const { body } of [nobody, answer]) expect(fhirFaults(body)).toEqual([])
})

test('the CapabilityStatement is anybody’s to read, and says what is served', async () => {
  const { status, body } = await service.call('GET', '/fhir/R4/metadata')
  expect([status, fhirFaults(body)]).toEqual([200, []])
  expect(body.implementation.url).toBe(`${service.url}/fhir/R4`)
  expect(await service.events()).toEqual([])
})
