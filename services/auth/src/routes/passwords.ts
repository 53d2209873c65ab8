import Joi from 'joi'
import { unauthorized } from '@caregate/common/auth'
import type { Database } from '@caregate/common/database'
import { AppError, invalid } from '@caregate/common/errors'
import { addressKey } from '@caregate/common/http'
import type { Logger } from '@caregate/common/logger'
import { route, type Route } from '@caregate/common/route'
import { nothing, type Schema } from '@caregate/common/validate'
import type { Attempts } from '../attempts.ts'
import type { ResetMails } from '../mail.ts'
import { brokenRules, type Passwords } from '../passwords.ts'
import { deleteResets, findReset, requestReset, spendReset } from '../repository/password-resets.ts'
import { getUser, lockUser, updateUser } from '../repository/users.ts'
import { emailField, passwordField } from '../schemas.ts'
import { hashSecret } from '../secrets.ts'
import type { SessionChange } from '../session-change.ts'

export interface PasswordDeps {
  db: Pick<Database, 'transaction' | 'manager'>
  attempts: Attempts
  change: SessionChange
  /** Undefined where no mails are sent. */
  mails: Pick<ResetMails, 'wake'> | undefined
  log: Logger
  passwords: Passwords
}

const passwordBody: Schema<{ currentPassword: string; newPassword: string }> = Joi.object({
  currentPassword: passwordField().required(),
  newPassword: passwordField().required(),
})
const forgotBody: Schema<{ email: string }> = Joi.object({ email: emailField().required() })
const resetBody: Schema<{ token: string; newPassword: string }> = Joi.object({
  token: Joi.string().max(200).required(),
  newPassword: passwordField().required(),
})
const wrongToken = (): AppError => unauthorized('The token is not valid, was used, or has expired.')
/** How long a mailed token is good, and how often one is mailed at most. */
const mailed = { minutes: 30, everySeconds: 60 }

export function passwordRoutes({ db, attempts, change, mails, log, passwords }: PasswordDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/auth/password',
      summary: 'Change the password; the other sessions end',
      policy: 'signed-in',
      scope: 'password',
      event: { type: 'auth.password.updated', action: 'U', failedType: 'auth.password.failed' },
      params: nothing,
      query: nothing,
      body: passwordBody,
      answer: { status: 204, description: 'Changed' },
      errors: ['conflict', 'not_found'],
      async handle(context) {
        const { sub, sid, scope } = context.claims
        const { currentPassword, newPassword } = context.body
        context.about({ resource: { type: 'user', id: sub } })
        const { passwordHash } = await getUser(db.manager, sub)
        const broken = brokenRules(newPassword, 'newPassword')
        const attempt = await attempts.make({ account: sub, address: addressKey(context.ip) }, () =>
          passwords.matches(currentPassword, passwordHash),
        )
        if (!attempt.right) broken.unshift({ path: 'currentPassword', message: 'currentPassword is wrong' })
        else if (newPassword === currentPassword)
          broken.push({ path: 'newPassword', message: 'newPassword is the current one' })
        if (attempt.right) await attempt.succeeded()
        if (broken.length) throw invalid(...broken)
        const hash = await passwords.hash(newPassword)
        await change(async (tx, end) => {
          const user = await lockUser(tx, sub)
          // somebody else changed it in between
          if (user.passwordHash !== passwordHash)
            throw new AppError('conflict', 'The password was changed in the meantime.')
          await updateUser(tx, sub, { passwordHash: hash, oneTimeUntil: null })
          await deleteResets(tx, sub)
          await end(sub, scope === 'password' ? {} : { except: sid })
          await context.record(tx, { changed: ['password'] })
        })
        return {}
      },
    }),
    route({
      method: 'post',
      path: '/auth/password/forgot',
      summary: 'Ask for a mail that lets one choose a new password',
      policy: 'public',
      event: { type: 'auth.password.requested', action: 'E' },
      params: nothing,
      query: nothing,
      body: forgotBody,
      answer: { status: 202, description: 'If there is such an account, a mail is on its way' },
      errors: [],
      async handle(context) {
        await db.transaction(async (tx) => {
          const id = await requestReset(tx, context.body.email, mailed)
          await context.record(tx, id ? { resource: { type: 'user', id } } : {})
        })
        if (mails) mails.wake()
        else log.warning('a new password was asked for, and without SMTP_URL no mail can be sent')
        return {}
      },
    }),
    route({
      method: 'post',
      path: '/auth/password/reset',
      summary: 'Choose a new password by a mailed token; all sessions end',
      policy: 'public',
      event: { type: 'auth.password.reset', action: 'U', failedType: 'auth.password.failed' },
      params: nothing,
      query: nothing,
      body: resetBody,
      answer: { status: 204, description: 'Changed: sign in with it' },
      errors: ['unauthorized'],
      async handle(context) {
        const { token, newPassword } = context.body
        // before anything that takes time
        if (!(await findReset(db.manager, hashSecret(token)))) throw wrongToken()
        const broken = brokenRules(newPassword, 'newPassword')
        if (broken.length) throw invalid(...broken)
        const passwordHash = await passwords.hash(newPassword)
        await change(async (tx, end) => {
          const id = await spendReset(tx, hashSecret(token))
          if (!id) throw wrongToken()
          context.about({ resource: { type: 'user', id } })
          const user = await lockUser(tx, id)
          if (user.disabled) throw wrongToken()
          await updateUser(tx, id, { passwordHash, oneTimeUntil: null })
          await end(id)
          await context.record(tx, { changed: ['password'] })
        })
        return {}
      },
    }),
  ]
}
