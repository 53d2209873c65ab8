import { databaseKeys, integer, processKeys, secret, tokenKeys, type Config } from '@caregate/common/config'

const { JWKS_URL: _ownKeys, ...signing } = tokenKeys

export const keys = {
  ...processKeys,
  ...databaseKeys,
  ...signing,
  PORT: integer(8001, 0, 65_535),
  /** Encrypts the signing keys and authenticates refresh tokens; with HS256 it signs access tokens too. */
  SECRET_KEY: secret(),
  ACCESS_TOKEN_EXPIRE_MINUTES: integer(30, 1, 1440),
  REFRESH_TOKEN_EXPIRE_DAYS: integer(30, 1, 365),
  /** How long a spent refresh token still gets its successor again: two tabs that refresh at once. */
  REFRESH_REUSE_SECONDS: integer(10, 0, 300),
  BCRYPT_COST: integer(12, 4, 16),
}
export type AuthConfig = Config<typeof keys>
