import { randomUUIDv7 } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { addUser, freshEmail, password, post, query, service, signedIn, useAuth } from './testing.ts'

useAuth()

describe('registering', () => {
  test('makes a patient, without the password in the answer or in clear in the database', async () => {
    const email = freshEmail()
    const answer = await post('/register', { email, password, fullName: 'Ann Example' })
    expect(answer.status).toBe(201)
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{14}7/),
      email,
      fullName: 'Ann Example',
      roles: ['patient'],
      patientId: null,
      disabled: false,
      totpEnabled: false,
      createdAt: expect.stringMatching(/Z$/),
    })
    const [row] = await query<{ hash: string }>('SELECT password_hash AS hash FROM users WHERE email = $1', [email])
    expect(row!.hash).toMatch(/^\$2b\$04\$/)
    expect(await service.events()).toMatchObject([
      {
        type: 'auth.user.created',
        outcome: 'success',
        resource: { type: 'user', id: answer.body.id },
        request: { status: 201 },
      },
    ])
  })

  test('an e-mail has one account, whatever its case, also when eight register at once', async () => {
    const email = freshEmail()
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_none, n) =>
        post('/register', { email: n % 2 ? email : email.toUpperCase(), password, fullName: 'One of eight' }),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(7).fill(409)])
    expect(answers.find(({ status }) => status === 409)!.body.code).toBe('conflict')
    expect(await query('SELECT email FROM users WHERE lower(email) = $1', [email])).toEqual([{ email }])
    const outcomes = (await service.events()).map(({ outcome }) => outcome).sort()
    expect(outcomes).toEqual([...Array<string>(7).fill('failure'), 'success'])
  })

  test.each([
    ['abc', ['must have at least 8 characters', 'must contain an upper-case letter', 'must contain a digit']],
    ['PASSWORD', ['must contain a lower-case letter', 'must contain a digit', 'is among the most common passwords']],
    [`Aa1${'é'.repeat(35)}`, ['must have at most 72 bytes']],
  ])('the password %s is told every rule that it breaks', async (weak, broken) => {
    const email = freshEmail()
    const answer = await post('/register', { email, password: weak, fullName: 'Ann Example' })
    expect(answer.status).toBe(422)
    expect(answer.body.errors).toEqual(broken.map((rule) => ({ path: 'password', message: `password ${rule}` })))
    expect(await query('SELECT 1 FROM users WHERE email = $1', [email])).toEqual([])
    expect(await service.events()).toMatchObject([{ type: 'auth.user.created', code: 'validation_failed' }])
  })

  test('nobody gives themself a role', async () => {
    const answer = await post('/register', { email: freshEmail(), password, fullName: 'Ann', roles: ['admin'] })
    expect(answer.status).toBe(422)
    expect(answer.body.errors).toMatchObject([{ path: 'roles' }])
  })
})

describe('accounts', () => {
  test('everybody reads their own and changes the name in it', async () => {
    const { id, email, session } = await signedIn('patient')
    const me = (method: string, body?: object) =>
      service.call(method, '/api/v1/auth/me', { token: session.token, body })
    expect((await me('GET')).body).toMatchObject({ id, email, fullName: 'A patient', roles: ['patient'] })
    const changed = await me('PATCH', { fullName: 'Another Name' })
    expect([changed.status, changed.body.fullName]).toEqual([200, 'Another Name'])
    expect((await me('GET')).body.fullName).toBe('Another Name')
    expect((await me('PATCH', { fullName: 'Ann', roles: ['admin'], email })).body.errors).toMatchObject([
      { path: 'roles' },
      { path: 'email' },
    ])
    const events = await service.events()
    expect(events.map(({ type }) => type.slice(10))).toEqual(['read', 'updated', 'read', 'updated'])
    expect(events[1]).toMatchObject({ changed: ['fullName'], resource: { type: 'user', id } })
  })

  test('an admin pages through all of them, each once', async () => {
    const { session } = await signedIn('admin')
    await Promise.all(Array.from({ length: 3 }, () => addUser(['nurse'])))
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const at: string = cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''
      const { status, body } = await service.call('GET', `/api/v1/auth/users?limit=2${at}`, { token: session.token })
      expect(status).toBe(200)
      expect(body.items.length).toBeLessThanOrEqual(2)
      expect(JSON.stringify(body)).not.toContain('$2b$')
      seen.push(...body.items.map(({ id }: { id: string }) => id))
      cursor = body.nextCursor
    } while (cursor)
    expect(seen).toEqual((await query<{ id: string }>('SELECT id FROM users ORDER BY id')).map(({ id }) => id))
    expect(seen.length).toBeGreaterThan(4)
    const whole = await service.call('GET', `/api/v1/auth/users?limit=${seen.length}`, { token: session.token })
    expect([whole.body.items.length, whole.body.nextCursor]).toEqual([seen.length, null])
    const forged = await service.call('GET', '/api/v1/auth/users?cursor=abcdef', { token: session.token })
    expect([forged.status, forged.body.errors[0].path]).toEqual([422, 'cursor'])
  })

  test('an admin reads one', async () => {
    const { session } = await signedIn('admin')
    const { id, email } = await addUser(['nurse'])
    const read = (of: string) => service.call('GET', `/api/v1/auth/users/${of}`, { token: session.token })
    expect((await read(id)).body).toMatchObject({ id, email, roles: ['nurse'] })
    const unknown = randomUUIDv7()
    expect((await read(unknown)).status).toBe(404)
    expect(await service.events()).toMatchObject([
      { type: 'auth.user.read', outcome: 'success', resource: { type: 'user', id } },
      { type: 'auth.user.read', outcome: 'failure', code: 'not_found', resource: { type: 'user', id: unknown } },
    ])
  })

  test.each(['clinician', 'nurse', 'registrar', 'auditor', 'patient'] as const)(
    'the role %s neither sees nor makes accounts',
    async (role) => {
      const { id, session } = await signedIn(role)
      const asked = [
        ['GET', '/api/v1/auth/users'],
        ['GET', `/api/v1/auth/users/${id}`],
        ['POST', '/api/v1/auth/users'],
      ] as const
      for (const [method, path] of asked)
        expect((await service.call(method, path, { token: session.token })).status).toBe(403)
      const denied = { outcome: 'denied', code: 'forbidden', actor: { id } }
      expect(await service.events()).toMatchObject([denied, denied, denied])
    },
  )
})

test('every request of a patient is one event, without a value of theirs in it', async () => {
  const [email, fullName, renamed, chosen] = [freshEmail(), 'Wilhelmina Quill', 'Wilma Quill', 'Another-7-lantern']
  const admin = await signedIn('admin')
  const statuses: number[] = []
  const ask = async (method: string, path: string, options: { token?: string; body?: object } = {}) => {
    const answer = await service.call(method, `/api/v1/auth${path}`, options)
    statuses.push(answer.status)
    return answer.body
  }
  const { id } = await ask('POST', '/register', { body: { email, password, fullName } })
  await ask('POST', '/register', { body: { email, password, fullName } })
  await ask('POST', '/register', { body: { email, password: '<script>', fullName: `<script>${fullName}` } })
  await ask('POST', '/login', { body: { email, password: chosen } })
  const { accessToken: token, refreshToken } = await ask('POST', '/login', { body: { email, password } })
  await ask('GET', '/me', { token })
  await ask('PATCH', '/me', { token, body: { fullName: renamed } })
  await ask('POST', '/password', { token, body: { currentPassword: password, newPassword: chosen } })
  await ask('POST', '/refresh', { body: { refreshToken } })
  await ask('GET', `/users/${id}`, { token: admin.session.token })
  await ask('GET', `/users?email=${email}`, { token: admin.session.token })
  await ask('GET', '/users', { token })
  await ask('GET', '/me')
  await ask('GET', '/login')
  await ask('POST', '/logout', { token })
  await ask('POST', '/refresh', { body: { refreshToken } })
  expect(statuses).toEqual([201, 409, 422, 401, 200, 200, 200, 204, 200, 200, 200, 403, 401, 405, 204, 401])
  const events = await service.events()
  expect(events.map(({ request }) => request.status)).toEqual(statuses)
  const written = JSON.stringify(events)
  for (const value of [email, 'Quill', password, chosen, token, refreshToken]) expect(written).not.toContain(value)
})
