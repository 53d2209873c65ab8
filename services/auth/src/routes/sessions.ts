import Joi from 'joi'
import { route, type Context, type Route } from '@caregate/common/route'
import { unauthorized, type Claims } from '@caregate/common/auth'
import { revocationExchange, type Broker } from '@caregate/common/broker'
import type { Database } from '@caregate/common/database'
import { AppError, invalid } from '@caregate/common/errors'
import { nothing, type Schema } from '@caregate/common/validate'
import type { AuthConfig } from '../config.ts'
import type { UserRow } from '../database.ts'
import type { Keys } from '../keys.ts'
import { brokenRules, type Passwords } from '../passwords.ts'
import {
  createSession,
  endSessions,
  findEndedSessions,
  findUserByEmail,
  getUser,
  lockSession,
  lockUser,
  rotateSession,
  updateUser,
} from '../repository.ts'
import { emailField, passwordField } from '../schemas.ts'
import { judgeRefresh } from '../sessions.ts'
import type { TokenPair, Tokens } from '../tokens.ts'

export interface SessionDeps {
  db: Pick<Database, 'transaction' | 'manager'>
  broker: Pick<Broker, 'broadcast'>
  config: Pick<AuthConfig, 'ACCESS_TOKEN_EXPIRE_MINUTES' | 'REFRESH_TOKEN_EXPIRE_DAYS' | 'REFRESH_REUSE_SECONDS'>
  keys: Pick<Keys, 'jwks'>
  passwords: Passwords
  tokens: Tokens
}

const loginBody: Schema<{ email: string; password: string }> = Joi.object({
  email: emailField().required(),
  password: passwordField().required(),
})
const refreshBody: Schema<{ refreshToken: string }> = Joi.object({ refreshToken: Joi.string().max(200).required() })
const passwordBody: Schema<{ currentPassword: string; newPassword: string }> = Joi.object({
  currentPassword: passwordField().required(),
  newPassword: passwordField().required(),
})
const revocationQuery: Schema<{ since?: Date }> = Joi.object({ since: Joi.date().iso() })
const tokenFields = {
  accessToken: Joi.string().required(),
  tokenType: Joi.string().valid('Bearer').required(),
  expiresIn: Joi.number().integer().required().description('Seconds'),
}
const pairAnswer: Schema<TokenPair> = Joi.object({ ...tokenFields, refreshToken: Joi.string().required() })
const loginAnswer: Schema<unknown> = Joi.object({
  ...tokenFields,
  refreshToken: Joi.string().description('Absent after a one-time password'),
  mustChangePassword: Joi.boolean().description(
    'True after a one-time password: the token is good for POST /auth/password alone',
  ),
})

const wrongCredentials = (): AppError => unauthorized('E-mail or password is wrong.')
const deadRefresh = (): AppError => unauthorized('The refresh token is not valid.')

export function sessionRoutes({ db, broker, config, keys, passwords, tokens }: SessionDeps): Route[] {
  const accessMs = config.ACCESS_TOKEN_EXPIRE_MINUTES * 60_000
  const expiry = (): Date => new Date(Date.now() + config.REFRESH_TOKEN_EXPIRE_DAYS * 86_400_000)

  /** Tells the gateways once it is committed. Those that don't hear it read `/internal/revocations`. */
  function announce(sessionIds: readonly string[]): void {
    const expiresAt = new Date(Date.now() + accessMs).toISOString()
    for (const sessionId of sessionIds) broker.broadcast(revocationExchange, JSON.stringify({ sessionId, expiresAt }))
  }

  function concerns(context: Context<unknown, unknown, unknown>, user: UserRow, sessionId: string | null = null): void {
    const name = user.roles.includes('patient') ? null : user.fullName
    context.about({
      resource: { type: 'user', id: user.id },
      actor: { id: user.id, name, roles: user.roles, sessionId },
    })
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
      errors: ['unauthorized'],
      async handle(context) {
        const { email, password } = context.body
        const user = await findUserByEmail(db.manager, email)
        if (user) context.about({ resource: { type: 'user', id: user.id } })
        const right = await passwords.matches(password, user?.passwordHash)
        const lapsed = user?.oneTimeUntil && user.oneTimeUntil < new Date()
        if (!user || !right || user.disabled || lapsed) throw wrongCredentials()
        const mustChangePassword = user.oneTimeUntil !== null
        const session = await db.transaction(async (tx) => {
          const { passwordHash, disabled } = await lockUser(tx, user.id)
          // changed while it was being compared: whoever changed it ended the sessions that there were
          if (passwordHash !== user.passwordHash || disabled) throw wrongCredentials()
          const started = await createSession(
            tx,
            user.id,
            mustChangePassword ? new Date(Date.now() + accessMs) : expiry(),
          )
          concerns(context, user, started.id)
          await context.record(tx)
          return started
        })
        if (mustChangePassword) return { body: { ...tokens.access(user, session.id, 'password'), mustChangePassword } }
        return {
          body: { ...tokens.access(user, session.id), refreshToken: tokens.refresh(session.id, session.generation) },
        }
      },
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
        const pair = await db.transaction(async (tx) => {
          const session = await lockSession(tx, given.sessionId)
          if (!session) return undefined
          const user = await getUser(tx, session.userId)
          concerns(context, user, session.id)
          const verdict = judgeRefresh(session, given.generation, new Date(), config.REFRESH_REUSE_SECONDS)
          if (verdict === 'reuse') await endSessions(tx, user.id, { only: session.id })
          if (verdict === 'reuse' || verdict === 'dead' || user.disabled) return undefined
          const generation = verdict === 'rotate' ? await rotateSession(tx, session) : session.generation
          await context.record(tx)
          return { ...tokens.access(user, session.id), refreshToken: tokens.refresh(session.id, generation) }
        })
        if (pair) return { body: pair }
        announce([given.sessionId])
        throw deadRefresh()
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
        const ended = await db.transaction(async (tx) => {
          const ids = await endSessions(tx, sub, { only: sid })
          await context.record(tx, { resource: { type: 'session', id: sid } })
          return ids
        })
        announce(ended)
        return {}
      },
    }),
    route({
      method: 'post',
      path: '/auth/password',
      summary: 'Change the password; the other sessions end',
      policy: 'signed-in',
      allowOneTime: true,
      event: { type: 'auth.password.updated', action: 'U' },
      params: nothing,
      query: nothing,
      body: passwordBody,
      answer: { status: 204, description: 'Changed' },
      errors: [],
      async handle(context) {
        const { sub, sid, scope }: Claims = context.claims
        const { currentPassword, newPassword } = context.body
        context.about({ resource: { type: 'user', id: sub } })
        const { passwordHash } = await getUser(db.manager, sub)
        const broken = brokenRules(newPassword, 'newPassword')
        if (!(await passwords.matches(currentPassword, passwordHash)))
          broken.unshift({ path: 'currentPassword', message: 'currentPassword is wrong' })
        else if (newPassword === currentPassword)
          broken.push({ path: 'newPassword', message: 'newPassword is the current one' })
        if (broken.length) throw invalid(...broken)
        const hash = await passwords.hash(newPassword)
        const ended = await db.transaction(async (tx) => {
          const user = await lockUser(tx, sub)
          // somebody else changed it in between
          if (user.passwordHash !== passwordHash)
            throw new AppError('conflict', 'The password was changed in the meantime.')
          await updateUser(tx, sub, { passwordHash: hash, oneTimeUntil: null })
          const ids = await endSessions(tx, sub, scope === 'password' ? {} : { except: sid })
          await context.record(tx, { changed: ['password'] })
          return ids
        })
        announce(ended)
        return {}
      },
    }),
    route({
      method: 'get',
      path: '/.well-known/jwks.json',
      root: true,
      summary: 'Public keys of the access tokens (RFC 7517)',
      policy: 'public',
      event: null,
      params: nothing,
      query: nothing,
      body: nothing,
      answer: {
        status: 200,
        description: 'The keys; none with HS256',
        schema: Joi.object({ keys: Joi.array().items(Joi.object().unknown()).required() }),
      },
      errors: [],
      handle: async () => ({ body: keys.jwks(), headers: { 'Cache-Control': 'public, max-age=60' } }),
    }),
    route({
      method: 'get',
      path: '/internal/revocations',
      internal: true,
      summary: 'Sessions that ended while their access tokens may still be good',
      policy: 'public',
      event: null,
      params: nothing,
      query: revocationQuery,
      body: nothing,
      answer: { status: 200, description: 'Ended sessions, and the time up to which they are' },
      errors: [],
      async handle({ query: { since = new Date(0) } }) {
        const until = new Date()
        const ended = await findEndedSessions(
          db.manager,
          new Date(Math.max(since.getTime(), until.getTime() - accessMs)),
        )
        const items = ended.map(({ id, endedAt }) => ({
          sessionId: id,
          expiresAt: new Date(endedAt!.getTime() + accessMs).toISOString(),
        }))
        return { body: { items, until: until.toISOString() } }
      },
    }),
  ]
}
