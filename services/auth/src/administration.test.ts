import { randomUUID } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import {
  addUser,
  expectEnded,
  login,
  meanwhile,
  query,
  refresh,
  service,
  signedIn,
  signIn,
  useAuth,
  verified,
} from './testing.ts'

useAuth()

const ask = (method: string, path: string, token: string, body?: object) =>
  service.call(method, `/api/v1/auth${path}`, { token, body })
const change = (id: string, body: object, token: string) => ask('PATCH', `/users/${id}`, token, body)

describe('an admin', () => {
  test('changes name and roles: other roles end the sessions, another name does not', async () => {
    const admin = await signedIn('admin')
    const { id, email, session } = await signedIn('nurse')
    const named = await change(id, { fullName: 'Nora Nurse' }, admin.session.token)
    expect([named.status, named.body.fullName]).toEqual([200, 'Nora Nurse'])
    expect((await refresh(session.refreshToken)).status).toBe(200)
    const promoted = await change(id, { roles: ['clinician', 'auditor'], fullName: 'Nora Nurse' }, admin.session.token)
    expect(promoted.body.roles).toEqual(['clinician', 'auditor'])
    await expectEnded(session.id)
    const { payload } = await verified((await signIn(email)).token)
    expect(payload.roles).toEqual(['clinician', 'auditor'])
    const updates = (await service.events()).filter(({ type }) => type === 'auth.user.updated')
    expect(updates).toMatchObject([
      { resource: { type: 'user', id }, changed: ['fullName'], actor: { id: admin.id } },
      { resource: { type: 'user', id }, changed: ['roles'] },
    ])
    expect(JSON.stringify(updates)).not.toContain('Nora')
  })

  test('disables an account, which ends its sessions at once, and enables it again', async () => {
    const admin = await signedIn('admin')
    const { id, email, session } = await signedIn('nurse')
    expect((await change(id, { disabled: true }, admin.session.token)).body.disabled).toBe(true)
    await expectEnded(session.id)
    expect((await login(email)).status).toBe(401)
    expect((await change(id, { disabled: false }, admin.session.token)).body.disabled).toBe(false)
    expect((await login(email)).status).toBe(200)
  })

  test('ends the sessions of somebody', async () => {
    const admin = await signedIn('admin')
    const { id, email, session } = await signedIn('nurse')
    const other = await signIn(email)
    expect((await ask('DELETE', `/users/${id}/sessions`, admin.session.token)).status).toBe(204)
    await expectEnded(session.id)
    await expectEnded(other.id)
    expect((await service.events()).at(-1)).toMatchObject({
      type: 'auth.session.ended',
      resource: { type: 'user', id },
    })
  })

  test('finds accounts by e-mail, part of a name, role and whether they are disabled', async () => {
    const admin = await signedIn('admin')
    const tag = randomUUID().slice(0, 8)
    const people = [
      await addUser(['nurse'], { fullName: `Anna ${tag}`, email: `anna-${tag}@example.org` }),
      await addUser(['clinician'], { fullName: `Hanna 100%_${tag}`, email: `hanna-${tag}@example.org` }),
      await addUser(['patient'], { fullName: `Joe ${tag}`, email: `joe-${tag}@example.org` }),
    ]
    await query('UPDATE users SET disabled = true WHERE id = $1', [people[1]!.id])
    const names = async (search: string) =>
      (await ask('GET', `/users?${search}`, admin.session.token)).body.items.map(
        ({ fullName }: { fullName: string }) => fullName.split(' ')[0],
      )
    expect(await names(`q=${tag}`)).toEqual(['Anna', 'Hanna', 'Joe'])
    expect(await names(`q=ANNA%20${tag}`)).toEqual(['Anna'])
    expect(await names(`q=${encodeURIComponent(`100%_${tag}`)}`)).toEqual(['Hanna'])
    expect(await names(`q=%25${tag}`)).toEqual([])
    expect(await names(`q=${tag}&role=nurse`)).toEqual(['Anna'])
    expect(await names(`q=${tag}&disabled=true`)).toEqual(['Hanna'])
    expect(await names(`email=JOE-${tag}@example.org`)).toEqual(['Joe'])
    for (const wrong of ['role=king', 'q=%00', 'disabled=x'])
      expect((await ask('GET', `/users?${wrong}`, admin.session.token)).status).toBe(422)
    const first = (await ask('GET', `/users?q=${tag}&limit=2`, admin.session.token)).body
    expect(first.items).toHaveLength(2)
    expect(await names(`q=${tag}&limit=2&cursor=${first.nextCursor}`)).toEqual(['Joe'])
  })

  test('is told what is not allowed: no change, unknown fields and roles, roles of a patient', async () => {
    const admin = await signedIn('admin')
    const [{ id }, patient] = [await addUser(['nurse']), await addUser(['patient'])]
    for (const body of [
      {},
      { email: 'x@example.org' },
      { roles: [] },
      { roles: ['king'] },
      { roles: ['patient'] },
      { disabled: 'x' },
    ])
      expect((await change(id, body, admin.session.token)).status).toBe(422)
    expect((await change(patient.id, { roles: ['nurse'] }, admin.session.token)).status).toBe(409)
    expect((await change(randomUUID(), { disabled: true }, admin.session.token)).status).toBe(404)
    expect((await change('7', { disabled: true }, admin.session.token)).status).toBe(422)
  })

  test.each(['clinician', 'nurse', 'registrar', 'auditor', 'patient'] as const)('is not %s', async (role) => {
    const { session } = await signedIn(role)
    const { id } = await addUser(['nurse'])
    const asked: [string, string, object?][] = [
      ['PATCH', `/users/${id}`, { disabled: true }],
      ['DELETE', `/users/${id}/sessions`],
      ['DELETE', `/users/${id}/totp`],
      ['POST', `/users/${id}/reset-password`],
      ['POST', '/keys/rotate'],
      ['GET', '/service-accounts'],
      ['POST', '/service-accounts', { name: 'x', roles: ['auditor'] }],
      ['POST', `/service-accounts/${id}/rotate`],
      ['DELETE', `/service-accounts/${id}`],
    ]
    for (const [method, path, body] of asked) {
      const { status, body: problem } = await ask(method, path, session.token, body)
      expect([path, status, problem.code]).toEqual([path, 403, 'forbidden'])
    }
  })
})

describe('the last admin', () => {
  /** The only one that can sign in. */
  async function last() {
    const admin = await signedIn('admin')
    await query(`UPDATE users SET disabled = true WHERE 'admin' = ANY(roles) AND id <> $1`, [admin.id])
    return admin
  }

  test('can neither be disabled nor lose the role, with a word why', async () => {
    const { id, session } = await last()
    for (const body of [{ disabled: true }, { roles: ['nurse'] }]) {
      const answer = await change(id, body, session.token)
      expect([answer.status, answer.body.detail]).toEqual([409, 'This is the last admin: make another one first.'])
    }
    expect((await change(id, { roles: ['admin', 'auditor'] }, session.token)).status).toBe(200)
  })

  test('of two who go at once one stays', async () => {
    const first = await last()
    const second = await signedIn('admin')
    for (let n = 0; n < 10; n++) {
      const answers = await Promise.all([
        change(first.id, { disabled: true }, first.session.token),
        change(second.id, { disabled: true }, second.session.token),
      ])
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
      await query('UPDATE users SET disabled = false WHERE id = ANY($1)', [[first.id, second.id]])
    }
  })
})

describe('a registrar', () => {
  test('finds a patient’s account by its e-mail, and no other account', async () => {
    const registrar = await signedIn('registrar')
    const [patient, nurse] = [await addUser(['patient']), await addUser(['nurse'])]
    const find = (search: string) => ask('GET', `/users${search}`, registrar.session.token)
    expect((await find(`?email=${patient.email}`)).body.items).toMatchObject([{ id: patient.id, roles: ['patient'] }])
    expect((await find(`?email=${nurse.email}`)).body.items).toEqual([])
    expect((await find(`?email=${nurse.email}&role=nurse`)).body.items).toEqual([])
    for (const search of ['', '?q=example', '?role=patient']) expect((await find(search)).status).toBe(403)
    expect((await ask('GET', `/users/${patient.id}`, registrar.session.token)).status).toBe(403)
  })

  test('links it to a chart, which its tokens name from then on, and takes that away', async () => {
    const registrar = await signedIn('registrar')
    const { id, email, session } = await signedIn('patient')
    const patientId = randomUUID()
    const linked = await ask('PUT', `/users/${id}/patient`, registrar.session.token, { patientId })
    expect([linked.status, linked.body.patientId]).toEqual([200, patientId])
    await expectEnded(session.id)
    const again = await signIn(email)
    expect((await verified(again.token)).payload.patientId).toBe(patientId)
    expect((await ask('DELETE', `/users/${id}/patient`, registrar.session.token)).status).toBe(204)
    await expectEnded(again.id)
    expect((await verified((await signIn(email)).token)).payload).not.toHaveProperty('patientId')
    const updates = (await service.events()).filter(({ type }) => type === 'auth.user.updated')
    const link = { resource: { type: 'user', id }, changed: ['patientId'], patientIds: [patientId] }
    expect(updates).toMatchObject([link, link])
  })

  test('links no chart twice, no account of the staff, and nothing that is no chart', async () => {
    const registrar = await signedIn('registrar')
    const [one, other, nurse] = [await addUser(['patient']), await addUser(['patient']), await addUser(['nurse'])]
    const patientId = randomUUID()
    const link = (id: string, body: object) => ask('PUT', `/users/${id}/patient`, registrar.session.token, body)
    expect((await link(one.id, { patientId })).status).toBe(200)
    expect((await link(one.id, { patientId })).status).toBe(200)
    expect((await link(other.id, { patientId })).status).toBe(409)
    expect((await link(nurse.id, { patientId: randomUUID() })).status).toBe(404)
    expect((await link(other.id, { patientId: 'x' })).status).toBe(422)
    for (const role of ['admin', 'clinician', 'patient'] as const) {
      const { session } = await signedIn(role)
      expect((await ask('PUT', `/users/${other.id}/patient`, session.token, { patientId: randomUUID() })).status).toBe(
        403,
      )
    }
  })
})

test('a sign-in that runs into being disabled comes to nothing', async () => {
  const { id, email } = await addUser(['nurse'])
  const answer = await meanwhile(() => login(email), 'UPDATE users SET disabled = true WHERE id = $1', [id])
  expect(answer.status).toBe(401)
})
