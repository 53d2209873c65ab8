import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import bcrypt from 'bcrypt'
import pLimit from 'p-limit'
import { dictionary } from '@zxcvbn-ts/language-common'
import type { FieldError } from '@caregate/common/errors'

const minCharacters = 8
/** bcrypt looks at no more. */
const maxBytes = 72
const common = new Set<string>(dictionary['passwords-common'])

const rules: readonly [holds: (password: string) => boolean, message: string][] = [
  [(password) => [...password].length >= minCharacters, `must have at least ${minCharacters} characters`],
  [(password) => Buffer.byteLength(password) <= maxBytes, `must have at most ${maxBytes} bytes`],
  [(password) => /\p{Lu}/u.test(password), 'must contain an upper-case letter'],
  [(password) => /\p{Ll}/u.test(password), 'must contain a lower-case letter'],
  [(password) => /\p{Nd}/u.test(password), 'must contain a digit'],
  [(password) => !common.has(password.toLowerCase()), 'is among the most common passwords'],
]

/** An entry for each rule that a new password breaks. */
export function brokenRules(password: string, path: string): FieldError[] {
  return rules.filter(([holds]) => !holds(password)).map(([, message]) => ({ path, message: `${path} ${message}` }))
}

export interface Passwords {
  hash(password: string): Promise<string>
  /** Takes the same time for an account that doesn't exist (`hash` undefined). */
  matches(password: string, hash: string | undefined): Promise<boolean>
}

/** bcrypt runs in libuv's pool: more at once than there are cores would starve everything else that uses it. */
export async function buildPasswords(cost: number): Promise<Passwords> {
  const slot = pLimit(availableParallelism())
  const nobody = await bcrypt.hash(oneTimePassword(), cost)
  return {
    hash: (password) => slot(() => bcrypt.hash(password, cost)),
    async matches(password, hash) {
      const fits = Buffer.byteLength(password) <= maxBytes
      const same = await slot(() => bcrypt.compare(password, hash ?? nobody))
      return same && fits && hash !== undefined
    },
  }
}

// without letters and digits that look alike
const alphabet = { upper: 'ABCDEFGHJKLMNPQRSTUVWXYZ', lower: 'abcdefghijkmnpqrstuvwxyz', digit: '23456789' }

/** About 112 bits, in groups that can be read out; satisfies the rules. */
export function oneTimePassword(): string {
  const pick = (letters: string): string => letters[randomInt(letters.length)]!
  const all = Object.values(alphabet).join('')
  const group = (): string => Array.from({ length: 5 }, () => pick(all)).join('')
  return [pick(alphabet.upper) + pick(alphabet.lower) + pick(alphabet.digit) + group(), group(), group()].join('-')
}
