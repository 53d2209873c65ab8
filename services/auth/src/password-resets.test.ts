import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'
import { quietLog } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { openResetMails, type ResetMails } from './mail.ts'
import {
  addUser,
  expectEnded,
  login,
  openAuth,
  password,
  post,
  query,
  service,
  signedIn,
  signIn,
  useAuth,
} from './testing.ts'

let mails: ResetMails
/** What the mail server was given. */
const received: { to: string; text: string }[] = []
const refusing = new Set<string>()
const refused: string[] = []
const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onData(stream, session, done) {
    void text(stream).then((message) => {
      const to = session.envelope.rcptTo[0]!.address
      if (refusing.has(to)) return (refused.push(to), done(new Error('mailbox full')))
      received.push({ to, text: message.replaceAll('=\r\n', '') })
      done()
    })
  },
})

useAuth({ wake: () => mails.wake() })
beforeAll(async () => {
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
  const { port } = smtp.server.address() as AddressInfo
  const url = { SMTP_URL: `smtp://127.0.0.1:${port}`, SMTP_FROM: 'Caregate <care@example.org>' }
  mails = openResetMails(service.db, { ...url, PASSWORD_RESET_URL: 'https://care.example.org/reset#' }, quietLog)
})
beforeEach(() => {
  received.length = 0
  refusing.clear()
})
afterAll(async () => {
  await mails.close()
  await new Promise<void>((resolve) => smtp.close(resolve))
})

const chosen = 'Another-7-lantern'
const forgot = (email: string) => post('/password/forgot', { email })
const reset = (token: string, newPassword = chosen) => post('/password/reset', { token, newPassword })
async function mailedTo(email: string): Promise<string> {
  await until(() => received.some(({ to }) => to === email))
  return /https:\/\/care\.example\.org\/reset#([\w-]{43})/.exec(received.find(({ to }) => to === email)!.text)![1]!
}

describe('who forgot the password', () => {
  test('is mailed a token that lets choose another, once; all sessions end', async () => {
    const { id, email, session } = await signedIn('nurse')
    expect((await forgot(email)).status).toBe(202)
    const token = await mailedTo(email)
    expect(await query('SELECT token_hash FROM password_resets')).not.toContainEqual({ token_hash: token })
    expect((await reset(token)).status).toBe(204)
    await expectEnded(session.id)
    expect((await login(email)).status).toBe(401)
    expect((await login(email, chosen)).status).toBe(200)
    expect((await reset(token, 'Third-7-lantern')).status).toBe(401)
    expect((await service.events()).slice(0, 2)).toMatchObject([
      { type: 'auth.password.requested', outcome: 'success', resource: { type: 'user', id } },
      { type: 'auth.password.reset', outcome: 'success', resource: { type: 'user', id }, changed: ['password'] },
    ])
  })

  test('is answered the same whether there is such an account or not', async () => {
    const { email } = await addUser(['nurse'])
    const [known, unknown] = [await forgot(email), await forgot('nobody@example.org')]
    expect([unknown.status, unknown.body]).toEqual([known.status, known.body])
    expect([...unknown.headers.keys()]).toEqual([...known.headers.keys()])
    await mailedTo(email)
    expect(received).toHaveLength(1)
    expect(
      await query('SELECT 1 FROM password_resets r JOIN users u ON u.id = r.user_id WHERE email = $1', [email]),
    ).toHaveLength(1)
  })

  test('is not mailed more than once a minute, and not at all when disabled', async () => {
    const [{ email }, disabled] = [await addUser(['nurse']), await addUser(['nurse'])]
    await query('UPDATE users SET disabled = true WHERE id = $1', [disabled.id])
    await Promise.all(Array.from({ length: 4 }, () => forgot(email)))
    await forgot(disabled.email)
    await mailedTo(email)
    const last = await addUser(['nurse'])
    await forgot(last.email)
    await mailedTo(last.email)
    expect(received.map(({ to }) => to)).toEqual([email, last.email])
  })

  test('gets the mail when the mail server takes it, a minute later; nobody else waits for that', async () => {
    const [{ email }, other] = [await addUser(['nurse']), await addUser(['nurse'])]
    refusing.add(email)
    await forgot(email)
    await until(() => refused.includes(email))
    await forgot(other.email)
    await mailedTo(other.email)
    refusing.clear()
    mails.wake()
    await query(`UPDATE password_resets SET taken_at = taken_at - interval '1 minute'`)
    mails.wake()
    expect((await reset(await mailedTo(email))).status).toBe(204)
    expect(received.filter(({ to }) => to === email)).toHaveLength(1)
  })

  test('can’t use it any more once the password was changed otherwise', async () => {
    const admin = await signedIn('admin')
    const [changing, given] = [await signedIn('nurse'), await addUser(['nurse'])]
    const tokens = []
    for (const { email } of [changing, given]) {
      await forgot(email)
      tokens.push(await mailedTo(email))
    }
    const body = { currentPassword: password, newPassword: chosen }
    expect((await post('/password', body, changing.session.token)).status).toBe(204)
    await service.call('POST', `/api/v1/auth/users/${given.id}/reset-password`, { token: admin.session.token })
    for (const token of tokens) expect((await reset(token, 'Third-7-lantern')).status).toBe(401)
  })

  test('has half an hour', async () => {
    const { email } = await addUser(['nurse'])
    await forgot(email)
    const token = await mailedTo(email)
    await query(`UPDATE password_resets SET expires_at = expires_at - interval '29 minutes'`)
    expect((await reset(token, 'short')).status).toBe(422)
    await query(`UPDATE password_resets SET expires_at = expires_at - interval '61 seconds'`)
    expect((await reset(token)).status).toBe(401)
  })

  test('of ten that use one token at once one chooses the password', async () => {
    const { email } = await addUser(['nurse'])
    await forgot(email)
    const token = await mailedTo(email)
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => reset(token, `Choice-${n}-lantern`)))
    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array<number>(9).fill(401)])
    const winner = answers.findIndex(({ status }) => status === 204)
    expect((await login(email, `Choice-${winner}-lantern`)).status).toBe(200)
  })

  test('a token of nobody’s is refused', async () => {
    for (const token of ['', 'x', 'A'.repeat(43)]) expect((await reset(token)).status).toBe(token ? 401 : 422)
  })
})

test('without a mail server the answer is the same', async () => {
  const silent = await openAuth()
  try {
    const ask = (path: string, body: object) => silent.call('POST', `/api/v1/auth${path}`, { body })
    await ask('/register', { email: 'ann@example.org', password, fullName: 'Ann Example' })
    expect((await ask('/password/forgot', { email: 'ann@example.org' })).status).toBe(202)
  } finally {
    await silent.close()
  }
})

test('an admin gives a one-time password instead; all sessions end', async () => {
  const admin = await signedIn('admin')
  const { id, email, session } = await signedIn('nurse')
  const answer = await service.call('POST', `/api/v1/auth/users/${id}/reset-password`, { token: admin.session.token })
  expect([answer.status, Object.keys(answer.body)]).toEqual([200, ['oneTimePassword']])
  await expectEnded(session.id)
  expect((await login(email)).status).toBe(401)
  const { mustChangePassword, accessToken, refreshToken } = (await login(email, answer.body.oneTimePassword)).body
  expect([mustChangePassword, refreshToken]).toEqual([true, undefined])
  const body = { currentPassword: answer.body.oneTimePassword, newPassword: chosen }
  expect((await post('/password', body, accessToken)).status).toBe(204)
  await signIn(email, chosen)
})
