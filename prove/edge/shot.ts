import { buildChance } from '../chance.ts'
import type { Forge } from './forge.ts'

export const families = ['targets', 'headers', 'smuggling', 'tokens', 'bodies', 'slow'] as const
export type Family = (typeof families)[number]

/** What may come back for a request, as `raw.ts` writes it down. */
export const bad = '400 bad_request'
export const noAuth = '401 unauthorized'
export const forbidden = '403 forbidden'
export const notFound = '404 not_found'
export const notAllowed = '405 method_not_allowed'
export const late = '408 request_timeout'
export const tooLarge = '413 too_large'
export const tooLong = '414 uri_too_long'
export const mediaType = '415 unsupported_media_type'
export const invalid = '422 validation_failed'
export const headersTooLarge = '431 headers_too_large'
/** No answer, and the connection ended by the server. */
export const closed = 'closed'

/** An answer as it stood on the wire. */
export interface RawAnswer {
  status: number
  /** Names in lower case, in their order. */
  headers: [name: string, value: string][]
  body: Buffer
}

/** A request, or what passes for one, and what is meant to become of it: decided before it is sent. */
export interface Draft {
  /** A character is a byte. */
  bytes: string
  /** All answers of the connection, e.g. `401 unauthorized` or `200, 400 bad_request`. */
  intended: readonly string[]
  /** Whether a service may see it, by the id of the shot. */
  reaches?: boolean
  /** Ids of further requests within `bytes` that a service may see. */
  alsoReach?: readonly string[]
  /** The answer has no body. */
  head?: boolean
  /** The client ends the connection when it has sent everything. */
  ends?: boolean
  /** Written in two pieces. */
  split?: boolean
  /** @returns what is wrong with the answers */
  check?(answers: readonly RawAnswer[]): string | undefined
}

export interface Shot extends Draft {
  family: Family
  kind: string
  /** What `X-Request-Id` and `User-Agent` say, where the request has them. */
  id: string
}

export const roleNames = ['admin', 'clinician', 'nurse', 'registrar', 'auditor', 'patient'] as const
export type RoleName = (typeof roleNames)[number]

/** What the requests are made of, besides chance. */
export interface World {
  tokens: Record<RoleName, string>
  /** Of a session that has ended. */
  endedToken: string
  /** From a one-time password. */
  oneTimeToken: string
  refreshToken: string
  /** Of every token that is good, whose it is. */
  owners: ReadonlyMap<string, string>
  chartId: string
  forge: Forge
}

interface RequestOptions {
  method?: string
  target?: string
  version?: string
  host?: string | null
  token?: string | undefined
  /** Lines. */
  headers?: readonly string[]
  body?: string
  /** Whether `Content-Length` is there for a body. */
  length?: boolean
  id?: string
  close?: boolean
}

/** The host that the gateway under test is called by; others below `hostSuffix` are allowed too. */
export const host = 'gateway.test'
export const hostSuffix = '.clinic.test'
export const origin = 'https://app.clinic.test'
export const jwks = '/.well-known/jwks.json'
export const login = '/api/v1/auth/login'
export const patients = '/api/v1/patients'
export const jsonType = 'Content-Type: application/json'

export type Aim = ReturnType<typeof buildAim>
/** Ways to make a request of a family, by what is wrong with it. */
export type Kinds = Readonly<Record<string, (aim: Aim) => Draft>>

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

export function buildAim(seed: number, n: number, world: World) {
  // for this request alone, so that it can be made again
  const chance = buildChance(seed, n)
  const { next, int, pick } = chance
  const id = `edge-${seed.toString(36)}-${n}`
  const aim = {
    id,
    world,
    ...chance,
    text: (length: number): string => Array.from({ length }, () => pick([...letters])).join(''),
    uuid: (): string => {
      const hex = (length: number): string => Array.from({ length }, () => int(16).toString(16)).join('')
      return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`
    },
    /** Each letter in either case. */
    mixCase: (text: string): string =>
      [...text].map((letter) => (next() < 0.5 ? letter.toUpperCase() : letter.toLowerCase())).join(''),
    /** `text` with `part` put in somewhere behind its first character. */
    insert(text: string, part: string): string {
      const at = 1 + int(text.length)
      return text.slice(0, at) + part + text.slice(at)
    },
    request({
      method = 'GET',
      target = jwks,
      version = 'HTTP/1.1',
      host: asked = host,
      token,
      headers = [],
      body = '',
      length = true,
      id: own = id,
      close = true,
    }: RequestOptions = {}): string {
      const lines = [
        `${method} ${target} ${version}`,
        ...(asked === null ? [] : [`Host: ${asked}`]),
        `X-Request-Id: ${own}`,
        `User-Agent: edge/${own}`,
        ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
        ...headers,
        ...(body && length ? [`Content-Length: ${body.length}`] : []),
        ...(close ? ['Connection: close'] : []),
      ]
      return `${lines.join('\r\n')}\r\n\r\n${body}`
    },
  }
  return aim
}

/** UTF-8, a character a byte. */
export const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
export const json = (value: unknown): string => utf8(JSON.stringify(value))

/** An honest request of one of the kinds that there are, and its answer. */
export function honest(aim: Aim) {
  const { nurse } = aim.world.tokens
  const nobody = json({ email: `nobody-${aim.text(6)}@edge.test`, password: aim.text(12) })
  return aim.pick([
    { method: 'GET', target: jwks, headers: [] as string[], body: '', token: undefined, answer: '200' },
    { method: 'POST', target: login, headers: [jsonType], body: nobody, token: undefined, answer: noAuth },
    { method: 'GET', target: `${patients}?limit=1`, headers: [], body: '', token: nurse, answer: '200' },
    { method: 'GET', target: `${patients}/${aim.world.chartId}`, headers: [], body: '', token: nurse, answer: '200' },
  ])
}
