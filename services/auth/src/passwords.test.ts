import { availableParallelism } from 'node:os'
import { expect, test } from '@jest/globals'
import { brokenRules, buildPasswords, oneTimePassword } from './passwords.ts'

const good = 'Lantern-7'
const long = (bytes: number) => `Aa1${'x'.repeat(bytes - 3)}`

test.each([
  [good, []],
  ['Abcdef1x', []],
  ['ÄÖÜäöü1٣', []],
  [long(72), []],
  ['Abcde1x', ['must have at least 8 characters']],
  // letters of four bytes are one character each
  ['Aa1𠮷𠮷𠮷𠮷', ['must have at least 8 characters']],
  [long(73), ['must have at most 72 bytes']],
  [`Aa1${'é'.repeat(35)}`, ['must have at most 72 bytes']],
  ['lantern-7', ['must contain an upper-case letter']],
  ['LANTERN-7', ['must contain a lower-case letter']],
  ['Lantern-x', ['must contain a digit']],
  ['Password1', ['is among the most common passwords']],
  [
    '',
    [
      'must have at least 8 characters',
      'must contain an upper-case letter',
      'must contain a lower-case letter',
      'must contain a digit',
    ],
  ],
])('%j: %j', (password, broken) => {
  expect(brokenRules(password, 'new')).toEqual(broken.map((rule) => ({ path: 'new', message: `new ${rule}` })))
})

test('a one-time password keeps the rules, and has nothing in it that looks like something else', () => {
  const many = Array.from({ length: 300 }, oneTimePassword)
  expect(new Set(many).size).toBe(many.length)
  for (const one of many) {
    expect(one).toMatch(/^[A-HJ-NP-Za-km-z2-9]{8}-[A-HJ-NP-Za-km-z2-9]{5}-[A-HJ-NP-Za-km-z2-9]{5}$/)
    expect(brokenRules(one, 'new')).toEqual([])
  }
})

test('a password matches its own hash alone, and none that is longer than it is looked at', async () => {
  const passwords = await buildPasswords(5)
  const hash = await passwords.hash(good)
  expect(await passwords.matches(good, hash)).toBe(true)
  expect(await passwords.matches('Lantern-8', hash)).toBe(false)
  expect(await passwords.matches(good, undefined)).toBe(false)
  expect(await passwords.matches(good, '')).toBe(false)
  expect(await passwords.matches(`${long(72)}y`, await passwords.hash(long(72)))).toBe(false)
  expect(await passwords.matches(long(72), await passwords.hash(long(72)))).toBe(true)
})

test('a hash that cost less is outdated, and good still', async () => {
  const [before, now] = [await buildPasswords(4), await buildPasswords(5)]
  const hash = await before.hash(good)
  expect([before.isOutdated(hash), now.isOutdated(hash), now.isOutdated(await now.hash(good))]).toEqual([
    false,
    true,
    false,
  ])
  expect(await now.matches(good, hash)).toBe(true)
  expect(await now.matches('Lantern-8', hash)).toBe(false)
})

test('where as many wait as are patient, the next is told to come again', async () => {
  const passwords = await buildPasswords(8)
  const cores = availableParallelism()
  // one at work and sixteen that wait a core
  const many = Array.from({ length: cores * 17 + 20 }, () => passwords.hash(good))
  expect(passwords.waiting).toBeGreaterThan(0)
  const settled = await Promise.allSettled(many)
  const refused = settled.filter((one) => one.status === 'rejected')
  expect(refused.length).toBeGreaterThanOrEqual(20)
  expect(refused.length).toBeLessThanOrEqual(cores + 20)
  for (const { reason } of refused)
    expect(reason).toMatchObject({ code: 'unavailable', extras: { headers: { 'Retry-After': '2' } } })
  expect(passwords.waiting).toBe(0)
  expect(await passwords.matches(good, await passwords.hash(good))).toBe(true)
})
