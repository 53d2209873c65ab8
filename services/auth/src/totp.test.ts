import { describe, expect, test } from '@jest/globals'
import { generateSync } from 'otplib'
import { buildSeal } from '@caregate/common/seal'
import type { UserRow } from './database.ts'
import {
  expectEnded,
  login,
  openAuth,
  password,
  post,
  query,
  refresh,
  service,
  signedIn,
  signIn,
  useAuth,
} from './testing.ts'
import { buildTotp, mustHaveTotp, type Enrolment } from './totp.ts'

useAuth()

const step = 30
const now = (): number => Math.floor(Date.now() / 1000)
/** A code that was not used yet: of the step after this one, which a clock that is ahead would show. */
const next = (secret: string): string => generateSync({ secret, epoch: now() + step })
const current = (secret: string): string => generateSync({ secret, epoch: now() })
const enrol = async (token: string): Promise<Enrolment> => (await post('/totp', {}, token)).body as Enrolment
const confirm = (totp: string, token: string) => post('/totp/confirm', { totp }, token)
const loginWith = (email: string, totp?: string) => post('/login', { email, password, totp })

async function enrolled(...roles: Parameters<typeof signedIn>) {
  const user = await signedIn(...roles)
  const enrolment = await enrol(user.session.token)
  const spent = current(enrolment.secret)
  expect((await confirm(spent, user.session.token)).status).toBe(204)
  await service.events()
  return { ...user, ...enrolment, spent }
}

describe('enrolling a second factor', () => {
  test('shows secret, URI, QR code and ten recovery codes once, and counts when a code of it is confirmed', async () => {
    const { email, session } = await signedIn('nurse')
    const answer = await post('/totp', {}, session.token)
    expect(answer.status).toBe(201)
    const { secret, otpauthUri, qrDataUri, recoveryCodes } = answer.body as Enrolment
    expect(Object.fromEntries(new URL(otpauthUri).searchParams)).toMatchObject({ secret, issuer: 'Caregate' })
    expect(decodeURIComponent(otpauthUri)).toContain(`otpauth://totp/Caregate:${email}?`)
    expect(qrDataUri).toMatch(/^data:image\/png;base64,iVBOR/)
    expect(new Set(recoveryCodes).size).toBe(10)
    expect((await loginWith(email)).status).toBe(200)
    expect((await confirm('000000', session.token)).status).toBe(401)
    expect((await confirm(recoveryCodes[0]!, session.token)).status).toBe(401)
    expect((await confirm(current(secret), session.token)).status).toBe(204)
    expect((await service.call('GET', '/api/v1/auth/me', { token: session.token })).body.totpEnabled).toBe(true)
    expect((await loginWith(email)).body.code).toBe('totp_required')
    expect((await post('/totp', {}, session.token)).status).toBe(409)
    expect((await service.events()).map(({ type, outcome }) => `${type} ${outcome}`)).toEqual([
      'auth.totp.created success',
      'auth.session.started success',
      'auth.totp.updated denied',
      'auth.totp.updated denied',
      'auth.totp.updated success',
      'auth.user.read success',
      'auth.session.failed denied',
      'auth.totp.created failure',
    ])
  })

  test('ends the other sessions', async () => {
    const { email, session } = await signedIn('nurse')
    const other = await signIn(email)
    const { secret } = await enrol(session.token)
    await confirm(current(secret), session.token)
    await expectEnded(other.id)
    expect((await refresh(session.refreshToken)).status).toBe(200)
  })

  test('without having begun there is nothing to confirm or to remove', async () => {
    const { session } = await signedIn('nurse')
    expect((await confirm('123456', session.token)).status).toBe(404)
    expect((await service.call('DELETE', '/api/v1/auth/totp', { token: session.token })).status).toBe(404)
  })

  test('the secret stands in the database sealed, recovery codes as hashes', async () => {
    const { id, secret, recoveryCodes } = await enrolled('nurse')
    const [row] = await query('SELECT * FROM users WHERE id = $1', [id])
    for (const value of [secret, ...recoveryCodes]) expect(JSON.stringify(row)).not.toContain(value)
  })
})

describe('a second factor by itself', () => {
  const totp = buildTotp(buildSeal('a test', 'a secret of the test'))
  async function holder() {
    const user = { id: 'x', email: 'ann@example.org' } as UserRow
    const { change, enrolment } = await totp.enrol(user)
    return { user: { ...user, ...change }, ...enrolment }
  }
  const at = (secret: string, steps: number) => generateSync({ secret, epoch: now() + steps * step })

  test('is good a step before and after its time, and has six digits', async () => {
    const { user, secret } = await holder()
    for (const steps of [-1, 0, 1])
      expect(totp.spend(user, at(secret, steps)).totpStep).toBeGreaterThanOrEqual(Math.floor(now() / step) - 2)
    for (const code of [at(secret, -3), at(secret, 3), `1${at(secret, 0)}`, `${at(secret, 0)}1`, ''])
      expect(() => totp.spend(user, code)).toThrow('The code is wrong')
  })

  test('of a clock that is ahead leaves none of now good', async () => {
    const { user, secret } = await holder()
    const ahead = { ...user, totpStep: Math.floor(now() / step) + 3 }
    for (const steps of [-1, 0, 1]) expect(() => totp.spend(ahead, at(secret, steps))).toThrow('The code is wrong')
  })

  test('is wanted of whoever has one of the roles that need it', () => {
    const needs = (...of: UserRow['roles']) =>
      mustHaveTotp({ roles: of }, { TOTP_REQUIRED_ROLES: ['admin', 'auditor'] })
    expect([needs('admin'), needs('nurse', 'admin'), needs('nurse'), needs()]).toEqual([true, true, false, false])
  })

  test('has ten recovery codes that can be read out, each good once', async () => {
    const { user, recoveryCodes } = await holder()
    expect(new Set(recoveryCodes).size).toBe(10)
    for (const code of recoveryCodes) expect(code).toMatch(/^[A-HJ-NP-Z2-9]{4}(-[A-HJ-NP-Z2-9]{4}){3}$/)
    const { recoveryHashes } = totp.spend(user, recoveryCodes[7]!)
    expect(recoveryHashes).toEqual(user.recoveryHashes.toSpliced(7, 1))
  })
})

describe('signing in with a second factor', () => {
  test('takes a code of this moment, of the one before or after, and none twice', async () => {
    const { email, secret, spent } = await enrolled('nurse')
    // it confirmed the enrolment
    expect((await loginWith(email, spent)).status).toBe(401)
    const code = next(secret)
    expect((await loginWith(email, code)).status).toBe(200)
    expect((await loginWith(email, code)).status).toBe(401)
    expect((await loginWith(email, generateSync({ secret, epoch: now() - 90 }))).status).toBe(401)
  })

  test('of ten that use one code at once one gets in', async () => {
    const { email, secret } = await enrolled('nurse')
    const code = next(secret)
    const answers = await Promise.all(Array.from({ length: 10 }, () => loginWith(email, code)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(9)
  })

  test('a recovery code is as good, in either case, once', async () => {
    const { email, recoveryCodes } = await enrolled('nurse')
    expect((await loginWith(email, recoveryCodes[3]!.toLowerCase())).status).toBe(200)
    expect((await service.events()).at(-1)).toMatchObject({ type: 'auth.session.started', changed: ['recoveryCodes'] })
    expect((await loginWith(email, recoveryCodes[3])).status).toBe(401)
    expect((await loginWith(email, recoveryCodes[4])).status).toBe(200)
  })

  test('a wrong password says nothing of it, whatever the code', async () => {
    const { email, secret } = await enrolled('nurse')
    const answer = await post('/login', { email, password: 'Wrong-7-lantern', totp: next(secret) })
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized'])
    expect((await loginWith(email, next(secret))).status).toBe(200)
  })
})

describe('removing it', () => {
  test('lets the password alone do again; other sessions end', async () => {
    const { email, secret, session } = await enrolled('nurse')
    const other = (await loginWith(email, next(secret))).body
    expect((await service.call('DELETE', '/api/v1/auth/totp', { token: session.token })).status).toBe(204)
    expect((await refresh(other.refreshToken)).status).toBe(401)
    expect((await login(email)).status).toBe(200)
  })

  test('an admin does so for somebody who lost it; all sessions end', async () => {
    const admin = await signedIn('admin')
    const { id, email, session } = await enrolled('nurse')
    const answer = await service.call('DELETE', `/api/v1/auth/users/${id}/totp`, { token: admin.session.token })
    expect(answer.status).toBe(204)
    await expectEnded(session.id)
    expect((await login(email)).status).toBe(200)
    expect(await service.events()).toContainEqual(
      expect.objectContaining({ type: 'auth.totp.deleted', resource: { type: 'user', id }, changed: ['totp'] }),
    )
  })
})

test('where the policy wants one, a token is good for enrolling alone until there is one', async () => {
  const strict = await openAuth({ TOTP_REQUIRED_ROLES: ['admin'] })
  try {
    const call = (method: string, path: string, token?: string, body?: object) =>
      strict.call(method, `/api/v1/auth${path}`, { token, body })
    const registered = { email: 'ann@example.org', password, fullName: 'Ann Example' }
    await call('POST', '/register', undefined, registered)
    expect((await call('POST', '/login', undefined, registered)).status).toBe(422)
    const credentials = { email: registered.email, password }
    const before = (await call('POST', '/login', undefined, credentials)).body
    expect(before.refreshToken).toBeDefined()
    await strict.db.query(`UPDATE users SET roles = '{admin}'`)
    // a session from before the policy is over with the next refresh
    expect((await call('POST', '/refresh', undefined, { refreshToken: before.refreshToken })).status).toBe(401)
    const { accessToken, refreshToken, mustEnrolTotp } = (await call('POST', '/login', undefined, credentials)).body
    expect([refreshToken, mustEnrolTotp]).toEqual([undefined, true])
    for (const [method, path] of [
      ['GET', '/me'],
      ['GET', '/users'],
      ['POST', '/logout'],
      ['DELETE', '/totp'],
    ] as const) {
      const { status, body } = await call(method, path, accessToken)
      expect([status, body.code]).toEqual([403, 'totp_enrolment_required'])
    }
    const { secret } = (await call('POST', '/totp', accessToken)).body as Enrolment
    expect((await call('POST', '/totp/confirm', accessToken, { totp: current(secret) })).status).toBe(204)
    const full = (await call('POST', '/login', undefined, { ...credentials, totp: next(secret) })).body
    expect((await call('GET', '/users', full.accessToken)).status).toBe(200)
    expect((await call('DELETE', '/totp', full.accessToken)).status).toBe(409)
  } finally {
    await strict.close()
  }
})

test('guessing codes is as slow as guessing passwords', async () => {
  const strict = await openAuth({ SIGN_IN_ATTEMPTS: 3 })
  try {
    const call = (path: string, body: object, token?: string) =>
      strict.call('POST', `/api/v1/auth${path}`, { token, body })
    const credentials = { email: 'ben@example.org', password }
    await call('/register', { ...credentials, fullName: 'Ben Example' })
    const { accessToken } = (await call('/login', credentials)).body
    const { secret } = (await call('/totp', {}, accessToken)).body as Enrolment
    expect((await call('/totp/confirm', { totp: current(secret) }, accessToken)).status).toBe(204)
    await strict.db.query('DELETE FROM attempts')
    // asking for the code is no guess
    for (let n = 0; n < 5; n++) expect((await call('/login', credentials)).body.code).toBe('totp_required')
    const statuses = []
    for (let n = 0; n < 4; n++) {
      statuses.push((await call('/login', { ...credentials, totp: '000000' })).status)
      await strict.db.query(
        `UPDATE attempts SET blocked_until = now() + interval '1 minute' WHERE blocked_until > to_timestamp(0)`,
      )
    }
    expect(statuses).toEqual([401, 401, 401, 429])
    await strict.db.query('DELETE FROM attempts')
    expect((await call('/login', { ...credentials, totp: next(secret) })).status).toBe(200)
  } finally {
    await strict.close()
  }
})

test('a session that is not new neither enrols nor removes one: its token may be stolen', async () => {
  const [plain, having] = [await signedIn('nurse'), await enrolled('nurse')]
  await query(`UPDATE sessions SET created_at = now() - interval '16 minutes'`)
  const enrolling = await post('/totp', {}, plain.session.token)
  const removing = await service.call('DELETE', '/api/v1/auth/totp', { token: having.session.token })
  for (const { status, body } of [enrolling, removing]) expect([status, body.code]).toEqual([403, 'sign_in_again'])
  expect((await post('/totp', {}, (await signIn(plain.email)).token)).status).toBe(201)
})
