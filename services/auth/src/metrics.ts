import { toAppError } from '@caregate/common/errors'
import type { Metrics } from '@caregate/common/metrics'
import type { Keys } from './keys.ts'
import type { Passwords } from './passwords.ts'

const outcomes = ['success', 'unauthorized', 'totp_required', 'rate_limited', 'error'] as const
/** `password` and `totp` are access tokens that are good for nothing else. */
const kinds = ['access', 'refresh', 'password', 'totp'] as const

export type Counters = ReturnType<typeof buildCounters>

export interface Parts {
  passwords: Pick<Passwords, 'waiting'>
  keys: Pick<Keys, 'signing'>
}

/** What auth counts, and what is read from its parts at each scrape. */
export function buildCounters(metrics: Metrics, { passwords, keys }: Parts) {
  metrics.gauges(
    {
      caregate_auth_password_queue: 'Passwords that wait to be hashed or compared, besides one a core that is',
      caregate_auth_signing_key_age_seconds: 'For how long the signing key has been in use',
    },
    () => {
      const { from } = keys.signing()
      return {
        caregate_auth_password_queue: passwords.waiting,
        caregate_auth_signing_key_age_seconds: from === undefined ? null : (Date.now() - from) / 1000,
      }
    },
  )
  const signIns = metrics.counters('caregate_auth_sign_ins_total', 'Tries to sign in', 'outcome', outcomes)
  return {
    issued: metrics.counters('caregate_auth_tokens_issued_total', 'Tokens given', 'kind', kinds),
    reused: metrics.counter('caregate_auth_refresh_reuse_total', 'Spent refresh tokens that came again: copies'),
    /** Counts a try to sign in by what comes of it. */
    signIn<C, A>(handle: (context: C) => Promise<A>) {
      return async (context: C): Promise<A> => {
        try {
          const answer = await handle(context)
          signIns('success')
          return answer
        } catch (error) {
          const { code } = toAppError(error)
          signIns(outcomes.find((outcome) => outcome === code) ?? 'error')
          throw error
        }
      }
    },
  }
}
