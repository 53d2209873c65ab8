import Joi from 'joi'
import { route, type Route } from '@caregate/common/route'
import { roles, type Role } from '@caregate/common/auth'
import type { Cursors } from '@caregate/common/cursor'
import type { Database } from '@caregate/common/database'
import { invalid } from '@caregate/common/errors'
import { nothing, pageFields, uuidField, type Page, type Schema } from '@caregate/common/validate'
import { brokenRules, oneTimePassword, type Passwords } from '../passwords.ts'
import { createUser, getUser, listUsers, toUser, updateUser } from '../repository.ts'
import { emailField, fullNameField, passwordField, userAnswer } from '../schemas.ts'

export interface UserDeps {
  db: Pick<Database, 'transaction' | 'manager'>
  cursors: Cursors
  passwords: Passwords
}

/** A patient's account comes from registering alone. */
const staffRoles = roles.filter((role) => role !== 'patient')
const oneTimeHours = 72
export const oneTimeUntil = (): Date => new Date(Date.now() + oneTimeHours * 3_600_000)

interface Registration {
  email: string
  password: string
  fullName: string
}
const registerBody: Schema<Registration> = Joi.object({
  email: emailField().required(),
  password: passwordField().required(),
  fullName: fullNameField().required(),
})
export interface NewStaff {
  email: string
  fullName: string
  roles: Role[]
}
export const staffBody: Schema<NewStaff> = Joi.object({
  email: emailField().required(),
  fullName: fullNameField().required(),
  roles: Joi.array()
    .items(Joi.string().valid(...staffRoles))
    .min(1)
    .unique()
    .required(),
})
const meBody: Schema<{ fullName: string }> = Joi.object({ fullName: fullNameField().required() })
const pageQuery: Schema<Page> = Joi.object(pageFields)
const userParams: Schema<{ id: string }> = Joi.object({ id: uuidField().required() })
const listName = 'GET /auth/users'

export function userRoutes({ db, cursors, passwords }: UserDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/auth/register',
      summary: 'Register as a patient',
      policy: 'public',
      event: { type: 'auth.user.created', action: 'C' },
      params: nothing,
      query: nothing,
      body: registerBody,
      answer: { status: 201, description: 'The account', schema: userAnswer },
      errors: ['conflict'],
      async handle(context) {
        const { email, fullName, password } = context.body
        const broken = brokenRules(password, 'password')
        if (broken.length) throw invalid(...broken)
        const passwordHash = await passwords.hash(password)
        const user = await db.transaction(async (tx) => {
          const created = await createUser(tx, {
            email,
            fullName,
            roles: ['patient'],
            passwordHash,
            oneTimeUntil: null,
          })
          await context.record(tx, { resource: { type: 'user', id: created.id } })
          return created
        })
        return { body: toUser(user) }
      },
    }),
    route({
      method: 'get',
      path: '/auth/me',
      summary: 'Read the own account',
      policy: 'signed-in',
      event: { type: 'auth.user.read', action: 'R' },
      params: nothing,
      query: nothing,
      body: nothing,
      answer: { status: 200, description: 'The account', schema: userAnswer },
      errors: [],
      async handle(context) {
        context.about({ resource: { type: 'user', id: context.claims.sub } })
        return { body: toUser(await getUser(db.manager, context.claims.sub)) }
      },
    }),
    route({
      method: 'patch',
      path: '/auth/me',
      summary: 'Change the own account',
      policy: 'signed-in',
      event: { type: 'auth.user.updated', action: 'U' },
      params: nothing,
      query: nothing,
      body: meBody,
      answer: { status: 200, description: 'The account', schema: userAnswer },
      errors: [],
      async handle(context) {
        const user = await db.transaction(async (tx) => {
          const updated = await updateUser(tx, context.claims.sub, context.body)
          await context.record(tx, { resource: { type: 'user', id: updated.id }, changed: ['fullName'] })
          return updated
        })
        return { body: toUser(user) }
      },
    }),
    route({
      method: 'post',
      path: '/auth/users',
      summary: 'Make an account for somebody of the staff',
      policy: ['admin'],
      event: { type: 'auth.user.created', action: 'C' },
      params: nothing,
      query: nothing,
      body: staffBody,
      answer: {
        status: 201,
        description: `The account and a first password, good for ${oneTimeHours} hours and for choosing one's own`,
        schema: userAnswer.append({ oneTimePassword: Joi.string().required() }),
      },
      errors: ['conflict'],
      async handle(context) {
        const password = oneTimePassword()
        const passwordHash = await passwords.hash(password)
        const user = await db.transaction(async (tx) => {
          const created = await createUser(tx, { ...context.body, passwordHash, oneTimeUntil: oneTimeUntil() })
          await context.record(tx, { resource: { type: 'user', id: created.id } })
          return created
        })
        return { body: { ...toUser(user), oneTimePassword: password } }
      },
    }),
    route({
      method: 'get',
      path: '/auth/users',
      summary: 'List accounts',
      policy: ['admin'],
      event: { type: 'auth.user.read', action: 'R' },
      params: nothing,
      query: pageQuery,
      body: nothing,
      answer: {
        status: 200,
        description: 'A page of accounts',
        schema: Joi.object({
          items: Joi.array().items(userAnswer).required(),
          nextCursor: Joi.string().allow(null).required(),
        }),
      },
      errors: [],
      async handle(context) {
        const { limit, cursor } = context.query
        const rows = await listUsers(
          db.manager,
          cursor === undefined ? undefined : cursors.decode<string>(listName, cursor),
          limit + 1,
        )
        const shown = rows.slice(0, limit)
        const last = rows.length > limit ? shown.at(-1) : undefined
        return { body: { items: shown.map(toUser), nextCursor: last ? cursors.encode(listName, last.id) : null } }
      },
    }),
    route({
      method: 'get',
      path: '/auth/users/{id}',
      summary: 'Read an account',
      policy: ['admin'],
      event: { type: 'auth.user.read', action: 'R', subject: 'user' },
      params: userParams,
      query: nothing,
      body: nothing,
      answer: { status: 200, description: 'The account', schema: userAnswer },
      errors: ['not_found'],
      handle: async (context) => ({ body: toUser(await getUser(db.manager, context.params.id)) }),
    }),
  ]
}
