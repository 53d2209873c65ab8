import Joi from 'joi'
import { roles, type Role } from '@caregate/common/auth'
import type { Cursors } from '@caregate/common/cursor'
import type { Database, Tx } from '@caregate/common/database'
import { AppError, notFound } from '@caregate/common/errors'
import { route, type Route } from '@caregate/common/route'
import {
  idParams,
  nothing,
  pageAnswer,
  pageFields,
  printableField,
  uuidField,
  type Page,
  type Schema,
} from '@caregate/common/validate'
import type { UserRow } from '../database.ts'
import { oneTimePassword, type Passwords } from '../passwords.ts'
import { deleteResets } from '../repository/password-resets.ts'
import {
  createUser,
  getUser,
  hasOtherAdmin,
  linkPatient,
  listUsers,
  lockUser,
  noTotp,
  toUser,
  updateUser,
  type UserFilter,
} from '../repository/users.ts'
import { emailField, fullNameField, rolesField, userAnswer } from '../schemas.ts'
import type { SessionChange } from '../session-change.ts'

export interface UserDeps {
  db: Pick<Database, 'transaction' | 'manager'>
  change: SessionChange
  cursors: Cursors
  passwords: Passwords
}

const oneTimeHours = 72
export const oneTimeUntil = (): Date => new Date(Date.now() + oneTimeHours * 3_600_000)

export interface NewStaff {
  email: string
  fullName: string
  roles: Role[]
}
export const staffBody: Schema<NewStaff> = Joi.object({
  email: emailField().required(),
  fullName: fullNameField().required(),
  roles: rolesField().required(),
})
type UserChange = Partial<Pick<UserRow, 'fullName' | 'roles' | 'disabled'>>
const changeBody: Schema<UserChange> = Joi.object<UserChange>({
  fullName: fullNameField(),
  roles: rolesField(),
  disabled: Joi.boolean(),
}).min(1)
const linkBody: Schema<{ patientId: string }> = Joi.object({ patientId: uuidField().required() })
const listQuery: Schema<Page & UserFilter> = Joi.object({
  ...pageFields,
  email: emailField(),
  q: printableField(200).description('Part of a name or an e-mail'),
  role: Joi.string().valid(...roles),
  disabled: Joi.boolean(),
})
const oneTimeAnswer = { oneTimePassword: Joi.string().required() }
const listName = 'GET /auth/users'

/** What an admin does with the accounts of others, and a registrar with those of patients. */
export function userRoutes({ db, change, cursors, passwords }: UserDeps): Route[] {
  return [
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
        schema: userAnswer.append(oneTimeAnswer),
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
      summary: 'List accounts; a registrar finds a patient’s by its exact e-mail',
      policy: ['admin', 'registrar'],
      event: { type: 'auth.user.read', action: 'R' },
      params: nothing,
      query: listQuery,
      body: nothing,
      answer: { status: 200, description: 'A page of accounts', schema: pageAnswer(userAnswer) },
      errors: [],
      async handle(context) {
        const { limit, cursor, ...asked } = context.query
        const isAdmin = context.claims.roles.includes('admin')
        if (!isAdmin && asked.email === undefined)
          throw new AppError('forbidden', 'A registrar finds accounts of patients, by `email`.')
        const filter = isAdmin ? asked : { email: asked.email, role: 'patient' as const }
        const { rows, nextCursor } = await cursors.page(
          listName,
          { limit, cursor },
          (after: string | undefined, most) => listUsers(db.manager, filter, after, most),
          ({ id }) => id,
        )
        context.about({ patientIds: rows.flatMap(({ patientId }) => patientId ?? []) })
        return { body: { items: rows.map(toUser), nextCursor } }
      },
    }),
    route({
      method: 'get',
      path: '/auth/users/{id}',
      summary: 'Read an account',
      policy: ['admin'],
      event: { type: 'auth.user.read', action: 'R', subject: 'user' },
      params: idParams,
      query: nothing,
      body: nothing,
      answer: { status: 200, description: 'The account', schema: userAnswer },
      errors: ['not_found'],
      handle: async (context) => ({ body: toUser(await getUser(db.manager, context.params.id)) }),
    }),
    route({
      method: 'patch',
      path: '/auth/users/{id}',
      summary: 'Change name or roles of an account, disable or enable it; other roles and disabling end its sessions',
      policy: ['admin'],
      event: { type: 'auth.user.updated', action: 'U', subject: 'user' },
      params: idParams,
      query: nothing,
      body: changeBody,
      answer: { status: 200, description: 'The account', schema: userAnswer },
      errors: ['not_found', 'conflict'],
      async handle(context) {
        const { id } = context.params
        const user = await change(async (tx, end) => {
          const before = await lockUser(tx, id)
          const after = { ...before, ...context.body }
          const changed = (['fullName', 'roles', 'disabled'] as const).filter(
            (field) => String(before[field]) !== String(after[field]),
          )
          if (changed.includes('roles') && before.roles.includes('patient'))
            throw new AppError('conflict', 'A patient’s account has no other role: make one for somebody of the staff.')
          if (administers(before) && !administers(after) && !(await hasOtherAdmin(tx, id)))
            throw new AppError('conflict', 'This is the last admin: make another one first.')
          if (changed.some((field) => field !== 'fullName')) await end(id)
          await context.record(tx, { changed })
          return updateUser(tx, id, context.body)
        })
        return { body: toUser(user) }
      },
    }),
    route({
      method: 'delete',
      path: '/auth/users/{id}/sessions',
      summary: 'End all sessions of an account',
      policy: ['admin'],
      event: { type: 'auth.session.ended', action: 'E', subject: 'user' },
      params: idParams,
      query: nothing,
      body: nothing,
      answer: { status: 204, description: 'Ended' },
      errors: ['not_found'],
      async handle(context) {
        await change(async (tx, end) => {
          const { id } = await lockUser(tx, context.params.id)
          await end(id)
          await context.record(tx)
        })
        return {}
      },
    }),
    route({
      method: 'delete',
      path: '/auth/users/{id}/totp',
      summary: 'Remove the second factor of an account, for somebody who lost it; its sessions end',
      policy: ['admin'],
      event: { type: 'auth.totp.deleted', action: 'D', subject: 'user' },
      params: idParams,
      query: nothing,
      body: nothing,
      answer: { status: 204, description: 'Removed' },
      errors: ['not_found'],
      async handle(context) {
        await change(async (tx, end) => {
          const { id } = await lockUser(tx, context.params.id)
          await updateUser(tx, id, noTotp)
          await end(id)
          await context.record(tx, { changed: ['totp'] })
        })
        return {}
      },
    }),
    route({
      method: 'post',
      path: '/auth/users/{id}/reset-password',
      summary: 'Give a one-time password instead of the one that there is; sessions end',
      policy: ['admin'],
      event: { type: 'auth.password.reset', action: 'U', subject: 'user' },
      params: idParams,
      query: nothing,
      body: nothing,
      answer: {
        status: 200,
        description: `A password, good for ${oneTimeHours} hours and for choosing one's own`,
        schema: Joi.object(oneTimeAnswer),
      },
      errors: ['not_found'],
      async handle(context) {
        const password = oneTimePassword()
        const passwordHash = await passwords.hash(password)
        await change(async (tx, end) => {
          const { id } = await lockUser(tx, context.params.id)
          await updateUser(tx, id, { passwordHash, oneTimeUntil: oneTimeUntil() })
          await deleteResets(tx, id)
          await end(id)
          await context.record(tx, { changed: ['password'] })
        })
        return { body: { oneTimePassword: password } }
      },
    }),
    route({
      method: 'put',
      path: '/auth/users/{id}/patient',
      summary: 'Link a patient’s account to its chart; its sessions end',
      policy: ['registrar'],
      event: { type: 'auth.user.updated', action: 'U', subject: 'user' },
      params: idParams,
      query: nothing,
      body: linkBody,
      answer: { status: 200, description: 'The account', schema: userAnswer },
      errors: ['not_found', 'conflict'],
      async handle(context) {
        const { patientId } = context.body
        context.about({ patientIds: [patientId] })
        const user = await change(async (tx, end) => {
          const { id, patientId: before } = await lockPatientAccount(tx, context.params.id)
          await end(id)
          const patientIds = [...new Set([patientId, ...(before ? [before] : [])])]
          await context.record(tx, { changed: ['patientId'], patientIds })
          return linkPatient(tx, id, patientId)
        })
        return { body: toUser(user) }
      },
    }),
    route({
      method: 'delete',
      path: '/auth/users/{id}/patient',
      summary: 'Take the link of a patient’s account to a chart away; its sessions end',
      policy: ['registrar'],
      event: { type: 'auth.user.updated', action: 'U', subject: 'user' },
      params: idParams,
      query: nothing,
      body: nothing,
      answer: { status: 204, description: 'Not linked' },
      errors: ['not_found'],
      async handle(context) {
        await change(async (tx, end) => {
          const { id, patientId } = await lockPatientAccount(tx, context.params.id)
          await updateUser(tx, id, { patientId: null })
          await end(id)
          await context.record(tx, { changed: ['patientId'], patientIds: patientId ? [patientId] : [] })
        })
        return {}
      },
    }),
  ]
}

const administers = (user: Pick<UserRow, 'roles' | 'disabled'>): boolean =>
  user.roles.includes('admin') && !user.disabled

/** Registrars see no other accounts. @throws {AppError} 404 */
async function lockPatientAccount(tx: Tx, id: string): Promise<UserRow> {
  const user = await lockUser(tx, id)
  if (!user.roles.includes('patient')) throw notFound('user')
  return user
}
