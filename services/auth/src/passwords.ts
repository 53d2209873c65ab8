import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import bcrypt from 'bcrypt'
import pLimit from 'p-limit'
import { dictionary } from '@zxcvbn-ts/language-common'
import { AppError, type FieldError } from '@caregate/common/errors'

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
  /** @throws {AppError} 503 when too many wait already */
  hash(password: string): Promise<string>
  /**
   * Takes the same time for a wrong password, an account that doesn't exist (`hash` undefined), and one whose hash cost
   * less than a new one does.
   * @throws {AppError} 503 when too many wait already
   */
  matches(password: string, hash: string | undefined): Promise<boolean>
  /** Whether the hash cost less than a new one does. */
  isOutdated(hash: string): boolean
  /** How many passwords wait for a core. */
  readonly waiting: number
}

/** So many a core may wait: longer than they take, nobody does. */
const maxWaiting = 16

/** bcrypt runs in libuv's pool: more at once than there are cores would starve everything else that uses it. */
export async function buildPasswords(cost: number): Promise<Passwords> {
  const cores = availableParallelism()
  const limit = pLimit(cores)
  function slot<T>(work: () => Promise<T>): Promise<T> {
    if (limit.pendingCount < cores * maxWaiting) return limit(work)
    throw new AppError('unavailable', 'Too many sign in at once. Try again.', { headers: { 'Retry-After': '2' } })
  }
  const nobody = await bcrypt.hash(oneTimePassword(), cost)
  /** As much work as is left between a cheaper hash and one of today. */
  async function makeUp(password: string, from: number): Promise<void> {
    for (let rounds = from; rounds < cost; rounds++) await bcrypt.compare(password, nobodyAt(nobody, rounds))
  }
  return {
    hash: async (password) => slot(() => bcrypt.hash(password, cost)),
    matches: async (password, hash = '') =>
      slot(async () => {
        const known = hash !== ''
        const same = await bcrypt.compare(password, known ? hash : nobody)
        const right = known && same && Buffer.byteLength(password) <= maxBytes
        if (known) await makeUp(password, bcrypt.getRounds(hash))
        return right
      }),
    isOutdated: (hash) => bcrypt.getRounds(hash) < cost,
    get waiting() {
      return limit.pendingCount
    },
  }
}

/** A hash that nothing matches and that takes 2^rounds to find out. */
const nobodyAt = (hash: string, rounds: number): string =>
  hash.replace(/^(\$2[aby]\$)\d\d/, `$1${String(rounds).padStart(2, '0')}`)

// without letters and digits that look alike
const alphabet = { upper: 'ABCDEFGHJKLMNPQRSTUVWXYZ', lower: 'abcdefghijkmnpqrstuvwxyz', digit: '23456789' }

/** About 112 bits, in groups that can be read out; satisfies the rules. */
export function oneTimePassword(): string {
  const pick = (letters: string): string => letters[randomInt(letters.length)]!
  const all = Object.values(alphabet).join('')
  const group = (): string => Array.from({ length: 5 }, () => pick(all)).join('')
  return [pick(alphabet.upper) + pick(alphabet.lower) + pick(alphabet.digit) + group(), group(), group()].join('-')
}
