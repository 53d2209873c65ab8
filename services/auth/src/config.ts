import Joi from 'joi'
import {
  databaseKeys,
  integer,
  list,
  processKeys,
  secret,
  tokenKeys,
  type Config,
  type Key,
} from '@caregate/common/config'
import { roles } from '@caregate/common/auth'
import { factsOf } from '@caregate/common/services'

const { JWKS_URL: _ownKeys, ...signing } = tokenKeys

const roleList = (): Key<string[]> =>
  (list('') as Joi.Schema).custom((names: string[], helpers) => {
    const unknown = names.filter((name) => !(roles as readonly string[]).includes(name))
    return unknown.length ? helpers.message({ custom: `{{#label}} names no role: ${unknown.join(', ')}` }) : names
  })

export const keys = {
  ...processKeys,
  ...databaseKeys,
  ...signing,
  PORT: integer(factsOf('auth').port, 0, 65_535),
  /** Encrypts the signing keys and authenticates refresh tokens; with HS256 it signs access tokens too. */
  SECRET_KEY: secret(),
  ACCESS_TOKEN_EXPIRE_MINUTES: integer(30, 1, 1440),
  /** A session that isn't refreshed for so long is over. */
  REFRESH_TOKEN_EXPIRE_DAYS: integer(30, 1, 365),
  /** So long a session lasts however much it is used. */
  SESSION_EXPIRE_DAYS: integer(90, 1, 3650),
  /** How long a spent refresh token still gets its successor again: two tabs that refresh at once. */
  REFRESH_REUSE_SECONDS: integer(10, 0, 300),
  BCRYPT_COST: integer(12, 4, 16),
  /** A new signing key is made so often. */
  KEY_ROTATION_DAYS: integer(90, 1, 3650),
  /** So long the next signing key is published before it is used: as long as others keep the published keys. */
  KEY_PUBLISH_SECONDS: integer(60, 60, 86_400),
  /** Roles that must have a second factor. */
  TOTP_REQUIRED_ROLES: roleList(),
  /** Wrong passwords for an account before each further one has to wait, twice as long as the one before. */
  SIGN_IN_ATTEMPTS: integer(5, 1, 1_000_000_000),
  /** The same for an address, over all accounts. */
  SIGN_IN_ATTEMPTS_PER_ADDRESS: integer(100, 1, 1_000_000_000),
  /** For mails that let users choose a new password; without it an admin gives one-time passwords. */
  SMTP_URL: Joi.string().uri({ scheme: ['smtp', 'smtps'] }) as Key<string | undefined>,
  SMTP_FROM: Joi.string().default('Caregate <no-reply@localhost>') as Key<string>,
  /** Where a new password is chosen; the token is appended. */
  PASSWORD_RESET_URL: Joi.string().uri({ scheme: ['http', 'https'] }) as Key<string | undefined>,
}
export type AuthConfig = Config<typeof keys>
