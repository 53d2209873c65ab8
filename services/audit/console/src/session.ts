const base = '/api/v1'

/** What the API refused, in its own words. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

interface Tokens {
  accessToken: string
  expiresIn: number
  refreshToken?: string
  mustChangePassword?: boolean
  mustEnrolTotp?: boolean
}
interface Claims {
  name: string
  roles: string[]
}
export interface Options {
  query?: Record<string, string | number | undefined>
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}
export type Session = ReturnType<typeof openSession>

const away = 'Caregate can’t be reached. Check the connection and try again.'

/** @throws {ApiError} for any answer but a success, and with status 0 when there is none */
async function send(method: string, path: string, { query = {}, body, headers, signal }: Options): Promise<Response> {
  const asked = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  )
  const search = asked.length ? `?${new URLSearchParams(asked).toString()}` : ''
  const answer = await fetch(base + path + search, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    body: body === undefined ? null : JSON.stringify(body),
    credentials: 'omit',
    cache: 'no-store',
    signal: signal ?? null,
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'unreachable', away)
  })
  if (answer.ok) return answer
  const problem = (await answer.json().catch(() => ({}))) as {
    code?: string
    title?: string
    detail?: string
    errors?: { message: string }[]
  }
  const sentence = problem.errors?.map(({ message }) => message).join('; ') ?? problem.detail ?? problem.title
  const wait = answer.headers.get('Retry-After')
  const later = answer.status === 429 && wait ? ` Try again in ${wait} s.` : ''
  throw new ApiError(answer.status, problem.code ?? '', (sentence ?? `The server answered ${answer.status}.`) + later)
}

const claimsOf = (token: string): Claims => {
  const part = token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')
  const bytes = Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0))
  return JSON.parse(new TextDecoder().decode(bytes)) as Claims
}

/**
 * Signs in as an auditor.
 * @param onEnd hears once that the session is over, with the reason where nobody asked for it
 * @throws {ApiError} with a sentence for people; `totp_required` when a code is needed
 */
export async function signIn(
  credentials: { email: string; password: string; totp?: string },
  onEnd: (reason?: string) => void,
): Promise<Session> {
  const answer = await send('POST', '/auth/login', { body: credentials })
  const tokens = (await answer.json()) as Tokens
  const refuse = async (code: string, sentence: string): Promise<never> => {
    // it is of no use, so it shall not stay open
    await send('POST', '/auth/logout', { headers: { Authorization: `Bearer ${tokens.accessToken}` } }).catch(() => {})
    throw new ApiError(403, code, sentence)
  }
  if (tokens.mustChangePassword)
    return refuse(
      'password_change_required',
      'This password was for one use. Choose your own with POST /auth/password (under /docs, say), then sign in with that.',
    )
  if (tokens.mustEnrolTotp)
    return refuse(
      'totp_enrolment_required',
      'Your role needs a second factor. Enrol one with POST /auth/totp (under /docs, say), then sign in again.',
    )
  const { roles } = claimsOf(tokens.accessToken)
  if (!roles.includes('auditor'))
    return refuse('forbidden', `The console is for auditors. This account has other roles: ${roles.join(', ')}.`)
  return openSession(tokens, credentials.email, onEnd)
}

/** A session whose tokens are in memory alone, and renewed before they expire. */
function openSession(first: Tokens, email: string, onEnd: (reason?: string) => void) {
  let tokens = first
  let renewal: Promise<void> | undefined
  let timer: ReturnType<typeof setTimeout>
  let over = false

  function schedule(afterMs: number): void {
    clearTimeout(timer)
    timer = setTimeout(() => void renew().catch(() => over || schedule(5000)), afterMs)
  }
  function keep(fresh: Tokens): void {
    tokens = fresh
    schedule(Math.max(fresh.expiresIn * 1000 - 60_000, fresh.expiresIn * 500))
  }
  function finish(reason?: string): void {
    if (over) return
    over = true
    clearTimeout(timer)
    onEnd(reason)
  }
  async function refresh(): Promise<void> {
    try {
      const answer = await send('POST', '/auth/refresh', { body: { refreshToken: tokens.refreshToken } })
      if (!over) keep((await answer.json()) as Tokens)
    } catch (error) {
      if (error instanceof ApiError && [401, 422].includes(error.status))
        finish('Your session has ended. Sign in again to go on where you were.')
      throw error
    }
  }
  /** Requests in flight share one renewal. @throws {ApiError} */
  const renew = (): Promise<void> => (renewal ??= refresh().finally(() => (renewal = undefined)))

  /** @throws {ApiError} */
  async function request(method: string, path: string, options: Options = {}): Promise<Response> {
    const used = tokens.accessToken
    const attempt = () =>
      send(method, path, {
        ...options,
        headers: { ...options.headers, Authorization: `Bearer ${tokens.accessToken}` },
      })
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401 || over) throw error
      if (used === tokens.accessToken) await renew()
      return attempt()
    }
  }

  keep(first)
  return {
    email,
    name: claimsOf(first.accessToken).name,
    renew,
    request,
    get: async <T>(path: string, query?: Options['query'], signal?: AbortSignal): Promise<T> =>
      (await (await request('GET', path, { query, signal })).json()) as T,
    async signOut(): Promise<void> {
      await request('POST', '/auth/logout').catch(() => {})
      finish()
    },
  }
}
