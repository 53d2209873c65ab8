/** The API as import, demo and logs use it: through the gateway, signed in, patient with a platform that is being restarted. */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Problem } from '@caregate/common/errors'
import { addUser } from './accounts.ts'
import { PlatformError } from './errors.ts'
import { openDataFolder, readInfo, writePrivately } from './state.ts'

/** How long one request may take, its repeats and waits included. */
const PATIENCE_MS = 120_000
const ATTEMPT_MS = 30_000
const RENEW_BEFORE_MS = 60_000
/** What a limit or a restart answers: it may pass. */
export const passing = [429, 502, 503, 504]

export interface Answer {
  status: number
  headers: Headers
  body: unknown
  /** An earlier attempt may have been carried out although its answer never came. */
  repeated: boolean
}
export interface Account {
  email: string
  password: string
}
interface KeptAccount extends Account {
  oneTime?: boolean
}
interface Tokens {
  accessToken: string
  refreshToken?: string
  expiresIn: number
}
type Send = ReturnType<typeof buildSender>
export type Client = Awaited<ReturnType<typeof openClient>>

/** Sends JSON; repeats what a restarting process or a used-up allowance turned away; throws only when nothing answers at all. */
export function buildSender(gateway: string) {
  // One 429 speaks for all requests in flight: asking before its time would only be refused again.
  let closedUntil = 0

  async function attempt(method: string, path: string, body: unknown, headers: Record<string, string>) {
    const response = await fetch(gateway + path, {
      method,
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(ATTEMPT_MS),
    })
    const text = await response.text()
    const isJson = text !== '' && /json/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as unknown }
  }

  return async function send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const deadline = Date.now() + PATIENCE_MS
    let repeated = false
    let lost = ''
    for (let tries = 0; ; tries++) {
      await sleep(Math.max(0, closedUntil - Date.now()))
      const answer = await attempt(method, path, body, headers).catch((error: Error) => {
        lost = error.cause instanceof Error ? error.cause.message : error.message
      })
      if (answer && !passing.includes(answer.status)) return { ...answer, repeated }

      const retryAfter = Number(answer?.headers.get('retry-after') ?? 0) * 1000
      const wait = Math.max(retryAfter, Math.min(5000, 100 * 2 ** tries) * (0.5 + Math.random() / 2))
      if (Date.now() + wait > deadline) {
        if (answer) return { ...answer, repeated }
        throw new PlatformError(`${gateway} doesn't answer: ${lost}`)
      }
      if (answer?.status === 429) closedUntil = Math.max(closedUntil, Date.now() + wait)
      else repeated = true
      await sleep(wait)
    }
  }
}

/** What a problem says: each field's message, else the detail. */
export function reasonOf({ status, body }: Pick<Answer, 'status' | 'body'>): string {
  const { errors, detail } = body as Partial<Problem>
  const named = errors?.map(({ path, message }) => (message.includes(path) ? message : `${path} ${message}`))
  return named?.join('; ') ?? `${status} ${detail ?? String(body)}`
}

async function logIn(send: Send, { email, password }: Account) {
  const answer = await send('POST', '/api/v1/auth/login', { email, password })
  if (answer.status !== 200) throw new PlatformError(`${email} can't sign in: ${reasonOf(answer)}`)
  return answer.body as Tokens
}

/** @throws when the account is refused, with the reason that auth gives */
export async function openClient(gateway: string, account: Account) {
  const send = buildSender(gateway)
  let tokens: Tokens
  let renewAt = 0
  let renewal: Promise<void> | undefined

  function keep(fresh: Tokens) {
    tokens = fresh
    renewAt = Date.now() + fresh.expiresIn * 1000 - RENEW_BEFORE_MS
  }
  async function renew() {
    const answer = await send('POST', '/api/v1/auth/refresh', { refreshToken: tokens.refreshToken })
    keep(answer.status === 200 ? (answer.body as Tokens) : await logIn(send, account))
  }
  async function accessToken(refused?: string) {
    // Requests in flight share one renewal, and the first to be refused starts it for all.
    if (Date.now() > renewAt || refused === tokens.accessToken)
      await (renewal ??= renew().finally(() => (renewal = undefined)))
    return tokens.accessToken
  }
  async function request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const token = await accessToken()
    const answer = await send(method, path, body, { ...headers, authorization: `Bearer ${token}` })
    if (answer.status !== 401) return answer
    const again = await send(method, path, body, { ...headers, authorization: `Bearer ${await accessToken(token)}` })
    return { ...again, repeated: again.repeated || answer.repeated }
  }

  /** Sends a body of any length as it is read, once, or a second time where the token was no longer good; the answer is read as it comes. */
  async function upload(
    path: string,
    open: () => AsyncIterable<string | Buffer>,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Response> {
    const attempt = (token: string) => {
      const init = { method: 'POST', headers: { ...headers, authorization: `Bearer ${token}` }, signal, duplex: 'half' }
      return fetch(gateway + path, {
        ...init,
        body: Readable.from(open(), { objectMode: false }),
      } as unknown as RequestInit)
    }
    const token = await accessToken()
    const answer = await attempt(token)
    if (answer.status !== 401) return answer
    await answer.body?.cancel()
    return attempt(await accessToken(token))
  }

  keep(await logIn(send, account))
  return { gateway, request, upload, get: (path: string) => request('GET', path) }
}

/** As CAREGATE_EMAIL, else as the platform's own registrar and auditor, which is made at the first use. */
export async function signIn(env: NodeJS.ProcessEnv = process.env): Promise<Client> {
  const gateway = await findGateway(env)
  const { CAREGATE_EMAIL: email, CAREGATE_PASSWORD: password } = env
  if (email && password) return openClient(gateway, { email, password })
  if (env.CAREGATE_URL) throw new PlatformError('CAREGATE_URL needs CAREGATE_EMAIL and CAREGATE_PASSWORD as well.')
  return openClient(gateway, await staffAccount(gateway, 'importer', ['registrar', 'auditor']))
}

export async function findGateway(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const gateway = env.CAREGATE_URL?.replace(/\/$/, '') ?? readInfo(openDataFolder())?.gateway
  if (!gateway)
    throw new PlatformError('No platform runs here: start it with `npm start`, or name one with CAREGATE_URL.')
  return gateway
}

/** An account kept in `.caregate/<name>.json`, made at its first use. */
export async function keptAccount(name: string, make: () => Promise<KeptAccount>): Promise<KeptAccount> {
  const kept = await readFile(fileOf(name), 'utf8').catch(() => undefined)
  if (kept) return JSON.parse(kept) as KeptAccount
  const account = await make()
  writePrivately(fileOf(name), account)
  return account
}

/** A kept account for staff. Its one-time password is kept too until it is changed: a failure in between loses nothing. */
export async function staffAccount(gateway: string, name: string, roles: string[]): Promise<Account> {
  const account = await keptAccount(name, async () => {
    const { email, oneTimePassword } = await addUser(`${name}@caregate.local`, roles)
    return { email, password: oneTimePassword, oneTime: true }
  })
  if (!account.oneTime) return account

  const send = buildSender(gateway)
  const { accessToken } = await logIn(send, account)
  const lasting = { email: account.email, password: newPassword() }
  const change = { currentPassword: account.password, newPassword: lasting.password }
  const answer = await send('POST', '/api/v1/auth/password', change, { authorization: `Bearer ${accessToken}` })
  if (answer.status !== 204) throw new PlatformError(`${account.email} can't change its password: ${reasonOf(answer)}`)
  writePrivately(fileOf(name), lasting)
  return lasting
}

const fileOf = (name: string) => join(openDataFolder(), `${name}.json`)

/** Random, with the upper and lower case letters and the digit that auth asks for. */
export function newPassword(): string {
  return `Aa1${randomBytes(16).toString('hex')}`
}
