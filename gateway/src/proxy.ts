import { Agent } from 'node:http'
import type { RequestHandler, Response } from 'express'
import { createProxyMiddleware } from 'http-proxy-middleware'
import type { Claims } from '@caregate/common/auth'
import { AppError } from '@caregate/common/errors'
import { stripHeaders } from './hygiene.ts'

/** What the gateway has decided about a request before it is passed on: `res.locals`. */
export interface Admitted {
  requestId: string
  /** Base URL of the instance. */
  target: string
  /** The client's address. */
  ip: string
  claims?: Claims
}

/** Passes admitted requests on; `fail` answers when the service doesn't. */
export function buildProxy(timeoutMs: number, fail: (res: Response, error: AppError) => void): RequestHandler {
  const proxy = createProxyMiddleware({
    target: 'http://unused.invalid',
    router: (_req, res) => ((res as Response).locals as Admitted).target,
    // shorter than the services' keep-alive, so that no request meets a connection that is being closed
    agent: new Agent({ keepAlive: true, maxSockets: 256, timeout: 30_000 }),
    on: {
      proxyReq: (proxyReq, _req, res) => {
        proxyReq.setTimeout(timeoutMs, () => proxyReq.destroy(new AppError('gateway_timeout')))
        res.once('close', () => proxyReq.setTimeout(0))
      },
      // whether the client's connection stays open is between the client and the gateway
      proxyRes: ({ headers }, _req, res) => {
        headers.connection = res.shouldKeepAlive ? 'keep-alive' : 'close'
        delete headers['keep-alive']
      },
      error: (error, _req, res) =>
        fail(res as Response, error instanceof AppError ? error : new AppError('bad_gateway')),
    },
  })
  return (req, res, next) => {
    const { requestId, ip, claims } = res.locals as Admitted
    const { host } = req.headers
    // read from a trusted proxy's header, which goes too
    const { protocol } = req
    stripHeaders(req.headers)
    req.headers['x-request-id'] = requestId
    req.headers['x-forwarded-for'] = ip
    req.headers['x-forwarded-proto'] = protocol
    if (host) req.headers['x-forwarded-host'] = host
    if (claims) {
      req.headers['x-user-id'] = claims.sub
      req.headers['x-user-roles'] = claims.roles.join(',')
    }
    void proxy(req, res, next)
  }
}
