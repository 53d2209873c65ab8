import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Patient } from '../patient.ts'
import { day, openPatients, registrar, someone, type Person } from '../testing.ts'

let service: Awaited<ReturnType<typeof openPatients>>
const [clinician, nurse] = [someone(['clinician']), someone(['nurse'])]
const unknownId = '0190a000-0000-7000-8000-000000000000'
beforeAll(async () => {
  service = await openPatients()
})
beforeEach(() => service.events())
afterAll(() => service.close())

let count = 0
/** A name that nobody else has, or one like it. */
const newFamily = () =>
  `Merger${randomBytes(5)
    .toString('hex')
    .replaceAll(/\d/g, (digit) => 'ghijklmnop'[Number(digit)]!)}`
const etag = ({ version }: Patient) => ({ 'if-match': `"${version}"` })
const merge = (target: Patient, source: Patient, person = registrar, what = 'merge') =>
  service.as(
    person,
    'POST',
    `/${target.id}/${what}`,
    { sourceId: source.id, sourceVersion: source.version },
    etag(target),
  )
const unmerge = (target: Patient, source: Pick<Patient, 'id'>, person = registrar) =>
  service.as(person, 'POST', `/${target.id}/unmerge`, { sourceId: source.id }, etag(target))
const read = async ({ id }: Pick<Patient, 'id'>, person = registrar) =>
  (await service.as(person, 'GET', `/${id}`)).body as Patient
const search = async (body: object, person: Person = registrar) =>
  ((await service.as(person, 'POST', '/search', body)).body.items as Patient[]).map(({ id }) => id)
const patch = ({ id, version }: Patient, body: object, person = registrar) =>
  service.as(person, 'PATCH', `/${id}`, body, { 'if-match': `"${version}"` })
const record = (chart: Patient, display: string) =>
  service.as(nurse, 'POST', `/${chart.id}/allergies`, { code: { code: '91935009', display } })
async function merged(target: Patient, source: Patient): Promise<Patient> {
  const answer = await merge(target, source)
  expect([answer.status, answer.body.code]).toEqual([200, undefined])
  return answer.body
}

/** All that clients can see of a chart, but for its version and when that was made. */
async function wholeOf(chart: Pick<Patient, 'id' | 'mrn'>) {
  const { version, updatedAt, ...shown } = await read(chart)
  const lists = []
  for (const [person, list] of [
    [clinician, 'allergies'],
    [clinician, 'conditions'],
    [registrar, 'care-team'],
  ] as const)
    lists.push((await service.as(person, 'GET', `/${chart.id}/${list}`)).body)
  const { name, telecom, identifiers } = shown
  const found = []
  for (const criteria of [
    { q: name.family },
    { mrn: chart.mrn },
    ...telecom.map(({ value }) => ({ phone: value })),
    ...identifiers.map(({ value }) => ({ identifier: value })),
  ])
    found.push(await search(criteria))
  const rows = await service.asOwner(
    `SELECT 'key' AS what, key AS value FROM patient_keys WHERE patient_id = $1
     UNION ALL SELECT 'name', word || line FROM patient_names WHERE patient_id = $1
     UNION ALL SELECT 'source', value FROM patient_sources WHERE patient_id = $1
     UNION ALL SELECT 'identifier', encode(index, 'hex') FROM patient_identifiers WHERE patient_id = $1
     UNION ALL SELECT 'grant', id::text FROM break_glass_grants WHERE patient_id = $1 ORDER BY 1, 2`,
    [chart.id],
  )
  return { shown, lists, found, rows }
}

/** Two charts of one person, with something of everything. */
async function twoCharts() {
  const family = newFamily()
  count++
  const address = (city: string) => ({ line: [], city, state: null, postalCode: null, country: 'US' })
  const target = await service.create({
    name: { given: ['Ann'], family },
    telecom: [{ system: 'phone', value: '617 555 0100', use: 'home' }],
    identifiers: [{ system: 'ssn', value: `9${count}-11-2222` }],
    addresses: [address('Boston')],
  })
  const source = await service.create({
    name: { given: ['Anna', 'Maria'], family: `${family}-Oldname`, suffix: 'II' },
    otherNames: [{ use: 'maiden', given: [], family: `${family}Born` }],
    telecom: [
      { system: 'phone', value: '617 555 0100', use: 'home' },
      { system: 'phone', value: `978 555 ${1000 + count}`, use: 'mobile' },
    ],
    identifiers: [
      { system: 'ssn', value: `9${count}112222` },
      { system: 'insurance', value: `INS ${count}` },
      { system: 'source:registry', value: `registry ${count}` },
    ],
    addresses: [address('Salem')],
    birthDate: '1989-05-26',
  })
  await service.assign(source, clinician)
  await record(target, 'allergy of the target')
  await record(source, 'allergy of the source')
  const condition = { code: { code: '38341003', display: 'condition of the source' } }
  const { body: item } = await service.as(nurse, 'POST', `/${source.id}/conditions`, condition)
  await service.as(
    nurse,
    'PUT',
    `/${source.id}/conditions/${item.id}`,
    { ...condition, onset: '2020-01-01' },
    { 'if-match': '"1"' },
  )
  await service.events()
  return { target, source, family }
}

test('the chart that remains has all that the other had, and keeps its own', async () => {
  const { target, source, family } = await twoCharts()
  const after = await merged(target, source)
  expect(after).toMatchObject({
    ...target,
    version: 2,
    updatedAt: expect.any(String),
    otherNames: [
      { use: 'old', given: ['Anna', 'Maria'], family: `${family}-Oldname` },
      { use: 'maiden', given: [], family: `${family}Born` },
    ],
    telecom: [target.telecom[0], source.telecom[1]],
    identifiers: [...target.identifiers, ...source.identifiers.slice(1)],
    addresses: [...target.addresses, ...source.addresses],
  })
  const list = async (name: string, person = nurse) =>
    (await service.as(person, 'GET', `/${target.id}/${name}`)).body.items
  expect((await list('allergies')).map(({ code }: { code: { display: string } }) => code.display)).toEqual([
    'allergy of the target',
    'allergy of the source',
  ])
  expect(await list('conditions')).toMatchObject([{ version: 2, onset: '2020-01-01' }])
  expect(await list('care-team', registrar)).toMatchObject([{ userId: clinician.id }])
  // and goes on with it
  const [item] = await list('conditions')
  const path = `/${target.id}/conditions/${item.id}`
  const ended = { code: item.code, resolved: '2021-01-01' }
  expect((await service.as(nurse, 'PUT', path, ended, { 'if-match': '"2"' })).status).toBe(200)
})

test('by whatever the other was found, the one that remains is, and only it', async () => {
  const { target, source, family } = await twoCharts()
  await merged(target, source)
  for (const criteria of [
    { q: `${family} oldname` },
    { q: 'anna', mrn: target.mrn },
    { mrn: source.mrn },
    { mrn: source.mrn, q: family },
    { phone: source.telecom[1]!.value },
    ...source.identifiers.map(({ value }) => ({ identifier: value })),
  ])
    for (const person of [registrar, nurse])
      expect([criteria, await search(criteria, person)]).toEqual([criteria, [target.id]])
  expect(await search({ birthDate: source.birthDate, q: family })).toEqual([])
  const posted = await service.as(registrar, 'POST', '', written(source))
  expect([posted.body.code, posted.headers.get('location')]).toEqual([
    'already_exists',
    `/api/v1/patients/${target.id}`,
  ])
  const { body } = await service.as(registrar, 'POST', '/match', source)
  const found = body.items.map(({ id }: Patient) => id)
  expect([found[0], found.includes(source.id)]).toEqual([target.id, false])
})
const written = ({
  id: _id,
  mrn: _mrn,
  version: _version,
  status: _status,
  createdAt: _c,
  updatedAt: _u,
  ...rest
}: Patient) => rest

test('the other says where it is, to whom the one that remains opens; all else of it is gone', async () => {
  const { target, source } = await twoCharts()
  await merged(target, source)
  await service.events()
  const shown = await service.as(nurse, 'GET', `/${source.id}`)
  expect(shown.body).toMatchObject({
    ...source,
    identifiers: expect.any(Array),
    version: 2,
    status: 'merged',
    mergedInto: target.id,
    updatedAt: expect.any(String),
  })
  expect(await service.events()).toMatchObject([
    { type: 'patients.patient.read', basis: 'role', patientIds: [source.id, target.id] },
  ])
  const location = `/api/v1/patients/${target.id}`
  const current = { 'if-match': '"2"' }
  for (const [person, method, path, body, headers] of [
    [nurse, 'PATCH', '', { language: 'es' }, current],
    [nurse, 'PUT', '', { ...written(source), restricted: undefined, identifiers: [] }, current],
    [clinician, 'POST', '/void', { reason: 'none' }],
    [clinician, 'POST', '/restore', { reason: 'none' }],
    [nurse, 'GET', '/allergies'],
    [nurse, 'POST', '/conditions', { code: { code: '38341003', display: 'x' } }],
    [registrar, 'GET', '/care-team'],
    [registrar, 'POST', '/care-team', { userId: nurse.id, role: 'nurse' }],
    [clinician, 'POST', '/break-glass', { reason: 'found unconscious' }],
    [registrar, 'POST', '/merge', { sourceId: unknownId, sourceVersion: 1 }, current],
  ] as const) {
    const answer = await service.as(person, method, `/${source.id}${path}`, body, headers)
    expect([path, answer.status, answer.body.code, answer.headers.get('location')]).toEqual([
      path,
      410,
      'gone',
      location,
    ])
  }
  const { items } = (await service.as(nurse, 'GET', `/${source.id}/history`)).body
  expect(items).toMatchObject([
    { version: 2, change: 'merged', changed: ['status', 'mergedInto'], by: { id: registrar.id } },
    { version: 1, change: 'created' },
  ])
  expect((await service.as(nurse, 'GET', `/${source.id}/history/1`)).body).toMatchObject({
    status: 'active',
    version: 1,
  })
  const [last] = (await service.as(nurse, 'GET', `/${target.id}/history`)).body.items
  expect(last).toMatchObject({
    version: 2,
    change: 'merged',
    changed: ['otherNames', 'identifiers', 'telecom', 'addresses'],
  })
  const listed = async (person: Person) =>
    (await service.as(person, 'GET', '?status=merged&limit=200')).body.items.map(({ id }: Patient) => id)
  expect(await listed(registrar)).toContain(source.id)
  expect(await listed(nurse)).toEqual([])
  for (const query of ['?limit=200', '?limit=200&status=active'])
    expect((await service.as(registrar, 'GET', query)).body.items.map(({ id }: Patient) => id)).not.toContain(source.id)
})

test('it is one event, which names both charts and the fields that changed', async () => {
  const { target, source } = await twoCharts()
  await service.events()
  const after = await merged(target, source)
  await unmerge(after, source)
  const changed = ['otherNames', 'identifiers', 'telecom', 'addresses']
  const same = { action: 'U', outcome: 'success', basis: 'role', changed, patientIds: [target.id, source.id] }
  const events = await service.events()
  expect(events).toMatchObject([
    { type: 'patients.patient.merged', ...same },
    { type: 'patients.patient.unmerged', ...same },
  ])
  expect(JSON.stringify(events)).not.toMatch(/Merger|555|INS/)
})

test('undoing it leaves both charts as they were, each in a new version', async () => {
  const { target, source } = await twoCharts()
  const before = [await wholeOf(target), await wholeOf(source)]
  const after = await merged(target, source)
  const answer = await unmerge(after, source)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('etag')).toBe('"3"')
  expect(answer.body).toEqual({ ...target, version: 3, updatedAt: expect.any(String) })
  expect([await wholeOf(target), await wholeOf(source)]).toEqual(before)
  for (const chart of [target, source]) {
    const { items } = (await service.as(nurse, 'GET', `/${chart.id}/history`)).body
    expect(items.map(({ change }: { change: string }) => change)).toEqual(['unmerged', 'merged', 'created'])
  }
  // and again, as often as one likes
  const [again, other] = [await read(target), await read(source)]
  expect(other.version).toBe(3)
  const third = await merged(again, other)
  expect((await unmerge(third, source)).status).toBe(200)
  expect([await wholeOf(target), await wholeOf(source)]).toEqual(before)
})

describe('undoing is refused', () => {
  const change: [string, (target: Patient, source: Patient) => Promise<unknown>][] = [
    ['the chart was changed', (target) => patch(target, { language: 'es' })],
    ['an allergy was recorded', (target) => record(target, 'since')],
    [
      'a condition that followed was changed',
      async ({ id }) => {
        const [item] = (await service.as(nurse, 'GET', `/${id}/conditions`)).body.items
        const changed = { code: item.code, resolved: '2021-01-01' }
        await service.as(nurse, 'PUT', `/${id}/conditions/${item.id}`, changed, { 'if-match': '"2"' })
      },
    ],
    ['somebody was assigned', (target) => service.assign(target, nurse)],
    [
      'somebody was removed',
      async ({ id }) => {
        const [member] = (await service.as(registrar, 'GET', `/${id}/care-team`)).body.items
        await service.as(registrar, 'DELETE', `/${id}/care-team/${member.id}`)
      },
    ],
    ['it was restricted', (target) => patch(target, { restricted: true })],
  ]
  test.each(change)('when %s', async (_what, happen) => {
    const { target, source } = await twoCharts()
    const after = await merged(target, source)
    await happen(after, source)
    const current = await read(target)
    await service.events()
    const answer = await unmerge(current, source)
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict'])
    expect(answer.body.detail).toMatch(/since they were merged/)
    expect(await service.events()).toMatchObject([
      { type: 'patients.patient.unmerged', outcome: 'failure', code: 'conflict', patientIds: [target.id, source.id] },
    ])
    expect(await read(target)).toEqual(current)
    expect((await read(source)).status).toBe('merged')
  })

  test('of what isn’t merged, of another chart, and on the strength of another version', async () => {
    const { target, source } = await twoCharts()
    expect((await unmerge(target, source)).body.code).toBe('conflict')
    const after = await merged(target, source)
    const other = await service.create({ name: { given: ['X'], family: newFamily() } })
    expect((await unmerge(other, source)).body.code).toBe('conflict')
    expect((await unmerge(after, { id: unknownId })).body.code).toBe('not_found')
    expect((await unmerge(after, after)).body.errors).toMatchObject([{ path: 'sourceId' }])
    expect((await unmerge(target, source)).body.code).toBe('stale')
    expect((await merge(after, source, registrar, 'unmerge')).body.code).toBe('stale')
    expect((await service.as(registrar, 'POST', `/${target.id}/unmerge`, { sourceId: source.id })).status).toBe(428)
    expect((await service.as(registrar, 'POST', `/${target.id}/unmerge`, {}, etag(after))).status).toBe(422)
    expect((await merge(after, { ...source, version: 2 }, registrar, 'unmerge')).status).toBe(200)
  })
})

test('a chain is undone from its end, and so are several merges into one chart', async () => {
  const a = (await twoCharts()).source
  const b = (await twoCharts()).source
  const c = (await twoCharts()).source
  const before = [await wholeOf(a), await wholeOf(b), await wholeOf(c)]
  const withA = await merged(b, a)
  const all = await merged(c, withA)
  expect(await search({ mrn: a.mrn })).toEqual([c.id])
  expect(await search({ identifier: a.identifiers[2]!.value })).toEqual([c.id])
  expect((await read(a)).mergedInto).toBe(b.id)
  expect((await read(b)).mergedInto).toBe(c.id)
  const { items } = (await service.as(nurse, 'GET', `/${c.id}/conditions`)).body
  expect(items).toHaveLength(3)
  expect((await unmerge(await read(b), a)).body.code).toBe('gone')
  expect((await unmerge(all, a)).body.code).toBe('conflict')
  expect((await unmerge(all, b)).status).toBe(200)
  expect((await unmerge(await read(b), a)).status).toBe(200)
  expect([await wholeOf(a), await wholeOf(b), await wholeOf(c)]).toEqual(before)

  await merged(await read(c), await read(a))
  await merged(await read(c), await read(b))
  const early = await unmerge(await read(c), a)
  expect([early.body.code, early.body.detail]).toEqual(['conflict', expect.stringContaining('undo that first')])
  for (const one of [b, a]) expect((await unmerge(await read(c), one)).status).toBe(200)
  expect([await wholeOf(a), await wholeOf(b), await wholeOf(c)]).toEqual(before)
})

test('what can’t be merged is said, and nothing is changed', async () => {
  const { target, source } = await twoCharts()
  const voided = await service.create({ name: { given: ['V'], family: newFamily() } })
  await service.as(clinician, 'POST', `/${voided.id}/void`, { reason: 'none' })
  const gone = { ...voided, version: 2 }
  const refusals: [ReturnType<typeof merge>, number, string, RegExp][] = [
    [merge(target, target), 422, 'validation_failed', /not valid/],
    [merge(target, { ...source, version: 7 }), 412, 'stale', /sourceVersion/],
    [merge({ ...target, version: 7 }, source), 412, 'stale', /If-Match/],
    [merge(target, gone), 409, 'conflict', /voided/],
    [merge(gone, source), 410, 'gone', /voided/],
    [merge(target, { ...source, id: unknownId }), 404, 'not_found', /sourceId/],
    [merge({ ...target, id: unknownId }, source), 404, 'not_found', /patient/],
    [merge(target, source, clinician), 403, 'forbidden', /./],
    [merge(target, source, someone(['patient'], { patientId: target.id })), 403, 'forbidden', /./],
  ]
  for (const [asked, status, code, detail] of refusals) {
    const { body } = await asked
    expect([body.status, body.code, body.detail]).toEqual([status, code, expect.stringMatching(detail)])
  }
  const path = `/${target.id}/merge`
  expect((await service.as(registrar, 'POST', path, { sourceId: source.id, sourceVersion: 1 })).status).toBe(428)
  const bad = await service.as(registrar, 'POST', path, { sourceId: 'x', more: 1 }, etag(target))
  expect(bad.body.errors.map((error: { path: string }) => error.path)).toEqual(['sourceId', 'sourceVersion', 'more'])
  expect([await read(target), await read(source)]).toEqual([target, source])

  const after = await merged(target, source)
  const third = await service.create({ name: { given: ['T'], family: newFamily() } })
  const twice = (await merge(third, { ...source, version: 2 })).body
  expect([twice.code, twice.detail]).toEqual(['conflict', expect.stringMatching(/merged already/)])
  expect((await read(third)).version).toBe(1)
  expect((await read(target)).version).toBe(after.version)
})

test('lists that would be too long are named, and nothing is lost', async () => {
  const telecom = (from: number) =>
    Array.from({ length: 12 }, (_none, n) => ({ system: 'phone', value: `555 ${from + n}`, use: 'home' }))
  const target = await service.create({ name: { given: ['L'], family: newFamily() }, telecom: telecom(1000) })
  const source = await service.create({ name: { given: ['L'], family: newFamily() }, telecom: telecom(2000) })
  expect((await merge(target, source)).body).toMatchObject({
    code: 'conflict',
    detail: 'Together they have 24 telecom, and a chart may have 20: take some out first.',
  })
  expect(await read(source)).toEqual(source)
})

describe('a restricted chart never opens to more people', () => {
  const [ofTarget, ofSource, stranger] = [someone(['clinician']), someone(['clinician']), someone(['clinician'])]
  const sees = async (person: Person, { id }: Patient) => (await service.as(person, 'GET', `/${id}`)).status
  const pair = async (target: object, source: object) => {
    const family = newFamily()
    const make = (given: string, more: object) => service.create({ name: { given: [given], family }, ...more })
    return { target: await make('R', target), source: await make('S', source), family }
  }

  test('what was merged with one is restricted, and both open to its care team alone', async () => {
    for (const isTarget of [true, false]) {
      const { target, source, family } = await pair({ restricted: isTarget }, { restricted: !isTarget })
      await service.assign(isTarget ? target : source, ofTarget)
      const after = await merged(target, source)
      expect(after.restricted).toBe(true)
      for (const chart of [target, source]) {
        expect([await sees(ofTarget, chart), await sees(stranger, chart), await sees(nurse, chart)]).toEqual([
          200, 403, 403,
        ])
        const refused = await service.as(stranger, 'GET', `/${chart.id}`)
        expect(refused.body.code).toBe('restricted')
        const shown = JSON.stringify([refused.body, [...refused.headers]])
        expect(shown).not.toContain(chart === target ? source.id : target.id)
      }
      expect(await search({ q: family }, stranger)).toEqual([])
      expect(await search({ q: family }, ofTarget)).toEqual([target.id])
      // by its number alone, old or new: enough to break the glass
      for (const { mrn } of [target, source]) {
        const { items } = (await service.as(stranger, 'POST', '/search', { mrn })).body
        expect(items).toEqual([{ id: target.id, mrn: target.mrn, restricted: true }])
      }
      expect((await unmerge(after, source)).status).toBe(200)
      expect([await sees(stranger, target), await sees(stranger, source)]).toEqual(isTarget ? [403, 200] : [200, 403])
    }
  })

  test('what is restricted after it was merged hides the other too', async () => {
    const { target, source } = await pair({}, {})
    const after = await merged(target, source)
    expect(await sees(stranger, source)).toBe(200)
    await patch(after, { restricted: true })
    expect(await sees(stranger, source)).toBe(403)
    expect((await service.as(stranger, 'GET', `/${source.id}/history`)).status).toBe(403)
    expect((await service.as(stranger, 'GET', `/${source.id}/allergies`)).body.code).toBe('restricted')
  })

  test('they are not merged while somebody of the one’s care team is kept out by the other', async () => {
    const spans: [string, object, object | null, number][] = [
      ['in no team of the restricted one', {}, null, 409],
      ['in both', {}, {}, 200],
      ['for longer', { to: null }, { to: day(3) }, 409],
      ['from later on', { from: day(5), to: day(6) }, { from: day(0), to: day(9) }, 200],
      ['no more', { from: day(-9), to: day(-1) }, null, 200],
    ]
    for (const [what, elsewhere, within, status] of spans) {
      for (const isTarget of [true, false]) {
        const { target, source } = await pair({ restricted: isTarget }, { restricted: !isTarget })
        const [closed, open] = isTarget ? [target, source] : [source, target]
        await service.assign(open, ofSource, elsewhere)
        if (within) await service.assign(closed, ofSource, within)
        const answer = await merge(target, source)
        expect([what, answer.status]).toEqual([what, status])
        if (status === 409) expect(answer.body.detail).toMatch(/care team/)
      }
    }
    // of two open ones nobody is kept out
    const { target, source } = await pair({}, {})
    await service.assign(source, ofSource)
    expect((await merge(target, source)).status).toBe(200)
  })

  test('nor while a glass is broken that would open the other', async () => {
    const { target, source } = await pair({ restricted: true }, { restricted: true })
    const reason = { reason: 'found unconscious at the station' }
    const { body } = await service.as(stranger, 'POST', `/${source.id}/break-glass`, reason)
    expect((await merge(target, source)).status).toBe(409)
    await service.asOwner(`UPDATE break_glass_grants SET expires_at = now() WHERE id = $1`, [body.grantId])
    expect((await merge(target, source)).status).toBe(200)
    // that it was broken follows
    const auditor = someone(['auditor'])
    const grant = async () => (await service.as(auditor, 'GET', `/break-glass/${body.grantId}`)).body.patientId
    expect(await grant()).toBe(target.id)
    await unmerge(await read(target), source)
    expect(await grant()).toBe(source.id)
  })

  test('who breaks the glass of the whole reads its parts', async () => {
    const { target, source } = await pair({ restricted: true }, {})
    await merged(target, source)
    const { body } = await service.as(stranger, 'POST', `/${target.id}/break-glass`, { reason: 'found unconscious' })
    const answer = await service.as(stranger, 'GET', `/${source.id}`)
    expect([answer.status, answer.headers.get('x-break-glass')]).toEqual([200, body.grantId])
  })
})

test('a patient whose chart was merged opens the one that it is part of, until that is undone', async () => {
  const { target, source } = await twoCharts()
  const patient = someone(['patient'], { patientId: source.id })
  const status = async (chart: Patient, list = '') => (await service.as(patient, 'GET', `/${chart.id}${list}`)).status
  expect([await status(target), await status(source)]).toEqual([403, 200])
  const after = await merged(target, source)
  await service.events()
  expect([await status(target), await status(target, '/allergies'), await status(source)]).toEqual([200, 200, 200])
  expect(await service.events()).toMatchObject([{ basis: 'self' }, { basis: 'self' }, { basis: 'self' }])
  const other = await service.create({ name: { given: ['O'], family: newFamily() } })
  expect(await status(other)).toBe(403)
  await unmerge(after, source)
  expect([await status(target), await status(source)]).toEqual([403, 200])
})

test('of merges and changes at the same moment each finds what the others left, and none waits for ever', async () => {
  for (let round = 0; round < 5; round++) {
    const { target, source, family } = await twoCharts()
    const third = await service.create({ name: { given: ['T'], family } })
    const answers = await Promise.all([
      merge(target, source),
      merge(source, target),
      merge(third, source),
      patch(source, { language: 'es' }),
      record(source, 'meanwhile'),
    ])
    const merges = answers.slice(0, 3).filter(({ status }) => status === 200)
    expect(answers.map(({ status }) => status).every((status) => [200, 201, 409, 410, 412].includes(status))).toBe(true)
    const charts = await Promise.all([target, source, third].map((chart) => read(chart)))
    expect(charts.filter(({ status }) => status === 'merged')).toHaveLength(merges.length)
    // nothing is left in a chart that was merged
    const left = await service.asOwner<unknown[]>(
      `SELECT FROM clinical_items i JOIN patients p ON p.id = i.patient_id WHERE p.merged_into IS NOT NULL`,
    )
    expect(left).toEqual([])
  }
})

test('a chart that has another one in it is voided and restored like any other', async () => {
  const { target, source } = await twoCharts()
  const after = await merged(target, source)
  const act = (what: string) => service.as(clinician, 'POST', `/${target.id}/${what}`, { reason: 'none' })
  expect((await act('void')).status).toBe(200)
  expect((await service.as(registrar, 'GET', `/${target.id}`)).status).toBe(410)
  expect((await service.as(registrar, 'GET', `/${source.id}`)).status).toBe(410)
  expect((await unmerge({ ...after, version: 3 }, source)).body.code).toBe('gone')
  expect((await act('restore')).status).toBe(200)
  expect((await unmerge({ ...after, version: 4 }, source)).status).toBe(200)
})

test('the app role moves what is recorded from chart to chart, and changes nothing of it', async () => {
  for (const statement of [
    `UPDATE clinical_items SET display = 'x'`,
    `UPDATE break_glass_grants SET reason = 'x'`,
    'DELETE FROM clinical_items',
    'UPDATE patient_merges SET recorded = 0',
    'DELETE FROM patient_merges',
  ])
    await expect(service.db.query(statement)).rejects.toMatchObject({ driverError: { code: '42501' } })
})

test('what was one chart for a while is read, once that is undone, by whom both open to, and on the record of both', async () => {
  const telecom = [{ system: 'phone', value: '555 0199' }]
  const [target, source] = [await service.create(), await service.create({ restricted: true, telecom })]
  const after = await merged(target, source)
  expect((await unmerge(after, source)).status).toBe(200)
  const own = someone(['patient'], { patientId: target.id })
  await service.events()
  for (const path of ['history/2', 'history/2/diff', 'history/3/diff']) {
    expect((await service.as(nurse, 'GET', `/${target.id}/${path}`)).body.code).toBe('restricted')
    expect((await service.as(own, 'GET', `/${target.id}/${path}`)).body.code).toBe('forbidden')
    expect((await service.as(registrar, 'GET', `/${target.id}/${path}`)).status).toBe(200)
  }
  for (const { patientIds } of await service.events())
    expect(patientIds.toSorted()).toEqual([target.id, source.id].sort())
  const vread = await service.call('GET', `/fhir/R4/Patient/${target.id}/_history/2`, { token: nurse.token })
  expect([vread.status, JSON.stringify(vread.body)]).toEqual([403, expect.not.stringContaining('0199')])
  for (const version of [1, 3])
    expect((await service.as(nurse, 'GET', `/${target.id}/history/${version}`)).status).toBe(200)
  // also once the other is part of a third one
  const third = await service.create({ restricted: true })
  expect((await merge(third, { ...source, version: 3 })).status).toBe(200)
  await service.events()
  expect((await service.as(nurse, 'GET', `/${target.id}/history/2`)).status).toBe(403)
  expect((await service.events())[0]!.patientIds.toSorted()).toEqual([target.id, source.id].sort())
})

test('whoever reads while a chart becomes another one’s part sees what was theirs to see', async () => {
  for (let round = 0; round < 8; round++) {
    const [target, source] = [await service.create(), await service.create({ restricted: true })]
    await service.asOwner(
      `INSERT INTO clinical_items (id, version, kind, patient_id, system, code, display, recorded_by, created_at, updated_at)
       VALUES ($1, 1, 'allergy', $2, 'http://snomed.info/sct', '91935009', 'Peanut', $1, now(), now())`,
      [randomUUID(), source.id],
    )
    let done = false
    const merging = merge(target, source).finally(() => (done = true))
    const answers = []
    while (!done) {
      answers.push(service.as(nurse, 'GET', `/${target.id}/allergies`))
      await sleep(1)
    }
    for (const { status, body } of await Promise.all(answers))
      expect(status === 403 || body.items.length === 0).toBe(true)
    expect((await merging).status).toBe(200)
  }
})
