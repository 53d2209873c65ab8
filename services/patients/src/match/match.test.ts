import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Patient } from '../patient.ts'
import { openPatients, registrar, someone, type Person } from '../testing.ts'

let service: Awaited<ReturnType<typeof openPatients>>
const [clinician, nurse] = [someone(['clinician']), someone(['nurse'])]
beforeAll(async () => {
  service = await openPatients()
})
beforeEach(() => service.events())
afterAll(() => service.close())

let days = 0
/** Somebody whose date of birth nobody else has. */
const newcomer = (more: object = {}) => ({
  name: { given: ['Maria', 'Luz'], family: 'Sandoval' },
  birthDate: new Date(Date.UTC(1931, 0, 13 + (days += 32))).toISOString().slice(0, 10),
  sex: 'female',
  ...more,
})
const post = (person: Person, body: object, query = '') => service.as(person, 'POST', query, body)
const match = async (body: object) => {
  const answer = await service.as(registrar, 'POST', '/match', body)
  expect(answer.status).toBe(200)
  return answer.body.items as { id: string; score: number; grade: string; reasons: object[] }[]
}
const idsOf = (items: { id: string }[]) => items.map(({ id }) => id)
const ssn = (value: string) => ({ identifiers: [{ system: 'ssn', value }] })

describe('on demand', () => {
  test('charts are graded, the likeliest first, by reasons that add up and tell no value', async () => {
    const phone = { telecom: [{ system: 'phone', value: '(617) 555-0147' }] }
    const maria = newcomer({ ...phone, ...ssn('912-34-5678') })
    const chart = await service.create(maria)
    const twin = await service.create({ ...maria, name: { given: ['Elena'], family: 'Sandoval' }, identifiers: [] })
    await service.events()
    const items = await match({
      ...maria,
      name: { given: ['Maria'], family: 'Sandovall' },
      telecom: [{ system: 'phone', value: '+1 617 5550147' }],
      ...ssn('912 34 5678'),
    })
    expect(items).toMatchObject([
      { id: chart.id, grade: 'certain', score: 1 },
      { id: twin.id, grade: 'possible' },
    ])
    expect(items[0]!.reasons).toEqual([
      { field: 'birth date', found: 'same', weight: 11 },
      { field: 'given name', found: 'same', weight: 6 },
      { field: 'family name', found: 'similar', weight: 4 },
      { field: 'sex', found: 'same', weight: 1 },
      { field: 'phone', found: 'same', weight: 6 },
      { field: 'ssn', found: 'same', weight: 18 },
    ])
    for (const { score, reasons } of items) {
      const bits = (reasons as { weight: number }[]).reduce((sum, { weight }) => sum + weight, -14)
      expect(score).toBeCloseTo(1 / (1 + 2 ** -bits), 2)
    }
    expect(JSON.stringify(items)).not.toMatch(/maria|sandoval|617|912/i)
    const events = await service.events()
    expect(events).toMatchObject([
      { type: 'patients.match.read', action: 'E', outcome: 'success', basis: 'role', patientIds: [chart.id, twin.id] },
    ])
    expect(JSON.stringify(events)).not.toMatch(/sandoval|555/i)
  })

  test('a chart as it was read is compared with all others but itself', async () => {
    const [first, second] = [await service.create(newcomer()), await service.create(newcomer())]
    const again = await service.create({ ...newcomer(), birthDate: first.birthDate })
    expect(idsOf(await match(first))).toEqual([again.id])
    expect(idsOf(await match(again))).toEqual([first.id])
    expect(await match(second)).toEqual([])
  })

  test.each([
    ['a mistyped name', { name: { given: ['Mariah'], family: 'Sandobal' } }, 'certain'],
    ['day and month swapped', { birthDate: '1977-03-11' }, 'certain'],
    ['given and family name swapped', { name: { given: ['Sandoval'], family: 'Maria' } }, 'certain'],
    ['a name by marriage', { name: { given: ['Maria'], family: 'Peters' }, ...ssn('987654321') }, 'certain'],
    ['another day and name, and the same number', { birthDate: '1977-11-04', ...ssn('98765 4321') }, 'certain'],
    ['a namesake', { birthDate: '1977-06-30' }, null],
    ['a number at the end of the name', { name: { given: ['Maria'], family: 'Sandoval 2' } }, 'probable'],
  ])('it is found by %s, or not', async (_what, slip, grade) => {
    const maria = { name: { given: ['Maria'], family: 'Sandoval' }, birthDate: '1977-11-03', sex: 'female' }
    const [found] = await match({ ...maria, sex: 'unknown' })
    const { id } = found ?? (await service.create({ ...maria, ...ssn('987-65-4321') }))
    const items = await match({ ...maria, ...slip })
    expect(items.find((item) => item.id === id)?.grade ?? null).toBe(grade)
  })

  test('what is voided is no candidate, what is restricted is one to the registrar', async () => {
    const maria = newcomer()
    const voided = await service.create(maria)
    const hidden = await service.create({ ...maria, restricted: true })
    await service.as(clinician, 'POST', `/${voided.id}/void`, { reason: 'made twice' })
    expect(idsOf(await match(maria))).toEqual([hidden.id])
  })

  test('a bad chart is refused by field, and the event of it discloses nobody', async () => {
    const { status, body } = await service.as(registrar, 'POST', '/match', { ...newcomer(), sex: 'x', shoeSize: 9 })
    expect(status).toBe(422)
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(['sex', 'shoeSize'])
    expect(await service.events()).toMatchObject([{ type: 'patients.match.read', outcome: 'failure', patientIds: [] }])
  })

  test('of a key that thousands share the newest are compared, and none is lost that shares more', async () => {
    const birthDate = '1900-01-01'
    const found = await service.create({ name: { given: ['Zora'], family: 'Quill' }, birthDate, sex: 'female' })
    await service.asOwner(
      `WITH others AS (INSERT INTO patients (id, mrn, version, status, demographics, search_name, birth_date, created_at, updated_at)
         SELECT gen_random_uuid(), 'crowd ' || n, 1, 'active', jsonb_set(p.demographics::jsonb, '{name,given}', '["Zorra"]')::json, 'x', p.birth_date, now(), now()
         FROM patients p, generate_series(1, 3000) n WHERE p.id = $1 RETURNING id)
       INSERT INTO patient_keys SELECT $2, id FROM others`,
      [found.id, `born 1900 01 01`],
    )
    const started = performance.now()
    const items = await match({ name: { given: ['Zora'], family: 'Quill' }, birthDate, sex: 'female' })
    expect(performance.now() - started).toBeLessThan(1000)
    // the only one that shares the key of its name too
    expect(idsOf(items)[0]).toBe(found.id)
  })
})

describe('at creation', () => {
  test('a chart that looks the same keeps another from being made, unless it is forced', async () => {
    const maria = newcomer()
    const { id } = await service.create(maria)
    await service.events()
    for (const person of [clinician, nurse, registrar]) {
      const { status, body } = await post(person, { ...maria, name: { given: ['María'], family: 'sandoval' } })
      expect([status, body.code]).toEqual([409, 'possible_duplicate'])
      expect(body.candidates).toMatchObject([{ id, grade: 'certain', reasons: expect.any(Array) }])
      expect(await service.events()).toMatchObject([
        { type: 'patients.patient.created', outcome: 'failure', code: 'possible_duplicate', patientIds: [id] },
      ])
    }
    expect(await service.db.query('SELECT id FROM patients WHERE birth_date = $1', [maria.birthDate])).toEqual([{ id }])
    expect((await post(nurse, maria, '?force=true')).status).toBe(201)
    expect(await service.events()).toMatchObject([{ type: 'patients.patient.created', outcome: 'success' }])
  })

  test('what is only likely doesn’t', async () => {
    const maria = newcomer()
    await service.create(maria)
    expect((await post(nurse, { ...maria, name: { given: ['Elena'], family: 'Sandoval' } })).status).toBe(201)
  })

  test('a source id that is known says more than a likeness', async () => {
    const maria = newcomer({ identifiers: [{ system: 'source:registry', value: 'known' }] })
    const { id } = await service.create(maria)
    const { body, headers } = await post(nurse, maria)
    expect([body.code, headers.get('location')]).toEqual(['already_exists', `/api/v1/patients/${id}`])
    expect(body.candidates).toBeUndefined()
  })

  test('nobody learns of a chart that they may not read: it is made all the same', async () => {
    const member = someone(['clinician'])
    const maria = newcomer(ssn('955-11-2222'))
    const hidden = await service.create({ ...maria, restricted: true })
    await service.assign(hidden, member)
    await service.events()
    const told = await post(member, maria)
    expect(idsOf(told.body.candidates)).toEqual([hidden.id])
    expect(idsOf((await post(registrar, maria)).body.candidates)).toEqual([hidden.id])
    await service.events()
    const made = await post(clinician, maria)
    expect(made.status).toBe(201)
    expect(JSON.stringify(made.body)).not.toContain(hidden.id)
    expect((await service.events())[0]!.patientIds).toEqual([made.body.id])
    // now there are two, and the nurse sees one of them
    expect(idsOf((await post(nurse, maria)).body.candidates)).toEqual([made.body.id])
    expect((await service.events())[0]!.patientIds).toEqual([made.body.id])
  })

  test('a voided one doesn’t', async () => {
    const maria = newcomer()
    const { id } = await service.create(maria)
    await service.as(clinician, 'POST', `/${id}/void`, { reason: 'made twice' })
    expect((await post(nurse, maria)).status).toBe(201)
  })

  test('a government’s number counts, and is no reason that a nurse is shown', async () => {
    const maria = newcomer(ssn('933-22-1111'))
    await service.create(maria)
    // by the number alone: of another name and day nothing else is the same
    const other = { ...maria, name: { given: ['Mary'], family: 'Sandoval-Reyes' }, birthDate: '1990-01-01' }
    const closer = { ...other, birthDate: maria.birthDate, name: { given: ['Maria'], family: 'Reyes' } }
    const fieldsOf = async (person: Person, body: object) =>
      (await post(person, body)).body.candidates?.[0]?.reasons.map(({ field }: { field: string }) => field)
    expect(await fieldsOf(nurse, closer)).toEqual(['birth date', 'given name', 'family name', 'sex'])
    expect(await fieldsOf(registrar, closer)).toContain('ssn')
    expect((await post(nurse, { ...closer, identifiers: [] })).status).toBe(201)
  })

  test('of eight who create the same person at once one does', async () => {
    const maria = newcomer()
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_none, n) =>
        post(n % 2 ? nurse : registrar, {
          ...maria,
          name: { given: ['Maria'], family: n % 3 ? 'Sandoval' : 'Sandovall' },
        }),
      ),
    )
    const made = answers.filter(({ status }) => status === 201)
    expect(made).toHaveLength(1)
    const { id } = made[0]!.body as Patient
    for (const { status, body } of answers.filter((one) => one !== made[0])) {
      expect([status, body.code]).toEqual([409, 'possible_duplicate'])
      expect(idsOf(body.candidates)).toEqual([id])
    }
    const events = await service.events()
    expect(events.map(({ outcome }) => outcome).sort()).toEqual([...Array<string>(7).fill('failure'), 'success'])
  })

  test('of many who share a date of birth all are created, at once', async () => {
    const { birthDate } = newcomer()
    const names = [
      'Abel',
      'Borga',
      'Chisholm',
      'Dubrow',
      'Eckhart',
      'Fitzgerald',
      'Gutmann',
      'Hollis',
      'Ibarra',
      'Jessup',
    ]
    const answers = await Promise.all(
      names.map((family, n) =>
        post(nurse, { name: { given: [`${family.slice(1)}o`], family }, birthDate, sex: n % 2 ? 'male' : 'female' }),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 201))
  })
})
