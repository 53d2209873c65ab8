import { expect, test } from '@jest/globals'
import { samplesOf } from '@caregate/common/testing/samples'
import { until } from '@caregate/common/testing/until'
import { addUser, freshEmail, login, openAuth, password, query, refresh, service, signIn, useAuth } from './testing.ts'

useAuth()

const sample = async (name: string, on = service) => samplesOf(await on.metrics.scrape()).get(name)
const grown = async (names: string[], work: () => Promise<unknown>) => {
  const read = () => Promise.all(names.map((name) => sample(name)))
  const before = await read()
  await work()
  return (await read()).map((value, n) => value! - before[n]!)
}
const signIns = ['success', 'unauthorized', 'totp_required', 'rate_limited', 'error'].map(
  (outcome) => `caregate_auth_sign_ins_total{outcome="${outcome}"}`,
)
const issued = ['access', 'refresh', 'password', 'totp'].map(
  (kind) => `caregate_auth_tokens_issued_total{kind="${kind}"}`,
)

test('sign-ins are counted by what came of them, and tokens by what they are good for', async () => {
  const [known, enrolled, once] = [
    await addUser(['nurse']),
    await addUser(['nurse']),
    await addUser(['nurse'], { oneTimeUntil: new Date(Date.now() + 60_000) }),
  ]
  await query('UPDATE users SET totp_enabled = true WHERE id = $1', [enrolled.id])
  const tries = async () => {
    await login(known.email)
    await login(known.email, 'Wrong-1-password')
    await login(freshEmail())
    await login(enrolled.email)
    await login(once.email)
  }
  expect(await grown([...signIns, ...issued], tries)).toEqual([2, 2, 1, 0, 0, 1, 1, 1, 0])
})

test('a sign-in that has to wait is counted as that', async () => {
  const strict = await openAuth({ SIGN_IN_ATTEMPTS: 1 })
  const email = freshEmail()
  for (let n = 0; n < 3; n++)
    await strict.call('POST', '/api/v1/auth/login', { body: { email, password: 'Wrong-1-password' } })
  expect(await sample(signIns[3]!, strict)).toBeGreaterThan(0)
  await strict.close()
})

test('a spent refresh token that comes again is counted, one that was traded is not', async () => {
  const { email } = await addUser(['nurse'])
  const { refreshToken } = await signIn(email)
  const names = ['caregate_auth_refresh_reuse_total', issued[0]!, issued[1]!]
  expect(await grown(names, () => refresh(refreshToken))).toEqual([0, 1, 1])
  await query(`UPDATE sessions SET rotated_at = rotated_at - interval '1 hour'`)
  expect(await grown(names, () => refresh(refreshToken))).toEqual([1, 0, 0])
})

test('passwords that wait are seen, and how old the key is', async () => {
  const slow = await openAuth({ BCRYPT_COST: 10 })
  const busy = Promise.all(
    Array.from({ length: 12 }, () =>
      slow.call('POST', '/api/v1/auth/login', { body: { email: freshEmail(), password } }),
    ),
  )
  await until(async () => (await sample('caregate_auth_password_queue', slow))! > 0)
  await busy
  expect(await sample('caregate_auth_password_queue', slow)).toBe(0)
  const age = await sample('caregate_auth_signing_key_age_seconds', slow)
  expect(age).toBeGreaterThan(0)
  expect(age).toBeLessThan(60)
  await slow.close()
  const shared = await openAuth({ ALGORITHM: 'HS256' })
  expect(await sample('caregate_auth_signing_key_age_seconds', shared)).toBeUndefined()
  await shared.close()
})
