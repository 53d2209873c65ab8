/** People who do what a proof is about, as they come to their tokens. */
import { buildSender, newPassword, type Account } from '../platform/client.ts'

interface Tokens {
  accessToken: string
  refreshToken: string
}
export type Ask = ReturnType<typeof buildAsk>

/** @throws when the answer isn't what an honest client is used to */
export function buildAsk(gateway: string) {
  const send = buildSender(gateway)
  return async <T>(status: number, method: string, path: string, body?: unknown, token?: string): Promise<T> => {
    const answer = await send(method, path, body, token === undefined ? {} : { authorization: `Bearer ${token}` })
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body as T
  }
}

export const logIn = (ask: Ask, { email, password }: Account): Promise<Tokens> =>
  ask(200, 'POST', '/api/v1/auth/login', { email, password })

/** Changes the one-time password at the first login, as everybody must. */
export async function settle(ask: Ask, email: string, oneTime: string): Promise<{ account: Account; tokens: Tokens }> {
  const { accessToken } = await logIn(ask, { email, password: oneTime })
  const account = { email, password: newPassword() }
  const change = { currentPassword: oneTime, newPassword: account.password }
  await ask(204, 'POST', '/api/v1/auth/password', change, accessToken)
  return { account, tokens: await logIn(ask, account) }
}
