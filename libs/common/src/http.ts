import { randomUUID } from 'node:crypto'
import express, { type Express, type Request, type Response } from 'express'
import helmet from 'helmet'
import onHeaders from 'on-headers'
import type { Claims } from './auth.ts'
import { buildProblem, type AppError } from './errors.ts'
import type { Actor, RequestFacts } from './events.ts'
import { logContext, type Logger } from './logger.ts'

const validRequestId = /^[A-Za-z0-9][A-Za-z0-9._-]{7,127}$/

/** Request id, X-Process-Time, security headers, access log: what every answer of every process has. */
export function buildExpress(log: Logger): Express {
  const app = express()
  // one spelling of a path: what the gateway decides about is what the service routes
  app.enable('case sensitive routing').enable('strict routing')
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple')
  app.use((req, res, next) => {
    const started = process.hrtime.bigint()
    const elapsed = (): number => Number(process.hrtime.bigint() - started) / 1e9
    const given = req.headers['x-request-id']
    const id = typeof given === 'string' && validRequestId.test(given) ? given : randomUUID()
    res.locals.requestId = id
    onHeaders(res, () => {
      res.setHeader('X-Request-Id', id)
      res.setHeader('X-Process-Time', elapsed().toFixed(4))
    })
    res.once('close', () => {
      const { pattern, claims } = res.locals as Locals
      // probes come every second
      if (req.path.startsWith('/health')) return
      log[res.statusCode >= 500 ? 'warning' : 'info'](`${req.method} ${pattern ?? 'unknown route'} ${res.statusCode}`, {
        'request.id': id,
        'http.request.method': req.method,
        'http.route': pattern,
        'http.response.status_code': res.statusCode,
        'event.duration': Math.round(elapsed() * 1e9),
        'user.id': claims?.sub,
        ...(res.writableFinished ? {} : { aborted: true }),
      })
    })
    logContext.run({ 'request.id': id }, next)
  })
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    }),
  )
  return app
}

/** What is known of a request while it is handled: `res.locals`. */
export interface Locals {
  requestId: string
  pattern?: string
  claims?: Claims
}

export function sendProblem(res: Response, error: AppError): void {
  if (res.headersSent) return void res.destroy()
  res.status(error.status).set(error.extras.headers ?? {})
  res.set('Cache-Control', 'no-store').type('application/problem+json')
  res.send(JSON.stringify(buildProblem(error, (res.locals as Locals).requestId)))
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

/** The client's address as people write it: IPv4 without the IPv6 form in which a dual-stack socket reports it. */
export const addressOf = (req: Request): string => (req.ip ?? '').replace(/^::ffff:(?=\d+\.)/, '')

export function requestFacts(req: Request, res: Response, pattern: string, status: number): RequestFacts {
  return {
    id: (res.locals as Locals).requestId,
    method: req.method,
    route: pattern,
    path: (req.baseUrl + req.path).slice(0, 1000),
    status,
    ip: addressOf(req),
    userAgent: req.get('user-agent')?.slice(0, 300) ?? null,
  }
}
