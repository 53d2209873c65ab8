import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { testToken } from '@caregate/common/testing/service'
import { openPatients } from '../testing.ts'

let service: Awaited<ReturnType<typeof openPatients>>
const registrarId = '0190a000-0000-7000-8000-00000000000a'
const clinicianId = '0190a000-0000-7000-8000-00000000000b'
const registrar = testToken(['registrar'], { sub: registrarId, name: 'Rita' })
const clinician = testToken(['clinician'], { sub: clinicianId, name: 'Clara' })
const address = { line: [], city: 'Boston', state: null, postalCode: null, country: 'US' }
const body = {
  name: { given: ['Ann'], family: 'Oldname' },
  birthDate: '1989-05-25',
  sex: 'female',
  addresses: [address],
}

/** A chart of four versions: created, moved and married, voided, restored. */
let id: string
const get = (path: string, token = registrar) => service.call('GET', `/api/v1/patients/${id}${path}`, { token })

beforeAll(async () => {
  service = await openPatients()
  id = (await service.call('POST', '/api/v1/patients', { token: registrar, body })).body.id
  await service.call('PATCH', `/api/v1/patients/${id}`, {
    token: clinician,
    headers: { 'if-match': '"1"' },
    body: {
      name: { family: 'Newname' },
      addresses: [{ ...address, city: 'Salem' }],
      telecom: [{ system: 'phone', value: '1' }],
    },
  })
  for (const what of ['void', 'restore'])
    await service.call('POST', `/api/v1/patients/${id}/${what}`, {
      token: clinician,
      body: { reason: `to ${what} it` },
    })
})
beforeEach(() => service.events())
afterAll(() => service.close())

test('every version is listed, newest first: who made it, when, what changed', async () => {
  const { body: page } = await get('/history')
  const clara = { id: clinicianId, name: 'Clara' }
  expect(page).toMatchObject({
    items: [
      { version: 4, change: 'restored', reason: 'to restore it', changed: ['status'], by: clara },
      { version: 3, change: 'voided', reason: 'to void it', changed: ['status'], by: clara },
      { version: 2, change: 'updated', reason: null, changed: ['name.family', 'telecom', 'addresses.city'], by: clara },
      { version: 1, change: 'created', reason: null, changed: [], by: { id: registrarId, name: 'Rita' } },
    ],
    nextCursor: null,
  })
  const times = page.items.map(({ at }: { at: string }) => Date.parse(at))
  expect(times).toEqual(times.toSorted((a: number, b: number) => b - a))
  expect(await service.events()).toMatchObject([
    { type: 'patients.patient.read', patientIds: [id], basis: 'role', request: { route: '/patients/{id}/history' } },
  ])
})

test('in pages, the last entry of one knows what changed too', async () => {
  const versions: unknown[] = []
  let cursor = ''
  do {
    const { body: page } = await get(`/history?limit=1${cursor}`)
    versions.push(
      ...page.items.map((item: { version: number; changed: string[] }) => [item.version, item.changed.length]),
    )
    cursor = page.nextCursor && `&cursor=${page.nextCursor}`
  } while (cursor)
  expect(versions).toEqual([
    [4, 1],
    [3, 1],
    [2, 3],
    [1, 0],
  ])
})

test('a version is read as it was', async () => {
  const now = (await get('')).body
  expect((await get('/history/4')).body).toEqual(now)
  expect((await get('/history/3')).body).toEqual({
    ...now,
    status: 'voided',
    version: 3,
    updatedAt: expect.any(String),
  })
  expect((await get('/history/1')).body).toMatchObject({ id, mrn: now.mrn, version: 1, name: body.name, telecom: [] })
  expect(await get('/history/5')).toMatchObject({ status: 404, body: { code: 'not_found' } })
  expect(await get('/history/0')).toMatchObject({ status: 422, body: { errors: [{ path: 'version' }] } })
})

test('two versions are compared field by field', async () => {
  const phone = { system: 'phone', value: '1', use: null }
  const changes = [
    { path: 'name.family', before: 'Oldname', after: 'Newname' },
    { path: 'telecom', before: [], after: [phone] },
    { path: 'addresses.0.city', before: 'Boston', after: 'Salem' },
  ]
  expect((await get('/history/2/diff')).body).toEqual({ from: 1, to: 2, changes })
  expect((await get('/history/4/diff?from=1')).body).toEqual({ from: 1, to: 4, changes })
  expect((await get('/history/3/diff?from=4')).body.changes).toEqual([
    { path: 'status', before: 'active', after: 'voided' },
  ])
  const first = (await get('/history/1/diff')).body
  expect(first).toMatchObject({ from: null, to: 1 })
  expect(first.changes).toContainEqual({ path: 'sex', before: null, after: 'female' })
  expect((await get('/history/4/diff?from=9')).status).toBe(404)
})

test('a voided chart keeps its history, for whom may read it', async () => {
  await service.call('POST', `/api/v1/patients/${id}/void`, { token: clinician, body: { reason: 'again' } })
  expect((await get('')).status).toBe(410)
  expect((await get('/history')).body.items).toHaveLength(5)
  expect((await get('/history', testToken(['patient'], { patientId: id }))).status).toBe(200)
  expect((await get('/history', testToken(['patient']))).status).toBe(403)
  expect((await get('/history', testToken(['auditor']))).status).toBe(403)
})

test('the database alone writes versions: the app role can neither add, change nor take away one', async () => {
  for (const statement of [
    'UPDATE patient_versions SET reason = NULL',
    'DELETE FROM patient_versions',
    'TRUNCATE patient_versions',
    'INSERT INTO patient_versions SELECT * FROM patient_versions',
    'ALTER TABLE patients DISABLE TRIGGER keep_patient_version',
  ])
    await expect(service.db.query(statement)).rejects.toMatchObject({ driverError: { code: '42501' } })
})
