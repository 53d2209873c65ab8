import { timingSafeEqual } from 'node:crypto'
import Joi from 'joi'
import { unauthorized, type Role } from '@caregate/common/auth'
import type { Cursors } from '@caregate/common/cursor'
import type { Database } from '@caregate/common/database'
import { AppError } from '@caregate/common/errors'
import { route, type Route } from '@caregate/common/route'
import {
  idParams,
  nothing,
  pageAnswer,
  pageFields,
  textField,
  uuidField,
  type Page,
  type Schema,
} from '@caregate/common/validate'
import type { AuthConfig } from '../config.ts'
import {
  createServiceAccount,
  deleteServiceAccount,
  findServiceAccount,
  listServiceAccounts,
  lockServiceAccount,
  replaceSecret,
  toServiceAccount,
  type ServiceAccount,
} from '../repository/service-accounts.ts'
import { createSession, useLiveSession } from '../repository/sessions.ts'
import { rolesField, tokenFields } from '../schemas.ts'
import { hashSecret, newSecret } from '../secrets.ts'
import type { SessionChange } from '../session-change.ts'
import type { Tokens } from '../tokens.ts'

export interface ServiceAccountDeps {
  db: Pick<Database, 'transaction' | 'manager'>
  change: SessionChange
  config: Pick<AuthConfig, 'SESSION_EXPIRE_DAYS'>
  cursors: Cursors
  tokens: Tokens
}

const tokenBody: Schema<{ clientId: string; clientSecret: string }> = Joi.object({
  clientId: Joi.string().max(100).required(),
  clientSecret: Joi.string().max(200).required(),
})
const accountBody: Schema<{ name: string; roles: Role[] }> = Joi.object({
  name: textField(100).required(),
  roles: rolesField().required(),
})
const pageQuery: Schema<Page> = Joi.object(pageFields)
export const accountAnswer: Schema<ServiceAccount> = Joi.object({
  id: uuidField().required(),
  name: Joi.string().required(),
  roles: Joi.array().items(Joi.string()).required(),
  createdAt: Joi.string().isoDate().required(),
  rotatedAt: Joi.string().isoDate().required().description('When its secret was made'),
})
const secretAnswer = accountAnswer.append({
  clientId: uuidField().required(),
  clientSecret: Joi.string().required().description('Shown this once'),
})
const listName = 'GET /auth/service-accounts'
const isUuid = (text: string): boolean => !uuidField().validate(text).error

/** Accounts of machines: dashboards, importers. */
export function serviceAccountRoutes({ db, change, config, cursors, tokens }: ServiceAccountDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/auth/token',
      summary: 'An access token for a service account',
      policy: 'public',
      event: { type: 'auth.session.started', action: 'E', failedType: 'auth.session.failed' },
      params: nothing,
      query: nothing,
      body: tokenBody,
      answer: { status: 200, description: 'The token; there is no refresh token', schema: Joi.object(tokenFields) },
      errors: ['unauthorized'],
      async handle(context) {
        const { clientId, clientSecret } = context.body
        const known = isUuid(clientId) ? await findServiceAccount(db.manager, clientId.toLowerCase()) : null
        const [given, kept] = [hashSecret(clientSecret), known?.secretHash ?? hashSecret('')].map((hash) =>
          Buffer.from(hash),
        )
        if (known) context.about({ resource: { type: 'service-account', id: known.id } })
        if (!timingSafeEqual(given!, kept!) || !known) throw wrongClient()
        const body = await db.transaction(async (tx) => {
          // deleted since it was found, it is as unknown as any other
          const account = await lockServiceAccount(tx, known.id).catch((error: unknown) => {
            throw error instanceof AppError && error.code === 'not_found' ? wrongClient() : error
          })
          // whoever changed it ended the session that there was
          if (account.secretHash !== known.secretHash) throw wrongClient()
          const expiresAt = new Date(Date.now() + config.SESSION_EXPIRE_DAYS * 86_400_000)
          const id =
            (await useLiveSession(tx, account.id)) ??
            (await createSession(tx, { userId: account.id, expiresAt, ip: null, userAgent: null })).id
          const { name, roles } = account
          await context.record(tx, { actor: { id: account.id, name, roles, sessionId: id } })
          return tokens.access({ id: account.id, fullName: name, roles, patientId: null }, id)
        })
        return { body }
      },
    }),
    route({
      method: 'post',
      path: '/auth/service-accounts',
      summary: 'Make a service account',
      policy: ['admin'],
      event: { type: 'auth.service-account.created', action: 'C' },
      params: nothing,
      query: nothing,
      body: accountBody,
      answer: { status: 201, description: 'The account and its secret', schema: secretAnswer },
      errors: ['conflict'],
      async handle(context) {
        const clientSecret = newSecret()
        const account = await db.transaction(async (tx) => {
          const created = await createServiceAccount(tx, { ...context.body, secretHash: hashSecret(clientSecret) })
          await context.record(tx, { resource: { type: 'service-account', id: created.id } })
          return created
        })
        return { body: { ...toServiceAccount(account), clientId: account.id, clientSecret } }
      },
    }),
    route({
      method: 'get',
      path: '/auth/service-accounts',
      summary: 'List service accounts',
      policy: ['admin'],
      event: { type: 'auth.service-account.read', action: 'R' },
      params: nothing,
      query: pageQuery,
      body: nothing,
      answer: { status: 200, description: 'A page of service accounts', schema: pageAnswer(accountAnswer) },
      errors: [],
      async handle(context) {
        const { rows, nextCursor } = await cursors.page(
          listName,
          context.query,
          (after: string | undefined, limit) => listServiceAccounts(db.manager, after, limit),
          ({ id }) => id,
        )
        return { body: { items: rows.map(toServiceAccount), nextCursor } }
      },
    }),
    route({
      method: 'post',
      path: '/auth/service-accounts/{id}/rotate',
      summary: 'Replace the secret of a service account; the old one and its tokens are dead at once',
      policy: ['admin'],
      event: { type: 'auth.service-account.updated', action: 'U', subject: 'service-account' },
      params: idParams,
      query: nothing,
      body: nothing,
      answer: { status: 200, description: 'The account and its new secret', schema: secretAnswer },
      errors: ['not_found'],
      async handle(context) {
        const clientSecret = newSecret()
        const account = await change(async (tx, end) => {
          const row = await lockServiceAccount(tx, context.params.id)
          await end(row.id)
          await context.record(tx, { changed: ['clientSecret'] })
          return replaceSecret(tx, row, hashSecret(clientSecret))
        })
        return { body: { ...toServiceAccount(account), clientId: account.id, clientSecret } }
      },
    }),
    route({
      method: 'delete',
      path: '/auth/service-accounts/{id}',
      summary: 'Delete a service account; its tokens are dead at once',
      policy: ['admin'],
      event: { type: 'auth.service-account.deleted', action: 'D', subject: 'service-account' },
      params: idParams,
      query: nothing,
      body: nothing,
      answer: { status: 204, description: 'Deleted' },
      errors: ['not_found'],
      async handle(context) {
        await change(async (tx, end) => {
          const { id } = await lockServiceAccount(tx, context.params.id)
          await end(id)
          await deleteServiceAccount(tx, id)
          await context.record(tx)
        })
        return {}
      },
    }),
  ]
}

const wrongClient = () => unauthorized('clientId or clientSecret is wrong.')
