import { describe, expect, test } from '@jest/globals'
import {
  addUser,
  expectEnded,
  login,
  meanwhile,
  minutes,
  password,
  passwords,
  post,
  query,
  refresh,
  revocations,
  service,
  signIn,
  signedIn,
  told,
  uniform,
  useAuth,
  verified,
} from './testing.ts'
import { brokenRules, oneTimePassword } from './passwords.ts'
import { judgeRefresh } from './sessions.ts'
import { clean } from './upkeep.ts'

useAuth()

describe('refreshing', () => {
  /** As if the last rotation had been so long ago. */
  const age = (id: string, seconds: number) =>
    query(`UPDATE sessions SET rotated_at = rotated_at - make_interval(secs => $2) WHERE id = $1`, [id, seconds])

  test('trades the token for a new pair of the same session', async () => {
    const { id, session } = await signedIn('nurse')
    const answer = await refresh(session.refreshToken)
    expect(answer.status).toBe(200)
    expect(answer.body.refreshToken).not.toBe(session.refreshToken)
    expect((await verified(answer.body.accessToken)).payload).toMatchObject({ sub: id, sid: session.id })
    expect((await refresh(answer.body.refreshToken)).status).toBe(200)
    const refreshed = { type: 'auth.session.refreshed', actor: { id, sessionId: session.id, roles: ['nurse'] } }
    expect(await service.events()).toMatchObject([refreshed, refreshed])
  })

  test('twelve tabs that refresh at once all get the same successor', async () => {
    const { session } = await signedIn('nurse')
    const answers = await Promise.all(Array.from({ length: 12 }, () => refresh(session.refreshToken)))
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200))
    expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1)
    expect((await refresh(answers[0]!.body.refreshToken)).status).toBe(200)
    expect(await query('SELECT generation FROM sessions WHERE id = $1', [session.id])).toEqual([{ generation: 3 }])
  })

  test('the token before gets the unused successor again, for ten seconds', async () => {
    const { session } = await signedIn('nurse')
    const { refreshToken } = (await refresh(session.refreshToken)).body
    await age(session.id, 5)
    expect((await refresh(session.refreshToken)).body.refreshToken).toBe(refreshToken)
    await age(session.id, 6)
    expect((await refresh(session.refreshToken)).status).toBe(401)
    await expectEnded(session.id)
  })

  test('a spent token whose successor was used ends the session for everybody who holds a copy', async () => {
    const { session } = await signedIn('nurse')
    const second = (await refresh(session.refreshToken)).body
    const third = (await refresh(second.refreshToken)).body
    await service.events()
    const stolen = await refresh(session.refreshToken)
    expect([stolen.status, stolen.body.detail]).toEqual([401, 'The refresh token is not valid.'])
    expect((await refresh(third.refreshToken)).status).toBe(401)
    await expectEnded(session.id)
    const failed = { type: 'auth.session.failed', outcome: 'denied', actor: { sessionId: session.id } }
    expect(await service.events()).toMatchObject([{ ...failed, threats: ['spent refresh token'] }, failed])
  })

  test('a forged token is refused and leaves the session alone', async () => {
    const { session } = await signedIn('nurse')
    const [id, , mac] = session.refreshToken.split('.')
    const other = (await signedIn('nurse')).session.refreshToken.split('.')[2]
    for (const forged of [`${id}.2.${mac}`, `${id}.1.${other}`, `${id}.1.${mac!.slice(1)}`, `${id}.1.`, 'a.b.c'])
      expect((await refresh(forged)).status).toBe(401)
    expect((await refresh(session.refreshToken)).status).toBe(200)
    expect((await service.events()).map(({ outcome }) => outcome)).toEqual([
      ...Array<string>(5).fill('denied'),
      'success',
    ])
  })

  test('comes to nothing when the session ends meanwhile', async () => {
    const { session } = await signedIn('nurse')
    const answer = await meanwhile(
      () => refresh(session.refreshToken),
      'UPDATE sessions SET ended_at = now() WHERE id = $1',
      [session.id],
    )
    expect(answer.status).toBe(401)
  })

  test('an expired session is over, and so is that of a disabled account', async () => {
    const [expired, disabled] = [await signedIn('nurse'), await signedIn('nurse')]
    await query(`UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id = $1`, [expired.session.id])
    await query('UPDATE users SET disabled = true WHERE id = $1', [disabled.id])
    expect((await refresh(expired.session.refreshToken)).status).toBe(401)
    expect((await refresh(disabled.session.refreshToken)).status).toBe(401)
  })
})

describe('the own sessions', () => {
  const ask = (method: string, path: string, token: string) => service.call(method, `/api/v1/auth${path}`, { token })

  test('are listed, the newest first, with where they were started and which is this one', async () => {
    const { email, session } = await signedIn('nurse')
    const other = await signIn(email)
    const { items, nextCursor } = (await ask('GET', '/sessions', session.token)).body
    expect(items).toMatchObject([
      { id: other.id, current: false },
      { id: session.id, current: true, ip: '127.0.0.1', userAgent: 'node' },
    ])
    expect(nextCursor).toBeNull()
    const [{ createdAt, lastUsedAt, expiresAt }] = items
    expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBeCloseTo(90 * 86_400_000, -3)
    expect(Date.parse(lastUsedAt) - Date.parse(createdAt)).toBeLessThan(1000)
    const first = (await ask('GET', '/sessions?limit=1', session.token)).body
    expect(first.items).toMatchObject([{ id: other.id }])
    const second = (await ask('GET', `/sessions?limit=1&cursor=${first.nextCursor}`, session.token)).body
    expect(second.items).toMatchObject([{ id: session.id }])
  })

  test('that are over are not', async () => {
    const { email, session } = await signedIn('nurse')
    const [ended, expired, idle] = [await signIn(email), await signIn(email), await signIn(email)]
    await ask('POST', '/logout', ended.token)
    await query(`UPDATE sessions SET expires_at = now() WHERE id = $1`, [expired.id])
    await query(`UPDATE sessions SET rotated_at = now() - interval '31 days' WHERE id = $1`, [idle.id])
    expect((await ask('GET', '/sessions', session.token)).body.items).toMatchObject([{ id: session.id }])
    for (const { refreshToken } of [ended, expired, idle]) expect((await refresh(refreshToken)).status).toBe(401)
  })

  test('are ended one by one; those of others are not there', async () => {
    const [{ email, session }, other] = [await signedIn('nurse'), await signedIn('nurse')]
    const second = await signIn(email)
    expect((await ask('DELETE', `/sessions/${second.id}`, session.token)).status).toBe(204)
    await expectEnded(second.id)
    expect((await ask('DELETE', `/sessions/${second.id}`, session.token)).status).toBe(404)
    expect((await ask('DELETE', `/sessions/${other.session.id}`, session.token)).status).toBe(404)
    expect((await ask('DELETE', '/sessions/x', session.token)).status).toBe(422)
    expect((await refresh(other.session.refreshToken)).status).toBe(200)
    expect((await refresh(session.refreshToken)).status).toBe(200)
  })

  test('are forgotten a month after they are over', async () => {
    const { email, session } = await signedIn('nurse')
    const [ended, idle] = [await signIn(email), await signIn(email)]
    await query(`UPDATE sessions SET ended_at = now() - interval '31 days' WHERE id = $1`, [ended.id])
    await query(`UPDATE sessions SET rotated_at = now() - interval '61 days' WHERE id = $1`, [idle.id])
    await clean(service.db, { REFRESH_TOKEN_EXPIRE_DAYS: 30 })
    const ids = [session.id, ended.id, idle.id]
    expect(await query('SELECT id FROM sessions WHERE id = ANY($1)', [ids])).toEqual([{ id: session.id }])
  })
})

describe('signing out', () => {
  test('ends the session of the token and no other, and tells the gateways until its access token would have expired', async () => {
    const { email, session } = await signedIn('nurse')
    const other = await signIn(email)
    await service.events()
    const answer = await service.call('POST', '/api/v1/auth/logout', { token: session.token })
    expect([answer.status, answer.body]).toEqual([204, ''])
    await expectEnded(session.id)
    expect((await refresh(session.refreshToken)).status).toBe(401)
    for (const expiresAt of [told.get(session.id), (await revocations()).get(session.id)])
      expect(Math.abs(Date.parse(expiresAt!) - Date.now() - (minutes + 1) * 60_000)).toBeLessThan(10_000)
    expect((await refresh(other.refreshToken)).status).toBe(200)
    expect((await service.events())[0]).toMatchObject({
      type: 'auth.session.ended',
      outcome: 'success',
      resource: { type: 'session', id: session.id },
    })
  })

  test('the list forgets a session once none of its access tokens can be good', async () => {
    const { session } = await signedIn('nurse')
    await service.call('POST', '/api/v1/auth/logout', { token: session.token })
    const since = (ago: number) =>
      query(`UPDATE sessions SET ended_at = now() - make_interval(mins => $2) WHERE id = $1`, [session.id, ago])
    await since(minutes - 1)
    expect((await revocations()).has(session.id)).toBe(true)
    await since(minutes + 2)
    expect((await revocations()).has(session.id)).toBe(false)
  })
})

describe('changing the password', () => {
  const newPassword = 'Another-7-lantern'

  test('ends the other sessions and keeps the own', async () => {
    const { id, email, session } = await signedIn('nurse')
    const other = await signIn(email)
    await service.events()
    expect((await post('/password', { currentPassword: password, newPassword }, session.token)).status).toBe(204)
    await expectEnded(other.id)
    expect((await refresh(other.refreshToken)).status).toBe(401)
    expect((await refresh(session.refreshToken)).status).toBe(200)
    expect(told.has(session.id)).toBe(false)
    expect((await login(email)).status).toBe(401)
    expect((await login(email, newPassword)).status).toBe(200)
    expect((await service.events())[0]).toMatchObject({
      type: 'auth.password.updated',
      changed: ['password'],
      resource: { type: 'user', id },
    })
  })

  test('takes the current one, and a new one that keeps the rules', async () => {
    const { email, session } = await signedIn('nurse')
    const errors = async (currentPassword: string, chosen: string) => {
      const { status, body } = await post('/password', { currentPassword, newPassword: chosen }, session.token)
      expect(status).toBe(422)
      return body.errors.map(({ path, message }: { path: string; message: string }) => [path, message])
    }
    expect(await errors('Wrong-7-lantern', newPassword)).toEqual([['currentPassword', 'currentPassword is wrong']])
    expect(await errors(password, password)).toEqual([['newPassword', 'newPassword is the current one']])
    expect(await errors('Wrong-7-lantern', 'Qx7')).toEqual([
      ['currentPassword', 'currentPassword is wrong'],
      ['newPassword', 'newPassword must have at least 8 characters'],
    ])
    expect((await login(email)).status).toBe(200)
  })

  test('a sign-in with the old one that is under way meanwhile fails', async () => {
    const { id, email } = await addUser(['nurse'])
    const passwordHash = await passwords.hash(newPassword)
    const answer = await meanwhile(() => login(email), 'UPDATE users SET password_hash = $2 WHERE id = $1', [
      id,
      passwordHash,
    ])
    expect(answer.body).toMatchObject(uniform)
    expect(await query('SELECT 1 FROM sessions WHERE user_id = $1', [id])).toEqual([])
  })

  test('of two changes at once, one wins', async () => {
    const { email, session } = await signedIn('nurse')
    const chosen = ['First-7-lantern', 'Second-7-lantern']
    const answers = await Promise.all(
      chosen.map((next) => post('/password', { currentPassword: password, newPassword: next }, session.token)),
    )
    const signIns = await Promise.all(chosen.map((next) => login(email, next)))
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1)
    expect(signIns.map(({ status }) => status)).toEqual(answers.map(({ status }) => (status === 204 ? 200 : 401)))
  })
})

const now = new Date('2026-01-01T00:01:00Z')
const lifetimes = { REFRESH_TOKEN_EXPIRE_DAYS: 7, REFRESH_REUSE_SECONDS: 10 }
const spent = {
  generation: 5,
  rotatedAt: new Date('2026-01-01T00:00:55Z'),
  expiresAt: new Date('2026-02-01T00:00:00Z'),
  endedAt: null,
}

test('the current refresh token rotates, the one before gets its successor for a moment, an older one was stolen', () => {
  expect(judgeRefresh(spent, 5, now, lifetimes)).toBe('rotate')
  expect(judgeRefresh(spent, 4, now, lifetimes)).toBe('repeat')
  expect(judgeRefresh(spent, 4, now, { ...lifetimes, REFRESH_REUSE_SECONDS: 4 })).toBe('reuse')
  expect(judgeRefresh(spent, 3, now, lifetimes)).toBe('reuse')
  expect(judgeRefresh({ ...spent, endedAt: now }, 5, now, lifetimes)).toBe('dead')
  const idle = new Date('2025-12-25T00:00:00Z')
  expect(judgeRefresh({ ...spent, rotatedAt: idle }, 5, now, lifetimes)).toBe('dead')
  expect(judgeRefresh({ ...spent, rotatedAt: idle }, 5, now, { ...lifetimes, REFRESH_TOKEN_EXPIRE_DAYS: 8 })).toBe(
    'rotate',
  )
  expect(judgeRefresh({ ...spent, expiresAt: now }, 5, now, lifetimes)).toBe('dead')
})

test('a new password is told every rule that it breaks', () => {
  expect(brokenRules('abc', 'password').map(({ path }) => path)).toEqual(['password', 'password', 'password'])
  expect(brokenRules('Password1', 'password')).toMatchObject([
    { message: 'password is among the most common passwords' },
  ])
  expect(brokenRules(`Aa1${'é'.repeat(40)}`, 'password')).toMatchObject([
    { message: 'password must have at most 72 bytes' },
  ])
  for (let n = 0; n < 100; n++) expect(brokenRules(oneTimePassword(), 'password')).toEqual([])
})
