import { Agent, type IncomingMessage } from 'node:http'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { AppError } from '@caregate/common/errors'
import { standingHeaders, type Answer } from '@caregate/common/http'
import { admittedOf } from './admitted.ts'
import { clientHeaders, upstreamHeaders } from './headers.ts'
import { unavailable, type Upstreams } from './upstreams.ts'

/** Passes streams on: both bodies as they come. `fail` answers when the service doesn't. */
export function buildProxy(upstreams: Upstreams, timeoutMs: number, fail: (res: Answer, error: AppError) => void) {
  const proxy = createProxyMiddleware<IncomingMessage, Answer>({
    target: 'http://unused.invalid',
    router: (_req, res) => admittedOf(res!).instance!.url,
    agent: new Agent({ keepAlive: true, maxSockets: 256, timeout: 30_000 }),
    on: {
      proxyReq: (proxyReq, _req, res) => {
        const { route } = admittedOf(res)
        const late = setTimeout(() => proxyReq.destroy(new AppError('gateway_timeout')), route.timeoutMs ?? timeoutMs)
        const stop = (): void => clearTimeout(late)
        proxyReq.once('response', stop).once('close', stop)
      },
      proxyRes: (answer, _req, res) => {
        const { statusCode = 502, headers } = answer
        upstreams.report(admittedOf(res).instance!, statusCode < 502 || statusCode > 504)
        const { 'transfer-encoding': chunked } = headers
        answer.headers = {
          ...clientHeaders(headers),
          ...(chunked && { 'transfer-encoding': chunked }),
          // whether the client's connection stays open is between the client and the gateway
          connection: res.shouldKeepAlive ? 'keep-alive' : 'close',
        }
        const standing = standingHeaders(res, (name) => name in headers)
        for (let n = 0; n < standing.length; n += 2) res.appendHeader(standing[n]!, standing[n + 1]!)
      },
      error: (error, _req, res) => {
        upstreams.report(admittedOf(res as Answer).instance!, false)
        fail(res as Answer, error instanceof AppError ? error : new AppError('bad_gateway'))
      },
    },
  })
  return (req: IncomingMessage, res: Answer): void => {
    const locals = admittedOf(res)
    const instance = upstreams.pick(locals.route.service)
    if (!instance) throw unavailable(locals.route.service)
    locals.instance = instance
    instance.inFlight += 1
    res.once('close', () => (instance.inFlight -= 1))
    const { 'transfer-encoding': chunked } = req.headers
    req.headers = { ...upstreamHeaders(req, res), ...(chunked && { 'transfer-encoding': chunked }) }
    void proxy(req, res)
  }
}
