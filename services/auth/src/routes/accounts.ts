import Joi from 'joi'
import type { Database } from '@caregate/common/database'
import { invalid } from '@caregate/common/errors'
import { route, type Route } from '@caregate/common/route'
import { nothing, type Schema } from '@caregate/common/validate'
import { brokenRules, type Passwords } from '../passwords.ts'
import { createUser, getUser, toUser, updateUser } from '../repository/users.ts'
import { emailField, fullNameField, passwordField, userAnswer } from '../schemas.ts'

export interface AccountDeps {
  db: Pick<Database, 'transaction' | 'manager'>
  passwords: Passwords
}

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
const meBody: Schema<{ fullName: string }> = Joi.object({ fullName: fullNameField().required() })

/** What everybody does with the own account. */
export function accountRoutes({ db, passwords }: AccountDeps): Route[] {
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
      errors: ['not_found'],
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
      errors: ['not_found'],
      async handle(context) {
        const user = await db.transaction(async (tx) => {
          const updated = await updateUser(tx, context.claims.sub, context.body)
          await context.record(tx, { resource: { type: 'user', id: updated.id }, changed: ['fullName'] })
          return updated
        })
        return { body: toUser(user) }
      },
    }),
  ]
}
