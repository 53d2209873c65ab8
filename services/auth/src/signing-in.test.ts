import { randomUUIDv7 } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { describe, expect, test } from '@jest/globals'
import type { Answer } from '@caregate/common/testing/service'
import {
  addUser,
  expectEnded,
  freshEmail,
  login,
  minutes,
  password,
  passwords,
  post,
  query,
  service,
  signIn,
  signedIn,
  uniform,
  useAuth,
  verified,
  openAuth,
} from './testing.ts'

useAuth()

const withoutIds = ({ status, body: { requestId, ...body }, headers }: Answer) => {
  const own = ['date', 'x-request-id', 'x-process-time']
  return { httpStatus: status, body, headers: [...headers].filter(([name]) => !own.includes(name)) }
}

describe('signing in', () => {
  test('gives a token that anybody can check by the published keys', async () => {
    const user = await addUser(['clinician'])
    const { status, headers, body } = await login(user.email.toUpperCase())
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(body).toMatchObject({ tokenType: 'Bearer', expiresIn: minutes * 60 })
    const { protectedHeader, payload } = await verified(body.accessToken)
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) })
    expect(payload).toEqual({
      iss: 'caregate',
      aud: 'caregate',
      sub: user.id,
      sid: expect.any(String),
      roles: ['clinician'],
      name: 'A clinician',
      jti: expect.any(String),
      iat: expect.any(Number),
      nbf: payload.iat! - 5,
      exp: payload.iat! + minutes * 60,
    })
    expect(Math.abs(Date.now() / 1000 - payload.iat!)).toBeLessThan(5)
    expect(await query('SELECT user_id FROM sessions WHERE id = $1', [payload.sid])).toEqual([{ user_id: user.id }])
    expect(await service.events()).toMatchObject([
      {
        type: 'auth.session.started',
        outcome: 'success',
        actor: { id: user.id, name: 'A clinician', roles: ['clinician'], sessionId: payload.sid },
      },
    ])
  })

  test('the token of an account with a chart names the chart', async () => {
    const { id, email } = await addUser(['patient'])
    const patientId = randomUUIDv7()
    await query('UPDATE users SET patient_id = $2 WHERE id = $1', [id, patientId])
    expect((await verified((await signIn(email)).token)).payload).toMatchObject({ patientId, roles: ['patient'] })
  })

  test('whatever is wrong, the answer is the same, and the event says denied', async () => {
    const [known, disabled, lapsed] = await Promise.all([addUser(['nurse']), addUser(['nurse']), addUser(['nurse'])])
    const longest = 'Aa1'.padEnd(72, 'x')
    const long = await addUser(['nurse'], { passwordHash: await passwords.hash(longest) })
    await query('UPDATE users SET disabled = true WHERE id = $1', [disabled.id])
    await query(`UPDATE users SET one_time_until = now() - interval '1 second' WHERE id = $1`, [lapsed.id])
    const answers = [
      await login(freshEmail()),
      await login(known.email, 'Another-7-lantern'),
      await login(disabled.email),
      await login(lapsed.email),
      await login(long.email, `${longest} and more, at which bcrypt would not look`),
    ]
    expect(answers[0]!.body).toMatchObject(uniform)
    for (const answer of answers) expect(withoutIds(answer)).toEqual(withoutIds(answers[0]!))
    const events = await service.events()
    expect(events).toHaveLength(5)
    for (const event of events)
      expect(event).toMatchObject({ type: 'auth.session.failed', outcome: 'denied', code: 'unauthorized' })
    expect(events.map(({ resource }) => resource?.id)).toEqual([undefined, known.id, disabled.id, lapsed.id, long.id])
    expect(events[0]!.actor).toEqual({ id: null, name: null, roles: [], sessionId: null })
  })
})

describe('a one-time password', () => {
  test('is good for choosing a password and for nothing else, once', async () => {
    const admin = await signedIn('admin')
    const email = freshEmail()
    const made = await post('/users', { email, fullName: 'New Nurse', roles: ['nurse'] }, admin.session.token)
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({ email, roles: ['nurse'], oneTimePassword: expect.any(String) })
    const { oneTimePassword } = made.body

    const first = await login(email, oneTimePassword)
    expect([first.status, first.body.mustChangePassword]).toEqual([200, true])
    expect(first.body).not.toHaveProperty('refreshToken')
    const token: string = first.body.accessToken
    const { payload } = await verified(token)
    expect(payload.scope).toBe('password')
    const elsewhere = await service.call('GET', '/api/v1/auth/me', { token })
    expect([elsewhere.status, elsewhere.body.code]).toEqual([403, 'password_change_required'])

    const change = { currentPassword: oneTimePassword, newPassword: password }
    expect((await post('/password', change, token)).status).toBe(204)
    await expectEnded(payload.sid as string)
    expect(withoutIds(await login(email, oneTimePassword))).toMatchObject({ body: uniform })
    const again = await login(email)
    expect([again.status, again.body.mustChangePassword]).toEqual([200, undefined])
    expect(again.body.refreshToken).toEqual(expect.any(String))
    expect((await service.events()).map(({ type, outcome }) => [type, outcome])).toEqual([
      ['auth.user.created', 'success'],
      ['auth.session.started', 'success'],
      ['auth.user.read', 'denied'],
      ['auth.password.updated', 'success'],
      ['auth.session.failed', 'denied'],
      ['auth.session.started', 'success'],
    ])
  })

  test('is good for 72 hours', async () => {
    const admin = await signedIn('admin')
    const body = { email: freshEmail(), fullName: 'New Nurse', roles: ['nurse'] }
    const { id } = (await post('/users', body, admin.session.token)).body
    const [row] = await query<{ until: Date }>('SELECT one_time_until AS until FROM users WHERE id = $1', [id])
    expect(Math.abs(row!.until.getTime() - Date.now() - 72 * 3_600_000)).toBeLessThan(10_000)
  })

  test('comes with a staff account, which no patient is', async () => {
    const { session } = await signedIn('admin')
    const body = { email: freshEmail(), fullName: 'Somebody', roles: ['patient'] }
    expect((await post('/users', body, session.token)).body.errors).toMatchObject([{ path: 'roles.0' }])
    expect((await post('/users', { ...body, roles: [] }, session.token)).body.errors).toMatchObject([{ path: 'roles' }])
  })
})

describe('passwords', () => {
  test('are hashed anew by a sign-in when a hash costs more than it did', async () => {
    const stronger = await openAuth({ BCRYPT_COST: 5 })
    try {
      const [email, ask] = [
        'ann@example.org',
        (path: string, body: object) => stronger.call('POST', `/api/v1/auth${path}`, { body }),
      ]
      await ask('/register', { email, password, fullName: 'Ann Example' })
      const rounds = async () => {
        const [row] = await stronger.db.query<{ hash: string }[]>('SELECT password_hash AS hash FROM users')
        return row!.hash.slice(4, 6)
      }
      await stronger.db.query('UPDATE users SET password_hash = $1', [await passwords.hash(password)])
      expect((await ask('/login', { email, password: 'Wrong-7-lantern' })).status).toBe(401)
      expect(await rounds()).toBe('04')
      expect((await ask('/login', { email, password })).status).toBe(200)
      expect(await rounds()).toBe('05')
      expect((await ask('/login', { email, password })).status).toBe(200)
    } finally {
      await stronger.close()
    }
  })

  test('that too many want checked at once are not waited for', async () => {
    const busy = await openAuth({ BCRYPT_COST: 8 })
    try {
      // sixteen for each core wait, and one is at work there
      const many = availableParallelism() * 17 + 50
      const answers = await Promise.all(
        Array.from({ length: many }, (_none, n) =>
          busy.call('POST', '/api/v1/auth/login', { body: { email: `nobody-${n}@example.org`, password } }),
        ),
      )
      const refused = answers.filter(({ status }) => status === 503)
      expect(refused.length).toBeGreaterThan(20)
      for (const { headers, body } of refused)
        expect([headers.get('retry-after'), body.code]).toEqual(['2', 'unavailable'])
      expect(answers.filter(({ status }) => status === 401).length).toBe(many - refused.length)
    } finally {
      await busy.close()
    }
  })
})
