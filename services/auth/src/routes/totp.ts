import Joi from 'joi'
import type { Database } from '@caregate/common/database'
import { AppError, notFound } from '@caregate/common/errors'
import { addressKey } from '@caregate/common/http'
import { route, type Route } from '@caregate/common/route'
import { nothing, type Schema } from '@caregate/common/validate'
import type { Attempts } from '../attempts.ts'
import type { AuthConfig } from '../config.ts'
import type { UserRow } from '../database.ts'
import { getUser, lockUser, noTotp, updateUser } from '../repository/users.ts'
import { codeField } from '../schemas.ts'
import type { SessionChange } from '../session-change.ts'
import { mustHaveTotp, wrongCode, type Enrolment, type Totp } from '../totp.ts'

export interface TotpDeps {
  db: Pick<Database, 'transaction' | 'manager'>
  attempts: Attempts
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

export function totpRoutes({ db, attempts, change, config, totp }: TotpDeps): Route[] {
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
      errors: ['conflict', 'not_found'],
      async handle(context) {
        const { sub } = context.claims
        const body = await db.transaction(async (tx) => {
          const user = await lockUser(tx, sub)
          refuseEnrolled(user)
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
        refuseEnrolled(await getUser(db.manager, sub))
        const attempt = await attempts.make({ account: sub, address: addressKey(context.ip) }, async () => true)
        await change(async (tx, end) => {
          const user = await lockUser(tx, sub)
          refuseEnrolled(user)
          if (!user.totpSealed) throw notFound('second factor')
          if (!/^\d{6}$/.test(context.body.totp)) throw wrongCode()
          await updateUser(tx, sub, { ...totp.spend(user, context.body.totp), totpEnabled: true })
          await end(sub, scope === 'totp' ? {} : { except: sid })
          await context.record(tx, { changed: ['totp'] })
        })
        await attempt.succeeded()
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
      errors: ['conflict', 'not_found'],
      async handle(context) {
        const { sub, sid } = context.claims
        context.about({ resource: { type: 'user', id: sub } })
        await change(async (tx, end) => {
          const user = await lockUser(tx, sub)
          if (!user.totpSealed) throw notFound('second factor')
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
