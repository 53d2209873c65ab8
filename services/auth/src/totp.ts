import { randomInt } from 'node:crypto'
import { generateSecret, generateURI, verifySync } from 'otplib'
import { toDataURL } from 'qrcode'
import { unauthorized } from '@caregate/common/auth'
import type { AppError } from '@caregate/common/errors'
import type { Seal } from '@caregate/common/seal'
import type { AuthConfig } from './config.ts'
import type { UserRow } from './database.ts'
import { totpName } from './repository/users.ts'
import { hashSecret } from './secrets.ts'

/** What a user is shown once, to set an authenticator up with. */
export interface Enrolment {
  /** Base32. */
  secret: string
  /** https://github.com/google/google-authenticator/wiki/Key-Uri-Format */
  otpauthUri: string
  /** The same as a QR code: a PNG in a data URI. */
  qrDataUri: string
  /** Each is good once instead of a code. */
  recoveryCodes: string[]
}

/** The second factor: codes by time (RFC 6238, six digits, 30 s), each good once, and recovery codes. */
export interface Totp {
  enrol(user: UserRow): Promise<{ change: Partial<UserRow>; enrolment: Enrolment }>
  /** Uses a code up. @returns the change of the user @throws {AppError} 401 when it is wrong or was used */
  spend(user: UserRow, code: string): Partial<UserRow>
}

/** A clock may be so far off. */
const epochTolerance = 30
const recoveryCodes = 10
// without letters and digits that look alike: 80 bits in 16 of them, which no hash has to be slow for
const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'

function recoveryCode(): string {
  const group = (): string => Array.from({ length: 4 }, () => alphabet[randomInt(alphabet.length)]).join('')
  return [group(), group(), group(), group()].join('-')
}

export const wrongCode = (): AppError => unauthorized('The code is wrong, or was used already.')

/** Whether the policy wants one of this user. */
export const mustHaveTotp = (
  { roles }: Pick<UserRow, 'roles'>,
  { TOTP_REQUIRED_ROLES }: Pick<AuthConfig, 'TOTP_REQUIRED_ROLES'>,
): boolean => roles.some((role) => TOTP_REQUIRED_ROLES.includes(role))

export function buildTotp(seal: Seal): Totp {
  return {
    async enrol(user) {
      const secret = generateSecret()
      const otpauthUri = generateURI({ issuer: 'Caregate', label: user.email, secret })
      const codes = Array.from({ length: recoveryCodes }, recoveryCode)
      return {
        change: {
          totpSealed: seal.close(totpName(user), secret),
          totpStep: 0,
          recoveryHashes: codes.map(hashSecret),
        },
        enrolment: { secret, otpauthUri, qrDataUri: await toDataURL(otpauthUri), recoveryCodes: codes },
      }
    },
    spend(user, code) {
      // after a code that another instance took whose clock is ahead, none of now is good
      const behind = user.totpStep * 30_000 > Date.now() + 30_000
      if (/^\d{6}$/.test(code) && !behind) {
        const secret = seal.open(totpName(user), user.totpSealed!)
        const found = verifySync({ secret, token: code, epochTolerance, afterTimeStep: user.totpStep })
        if (found.valid && 'timeStep' in found) return { totpStep: found.timeStep }
      }
      const hash = hashSecret(code.toUpperCase())
      if (!user.recoveryHashes.includes(hash)) throw wrongCode()
      return { recoveryHashes: user.recoveryHashes.filter((left) => left !== hash) }
    },
  }
}
