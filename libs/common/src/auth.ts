import { createPublicKey, createSecretKey, hkdfSync, type JsonWebKey, type KeyObject } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { LRUCache } from 'lru-cache'
import { AppError, type TokenFlaw } from './errors.ts'

export const roles = ['admin', 'clinician', 'nurse', 'registrar', 'auditor', 'patient'] as const
export type Role = (typeof roles)[number]
/** Those who work with charts. */
export const staff = ['clinician', 'nurse', 'registrar'] as const satisfies Role[]
export type Algorithm = 'ES256' | 'RS256' | 'HS256'

/** What a token is good for, if not for everything: choosing a password, or enrolling a second factor. */
export type Scope = 'password' | 'totp'

/** Claims of an access token (RFC 9068), as this platform issues them. Times are seconds since the epoch. */
export interface Claims {
  iss: string
  aud: string
  sub: string
  sid: string
  roles: Role[]
  name: string
  patientId?: string
  scope?: Scope
  jti: string
  iat: number
  nbf: number
  exp: number
}

export type FindKey = (kid: string) => Promise<KeyObject | undefined>
/** The claims of the access token in an `Authorization` header. @throws {AppError} 401 `unauthorized` */
export type Verify = (authorization: string | undefined) => Promise<Claims>

const bearer = /^Bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+) *$/i

function bearerToken(header: string | undefined): string {
  if (!header) throw unauthorized('There is no access token: send Authorization: Bearer <token>.', 'missing')
  const token = bearer.exec(header)?.[1]
  if (!token) throw unauthorized('Authorization is not a Bearer token.', 'invalid')
  return token
}

/** @param token what is wrong with it, where there should be one */
export function unauthorized(detail: string, token?: TokenFlaw): AppError {
  const headers = { 'WWW-Authenticate': 'Bearer realm="caregate"' }
  return new AppError('unauthorized', detail, { headers, ...(token && { token }) })
}

export interface VerifyOptions {
  ALGORITHM: Algorithm
  JWT_ISSUER: string
  JWT_AUDIENCE: string
}

/** Checks access tokens with the one pinned algorithm. What was checked once is known until it expires. */
export function buildVerify(options: VerifyOptions, findKey: FindKey): Verify {
  const known = new LRUCache<string, { claims: Claims; kid: string }>({ max: 10_000 })
  return async (authorization) => {
    const seen = known.get(authorization ?? '')
    // a key that was withdrawn takes its tokens along
    if (seen && seen.claims.exp * 1000 > Date.now() && (await findKey(seen.kid))) return seen.claims
    const token = bearerToken(authorization)
    const header = headerOf(token)
    // of what a header says to be critical nothing is understood here (RFC 7515, 4.1.11)
    if (header?.typ !== 'at+jwt' || header.alg !== options.ALGORITHM || !header.kid || 'crit' in header)
      throw invalidToken()
    const key = await findKey(header.kid)
    if (!key) throw invalidToken()
    try {
      const claims = jwt.verify(token, key, {
        algorithms: [options.ALGORITHM],
        issuer: options.JWT_ISSUER,
        audience: options.JWT_AUDIENCE,
      }) as unknown as Claims
      if (!hasShape(claims)) throw new Error('not the claims that auth gives')
      known.set(authorization!, { claims, kid: header.kid })
      return claims
    } catch (error) {
      if (error instanceof jwt.TokenExpiredError) throw unauthorized('The access token has expired.', 'expired')
      throw invalidToken()
    }
  }
}
const invalidToken = (): AppError => unauthorized('The access token is not valid.', 'invalid')

/** Whether the claims are of the kind that this release knows. A token of a later one may not be. */
function hasShape({ sub, sid, jti, name, roles: given, scope, patientId, exp }: Partial<Claims>): boolean {
  return (
    [sub, sid, ...(patientId === undefined ? [] : [patientId])].every(
      (id) => typeof id === 'string' && uuid.test(id),
    ) &&
    [jti, name].every((text) => typeof text === 'string') &&
    Array.isArray(given) &&
    given.every((role) => roles.includes(role)) &&
    (scope === undefined || scope === 'password' || scope === 'totp') &&
    typeof exp === 'number'
  )
}
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Undefined where there is none. */
function headerOf(token: string): jwt.JwtHeader | undefined {
  try {
    return jwt.decode(token, { complete: true })?.header
  } catch {
    return undefined
  }
}

/** With HS256 SECRET_KEY is the key; its id tells keys apart and nothing of them. */
export function sharedKey(secretKey: string): { kid: string; key: KeyObject } {
  const kid = Buffer.from(hkdfSync('sha256', secretKey, '', 'caregate key id', 12)).toString('base64url')
  return { kid, key: createSecretKey(Buffer.from(secretKey)) }
}

/** @param previous while SECRET_KEY is being changed */
export function findShared(secretKey: string, previous?: string): FindKey {
  const keys = new Map([secretKey, ...(previous ? [previous] : [])].map(sharedKey).map(({ kid, key }) => [kid, key]))
  return async (kid) => keys.get(kid)
}

const refreshMs = 60_000
const coolDownMs = 2000

/**
 * Keys from auth's JWKS (RFC 7517), fetched when first needed and once a minute. An unknown `kid` fetches again, but
 * not more often than every two seconds; while auth is away the keys that are known go on being good.
 */
function remoteKeys(jwksUrl: string): FindKey {
  let keys = new Map<string, KeyObject>()
  let attemptedAt = 0
  let fetching: Promise<void> | undefined

  async function fetchKeys(): Promise<void> {
    attemptedAt = Date.now()
    try {
      const answer = await fetch(jwksUrl, { signal: AbortSignal.timeout(3000) })
      if (!answer.ok) return
      const { keys: jwks } = (await answer.json()) as { keys: (JsonWebKey & { kid: string })[] }
      keys = new Map(jwks.map((jwk) => [jwk.kid, createPublicKey({ key: jwk, format: 'jwk' })]))
    } catch {
      // stale keys are better than none
    }
  }

  return async (kid) => {
    const wait = keys.has(kid) ? refreshMs : coolDownMs
    if (Date.now() - attemptedAt > wait) fetching ??= fetchKeys().finally(() => (fetching = undefined))
    if (!keys.has(kid)) await fetching
    if (!keys.size)
      throw new AppError('unavailable', 'The keys to check access tokens with can’t be had for the moment.', {
        headers: { 'Retry-After': '1' },
      })
    return keys.get(kid)
  }
}

/** The check that a process is configured for. */
export function configuredVerify(
  options: VerifyOptions & { SECRET_KEY?: string; SECRET_KEY_PREVIOUS?: string; JWKS_URL?: string },
): Verify {
  return buildVerify(
    options,
    options.ALGORITHM === 'HS256'
      ? findShared(options.SECRET_KEY!, options.SECRET_KEY_PREVIOUS)
      : remoteKeys(options.JWKS_URL!),
  )
}
