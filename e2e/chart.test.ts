import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { until } from '@caregate/common/testing/until'
import { newPassword } from '../platform/client.ts'
import { openTestPlatform } from './platform.ts'

let platform: Awaited<ReturnType<typeof openTestPlatform>>

beforeAll(async () => {
  platform = await openTestPlatform()
}, 60_000)
afterAll(() => platform.close())

const subjectOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).sub as string

test('a clinician breaks the glass: the log, an auditor and the patient learn of it, and of why the auditor alone', async () => {
  const { call } = platform
  const { token: registrar } = await platform.addStaff('registrar')
  const { token: clinician } = await platform.addStaff('clinician')
  const { token: auditor } = await platform.addStaff('auditor')
  const ana = { name: { given: ['Ana'], family: 'Quispe' }, birthDate: '1991-02-03', sex: 'female' }
  const { id } = (await call('POST', '/api/v1/patients', { token: registrar, body: { ...ana, restricted: true } })).body
  const path = `/api/v1/patients/${id}`
  const account = { email: 'ana@e2e.caregate.local', password: newPassword() }
  const registration = { ...account, fullName: 'Ana Quispe' }
  const { id: userId } = (await call('POST', '/api/v1/auth/register', { body: registration })).body
  const link = { token: registrar, body: { patientId: id } }
  expect((await call('PUT', `/api/v1/auth/users/${userId}/patient`, link)).status).toBe(200)
  const patient = (await call('POST', '/api/v1/auth/login', { body: account })).body.accessToken

  expect((await call('GET', path, { token: clinician })).body.code).toBe('restricted')
  const reason = 'Unconscious in the emergency room'
  const broken = await call('POST', `${path}/break-glass`, { token: clinician, body: { reason } })
  expect(broken.status).toBe(201)
  const { grantId } = broken.body
  const read = await call('GET', path, { token: clinician })
  expect([read.status, read.headers.get('x-break-glass')]).toEqual([200, grantId])

  // whoever broke it stands in the log, and is to be asked
  await until(async () => (await platform.events({ patientId: id, type: 'patients.patient.read' })).length === 2, 5)
  const about = await platform.events({ patientId: id, actorId: subjectOf(clinician) })
  expect(about).toMatchObject([
    { type: 'patients.patient.read', outcome: 'success', basis: 'break-glass', breakGlass: { grantId } },
    { type: 'patients.break-glass.created', outcome: 'success', breakGlass: { grantId } },
    { type: 'patients.patient.read', outcome: 'denied', code: 'restricted' },
  ])
  const reviews = await call('GET', '/api/v1/audit/reviews?state=open&kind=break-glass', { token: auditor })
  expect(reviews.body.items).toMatchObject([
    { kind: 'break-glass', eventId: about[1]!.id, count: 1, actor: { name: 'The clinician' }, patientIds: [id] },
  ])
  const grant = await call('GET', `/api/v1/patients/break-glass/${grantId}`, { token: auditor })
  expect(grant).toMatchObject({
    status: 200,
    body: { patientId: id, clinicianId: subjectOf(clinician), clinicianName: 'The clinician', reason },
  })

  const accesses = (await call('GET', `/api/v1/audit/patients/${id}/accesses`, { token: patient })).body.items
  const ofClinician = accesses.filter(({ actor }: { actor: { name: string } }) => actor.name === 'The clinician')
  expect(ofClinician).toMatchObject([
    { type: 'patients.patient.read', basis: 'break-glass', breakGlass: { grantId }, ip: null },
    { type: 'patients.break-glass.created', breakGlass: { grantId } },
  ])
  expect(JSON.stringify([about, accesses, reviews.body])).not.toContain('Unconscious')
})
