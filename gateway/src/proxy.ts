import { Agent } from 'node:http'
import type { Request, RequestHandler, Response } from 'express'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { AppError } from '@caregate/common/errors'
import type { Admitted } from './admitted.ts'
import { isForClient, upstreamHeaders } from './headers.ts'
import { unavailable, type Upstreams } from './upstreams.ts'

/** Passes streams on: both bodies as they come. `fail` answers when the service doesn't. */
export function buildProxy(
  upstreams: Upstreams,
  timeoutMs: number,
  fail: (res: Response, error: AppError) => void,
): RequestHandler {
  const proxy = createProxyMiddleware({
    target: 'http://unused.invalid',
    router: (_req, res) => ((res as Response).locals as Admitted).instance!.url,
    agent: new Agent({ keepAlive: true, maxSockets: 256, timeout: 30_000 }),
    on: {
      proxyReq: (proxyReq, _req, res) => {
        const { route } = (res as Response).locals as Admitted
        const late = setTimeout(() => proxyReq.destroy(new AppError('gateway_timeout')), route.timeoutMs ?? timeoutMs)
        const stop = (): void => clearTimeout(late)
        proxyReq.once('response', stop).once('close', stop)
      },
      proxyRes: ({ headers, statusCode = 502 }, _req, res) => {
        upstreams.report(((res as Response).locals as Admitted).instance!, statusCode < 502 || statusCode > 504)
        for (const name of Object.keys(headers))
          if (!isForClient(name) && name !== 'transfer-encoding') delete headers[name]
        // whether the client's connection stays open is between the client and the gateway
        headers.connection = res.shouldKeepAlive ? 'keep-alive' : 'close'
      },
      error: (error, _req, res) => {
        upstreams.report(((res as Response).locals as Admitted).instance!, false)
        fail(res as Response, error instanceof AppError ? error : new AppError('bad_gateway'))
      },
    },
  })
  return (req: Request, res, next) => {
    const locals = res.locals as Admitted
    const instance = upstreams.pick(locals.route.service)
    if (!instance) throw unavailable(locals.route.service)
    locals.instance = instance
    instance.inFlight += 1
    res.once('close', () => (instance.inFlight -= 1))
    const { 'transfer-encoding': chunked } = req.headers
    req.headers = { ...upstreamHeaders(req, res), ...(chunked && { 'transfer-encoding': chunked }) }
    void proxy(req, res, next)
  }
}
