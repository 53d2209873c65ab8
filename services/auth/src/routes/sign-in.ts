import Joi from 'joi'
import { unauthorized } from '@caregate/common/auth'
import type { Database, Tx } from '@caregate/common/database'
import { AppError } from '@caregate/common/errors'
import { addressKey } from '@caregate/common/http'
import type { Logger } from '@caregate/common/logger'
import { route, type Context, type Route } from '@caregate/common/route'
import { nothing, type Schema } from '@caregate/common/validate'
import type { Attempts } from '../attempts.ts'
import type { AuthConfig } from '../config.ts'
import type { UserRow } from '../database.ts'
import type { Counters } from '../metrics.ts'
import type { Passwords } from '../passwords.ts'
import { createSession, lockSession, rotateSession } from '../repository/sessions.ts'
import { findUserByEmail, getUser, lockUser, updateUser } from '../repository/users.ts'
import { codeField, emailField, passwordField, tokenFields } from '../schemas.ts'
import type { SessionChange } from '../session-change.ts'
import { judgeRefresh } from '../sessions.ts'
import type { TokenPair, Tokens } from '../tokens.ts'
import { mustHaveTotp, type Totp } from '../totp.ts'

export interface SignInDeps {
  db: Pick<Database, 'manager'>
  config: Pick<
    AuthConfig,
    | 'ACCESS_TOKEN_EXPIRE_MINUTES'
    | 'REFRESH_TOKEN_EXPIRE_DAYS'
    | 'REFRESH_REUSE_SECONDS'
    | 'SESSION_EXPIRE_DAYS'
    | 'TOTP_REQUIRED_ROLES'
  >
  counters: Pick<Counters, 'signIn' | 'reused'>
  attempts: Attempts
  change: SessionChange
  passwords: Passwords
  tokens: Tokens
  totp: Totp
  log: Logger
}

const loginBody: Schema<{ email: string; password: string; totp?: string }> = Joi.object({
  email: emailField().required(),
  password: passwordField().required(),
  totp: codeField().description('Where a second factor is enrolled: its code, or a recovery code'),
})
const refreshBody: Schema<{ refreshToken: string }> = Joi.object({ refreshToken: Joi.string().max(200).required() })
const pairAnswer: Schema<TokenPair> = Joi.object({ ...tokenFields, refreshToken: Joi.string().required() })
export const loginAnswer: Schema<unknown> = Joi.object({
  ...tokenFields,
  refreshToken: Joi.string().description('Absent where something must be done first'),
  mustChangePassword: Joi.boolean().description(
    'True after a one-time password: the token is good for POST /auth/password alone',
  ),
  mustEnrolTotp: Joi.boolean().description(
    'True where a role must have a second factor: the token is good for POST /auth/totp and /auth/totp/confirm alone',
  ),
})

const wrongCredentials = (): AppError => unauthorized('E-mail or password is wrong.')
/** @param threats that somebody has a copy of it, say */
const deadRefresh = (threats?: string[]): AppError => {
  const refused = unauthorized('The refresh token is not valid.')
  if (threats) refused.extras.threats = threats
  return refused
}
const dayMs = 86_400_000

export function signInRoutes({
  db,
  config,
  counters,
  attempts,
  change,
  passwords,
  tokens,
  totp,
  log,
}: SignInDeps): Route[] {
  const mustEnrol = (user: UserRow): boolean => !user.totpEnabled && mustHaveTotp(user, config)

  function concerns(context: Context<unknown, unknown, unknown>, user: UserRow, sessionId: string): void {
    const name = user.roles.includes('patient') ? null : user.fullName
    context.about({
      resource: { type: 'user', id: user.id },
      actor: { id: user.id, name, roles: user.roles, sessionId },
    })
  }

  /** The user, once the password is known to be right, and neither it nor the account was changed meanwhile. */
  async function lockUnchanged(tx: Tx, seen: UserRow, password: string): Promise<UserRow> {
    const user = await lockUser(tx, seen.id)
    // the same password may have been hashed anew; whoever changed it ended the sessions that there were
    const same = user.passwordHash === seen.passwordHash || (await passwords.matches(password, user.passwordHash))
    if (!same || user.disabled) throw wrongCredentials()
    return user
  }

  /** What a password is to be kept as, where it was kept at less cost; now is a good moment, and no more than that. */
  async function betterHash(
    password: string,
    { passwordHash }: UserRow,
  ): Promise<Pick<UserRow, 'passwordHash'> | undefined> {
    if (!passwords.isOutdated(passwordHash)) return undefined
    return passwords.hash(password).then(
      (better) => ({ passwordHash: better }),
      () => undefined,
    )
  }

  return [
    route({
      method: 'post',
      path: '/auth/login',
      summary: 'Sign in',
      policy: 'public',
      event: { type: 'auth.session.started', action: 'E', failedType: 'auth.session.failed' },
      params: nothing,
      query: nothing,
      body: loginBody,
      answer: { status: 200, description: 'Tokens', schema: loginAnswer },
      errors: ['unauthorized', 'totp_required'],
      handle: counters.signIn(async (context) => {
        const { email, password, totp: code } = context.body
        const seen = await findUserByEmail(db.manager, email)
        if (seen) context.about({ resource: { type: 'user', id: seen.id } })
        const attempt = await attempts.make({ account: email, address: addressKey(context.ip) }, () =>
          passwords.matches(password, seen?.passwordHash),
        )
        const lapsed = seen?.oneTimeUntil && seen.oneTimeUntil < new Date()
        if (!seen || !attempt.right || seen.disabled || lapsed) throw wrongCredentials()
        if (seen.totpEnabled && code === undefined) {
          await attempt.forgiven()
          throw new AppError('totp_required')
        }
        const better = await betterHash(password, seen)
        const { user, session, scope } = await change(async (tx) => {
          const user = await lockUnchanged(tx, seen, password)
          const spent = user.totpEnabled ? totp.spend(user, code ?? '') : {}
          await updateUser(tx, user.id, { ...spent, ...better })
          const scope = user.oneTimeUntil ? 'password' : mustEnrol(user) ? 'totp' : undefined
          const lastsMs = scope ? config.ACCESS_TOKEN_EXPIRE_MINUTES * 60_000 : config.SESSION_EXPIRE_DAYS * dayMs
          const session = await createSession(tx, {
            userId: user.id,
            expiresAt: new Date(Date.now() + lastsMs),
            ip: context.ip,
            userAgent: context.headers['user-agent']?.slice(0, 300) ?? null,
          })
          concerns(context, user, session.id)
          await context.record(tx, { changed: 'recoveryHashes' in spent ? ['recoveryCodes'] : [] })
          return { user, session, scope } as const
        })
        // it has signed in, whatever becomes of the count
        await attempt.succeeded().catch((error: unknown) => log.warning('a sign-in could not be counted', { error }))
        const access = tokens.access(user, session.id, scope)
        if (scope === 'password') return { body: { ...access, mustChangePassword: true } }
        if (scope === 'totp') return { body: { ...access, mustEnrolTotp: true } }
        return { body: { ...access, refreshToken: tokens.refresh(session.id, session.generation) } }
      }),
    }),
    route({
      method: 'post',
      path: '/auth/refresh',
      summary: 'Trade a refresh token for a new pair',
      policy: 'public',
      event: { type: 'auth.session.refreshed', action: 'E', failedType: 'auth.session.failed' },
      params: nothing,
      query: nothing,
      body: refreshBody,
      answer: { status: 200, description: 'A new pair', schema: pairAnswer },
      errors: ['unauthorized'],
      async handle(context) {
        const given = tokens.readRefresh(context.body.refreshToken)
        if (!given) throw deadRefresh()
        const pair = await change(async (tx, end) => {
          const session = await lockSession(tx, given.sessionId)
          if (!session) return deadRefresh()
          const user = await getUser(tx, session.userId)
          concerns(context, user, session.id)
          const verdict = judgeRefresh(session, given.generation, new Date(), config)
          if (verdict === 'reuse' || verdict === 'dead' || user.disabled || mustEnrol(user)) {
            const refused = deadRefresh(verdict === 'reuse' ? ['spent refresh token'] : undefined)
            if (verdict === 'reuse') counters.reused()
            if (await end(user.id, { only: session.id })) await context.record(tx, {}, refused)
            return refused
          }
          const generation = verdict === 'rotate' ? await rotateSession(tx, session) : session.generation
          await context.record(tx)
          return { ...tokens.access(user, session.id), refreshToken: tokens.refresh(session.id, generation) }
        })
        return pair instanceof AppError ? { refused: pair } : { body: pair }
      },
    }),
    route({
      method: 'post',
      path: '/auth/logout',
      summary: 'Sign out: end the session of this token',
      policy: 'signed-in',
      event: { type: 'auth.session.ended', action: 'E' },
      params: nothing,
      query: nothing,
      body: nothing,
      answer: { status: 204, description: 'Signed out' },
      errors: [],
      async handle(context) {
        const { sub, sid } = context.claims
        await change(async (tx, end) => {
          await end(sub, { only: sid })
          await context.record(tx, { resource: { type: 'session', id: sid } })
        })
        return {}
      },
    }),
  ]
}
