import { createTransport } from 'nodemailer'
import type { Database } from '@caregate/common/database'
import type { Logger } from '@caregate/common/logger'
import { openWorker, type Worker } from '@caregate/common/worker'
import type { AuthConfig } from './config.ts'
import { setResetToken, takeUnsentReset } from './repository/password-resets.ts'
import { hashSecret, newSecret } from './secrets.ts'

export type ResetMails = Worker

const pollMs = 5000
const timeoutMs = 10_000

function letter(token: string, expiresAt: Date, url?: string): string {
  const until = expiresAt.toISOString().slice(0, 16).replace('T', ' ')
  return `Somebody, probably you, asked for a new password.

${url ? 'Choose one here:' : 'Your one-time token is:'}
${url ?? ''}${token}

It is good once, until ${until} UTC. If it was not you who asked, nothing has to be done.
`
}

/**
 * Mails what was asked for, with a token made at that moment, until the mail server takes it. A mail that could not be
 * sent is tried again as long as its token would be good.
 */
export function openResetMails(
  db: Database,
  config: Pick<AuthConfig, 'SMTP_FROM' | 'PASSWORD_RESET_URL'> & { SMTP_URL: string },
  log: Logger,
): ResetMails {
  const transport = createTransport(config.SMTP_URL, {
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  } as object)
  const sendOne = (): Promise<boolean> =>
    db.transaction(async (tx) => {
      const request = await takeUnsentReset(tx)
      if (!request) return false
      const token = newSecret()
      await setResetToken(tx, request.id, hashSecret(token))
      await transport.sendMail({
        from: config.SMTP_FROM,
        to: request.email,
        subject: 'A new password for Caregate',
        text: letter(token, request.expiresAt, config.PASSWORD_RESET_URL),
      })
      return true
    })

  const worker = openWorker(pollMs, sendOne, (error) => log.warning('a mail could not be sent', { error }))
  return {
    wake: worker.wake,
    async close() {
      await worker.close()
      transport.close()
    },
  }
}
