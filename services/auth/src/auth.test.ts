import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import { v7 as uuidv7 } from 'uuid'
import { buildVerify, type Algorithm, type Role } from '@caregate/common/auth'
import { openBroker, revocationExchange, type Broker } from '@caregate/common/broker'
import { openTestService, quietLog, testAmqpUrl, type Answer } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { buildAuthApp } from './app.ts'
import { spec, type UserRow } from './database.ts'
import { openKeys } from './keys.ts'
import { buildPasswords, type Passwords } from './passwords.ts'
import { createUser } from './repository.ts'
import { buildTokens } from './tokens.ts'

const SECRET_KEY = 'a secret of forty bytes, for the tests of auth'
const password = 'Tulip-7-lantern'
const minutes = 30
const uniform = { status: 401, code: 'unauthorized', detail: 'E-mail or password is wrong.' }

let service: Awaited<ReturnType<typeof openAuth>>
let broker: Broker
let passwords: Passwords
/** What the gateways are told: by the session that ended, until when it is to be remembered. */
const told = new Map<string, string>()

function openAuth(ALGORITHM: Algorithm) {
  return openTestService(spec, async (deps) => {
    const config = {
      ALGORITHM,
      SECRET_KEY,
      JWT_ISSUER: 'caregate',
      JWT_AUDIENCE: 'caregate',
      ACCESS_TOKEN_EXPIRE_MINUTES: minutes,
      REFRESH_TOKEN_EXPIRE_DAYS: 30,
      REFRESH_REUSE_SECONDS: 10,
    }
    const keys = await openKeys(deps.db, ALGORITHM, SECRET_KEY)
    const tokens = buildTokens(config, keys.signing)
    return buildAuthApp({ ...deps, broker, config, keys, passwords, tokens, verify: buildVerify(config, keys.find) })
  })
}

beforeAll(async () => {
  broker = await openBroker(testAmqpUrl(), quietLog, async (model) => {
    const channel = await model.createChannel()
    const { queue } = await channel.assertQueue('', { exclusive: true })
    await channel.bindQueue(queue, revocationExchange, '')
    await channel.consume(
      queue,
      (message) => {
        const { sessionId, expiresAt } = JSON.parse(message!.content.toString()) as Record<string, string>
        told.set(sessionId!, expiresAt!)
      },
      { noAck: true },
    )
  })
  await until(() => broker.connected)
  passwords = await buildPasswords(4)
  service = await openAuth('ES256')
})
beforeEach(() => service.events())
afterAll(async () => {
  await service.close()
  await broker.close()
})

const post = (path: string, body: object, token?: string) =>
  service.call('POST', `/api/v1/auth${path}`, { token, body })
const login = (email: string, secret = password) => post('/login', { email, password: secret })
const refresh = (refreshToken: string) => post('/refresh', { refreshToken })
const query = <T = unknown>(sql: string, parameters: unknown[] = []) => service.db.query<T[]>(sql, parameters)
const freshEmail = () => `${uuidv7()}@example.org`

async function addUser(roles: Role[], more: Partial<UserRow> = {}): Promise<UserRow> {
  const passwordHash = await passwords.hash(password)
  const details = { email: freshEmail(), fullName: `A ${roles[0]}`, roles, passwordHash, oneTimeUntil: null, ...more }
  return service.db.transaction((tx) => createUser(tx, details))
}

interface Session {
  id: string
  token: string
  refreshToken: string
}
async function signIn(email: string, secret = password): Promise<Session> {
  const { body } = await login(email, secret)
  const [, claims] = (body.accessToken as string).split('.')
  const { sid } = JSON.parse(Buffer.from(claims!, 'base64url').toString()) as { sid: string }
  return { id: sid, token: body.accessToken, refreshToken: body.refreshToken }
}
/** Somebody signed in; the events so far are forgotten. */
async function signedIn(...roles: Role[]): Promise<UserRow & { session: Session }> {
  const user = await addUser(roles)
  const session = await signIn(user.email)
  await service.events()
  return { ...user, session }
}

async function verified(accessToken: string, on = service) {
  const { body } = await on.call('GET', '/.well-known/jwks.json')
  return jwtVerify(accessToken, createLocalJWKSet(body as JSONWebKeySet), {
    typ: 'at+jwt',
    issuer: 'caregate',
    audience: 'caregate',
  })
}
const isAlive = async (id: string) =>
  (await query<{ endedAt: Date | null }>('SELECT ended_at AS "endedAt" FROM sessions WHERE id = $1', [id]))[0]!
    .endedAt === null
async function revocations(): Promise<Map<string, string>> {
  const { body } = await service.call('GET', '/internal/revocations')
  return new Map((body.items as { sessionId: string; expiresAt: string }[]).map((r) => [r.sessionId, r.expiresAt]))
}
/** Ended in the database, told to the gateways, and on the list for those that did not hear it. */
async function expectEnded(id: string): Promise<void> {
  expect(await isAlive(id)).toBe(false)
  await until(() => told.has(id))
  expect((await revocations()).has(id)).toBe(true)
}
/** Lets a request run into a change that is being made, and commits that once the request waits for it. */
async function meanwhile(request: () => Promise<Answer>, ...change: [sql: string, parameters: unknown[]]) {
  const { answer } = await service.db.transaction(async (tx) => {
    await tx.query(...change)
    const [{ pid }] = await tx.query<[{ pid: number }]>('SELECT pg_backend_pid() AS pid')
    const started = request()
    await until(
      async () => (await query('SELECT 1 FROM pg_locks WHERE $1 = ANY(pg_blocking_pids(pid))', [pid])).length > 0,
    )
    return { answer: started }
  })
  return answer
}
const withoutIds = ({ status, body: { requestId, ...body }, headers }: Answer) => {
  const own = ['date', 'x-request-id', 'x-process-time']
  return { httpStatus: status, body, headers: [...headers].filter(([name]) => !own.includes(name)) }
}

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
    const patientId = uuidv7()
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
    expect(await service.events()).toMatchObject([failed, failed])
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

describe('signing out', () => {
  test('ends this session and no other, and tells the gateways until its access token would have expired', async () => {
    const { email, session } = await signedIn('nurse')
    const other = await signIn(email)
    await service.events()
    const answer = await service.call('POST', '/api/v1/auth/logout', { token: session.token })
    expect([answer.status, answer.body]).toEqual([204, ''])
    await expectEnded(session.id)
    expect((await refresh(session.refreshToken)).status).toBe(401)
    for (const expiresAt of [told.get(session.id), (await revocations()).get(session.id)])
      expect(Math.abs(Date.parse(expiresAt!) - Date.now() - minutes * 60_000)).toBeLessThan(10_000)
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
    await since(minutes + 1)
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
    const unknown = uuidv7()
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
  expect(statuses).toEqual([201, 409, 422, 401, 200, 200, 200, 204, 200, 200, 422, 403, 401, 405, 204, 401])
  const events = await service.events()
  expect(events.map(({ request }) => request.status)).toEqual(statuses)
  const written = JSON.stringify(events)
  for (const value of [email, 'Quill', password, chosen, token, refreshToken]) expect(written).not.toContain(value)
})

describe('signing keys', () => {
  test('stand in the database sealed', async () => {
    const rows = await query<{ privateSealed: string; publicJwk: object }>(
      'SELECT private_sealed AS "privateSealed", public_jwk AS "publicJwk" FROM signing_keys',
    )
    expect(rows).toHaveLength(1)
    expect(rows[0]!.publicJwk).not.toHaveProperty('d')
    const bytes = Buffer.from(rows[0]!.privateSealed, 'base64').toString('latin1')
    for (const readable of ['PRIVATE KEY', '"d"', 'MIGH']) expect(bytes).not.toContain(readable)
    const published = (await service.call('GET', '/.well-known/jwks.json')).body.keys
    expect(published).toEqual([rows[0]!.publicJwk])
    expect(published).toMatchObject([{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' }])
  })

  test('another instance on the same database signs with the same key', async () => {
    const other = await openKeys(service.db, 'ES256', SECRET_KEY)
    const { email } = await addUser(['nurse'])
    const { token } = await signIn(email)
    expect(other.signing().kid).toBe(decodeProtectedHeader(token).kid)
    await expect(jwtVerify(token, createLocalJWKSet(other.jwks() as JSONWebKeySet))).resolves.toBeDefined()
  })

  test('instances that start at once on an empty database agree on one', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => openKeys(service.db, 'RS256', SECRET_KEY)))
    expect(new Set(all.map((keys) => keys.signing().kid)).size).toBe(1)
    expect(await query(`SELECT 1 FROM signing_keys WHERE algorithm = 'RS256'`)).toHaveLength(1)
  })

  test('under another SECRET_KEY the service does not start, and says why', async () => {
    const main = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: service.urls.app,
        AMQP_URL: testAmqpUrl(),
        SECRET_KEY: 'another secret of more than thirty-two bytes',
        CURSOR_KEY: 'a key for the cursors of the tests!!',
        DISCOVERY: 'static',
        PORT: '0',
      },
    })
    const [output, errors, code] = await Promise.all([
      text(main.stdout),
      text(main.stderr),
      new Promise((resolve) => main.once('exit', resolve)),
    ])
    expect(code).toBe(1)
    expect(output + errors).toContain('sealed under another SECRET_KEY')
    expect(output + errors).not.toContain('thirty-two')
  })

  test('with HS256 none is published, and who has SECRET_KEY can check tokens', async () => {
    const shared = await openAuth('HS256')
    try {
      expect((await shared.call('GET', '/.well-known/jwks.json')).body).toEqual({ keys: [] })
      const email = freshEmail()
      await shared.call('POST', '/api/v1/auth/register', { body: { email, password, fullName: 'Ann Example' } })
      const { body } = await shared.call('POST', '/api/v1/auth/login', { body: { email, password } })
      const { protectedHeader } = await jwtVerify(body.accessToken, Buffer.from(SECRET_KEY), { typ: 'at+jwt' })
      expect(protectedHeader.alg).toBe('HS256')
      expect((await shared.call('GET', '/api/v1/auth/me', { token: body.accessToken })).status).toBe(200)
      expect(await shared.db.query('SELECT 1 FROM signing_keys')).toEqual([])
    } finally {
      await shared.close()
    }
  })

  test('RS256 works the same way', async () => {
    const rsa = await openAuth('RS256')
    try {
      const email = freshEmail()
      await rsa.call('POST', '/api/v1/auth/register', { body: { email, password, fullName: 'Ann Example' } })
      const { body } = await rsa.call('POST', '/api/v1/auth/login', { body: { email, password } })
      expect((await verified(body.accessToken, rsa)).protectedHeader.alg).toBe('RS256')
      expect((await rsa.call('GET', '/api/v1/auth/me', { token: body.accessToken })).status).toBe(200)
    } finally {
      await rsa.close()
    }
  })
})
