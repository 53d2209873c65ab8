import { randomUUID } from 'node:crypto'
import { ServerResponse, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { ipKeyGenerator } from 'express-rate-limit'
import express, { type Express, type Request, type RequestHandler, type Response } from 'express'
import helmet from 'helmet'
import proxyAddr from 'proxy-addr'
import type { Claims } from './auth.ts'
import { buildProblem, type AppError } from './errors.ts'
import type { Actor, RequestFacts } from './events.ts'
import { buildOutcome, fhirJson, isFhir } from './fhir.ts'
import type { Logger } from './logger.ts'
import { withoutNames } from './paths.ts'
import { requestContext, type RequestContext } from './request-context.ts'
import { tracer } from './tracing.ts'

const validRequestId = /^[A-Za-z0-9][A-Za-z0-9._-]{7,127}$/

/** The headers that a middleware sets on the answer to such a request. */
export function headersOf(middleware: RequestHandler, req: object = {}): [name: string, value: string][] {
  const found: [string, string][] = []
  const setHeader = (name: string, value: string): void => void found.push([name, value])
  middleware(req as Request, { setHeader, getHeader: () => {}, removeHeader: () => {} } as never, () => {})
  return found
}

/** Helmet says the same of every answer: it is asked once. */
const securityHeaders = headersOf(
  helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    // for browsers and plugins that are no more
    dnsPrefetchControl: false,
    ieNoOpen: false,
    permittedCrossDomainPolicies: false,
    xXssProtection: false,
  }),
).map(([name, value]) => ({ name, lowerCase: name.toLowerCase(), value }))

/** What is known of a request while it is handled: `res.locals`. */
export interface Locals {
  requestId: string
  /** By performance.now(), in milliseconds. */
  startedAt: number
  /** As it came, without the query string; `*` where the target is no path: that may name a user and a password. */
  path: string
  /** The client's address as people write it. */
  ip: string
  /** How the client came, to here or to the trusted proxy in front. */
  protocol: string
  /** What the answer carries besides what it sets itself, as name, value, name, value. */
  head: string[]
  pattern?: string
  claims?: Claims
  context: RequestContext
  /** The route in the words of metrics: a template, at the gateway the service. */
  measuredAs: string
  /** When the answer began, by performance.now(). */
  answeredAt?: number
  streaming?: boolean
}
/** What was never found to be any route. */
export const unmatched = 'unmatched'

/** Hears of each request, but for those of who watches over the process. */
export interface Meter {
  began(): void
  /** It, or its answer, may take as long as it likes. */
  streams(res: Answer): void
  /** The answer is out, or nobody waits for it any more. */
  ended(res: Answer): void
}

/** What an address is counted by: an IPv6 client has a whole network to itself, so its /56 is one. */
export const addressKey = (ip: string): string => ipKeyGenerator(ip, 56)

/** An answer, Express's or Node's own. */
export type Answer = ServerResponse & { locals: Partial<Locals> }
export const localsOf = (res: Answer): Locals => res.locals as Locals

/**
 * Begins every request of every process: its id, its clock, who asks, and when it is answered a line in the log and its
 * place in the metrics.
 * @param trustedProxies CIDRs whose forwarding headers are believed
 */
export function buildObserve(log: Logger, meter: Meter, trustedProxies: readonly string[]) {
  const trust = proxyAddr.compile([...trustedProxies])
  return (req: IncomingMessage, res: Answer, next: () => void): void => {
    const given = req.headers['x-request-id']
    const requestId = typeof given === 'string' && validRequestId.test(given) ? given : randomUUID()
    const path = req.url?.startsWith('/') ? req.url.split('?', 1)[0]! : '*'
    // none any more where the client has reset the connection; a dual-stack socket reports IPv4 in the form of IPv6
    const ip = ((proxyAddr(req, trust) as string | undefined) ?? '').replace(/^::ffff:(?=\d+\.)/, '')
    const protocol = protocolOf(req, trust)
    const { traceparent } = req.headers as { traceparent?: string }
    const isMeasured = !isRoutine(path)
    const span =
      isMeasured && !path.startsWith('/internal/') ? tracer?.start('server', 'request', {}, traceparent) : undefined
    const line = { 'http.request.id': requestId, ...(span?.sampled && { 'trace.id': span.traceId }) }
    const context = { line, span }
    const startedAt = performance.now()
    res.locals = { requestId, startedAt, path, ip, protocol, head: [], measuredAs: unmatched, context } satisfies Locals
    if (isMeasured) meter.began()
    res.once('close', () => {
      if (isMeasured) meter.ended(res)
      // what answers is often in the context of another request: of that which opened the connection to the service
      requestContext.run(context, endRequest, log, req, res)
    })
    requestContext.run(context, next)
  }
}

function protocolOf({ headers, socket }: IncomingMessage, trust: (address: string, hop: number) => boolean): string {
  const told = headers['x-forwarded-proto']
  if (typeof told === 'string' && trust(socket.remoteAddress ?? '', 0)) return told.split(',', 1)[0]!.trim()
  return (socket as TLSSocket).encrypted ? 'https' : 'http'
}

/** Whose request it is, now that it is known. */
export function signedIn(res: Answer, claims: Claims): Claims {
  const locals = localsOf(res)
  locals.claims = claims
  locals.context.line['user.id'] = claims.sub
  return claims
}

function endRequest(log: Logger, { method = '' }: IncomingMessage, res: Answer): void {
  const { pattern, path, context, protocol } = localsOf(res)
  const { statusCode } = res
  const name = `${method} ${pattern ?? 'unknown route'}`
  context.span?.rename(name)
  context.span?.end(
    {
      'http.request.method': method,
      'http.route': pattern,
      'http.response.status_code': statusCode,
      'url.scheme': protocol,
      'user.id': context.line['user.id'] as string,
      'caregate.request.id': context.line['http.request.id'] as string,
    },
    statusCode >= 500 ? { code: String(statusCode) } : undefined,
  )
  const level = statusCode >= 500 ? 'warning' : 'info'
  if (!log.isLevelEnabled(level) || (isRoutine(path) && (path.startsWith('/health') || statusCode === 200))) return
  log[level](`${name} ${statusCode}`, {
    'http.request.method': method,
    'caregate.route': pattern,
    'http.response.status_code': statusCode,
    'event.duration': Math.round(elapsedMs(res) * 1e6),
    'caregate.aborted': res.writableFinished ? undefined : true,
  })
}

/** Whether it is a probe, which come every second, a scrape, or the gateway that asks what the service has. */
const isRoutine = (path: string): boolean => /^\/(health(\/live|\/ready)?|metrics|internal\/description)$/.test(path)

const elapsedMs = (res: Answer): number => performance.now() - localsOf(res).startedAt

const { writeHead } = ServerResponse.prototype

/**
 * Request id, X-Process-Time and security headers, which every answer has; as name, value, name, value.
 * @param said whether the answer speaks of a (lower-case) security header itself
 */
export function standingHeaders(res: Answer, said: (name: string) => boolean): string[] {
  const locals = localsOf(res)
  const { head, requestId, startedAt } = locals
  locals.answeredAt = performance.now()
  const seconds = ((locals.answeredAt - startedAt) / 1000).toFixed(4)
  const headers = [...head, 'X-Request-Id', requestId, 'X-Process-Time', seconds]
  for (const { name, lowerCase, value } of securityHeaders) if (!said(lowerCase)) headers.push(name, value)
  return headers
}

/**
 * Writes the head of an answer, with what every answer has. Node writes a list of names and values several times faster
 * than headers that are set one by one.
 * @param headers those for security with lower-case names
 */
export function answerHead(res: Answer, status: number, headers: IncomingHttpHeaders): void {
  const list = standingHeaders(res, (name) => name in headers)
  for (const name in headers) {
    const value = headers[name]!
    if (typeof value === 'string') list.push(name, value)
    else for (const one of value) list.push(name, one)
  }
  writeHead.call(res, status, list)
}

/** Express, whose answers carry what every answer has; each request must have been observed. */
export function buildExpress(): Express {
  const app = express()
  // one spelling of a path: what the gateway decides about is what the service routes
  app.enable('case sensitive routing').enable('strict routing')
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple')
  app.response.writeHead = function (this: Response, ...args: Parameters<typeof writeHead>) {
    const standing = standingHeaders(this, (name) => this.hasHeader(name))
    for (let n = 0; n < standing.length; n += 2) this.appendHeader(standing[n]!, standing[n + 1]!)
    return writeHead.apply(this, args)
  } as Response['writeHead']
  return app
}

/** @param headers those for security with lower-case names */
export function sendJson(res: Answer, status: number, value: unknown, headers: Record<string, string> = {}): void {
  const body = JSON.stringify(value)
  answerHead(res, status, {
    'Cache-Control': 'no-store',
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    ...headers,
  })
  res.end(body)
}

/** As problem details (RFC 9457), below FHIR's base as an OperationOutcome. */
export function sendProblem(res: Answer, error: AppError): void {
  if (res.headersSent) return void res.destroy()
  const { requestId, path, context } = localsOf(res)
  context.line['error.code'] = error.code
  const [type, body] = isFhir(path)
    ? [fhirJson, buildOutcome(error, requestId)]
    : ['application/problem+json', buildProblem(error, requestId)]
  sendJson(res, error.status, body, { ...error.extras.headers, 'Content-Type': `${type}; charset=utf-8` })
}

export function actorOf(claims: Claims | undefined): Actor {
  if (!claims) return { id: null, name: null, roles: [], sessionId: null }
  return {
    id: claims.sub,
    name: claims.roles.includes('patient') ? null : claims.name,
    roles: claims.roles,
    sessionId: claims.sid,
  }
}

export function requestFacts(req: IncomingMessage, res: Answer, status: number): RequestFacts {
  const { requestId, pattern = 'unknown', path, ip } = localsOf(res)
  return {
    id: requestId,
    ip,
    method: req.method ?? '',
    path: withoutNames(path, pattern),
    route: pattern,
    status,
    userAgent: req.headers['user-agent']?.slice(0, 300) ?? null,
  }
}
