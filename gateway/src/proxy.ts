import { Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { createProxyMiddleware, type Options } from 'http-proxy-middleware'
import { AppError } from '@caregate/common/errors'
import { standingHeaders, type Answer } from '@caregate/common/http'
import { SERVICES } from '@caregate/common/services'
import { admittedOf } from './admitted.ts'
import { clientHeaders, upstreamHeaders } from './headers.ts'
import type { Revocations } from './revocations.ts'
import { answerOf, unavailable, type Upstreams } from './upstreams.ts'

/**
 * Passes streams on: both bodies as they come, and WebSocket where the service agrees to it. A stream ends with the
 * session that it was opened in.
 * @param fail answers when the service doesn't
 */
export function buildProxy(
  upstreams: Upstreams,
  revocations: Pick<Revocations, 'whenEnded'>,
  timeoutMs: number,
  fail: (res: Answer, error: AppError) => void,
) {
  const answers = new WeakMap<IncomingMessage, Answer>()
  const admitted = (req: IncomingMessage) => admittedOf(answers.get(req)!)

  const options: Options<IncomingMessage, Answer> = {
    target: 'http://unused.invalid',
    router: (req) => admitted(req).instance!.url,
    on: {
      proxyReq: giveUpLate,
      proxyRes: (answer, req, res) => {
        const { 'transfer-encoding': chunked } = answer.headers
        answer.headers = {
          ...answered(answer, req),
          ...(chunked && { 'transfer-encoding': chunked }),
          // whether the client's connection stays open is between the client and the gateway
          connection: res.shouldKeepAlive ? 'keep-alive' : 'close',
        }
      },
      proxyReqWs: (proxyReq, req) => {
        giveUpLate(proxyReq)
        const take = (answer: IncomingMessage): void => {
          const { connection, upgrade } = answer.headers
          answer.headers = { ...answered(answer, req), connection, upgrade }
        }
        const { socket } = req
        // httpxy ends one side when the other ends, but not when it breaks
        socket.once('close', () => proxyReq.destroy())
        proxyReq.once('upgrade', (answer, tunnel) => {
          take(answer)
          if (socket.destroyed) tunnel.destroy()
          socket.once('close', () => tunnel.destroy())
          tunnel.once('close', () => socket.destroy())
        })
        proxyReq.once('response', (answer) => {
          take(answer)
          socket.once('finish', () => socket.destroy())
        })
      },
      error: (error, req) => {
        const res = answers.get(req)!
        // a client that went away is no fault of the instance
        if (res.destroyed || res.headersSent) return void res.destroy()
        upstreams.report(admitted(req).instance!, false, error)
        if (admitted(req).upgrade) res.assignSocket(req.socket)
        fail(res, answerOf(error, admitted(req).instance!.service))
      },
    },
  }
  const pooled = { keepAlive: true, maxSockets: 256, timeout: 30_000 }
  const plain = createProxyMiddleware({ ...options, agent: new Agent(pooled) })
  const byTls = new Map(
    SERVICES.map((service) => {
      // an instance must have the certificate of its service, at whatever address, and each connection is verified anew
      const agent = new TlsAgent({ ...pooled, servername: service, maxCachedSessions: 0 })
      return [service, createProxyMiddleware({ ...options, agent })]
    }),
  )

  function giveUpLate(proxyReq: ClientRequest): void {
    const late = setTimeout(() => proxyReq.destroy(new AppError('gateway_timeout')), timeoutMs)
    const stop = (): void => clearTimeout(late)
    proxyReq.once('response', stop).once('upgrade', stop).once('close', stop)
  }

  /** What the client is told of the service's headers, with what every answer has. */
  function answered({ statusCode = 502, headers }: IncomingMessage, req: IncomingMessage): IncomingHttpHeaders {
    upstreams.report(admitted(req).instance!, statusCode < 502 || statusCode > 504)
    const told = clientHeaders(headers)
    const standing = standingHeaders(answers.get(req)!, (name) => name in headers)
    for (let n = 0; n < standing.length; n += 2) told[standing[n]!] = standing[n + 1]
    return told
  }

  return (req: IncomingMessage, res: Answer): void => {
    const locals = admittedOf(res)
    const { route, claims, upgrade } = locals
    const instance = upstreams.pick(route.service)
    if (!instance) throw unavailable(route.service)
    locals.instance = instance
    locals.context.line['service.target.address'] = instance.url
    answers.set(req, res)
    instance.inFlight += 1
    const { 'transfer-encoding': chunked } = req.headers
    req.headers = {
      ...upstreamHeaders(req, res),
      ...(chunked && { 'transfer-encoding': chunked }),
      ...(upgrade && { connection: 'Upgrade', upgrade: 'websocket' }),
    }
    const { socket } = req
    const forget = claims && revocations.whenEnded(claims.sid, () => socket.destroy())
    const carrier = upgrade ? socket : res
    carrier.once('close', () => {
      instance.inFlight -= 1
      forget?.()
    })
    const proxy = instance.url.startsWith('https:') ? byTls.get(instance.service)! : plain
    if (!upgrade) return void proxy(req, res)
    res.detachSocket(socket)
    proxy.upgrade(req, socket, upgrade)
  }
}
