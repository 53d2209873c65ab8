import { createTransport } from 'nodemailer'
import type { Database } from '@caregate/common/database'
import type { Logger } from '@caregate/common/logger'
import { openWorker, type Worker } from '@caregate/common/worker'
import type { AuthConfig } from './config.ts'
import { finishReset, takeReset } from './repository/password-resets.ts'
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
  db: Pick<Database, 'manager'>,
  config: Pick<AuthConfig, 'SMTP_FROM' | 'PASSWORD_RESET_URL'> & { SMTP_URL: string },
  log: Logger,
): ResetMails {
  const transport = createTransport(config.SMTP_URL, {
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  } as object)
  async function sendOne(): Promise<boolean> {
    const token = newSecret()
    const request = await takeReset(db.manager, hashSecret(token))
    if (!request) return false
    const mail = {
      from: config.SMTP_FROM,
      to: request.email,
      subject: 'A new password for Caregate',
      text: letter(token, request.expiresAt, config.PASSWORD_RESET_URL),
    }
    try {
      await transport.sendMail(mail)
      await finishReset(db.manager, request.id)
    } catch (error) {
      // the text of it has the address in it
      const { code, responseCode, command } = error as { code?: string; responseCode?: number; command?: string }
      const reason = [command, responseCode].filter(Boolean).join(' ')
      log.warning('a mail could not be sent, and is tried again in a minute', {
        'error.code': code,
        'event.reason': reason,
      })
    }
    return true
  }

  const worker = openWorker(pollMs, sendOne, (error) => log.warning('mails can’t be looked for', { error }))
  return {
    wake: worker.wake,
    async close() {
      await worker.close()
      transport.close()
    },
  }
}
