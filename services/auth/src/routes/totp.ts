import Joi from 'joi'
import type { Database, Tx } from '@caregate/common/database'
import { AppError, notFound } from '@caregate/common/errors'
import { route, type Route } from '@caregate/common/route'
import { nothing, type Schema } from '@caregate/common/validate'
import type { AuthConfig } from '../config.ts'
import type { UserRow } from '../database.ts'
import { lockSession } from '../repository/sessions.ts'
import { lockUser, noTotp, updateUser } from '../repository/users.ts'
import { codeField } from '../schemas.ts'
import type { SessionChange } from '../session-change.ts'
import { mustHaveTotp, wrongCode, type Enrolment, type Totp } from '../totp.ts'

export interface TotpDeps {
  db: Pick<Database, 'transaction'>
  change: SessionChange
  config: Pick<AuthConfig, 'TOTP_REQUIRED_ROLES'>
  totp: Totp
}

const codeBody: Schema<{ totp: string }> = Joi.object({ totp: codeField().required() })
const enrolmentAnswer: Schema<Enrolment> = Joi.object({
  secret: Joi.string().required().description('Base32'),
  otpauthUri: Joi.string().required(),
  qrDataUri: Joi.string().required().description('A PNG of the URI as a QR code'),
  recoveryCodes: Joi.array().items(Joi.string()).required().description('Each is good once instead of a code'),
})

/** @throws {AppError} 409 */
function refuseEnrolled({ totpEnabled }: UserRow): void {
  if (totpEnabled) throw new AppError('conflict', 'A second factor is enrolled: remove it first.')
}

/** So long after a login its session may do what a stolen token must not. */
const freshMinutes = 15

/** @throws {AppError} 403 `sign_in_again` when the session is not a new one */
async function checkFresh(tx: Tx, sessionId: string): Promise<void> {
  const session = await lockSession(tx, sessionId)
  if (!session || session.createdAt.getTime() < Date.now() - freshMinutes * 60_000) throw new AppError('sign_in_again')
}

export function totpRoutes({ db, change, config, totp }: TotpDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/auth/totp',
      summary: 'Enrol a second factor: it counts once a code of it is confirmed',
      policy: 'signed-in',
      scope: 'totp',
      event: { type: 'auth.totp.created', action: 'C' },
      params: nothing,
      query: nothing,
      body: nothing,
      answer: { status: 201, description: 'Shown this once', schema: enrolmentAnswer },
      errors: ['conflict', 'not_found', 'sign_in_again'],
      async handle(context) {
        const { sub, sid } = context.claims
        const body = await db.transaction(async (tx) => {
          const user = await lockUser(tx, sub)
          refuseEnrolled(user)
          await checkFresh(tx, sid)
          const { change: enrolled, enrolment } = await totp.enrol(user)
          await updateUser(tx, sub, enrolled)
          await context.record(tx, { resource: { type: 'user', id: sub }, changed: ['totp'] })
          return enrolment
        })
        return { body }
      },
    }),
    route({
      method: 'post',
      path: '/auth/totp/confirm',
      summary: 'Confirm a code of the new second factor: sign-ins need one from now on; the other sessions end',
      policy: 'signed-in',
      scope: 'totp',
      event: { type: 'auth.totp.updated', action: 'U' },
      params: nothing,
      query: nothing,
      body: codeBody,
      answer: { status: 204, description: 'Enrolled' },
      errors: ['conflict', 'not_found'],
      async handle(context) {
        const { sub, sid, scope } = context.claims
        context.about({ resource: { type: 'user', id: sub } })
        await change(async (tx, end) => {
          const user = await lockUser(tx, sub)
          refuseEnrolled(user)
          if (!user.totpSealed) throw notFound('second factor')
          if (!/^\d{6}$/.test(context.body.totp)) throw wrongCode()
          await updateUser(tx, sub, { ...totp.spend(user, context.body.totp), totpEnabled: true })
          await end(sub, scope === 'totp' ? {} : { except: sid })
          await context.record(tx, { changed: ['totp'] })
        })
        return {}
      },
    }),
    route({
      method: 'delete',
      path: '/auth/totp',
      summary: 'Remove the second factor; the other sessions end',
      policy: 'signed-in',
      event: { type: 'auth.totp.deleted', action: 'D' },
      params: nothing,
      query: nothing,
      body: nothing,
      answer: { status: 204, description: 'Removed' },
      errors: ['conflict', 'not_found', 'sign_in_again'],
      async handle(context) {
        const { sub, sid } = context.claims
        context.about({ resource: { type: 'user', id: sub } })
        await change(async (tx, end) => {
          const user = await lockUser(tx, sub)
          if (!user.totpSealed) throw notFound('second factor')
          await checkFresh(tx, sid)
          if (mustHaveTotp(user, config)) throw new AppError('conflict', 'A role of the account must have one.')
          await updateUser(tx, sub, noTotp)
          await end(sub, { except: sid })
          await context.record(tx, { changed: ['totp'] })
        })
        return {}
      },
    }),
  ]
}
