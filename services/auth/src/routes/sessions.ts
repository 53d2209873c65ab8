import Joi from 'joi'
import type { Cursors } from '@caregate/common/cursor'
import type { Database } from '@caregate/common/database'
import { notFound } from '@caregate/common/errors'
import { route, type Route } from '@caregate/common/route'
import { idParams, nothing, pageAnswer, pageFields, uuidField, type Page, type Schema } from '@caregate/common/validate'
import type { AuthConfig } from '../config.ts'
import type { SessionRow } from '../database.ts'
import { findEndedSessions, listSessions } from '../repository/sessions.ts'
import { rememberedMs, type SessionChange } from '../session-change.ts'
import { idleSince } from '../sessions.ts'

export interface SessionDeps {
  db: Pick<Database, 'manager'>
  config: Pick<AuthConfig, 'ACCESS_TOKEN_EXPIRE_MINUTES' | 'REFRESH_TOKEN_EXPIRE_DAYS'>
  cursors: Cursors
  change: SessionChange
}

const pageQuery: Schema<Page> = Joi.object(pageFields)
const revocationQuery: Schema<{ since?: Date }> = Joi.object({ since: Joi.date().iso() })
export const sessionAnswer: Schema<unknown> = Joi.object({
  id: uuidField().required(),
  createdAt: Joi.string().isoDate().required(),
  lastUsedAt: Joi.string().isoDate().required().description('When it was started or last refreshed'),
  expiresAt: Joi.string().isoDate().required().description('However much it is used'),
  ip: Joi.string().allow(null).required().description('Where it was started from'),
  userAgent: Joi.string().allow(null).required(),
  current: Joi.boolean().required().description('Whether it is the one of this token'),
})

const toSession = ({ id, createdAt, rotatedAt, expiresAt, ip, userAgent }: SessionRow, current: string) => ({
  id,
  createdAt: createdAt.toISOString(),
  lastUsedAt: rotatedAt.toISOString(),
  expiresAt: expiresAt.toISOString(),
  ip,
  userAgent,
  current: id === current,
})
const listName = 'GET /auth/sessions'

export function sessionRoutes({ db, config, cursors, change }: SessionDeps): Route[] {
  const accessMs = config.ACCESS_TOKEN_EXPIRE_MINUTES * 60_000 + rememberedMs
  return [
    route({
      method: 'get',
      path: '/auth/sessions',
      summary: 'List the own sessions, the newest first',
      policy: 'signed-in',
      event: { type: 'auth.session.read', action: 'R' },
      params: nothing,
      query: pageQuery,
      body: nothing,
      answer: { status: 200, description: 'A page of sessions', schema: pageAnswer(sessionAnswer) },
      errors: [],
      async handle(context) {
        const { sub, sid } = context.claims
        context.about({ resource: { type: 'user', id: sub } })
        const usedSince = idleSince(new Date(), config)
        const { rows, nextCursor } = await cursors.page(
          listName,
          context.query,
          (before: string | undefined, limit) => listSessions(db.manager, sub, usedSince, before, limit),
          ({ id }) => id,
        )
        return { body: { items: rows.map((row) => toSession(row, sid)), nextCursor } }
      },
    }),
    route({
      method: 'delete',
      path: '/auth/sessions/{id}',
      summary: 'End an own session',
      policy: 'signed-in',
      event: { type: 'auth.session.ended', action: 'E', subject: 'session' },
      params: idParams,
      query: nothing,
      body: nothing,
      answer: { status: 204, description: 'Ended' },
      errors: ['not_found'],
      async handle(context) {
        await change(async (tx, end) => {
          if (!(await end(context.claims.sub, { only: context.params.id }))) throw notFound('session')
          await context.record(tx)
        })
        return {}
      },
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
        const from = new Date(Math.max(since.getTime(), until.getTime() - accessMs))
        const ended = await findEndedSessions(db.manager, from)
        const items = ended.map(({ id, endedAt }) => ({
          sessionId: id,
          expiresAt: new Date(endedAt!.getTime() + accessMs).toISOString(),
        }))
        return { body: { items, until: until.toISOString() } }
      },
    }),
  ]
}
