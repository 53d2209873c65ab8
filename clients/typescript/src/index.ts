import buildFetchClient, { type Client } from 'openapi-fetch'
import type { components, paths } from './api.ts'

/** What the API speaks of: `Schemas['Patient']`. */
export type Schemas = components['schemas']
export type Problem = Schemas['Problem']

export interface Credentials {
  email: string
  password: string
  /** Six digits, where the account has a second factor. */
  totp?: string
}
/** Of a service account: it has no refresh token and signs in again instead. */
export interface ClientCredentials {
  clientId: string
  clientSecret: string
}
export interface Tokens {
  accessToken: string
  refreshToken?: string
  /** Milliseconds since 1970. */
  expiresAt: number
}
export interface ClientOptions {
  /** Where the gateway is, e.g. `https://caregate.example.org`. */
  baseUrl: string
  /** Kept from an earlier session. */
  tokens?: Tokens
  /** Hears of each new pair, to keep it, and of undefined once the session has ended. */
  onTokens?(tokens: Tokens | undefined): void
  fetch?: typeof fetch
}

/** A request that was refused. `problem` says why (RFC 9457). */
export class CaregateError extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(`${problem.status} ${problem.code}: ${problem.detail}`)
    this.name = 'CaregateError'
    this.problem = problem
  }
}

/** Before its end a token is renewed: clocks differ, and requests take their time. */
const renewBeforeMs = 30_000

/**
 * The API by path and method, as openapi-fetch has it: `{ data, error, response }`, each typed. Tokens are sent, renewed
 * before they end, and once more where one was refused; requests at the same time share a renewal.
 */
export function createClient({ baseUrl, tokens, onTokens = () => {}, fetch: send = fetch }: ClientOptions) {
  const anonymous = buildFetchClient<paths>({ baseUrl, fetch: send })
  let service: ClientCredentials | undefined
  let renewal: Promise<void> | undefined

  function keep(answer: Schemas['Tokens'] | undefined): void {
    tokens = answer && {
      accessToken: answer.accessToken,
      expiresAt: Date.now() + answer.expiresIn * 1000,
      ...(answer.refreshToken ? { refreshToken: answer.refreshToken } : {}),
    }
    onTokens(tokens)
  }

  async function signIn(credentials: Credentials): Promise<Schemas['Tokens']> {
    const { data, error } = await anonymous.POST('/api/v1/auth/login', { body: credentials })
    if (!data) throw new CaregateError(error)
    service = undefined
    keep(data)
    return data
  }

  async function signInAsService(credentials: ClientCredentials): Promise<void> {
    const { data, error } = await anonymous.POST('/api/v1/auth/token', { body: credentials })
    if (!data) throw new CaregateError(error)
    service = credentials
    keep(data)
  }

  /** Ends the session, here and everywhere. */
  async function signOut(): Promise<void> {
    const { error } = await client.POST('/api/v1/auth/logout')
    if (error && error.code !== 'unauthorized') throw new CaregateError(error)
    service = undefined
    keep(undefined)
  }

  async function renew(): Promise<void> {
    if (service) return signInAsService(service)
    const refreshToken = tokens?.refreshToken
    if (!refreshToken) return
    const { data, response } = await anonymous.POST('/api/v1/auth/refresh', { body: { refreshToken } })
    if (data) keep(data)
    // whatever else it was may pass: the pair is still good
    else if (response.status === 401) keep(undefined)
  }

  /** @param refused a token that is no good any more, whatever its time */
  async function currentToken(refused?: string): Promise<string | undefined> {
    const isOld = tokens && (tokens.accessToken === refused || Date.now() > tokens.expiresAt - renewBeforeMs)
    if (isOld) await (renewal ??= renew().finally(() => (renewal = undefined)))
    return tokens?.accessToken
  }

  async function sendSigned(request: Request): Promise<Response> {
    const attempt = (to: Request, token: string | undefined) => {
      if (token) to.headers.set('Authorization', `Bearer ${token}`)
      return send(to)
    }
    const token = await currentToken()
    const spare = request.clone()
    const answer = await attempt(request, token)
    if (answer.status !== 401 || !token) return answer
    const another = await currentToken(token)
    if (!another || another === token) return answer
    await answer.body?.cancel()
    return attempt(spare, another)
  }

  const client: Client<paths> = buildFetchClient<paths>({ baseUrl, fetch: sendSigned })
  return { ...client, signIn, signInAsService, signOut }
}

/** The data of an answer. @throws {CaregateError} where it was refused */
export function dataOf<T>({ data, error }: { data?: T; error?: Problem }): T {
  if (error) throw new CaregateError(error)
  return data as T
}
