import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@caregate/common/errors'
import type { Database } from '@caregate/common/database'
import type { AuthConfig } from './config.ts'
import { forgiveAttempt, hasSucceeded, reserveAttempt, succeedAttempt } from './repository/attempts.ts'

/** What is guessed at, and from where (`addressKey`). */
export interface Target {
  /** An e-mail address, whether somebody has it or not, or a user's id. */
  account: string
  address: string
}

export interface Attempts {
  /**
   * Counts an attempt as a wrong one before it is looked at, so that parallel guesses don't beat the count; takes it
   * back when `check` throws.
   * @throws {AppError} 429 while a further attempt has to wait
   */
  make(target: Target, check: () => Promise<boolean>): Promise<Attempt>
}
export interface Attempt {
  /** What `check` said. */
  right: boolean
  /** The address may err for itself from now on. */
  succeeded(): Promise<void>
  /** It was no guess. */
  forgiven(): Promise<void>
}

/** An attempt that has a second to wait at most waits here, no longer than that. */
const patienceMs = 2000
/** Longer than that nobody waits. */
const maxWaitSeconds = 900
/** An address that was right so lately has a budget of its own. */
export const knownDays = 90

const keyOf = (...parts: string[]): string => createHash('sha256').update(parts.join('\0')).digest('base64url')

/**
 * Guessing gets slower and slower: once there were so many wrong attempts, each further one waits twice as long as the
 * one before. Nobody is locked out by others: an address from which an account signed in before is counted apart from
 * all those that only try.
 */
export function buildAttempts(
  db: Pick<Database, 'manager'>,
  config: Pick<AuthConfig, 'SIGN_IN_ATTEMPTS' | 'SIGN_IN_ATTEMPTS_PER_ADDRESS'>,
): Attempts {
  const last = new Map<string, Promise<unknown>>()
  /** One after another: of many who are right at once only one is counted at a time, however slow the machine is. */
  async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const own = (last.get(key) ?? Promise.resolve()).then(work, work)
    last.set(key, own)
    try {
      return await own
    } finally {
      if (last.get(key) === own) last.delete(key)
    }
  }
  async function reserve(key: string, free: number): Promise<void> {
    for (const until = Date.now() + patienceMs; ; await sleep(100)) {
      const waitSeconds = await reserveAttempt(db.manager, { key, free, maxWaitSeconds })
      if (!waitSeconds) return
      // the ones before may be right, which takes their count back in a moment: many at once are not refused for that
      if (waitSeconds === 1 && Date.now() < until) continue
      throw new AppError(
        'rate_limited',
        'There were too many wrong attempts: wait as many seconds as Retry-After says.',
        { headers: { 'Retry-After': String(waitSeconds) } },
      )
    }
  }
  return {
    async make({ account, address }, check) {
      const ofAddress = keyOf('address', address)
      const here = keyOf('account', account, address)
      const elsewhere = keyOf('account', account)
      const ofAccount = (await hasSucceeded(db.manager, here, knownDays)) ? here : elsewhere
      return inTurn(ofAccount, async () => {
        // who was right here before doesn't pay for what others do at this address
        await reserve(ofAddress, ofAccount === here ? Infinity : config.SIGN_IN_ATTEMPTS_PER_ADDRESS)
        try {
          await reserve(ofAccount, config.SIGN_IN_ATTEMPTS)
        } catch (error) {
          await forgiveAttempt(db.manager, ofAddress)
          throw error
        }
        const forgiven = async () => {
          await forgiveAttempt(db.manager, ofAccount)
          await forgiveAttempt(db.manager, ofAddress)
        }
        try {
          const right = await check()
          return {
            right,
            forgiven,
            async succeeded() {
              await forgiven()
              await succeedAttempt(db.manager, here)
            },
          }
        } catch (error) {
          await forgiven()
          throw error
        }
      })
    },
  }
}
