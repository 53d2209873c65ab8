import { createHmac, randomUUIDv7, timingSafeEqual } from 'node:crypto'
import jwt from 'jsonwebtoken'
import type { Claims } from '@caregate/common/auth'
import { deriveKey } from '@caregate/common/seal'
import type { AuthConfig } from './config.ts'
import type { UserRow } from './database.ts'
import type { SigningKey } from './keys.ts'
import type { Counters } from './metrics.ts'

export interface TokenPair {
  accessToken: string
  refreshToken: string
  tokenType: 'Bearer'
  /** Seconds */
  expiresIn: number
}

export interface Tokens {
  access(
    user: Pick<UserRow, 'id' | 'fullName' | 'roles' | 'patientId'>,
    sessionId: string,
    scope?: Claims['scope'],
  ): { accessToken: string; tokenType: 'Bearer'; expiresIn: number }
  /** `sessionId.generation.HMAC`: the row holds the generation only, so a successor can be made again. */
  refresh(sessionId: string, generation: number): string
  /** Undefined when the token was not made here. */
  readRefresh(token: string): { sessionId: string; generation: number } | undefined
}

export type TokenConfig = Pick<
  AuthConfig,
  'SECRET_KEY' | 'SECRET_KEY_PREVIOUS' | 'ACCESS_TOKEN_EXPIRE_MINUTES' | 'JWT_ISSUER' | 'JWT_AUDIENCE' | 'ALGORITHM'
>

export function buildTokens(config: TokenConfig, signingKey: () => SigningKey, issued: Counters['issued']): Tokens {
  const keyOf = (secret: string) => deriveKey(secret, 'caregate refresh token')
  const current = keyOf(config.SECRET_KEY)
  const known = config.SECRET_KEY_PREVIOUS ? [current, keyOf(config.SECRET_KEY_PREVIOUS)] : [current]
  const authenticate = (body: string, key = current): string =>
    createHmac('sha256', key).update(body).digest('base64url')
  const expiresIn = config.ACCESS_TOKEN_EXPIRE_MINUTES * 60

  return {
    access(user, sessionId, scope) {
      const { kid, privateKey } = signingKey()
      const claims = {
        sid: sessionId,
        roles: user.roles,
        name: user.fullName,
        ...(user.patientId ? { patientId: user.patientId } : {}),
        ...(scope ? { scope } : {}),
      }
      const accessToken = jwt.sign(claims, privateKey, {
        algorithm: config.ALGORITHM,
        keyid: kid,
        header: { alg: config.ALGORITHM, typ: 'at+jwt' },
        issuer: config.JWT_ISSUER,
        audience: config.JWT_AUDIENCE,
        subject: user.id,
        jwtid: randomUUIDv7(),
        // a verifier's clock may be a little behind
        notBefore: -5,
        expiresIn,
      })
      issued(scope ?? 'access')
      return { accessToken, tokenType: 'Bearer', expiresIn }
    },
    refresh(sessionId, generation) {
      issued('refresh')
      const body = `${sessionId}.${generation}`
      return `${body}.${authenticate(body)}`
    },
    readRefresh(token) {
      const [, body, sessionId, generation, mac] = /^(([0-9a-f-]{36})\.(\d{1,9}))\.([\w-]{43})$/.exec(token) ?? []
      if (!body || !known.some((key) => timingSafeEqual(Buffer.from(mac!), Buffer.from(authenticate(body, key)))))
        return undefined
      return { sessionId: sessionId!, generation: Number(generation) }
    },
  }
}
