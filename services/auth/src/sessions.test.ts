import { expect, test } from '@jest/globals'
import { brokenRules, oneTimePassword } from './passwords.ts'
import { judgeRefresh } from './sessions.ts'

const now = new Date('2026-01-01T00:01:00Z')
const session = {
  generation: 5,
  rotatedAt: new Date('2026-01-01T00:00:55Z'),
  expiresAt: new Date('2026-02-01T00:00:00Z'),
  endedAt: null,
}

test('the current refresh token rotates, the one before gets its successor for a moment, an older one was stolen', () => {
  expect(judgeRefresh(session, 5, now, 10)).toBe('rotate')
  expect(judgeRefresh(session, 4, now, 10)).toBe('repeat')
  expect(judgeRefresh(session, 4, now, 4)).toBe('reuse')
  expect(judgeRefresh(session, 3, now, 10)).toBe('reuse')
  expect(judgeRefresh({ ...session, endedAt: now }, 5, now, 10)).toBe('dead')
  expect(judgeRefresh({ ...session, expiresAt: now }, 5, now, 10)).toBe('dead')
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
