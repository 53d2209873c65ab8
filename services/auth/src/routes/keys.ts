import Joi from 'joi'
import type { Database } from '@caregate/common/database'
import { route, type Route } from '@caregate/common/route'
import { nothing } from '@caregate/common/validate'
import type { Keys } from '../keys.ts'

export interface KeyDeps {
  db: Pick<Database, 'transaction'>
  keys: Pick<Keys, 'jwks' | 'rotate' | 'reload'>
}

export function keyRoutes({ db, keys }: KeyDeps): Route[] {
  return [
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
      method: 'post',
      path: '/auth/keys/rotate',
      summary: 'Make the next signing key: published at once, used a little later',
      policy: ['admin'],
      event: { type: 'auth.key.created', action: 'C' },
      params: nothing,
      query: nothing,
      body: nothing,
      answer: {
        status: 201,
        description: 'The key. The one before stays published until the last token that it signed has expired',
        schema: Joi.object({
          kid: Joi.string().required(),
          algorithm: Joi.string().valid('ES256', 'RS256').required(),
          createdAt: Joi.string().isoDate().required(),
          activeFrom: Joi.string().isoDate().required().description('From then on tokens are signed with it'),
        }),
      },
      errors: ['conflict'],
      async handle(context) {
        const { kid, algorithm, createdAt, activeFrom } = await db.transaction(async (tx) => {
          const key = await keys.rotate(tx)
          await context.record(tx, { resource: { type: 'key', id: key.kid } })
          return key
        })
        await keys.reload()
        return {
          body: { kid, algorithm, createdAt: createdAt.toISOString(), activeFrom: activeFrom.toISOString() },
        }
      },
    }),
  ]
}
