import { expect, test } from '@jest/globals'
import { buildSeal, deriveKey } from './seal.ts'

const [secret, next] = ['the secret of today', 'the secret of tomorrow']
const seal = buildSeal('a test', secret)

test('what is sealed opens under its name, its purpose and its secret alone, and untouched', () => {
  const sealed = seal.close('the name', 'José')
  expect(seal.open('the name', sealed)).toBe('José')
  expect(seal.close('the name', 'José')).not.toBe(sealed)
  expect(() => seal.open('another', sealed)).toThrow('another was sealed under another key.')
  expect(() => buildSeal('another test', secret).open('the name', sealed)).toThrow()
  expect(() => buildSeal('a test', next).open('the name', sealed)).toThrow()
  const bytes = Buffer.from(sealed, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const touched = bytes.with(at, bytes[at]! ^ 1)
    expect(() => seal.open('the name', Buffer.from(touched).toString('base64url'))).toThrow()
  }
  // of nothing only the tag is left, of which no part is enough
  const nothing = Buffer.from(seal.close('the name', ''), 'base64url')
  expect(seal.open('the name', nothing.toString('base64url'))).toBe('')
  expect(() => seal.open('the name', nothing.subarray(0, 20).toString('base64url'))).toThrow()
  for (const length of [0, 11, 12, 20, 27, bytes.length - 1])
    expect(() => seal.open('the name', bytes.subarray(0, length).toString('base64url'))).toThrow()
})

test('under a new secret what the one before sealed opens still, and is sealed anew', () => {
  const sealed = seal.close('the name', 'José')
  const both = buildSeal('a test', next, secret)
  expect(both.open('the name', sealed)).toBe('José')
  const renewed = both.renew('the name', sealed)!
  expect(buildSeal('a test', next).open('the name', renewed)).toBe('José')
  expect(both.renew('the name', renewed)).toBeUndefined()
  expect(() => buildSeal('a test', next).renew('the name', sealed)).toThrow()
})

test('a secret gives another key of 256 bits for each purpose', () => {
  expect(deriveKey(secret, 'one').export()).toHaveLength(32)
  expect(deriveKey(secret, 'one').equals(deriveKey(secret, 'one'))).toBe(true)
  expect(deriveKey(secret, 'one').equals(deriveKey(secret, 'other'))).toBe(false)
})
