import { randomUUID } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { clean } from './upkeep.ts'
import { expectEnded, meanwhile, post, query, service, signedIn, useAuth, verified } from './testing.ts'

useAuth()

interface Account {
  id: string
  clientId: string
  clientSecret: string
}
const token = (clientId: string, clientSecret: string) => post('/token', { clientId, clientSecret })
const ask = (method: string, path: string, bearer: string) =>
  service.call(method, `/api/v1/auth${path}`, { token: bearer })

async function opened() {
  const admin = await signedIn('admin')
  const name = `Dashboard ${randomUUID()}`
  const answer = await post('/service-accounts', { name, roles: ['auditor'] }, admin.session.token)
  expect(answer.status).toBe(201)
  return { admin: admin.session.token, name, ...(answer.body as Account) }
}

test('a machine gets tokens of its roles, and nothing to refresh them with', async () => {
  const { id, name, clientId, clientSecret } = await opened()
  await service.events()
  const { status, body } = await token(clientId, clientSecret)
  expect([status, Object.keys(body).sort()]).toEqual([200, ['accessToken', 'expiresIn', 'tokenType']])
  expect((await verified(body.accessToken)).payload).toMatchObject({ sub: id, name, roles: ['auditor'] })
  expect((await ask('GET', '/users', body.accessToken)).status).toBe(403)
  expect((await ask('GET', '/me', body.accessToken)).status).toBe(404)
  expect((await service.events())[0]).toMatchObject({
    type: 'auth.session.started',
    actor: { id, name, roles: ['auditor'] },
    resource: { type: 'service-account', id },
  })
})

test('the secret is shown once, kept as a hash, and listed nowhere', async () => {
  const { admin, id, clientSecret } = await opened()
  const { items } = (await ask('GET', '/service-accounts?limit=200', admin)).body as { items: { id: string }[] }
  const listed = items.find((account) => account.id === id)
  expect(Object.keys(listed!).sort()).toEqual(['createdAt', 'id', 'name', 'roles', 'rotatedAt'])
  expect(JSON.stringify(await query('SELECT * FROM service_accounts WHERE id = $1', [id]))).not.toContain(clientSecret)
  expect(JSON.stringify(await service.events())).not.toContain(clientSecret)
})

test('a wrong secret or client is refused, and which of them is not said', async () => {
  const { id, clientId, clientSecret } = await opened()
  await service.events()
  const answers = [
    await token(clientId, `${clientSecret}x`),
    await token(randomUUID(), clientSecret),
    await token('nobody', clientSecret),
    await token(clientId, 'x'),
  ]
  for (const { status, body } of answers)
    expect([status, body.detail]).toEqual([401, 'clientId or clientSecret is wrong.'])
  expect((await token(clientId, '')).status).toBe(422)
  const events = await service.events()
  expect(events).toHaveLength(5)
  expect(events[0]).toMatchObject({ type: 'auth.session.failed', outcome: 'denied', resource: { id } })
})

test('of one that is deleted while it asks for a token nothing else is said', async () => {
  const { id, clientId, clientSecret } = await opened()
  const asking = meanwhile(() => token(clientId, clientSecret), 'DELETE FROM service_accounts WHERE id = $1', [id])
  expect(await asking).toMatchObject({ status: 401, body: { detail: 'clientId or clientSecret is wrong.' } })
})

test('its tokens have one session, which rotating ends: the old secret and all tokens are dead at once', async () => {
  const { admin, id, clientId, clientSecret } = await opened()
  const sidOf = async (secret: string) =>
    (await verified((await token(clientId, secret)).body.accessToken)).payload.sid as string
  const session = await sidOf(clientSecret)
  expect(await sidOf(clientSecret)).toBe(session)
  const rotated = await ask('POST', `/service-accounts/${id}/rotate`, admin)
  expect([rotated.status, rotated.body.clientId]).toEqual([200, clientId])
  await expectEnded(session)
  expect((await token(clientId, clientSecret)).status).toBe(401)
  expect(await sidOf(rotated.body.clientSecret)).not.toBe(session)
  expect((await service.events()).find(({ type }) => type === 'auth.service-account.updated')).toMatchObject({
    resource: { type: 'service-account', id },
    changed: ['clientSecret'],
  })
})

test('its session is not forgotten while it is used', async () => {
  const { admin, id, clientId, clientSecret } = await opened()
  const first = (await token(clientId, clientSecret)).body
  const { sid } = (await verified(first.accessToken)).payload as { sid: string }
  await query(`UPDATE sessions SET rotated_at = now() - interval '59 days' WHERE id = $1`, [sid])
  await token(clientId, clientSecret)
  await query(`UPDATE sessions SET rotated_at = rotated_at - interval '2 days' WHERE id = $1`, [sid])
  await clean(service.db, { REFRESH_TOKEN_EXPIRE_DAYS: 30 })
  await ask('DELETE', `/service-accounts/${id}`, admin)
  await expectEnded(sid)
})

test('a deleted one is gone, and its tokens are dead', async () => {
  const { admin, id, clientId, clientSecret } = await opened()
  const { sid } = (await verified((await token(clientId, clientSecret)).body.accessToken)).payload as { sid: string }
  expect((await ask('DELETE', `/service-accounts/${id}`, admin)).status).toBe(204)
  await expectEnded(sid)
  expect((await token(clientId, clientSecret)).status).toBe(401)
  expect((await ask('DELETE', `/service-accounts/${id}`, admin)).status).toBe(404)
  expect((await ask('POST', `/service-accounts/${id}/rotate`, admin)).status).toBe(404)
})

test('a name is taken once, and roles are those of the staff', async () => {
  const { admin, name } = await opened()
  expect((await post('/service-accounts', { name, roles: ['auditor'] }, admin)).status).toBe(409)
  for (const body of [
    { name: 'x' },
    { name: 'x', roles: [] },
    { name: 'x', roles: ['patient'] },
    { name: '', roles: ['auditor'] },
  ])
    expect((await post('/service-accounts', body, admin)).status).toBe(422)
})
