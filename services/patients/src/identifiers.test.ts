import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { DataSource } from 'typeorm'
import type { Role } from '@caregate/common/auth'
import { asOwner } from '@caregate/common/migrate'
import { testToken } from '@caregate/common/testing/service'
import { spec } from './database.ts'
import { buildFieldKeys, type FieldKeys } from './field-keys.ts'
import { checkFieldKeys } from './repository.ts'
import { rotate } from './rotation.ts'
import { FIELD_KEY, openPatients } from './testing.ts'

const newKey = 'the key that comes after the one of the tests'
let keys: FieldKeys = buildFieldKeys({ FIELD_KEY, FIELD_KEY_PREVIOUS: undefined })
/** As if every instance had been rolled. */
const giveKeys = (current: string, previous?: string) =>
  (keys = buildFieldKeys({ FIELD_KEY: current, FIELD_KEY_PREVIOUS: previous }))
const current: FieldKeys = {
  get ids() {
    return keys.ids
  },
  seal: (...args) => keys.seal(...args),
  open: (...args) => keys.open(...args),
  renew: (...args) => keys.renew(...args),
  indexesOf: (...args) => keys.indexesOf(...args),
  searchesFor: (...args) => keys.searchesFor(...args),
}

let service: Awaited<ReturnType<typeof openPatients>>
let owner: DataSource
const clinician = testToken(['clinician'])
const registrar = testToken(['registrar'])
const ann = { name: { given: ['Ann'], family: 'Sealed' }, birthDate: '1989-05-25', sex: 'female' }
const ssn = { system: 'ssn', value: '999-12-6789' }
const passport = { system: 'passport', value: 'X1234567' }
const licence = { system: 'driving-licence', value: 'ZÜ 77' }
const insurance = { system: 'insurance', value: 'BCBS-0815-4711' }
const all = [ssn, passport, licence, insurance]
const masked = [
  { system: 'ssn', value: '***6789' },
  { system: 'passport', value: '***4567' },
  { system: 'driving-licence', value: '***77' },
  insurance,
]

beforeAll(async () => {
  service = await openPatients(current)
  owner = await new DataSource({ type: 'postgres', url: service.urls.owner }).initialize()
})
beforeEach(async () => {
  giveKeys(FIELD_KEY)
  await owner.query('TRUNCATE patients, patient_versions, patient_identifiers, patient_sources')
  await service.events()
})
afterAll(async () => {
  await owner.destroy()
  await service.close()
})

const create = async (identifiers: object[] = all, more: object = {}) =>
  (
    await service.call('POST', '/api/v1/patients?force=true', {
      token: registrar,
      body: { ...ann, identifiers, ...more },
    })
  ).body
const read = async (id: string, token = registrar) =>
  (await service.call('GET', `/api/v1/patients/${id}`, { token })).body
const change = (method: string, id: string, version: number, body: object, token = clinician) =>
  service.call(method, `/api/v1/patients/${id}`, { token, body, headers: { 'if-match': `"${version}"` } })
const search = async (identifier: string, token = clinician): Promise<string[]> => {
  const answer = await service.call('POST', '/api/v1/patients/search', { token, body: { identifier } })
  return answer.body.items.map(({ id }: { id: string }) => id)
}
const dump = async (): Promise<string> =>
  JSON.stringify([
    await owner.query('SELECT * FROM patients'),
    await owner.query('SELECT * FROM patient_versions'),
    await owner.query('SELECT * FROM patient_identifiers'),
  ])
const runRotation = async (): Promise<string[]> =>
  asOwner(spec, service.urls.owner, async (db) => Array.fromAsync(rotate(db, keys)))

describe('in the database', () => {
  test('what a government gave is sealed, in the chart and in its versions, for this chart and this system alone', async () => {
    const { id } = await create()
    const { id: other } = await create([])
    await change('PATCH', id, 1, { sex: 'other' })
    const stored = await dump()
    for (const { value } of [ssn, passport, licence]) expect(stored).not.toContain(value)
    expect(stored).toContain(insurance.value)

    const [row] = await owner.query<{ demographics: { identifiers: { system: string; sealed: string }[] } }[]>(
      'SELECT demographics FROM patients WHERE id = $1',
      [id],
    )
    const [sealed] = row!.demographics.identifiers
    expect(sealed).toEqual({ system: 'ssn', sealed: expect.stringMatching(new RegExp(`^${keys.ids[0]}\\.[\\w-]+$`)) })
    expect(keys.open(id, [sealed!])).toEqual([ssn])
    expect(() => keys.open(other, [sealed!])).toThrow()
    expect(() => keys.open(id, [{ ...sealed!, system: 'passport' }])).toThrow()
  })

  test('what was there before is read as it is', async () => {
    const { id } = await create()
    await owner.query(
      `UPDATE patients SET demographics = jsonb_set(demographics::jsonb, '{identifiers}', '[{"system":"ssn","value":"999-12-6789"}]')`,
    )
    expect((await read(id)).identifiers).toEqual([ssn])
    expect((await read(id, clinician)).identifiers).toEqual([{ system: 'ssn', value: '***6789' }])
  })

  test('another key than theirs is noticed at once', async () => {
    await create()
    await expect(checkFieldKeys(service.db, keys)).resolves.toBeUndefined()
    await expect(checkFieldKeys(service.db, giveKeys(newKey))).rejects.toThrow('another FIELD_KEY')
    await expect(checkFieldKeys(service.db, giveKeys(newKey, FIELD_KEY))).resolves.toBeUndefined()
  })
})

describe('an identifier that a government gave', () => {
  test('is shown in full to registrars and to the patient, and by its end to everybody else, in every answer', async () => {
    const created = await create()
    const { id, mrn } = created
    expect(created.identifiers).toEqual(all)
    for (const token of [registrar, testToken(['clinician', 'registrar']), testToken(['patient'], { patientId: id })])
      expect((await read(id, token)).identifiers).toEqual(all)
    const shown: Record<string, unknown[]> = {}
    for (const role of ['clinician', 'nurse'] satisfies Role[]) {
      const token = testToken([role])
      const ask = async (method: string, path: string, body?: object, headers?: Record<string, string>) =>
        (await service.call(method, `/api/v1/patients${path}`, { token, body, headers })).body
      shown[role] = [
        await read(id, token),
        (await ask('GET', '')).items[0],
        (await ask('POST', '/search', { mrn })).items[0],
        await ask('POST', '?force=true', { ...ann, identifiers: all }),
      ]
    }
    shown.changed = [
      (await change('PATCH', id, 1, { race: 'white' })).body,
      (await change('PUT', id, 2, { ...ann, identifiers: masked })).body,
      (await service.call('POST', `/api/v1/patients/${id}/void`, { token: clinician, body: { reason: 'made twice' } }))
        .body,
      (await service.call('POST', `/api/v1/patients/${id}/restore`, { token: clinician, body: { reason: 'wasn’t' } }))
        .body,
    ]
    for (const chart of Object.values(shown).flat()) expect(chart).toMatchObject({ identifiers: masked })
    expect((await read(id)).identifiers).toEqual(all)
  })

  test('is masked in what the chart was, and in how that differs', async () => {
    const { id } = await create([ssn])
    await change('PATCH', id, 1, { identifiers: [{ system: 'ssn', value: '000-00-6789' }] }, registrar)
    const history = async (path: string, token: string) =>
      (await service.call('GET', `/api/v1/patients/${id}/history${path}`, { token })).body
    expect((await history('/1', clinician)).identifiers).toEqual([masked[0]])
    expect((await history('/1', registrar)).identifiers).toEqual([ssn])
    expect((await history('', clinician)).items[0].changed).toEqual(['identifiers.value'])
    const path = 'identifiers.0.value'
    expect((await history('/2/diff', clinician)).changes).toEqual([{ path, before: '***6789', after: '***6789' }])
    expect((await history('/2/diff', registrar)).changes).toEqual([{ path, before: ssn.value, after: '000-00-6789' }])
    const first = { path: 'identifiers', before: null, after: [masked[0]] }
    expect((await history('/1/diff', clinician)).changes).toContainEqual(first)
  })

  test('sent back as it was shown it stays what it was, and nothing has changed', async () => {
    const { id } = await create()
    await service.events()
    for (const [version, method] of ['PUT', 'PATCH'].entries()) {
      const { name, birthDate, sex, identifiers } = await read(id, clinician)
      await service.events()
      expect(identifiers).toEqual(masked)
      const answer = await change(method, id, version + 1, { name, birthDate, sex, identifiers })
      expect(answer.status).toBe(200)
      expect(await service.events()).toMatchObject([{ type: 'patients.patient.updated', changed: [] }])
    }
    const next = [masked[1]!, { system: 'ssn', value: '999-12-0000' }, insurance]
    expect((await change('PATCH', id, 3, { identifiers: next })).body.identifiers[1].value).toBe('***0000')
    expect(await service.events()).toMatchObject([{ changed: ['identifiers'] }])
    expect((await read(id)).identifiers).toEqual([passport, { system: 'ssn', value: '999-12-0000' }, insurance])
  })

  test.each([
    ['another end', [{ system: 'ssn', value: '***0000' }], [0]],
    ['another system', [insurance, { system: 'passport', value: '***6789' }], [1]],
    ['it twice', [masked[0], masked[0]], [0, 1]],
    ['a star', [{ system: 'ssn', value: '999*' }, ssn, { system: 'driving-licence', value: '*' }], [0, 2]],
  ])('masked it is not taken with %s', async (_what, identifiers, wrong) => {
    const { id } = await create()
    const answer = await change('PATCH', id, 1, { identifiers })
    expect(answer.status).toBe(422)
    expect(answer.body.errors.map(({ path }: { path: string }) => path)).toEqual(
      wrong.map((n) => `identifiers.${n}.value`),
    )
    expect((await read(id)).identifiers).toEqual(all)
  })

  test('masked it is not taken from whoever sees it in full, nor for a new chart', async () => {
    const { id } = await create()
    const refused = { code: 'validation_failed', errors: [{ path: 'identifiers.0.value' }] }
    expect((await change('PATCH', id, 1, { identifiers: masked }, registrar)).body).toMatchObject({
      ...refused,
      errors: masked.slice(0, 3).map((_one, n) => ({ path: `identifiers.${n}.value` })),
    })
    const body = { ...ann, identifiers: [masked[0]] }
    expect((await service.call('POST', '/api/v1/patients?force=true', { token: clinician, body })).body).toMatchObject(
      refused,
    )
  })

  test('two that look alike stay apart, and one alone of them is not guessed', async () => {
    const alike = [ssn, { system: 'ssn', value: '000-00-6789' }]
    const { id } = await create(alike)
    const shown = [masked[0], masked[0]]
    expect((await change('PATCH', id, 1, { identifiers: shown })).status).toBe(200)
    expect((await read(id)).identifiers).toEqual(alike)
    expect((await change('PATCH', id, 2, { identifiers: [masked[0]] })).status).toBe(422)
  })
})

describe('searching by identifier', () => {
  test('finds it however it is written, of whatever system', async () => {
    const source = { system: 'source:registry', value: 'Reg-1/a' }
    const { id } = await create([...all, source])
    await create([{ system: 'ssn', value: '000-00-0000' }])
    for (const value of ['999-12-6789', '999126789', ' 999 12 6789 ', 'x1234567', 'Ｘ1234567', 'zü77', 'bcbs08154711'])
      expect(await search(value)).toEqual([id])
    expect(await search('Reg-1/a')).toEqual([id])
    for (const value of ['***6789', '6789', '99912678', 'reg1a', '-']) expect(await search(value)).toEqual([])
  })

  test('goes by what the chart has now', async () => {
    const { id } = await create()
    await change('PATCH', id, 1, { identifiers: [passport] }, registrar)
    expect(await search(ssn.value)).toEqual([])
    expect(await search(passport.value)).toEqual([id])
  })

  test('never tells of a restricted chart to whom may not read it, nor leaves a trace of the value', async () => {
    const { id, mrn } = await create(all, { restricted: true })
    await service.events()
    expect(await search(ssn.value)).toEqual([])
    expect(await search(ssn.value, registrar)).toEqual([id])
    const answer = await service.call('POST', '/api/v1/patients/search', {
      token: clinician,
      body: { identifier: ssn.value, mrn },
    })
    expect(answer.body.items).toEqual([])
    expect(JSON.stringify(await service.events())).not.toContain('6789')
  })
})

describe('changing FIELD_KEY', () => {
  const countOf = (stored: string, id: string) => stored.split(`"sealed":"${id}.`).length - 1

  test('nobody notices, and afterwards the old one is not needed', async () => {
    const { id } = await create()
    await change('PATCH', id, 1, { race: 'white' })
    const onlyInsurance = await create([insurance])
    const [old] = keys.ids as [string]

    giveKeys(FIELD_KEY, newKey)
    expect((await read(id)).identifiers).toEqual(all)
    const [next] = giveKeys(newKey, FIELD_KEY).ids as [string]
    expect((await read(id)).identifiers).toEqual(all)
    expect(await search(ssn.value)).toEqual([id])
    const { id: later } = await create([ssn])
    expect((await search(ssn.value)).sort()).toEqual([id, later].sort())

    const before = await owner.query('SELECT patient_id, version, at FROM patient_versions ORDER BY 1, 2')
    expect(await runRotation()).toEqual(['charts: 2 of 3 renewed', 'versions: 2 of 4 renewed'])
    expect(await owner.query('SELECT patient_id, version, at FROM patient_versions ORDER BY 1, 2')).toEqual(before)
    expect(await runRotation()).toEqual(['charts: 0 of 3 renewed', 'versions: 0 of 4 renewed'])

    giveKeys(newKey)
    await checkFieldKeys(service.db, keys)
    const stored = await dump()
    expect([countOf(stored, old), countOf(stored, next)]).toEqual([0, 11])
    expect(await read(id)).toMatchObject({ version: 2, identifiers: all })
    expect((await search(ssn.value)).sort()).toEqual([id, later].sort())
    expect((await search(insurance.value)).sort()).toEqual([id, onlyInsurance.id].sort())
  })

  test('what was never sealed is sealed and found', async () => {
    const { id } = await create()
    for (const table of ['patients', 'patient_versions'])
      await owner.query(
        `UPDATE ${table} SET demographics = jsonb_set(demographics::jsonb, '{identifiers}', $1::jsonb)`,
        [JSON.stringify(all)],
      )
    await owner.query('TRUNCATE patient_identifiers')
    expect(await dump()).toContain(ssn.value)
    expect(await search(ssn.value)).toEqual([])
    expect(await runRotation()).toEqual(['charts: 1 of 1 renewed', 'versions: 1 of 1 renewed'])
    for (const { value } of [ssn, passport, licence]) expect(await dump()).not.toContain(value)
    expect(await search(ssn.value)).toEqual([id])
    expect((await read(id)).identifiers).toEqual(all)
  })

  test('loses no edit that comes meanwhile, and makes no version of its own', async () => {
    const charts: { id: string; version: number }[] = []
    for (let n = 0; n < 130; n++) charts.push(await create([{ system: 'ssn', value: `000-00-${1000 + n}` }]))
    giveKeys(newKey, FIELD_KEY)
    let isOver = false
    const edits = (async () => {
      for (let n = charts.length - 1; !isOver; n = (n + charts.length - 7) % charts.length) {
        const { id, version } = charts[n]!
        const answer = await change('PATCH', id, version, { race: `r${version}` }, registrar)
        expect(answer.status).toBe(200)
        charts[n] = answer.body
      }
    })()
    await runRotation().finally(() => (isOver = true))
    await edits
    expect(await runRotation()).toEqual([
      'charts: 0 of 130 renewed',
      `versions: 0 of ${charts.reduce((sum, { version }) => sum + version, 0)} renewed`,
    ])
    giveKeys(newKey)
    for (const [n, { id, version }] of charts.entries()) {
      expect(await read(id)).toMatchObject({
        version,
        race: version > 1 ? `r${version - 1}` : null,
        identifiers: [{ value: `000-00-${1000 + n}` }],
      })
      if (version > 1) expect(await search(`000-00-${1000 + n}`)).toEqual([id])
    }
  })
})
