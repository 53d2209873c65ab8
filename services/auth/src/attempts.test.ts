import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildAttempts } from './attempts.ts'
import { deleteOldAttempts } from './repository/attempts.ts'
import { login as loginAtOnce, openAuth, password, useAuth } from './testing.ts'

useAuth()

let strict: Awaited<ReturnType<typeof openAuth>>
const email = 'ann@example.org'

beforeAll(async () => {
  strict = await openAuth({ SIGN_IN_ATTEMPTS: 3, SIGN_IN_ATTEMPTS_PER_ADDRESS: 20, TRUSTED_PROXIES: ['127.0.0.1/32'] })
  await strict.call('POST', '/api/v1/auth/register', { body: { email, password, fullName: 'Ann Example' } })
})
beforeEach(() => strict.db.query('DELETE FROM attempts'))
afterAll(() => strict.close())

const from = (address: string, secret = 'Wrong-7-lantern', who = email) =>
  strict.call('POST', '/api/v1/auth/login', {
    body: { email: who, password: secret },
    headers: { 'x-forwarded-for': address },
  })
/** So that none of the delays is over while the test goes on, however slow the machine is. */
const hold = () =>
  strict.db.query(
    `UPDATE attempts SET blocked_until = now() + interval '1 minute' WHERE blocked_until > to_timestamp(0)`,
  )
async function repeat(times: number, attempt: () => ReturnType<typeof from>): Promise<number[]> {
  const statuses = []
  for (let n = 0; n < times; n++) {
    statuses.push((await attempt()).status)
    await hold()
  }
  return statuses
}
/** As if so much time had gone by. */
const pass = (seconds: number) =>
  strict.db.query(
    'UPDATE attempts SET blocked_until = blocked_until - make_interval(secs => $1), updated_at = updated_at - make_interval(secs => $1)',
    [seconds],
  )
const waits = ({ headers }: Awaited<ReturnType<typeof from>>) => Number(headers.get('retry-after'))

describe('guessing at a password', () => {
  test('gets slower with every wrong one, up to a quarter of an hour', async () => {
    const answers = []
    // the second that the fourth has to wait it waits by itself
    for (let n = 0; n < 4; n++) answers.push((await from('192.0.2.1')).status)
    expect(answers).toEqual([401, 401, 401, 401])
    const seconds = []
    for (let n = 0; n < 15; n++) {
      const refused = await from('192.0.2.1')
      expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited'])
      seconds.push(waits(refused))
      await pass(waits(refused))
      expect((await from('192.0.2.1')).status).toBe(401)
    }
    for (let n = 1; n < 15; n++) expect(seconds[n]).toBeGreaterThanOrEqual(seconds[n - 1]!)
    expect(seconds.slice(0, 5)).toEqual([2, 4, 8, 16, 32])
    expect(seconds.at(-1)).toBe(900)
    expect(seconds.reduce((sum, wait) => sum + wait)).toBeGreaterThan(3600)
  })

  test('in parallel is no faster', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => from('192.0.2.1')))
    // after a second a fourth, and then two seconds are too long to wait for
    expect(answers.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(4)
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(16)
  })

  test('is not what many who are right at once do', async () => {
    // at an address that is new, and then known
    for (let n = 0; n < 2; n++) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => from('192.0.2.1', password)))
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    }
  })

  test('is not what many who are right at once do where each takes long', async () => {
    const slow = buildAttempts(strict.db, { SIGN_IN_ATTEMPTS: 3, SIGN_IN_ATTEMPTS_PER_ADDRESS: 20 })
    const signIn = async () => {
      const attempt = await slow.make({ account: email, address: '192.0.2.1' }, () => sleep(1100, true))
      await attempt.succeeded()
    }
    await Promise.all(Array.from({ length: 5 }, signIn))
  })

  test('from many addresses is no faster', async () => {
    let n = 0
    expect(await repeat(5, () => from(`192.0.2.${++n}`))).toEqual([401, 401, 401, 429, 429])
  })

  test('with the right one while it has to wait gets nothing', async () => {
    await repeat(3, () => from('192.0.2.1'))
    expect((await from('192.0.2.1', password)).status).toBe(429)
    await pass(60)
    expect((await from('192.0.2.1', password)).status).toBe(200)
  })

  test('of nobody’s is the same', async () => {
    expect(await repeat(4, () => from('192.0.2.1', 'Wrong-7-lantern', 'nobody@example.org'))).toEqual([
      401, 401, 401, 429,
    ])
  })

  test('does not shut the user out at an address where they signed in before, nor the other way round', async () => {
    expect((await from('198.51.100.7', password)).status).toBe(200)
    expect(await repeat(4, () => from('192.0.2.1'))).toEqual([401, 401, 401, 429])
    expect((await from('198.51.100.7', password)).status).toBe(200)
    // who guesses there is counted there
    expect(await repeat(4, () => from('198.51.100.7'))).toEqual([401, 401, 401, 429])
    await pass(60)
    expect((await from('192.0.2.1', password)).status).toBe(200)
  })

  test('an address that was right long ago is like any other', async () => {
    await from('198.51.100.7', password)
    await strict.db.query(`UPDATE attempts SET succeeded_at = now() - interval '91 days'`)
    await repeat(3, () => from('192.0.2.1'))
    expect((await from('198.51.100.7', password)).status).toBe(429)
  })

  test('a sign-in forgives what was mistyped before at that address', async () => {
    for (let n = 0; n < 4; n++) {
      expect(await repeat(2, () => from('198.51.100.7'))).toEqual([401, 401])
      expect((await from('198.51.100.7', password)).status).toBe(200)
      await pass(60)
    }
  })

  test('is forgotten little by little', async () => {
    await repeat(3, () => from('192.0.2.1'))
    await pass(2 * 900)
    expect(await repeat(3, () => from('192.0.2.1'))).toEqual([401, 401, 429])
    await pass(86_400)
    expect(await repeat(3, () => from('192.0.2.1'))).toEqual([401, 401, 401])
  })

  test('over many accounts from one address is slow too, an IPv6 network being one', async () => {
    let n = 0
    const one = () => from(`2001:db8:0:${(++n).toString(16)}::1`, 'Wrong-7-lantern', `somebody-${n}@example.org`)
    expect(await repeat(20, one)).toEqual(Array(20).fill(401))
    expect((await one()).status).toBe(429)
    expect((await from('192.0.2.1')).status).toBe(401)
  })

  test('over many accounts does not shut those out who signed in there before', async () => {
    expect((await from('198.51.100.7', password)).status).toBe(200)
    let n = 0
    await repeat(20, () => from('198.51.100.7', 'Wrong-7-lantern', `somebody-${++n}@example.org`))
    expect((await from('198.51.100.7', 'Wrong-7-lantern', 'nobody@example.org')).status).toBe(429)
    expect((await from('198.51.100.7', password)).status).toBe(200)
  })

  test('that is refused for one account is not counted at the address too', async () => {
    expect(await repeat(25, () => from('192.0.2.1'))).toEqual([401, 401, 401, ...Array<number>(22).fill(429)])
    expect((await from('192.0.2.1', 'Wrong-7-lantern', 'nobody@example.org')).status).toBe(401)
  })

  test('leaves alone who is right, however many sign in behind one address', async () => {
    const people = Array.from({ length: 12 }, (_, n) => `person-${n}@example.org`)
    for (const who of people)
      await strict.call('POST', '/api/v1/auth/register', { body: { email: who, password, fullName: 'A person' } })
    for (let n = 0; n < 4; n++) {
      const answers = await Promise.all(people.map((who) => from('203.0.113.1', password, who)))
      expect(answers.map(({ status }) => status)).toEqual(people.map(() => 200))
    }
  })
})

test('a wrong current password is a guess too', async () => {
  const { accessToken } = (await from('198.51.100.7', password)).body
  const change = (currentPassword: string) =>
    strict.call('POST', '/api/v1/auth/password', {
      token: accessToken,
      body: { currentPassword, newPassword: 'Another-7-lantern' },
    })
  expect(await repeat(4, () => change('Wrong-7-lantern'))).toEqual([422, 422, 422, 429])
})

test('whoever is refused for that is on record', async () => {
  await repeat(3, () => from('192.0.2.1'))
  await strict.events()
  await from('192.0.2.1')
  expect(await strict.events()).toMatchObject([
    { type: 'auth.session.failed', outcome: 'denied', code: 'rate_limited', resource: { type: 'user' } },
  ])
})

test('what can not be looked at is no guess, and whoever asked is told', async () => {
  const attempts = buildAttempts(strict.db, { SIGN_IN_ATTEMPTS: 3, SIGN_IN_ATTEMPTS_PER_ADDRESS: 20 })
  const broken = new Error('the database is away')
  const make = () => attempts.make({ account: email, address: '192.0.2.1' }, () => Promise.reject(broken))
  for (let n = 0; n < 5; n++) await expect(make()).rejects.toBe(broken)
  expect(await repeat(4, () => from('192.0.2.1'))).toEqual([401, 401, 401, 429])
})

test('what no longer says anything is forgotten: wrong ones after a day, right ones when the address is known no more', async () => {
  const row = (key: string, updatedDays: number, succeededDays: number | null) =>
    strict.db.query(
      `INSERT INTO attempts (key, failures, blocked_until, updated_at, succeeded_at) VALUES ($1, 1, to_timestamp(0),
         now() - make_interval(days => $2), now() - make_interval(days => $3))`,
      [key, updatedDays, succeededDays],
    )
  await row('wrong today', 0, null)
  await row('wrong before', 2, null)
  await row('known', 80, 80)
  await row('known once', 95, 95)
  await row('known once, wrong today', 0, 95)
  await deleteOldAttempts(strict.db.manager, 90)
  const left = await strict.db.query<{ key: string }[]>('SELECT key FROM attempts ORDER BY key')
  expect(left.map(({ key }) => key)).toEqual(['known', 'known once, wrong today', 'wrong today'])
})

test('without a limit there is none', async () => {
  for (let n = 0; n < 12; n++) expect((await loginAtOnce('nobody@example.org')).status).toBe(401)
})
