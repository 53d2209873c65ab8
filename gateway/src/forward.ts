import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Agent, type Dispatcher } from 'undici'
import { AppError } from '@caregate/common/errors'
import { answerHead, type Answer } from '@caregate/common/http'
import type { Service } from '@caregate/common/services'
import { startCall, tracer } from '@caregate/common/tracing'
import { admittedOf } from './admitted.ts'
import { keepMs, maxKeptBytes, type Cache, type Kept } from './cache.ts'
import { clientHeaders, upstreamHeaders } from './headers.ts'
import type { Counters } from './metrics.ts'
import { answerOf, unavailable, type Instance, type Upstreams } from './upstreams.ts'

const connectMs = 2000
const clientStallMs = 30_000
/** Of a hundred requests, so many may be sent again; and a few at once when there is little traffic. */
const retryShare = 0.1
const retryBurst = 10

export interface Forward {
  (req: IncomingMessage, res: Answer): Promise<void>
  close(): Promise<void>
}

/** A request that got no answer. */
class NoAnswer extends Error {
  /** Whether the service can have seen it. */
  readonly sent: boolean
  readonly answer: AppError
  constructor(cause: Error, sent: boolean, service: Service) {
    super(cause.message, { cause })
    this.sent = sent
    this.answer = answerOf(cause, service)
  }
}

/**
 * Passes ordinary requests on. The body is read first, up to its limit: a slow client holds no connection to a service,
 * and what was provably not sent, or only reads, can go to another instance.
 */
export function openForward(
  upstreams: Pick<Upstreams, 'pick' | 'report'>,
  cache: Cache,
  retried: Counters['retried'],
  timeoutMs: number,
): Forward {
  const agent = new Agent({
    // a pool for each instance: one that hangs doesn't slow the others
    connections: 256,
    // shorter than the services' keep-alive, so that no request meets a connection that is being closed
    keepAliveTimeout: 30_000,
    connect: { timeout: connectMs },
    // every connection is verified anew, and none speaks HTTP/2
    maxCachedSessions: 0,
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  let retries = retryBurst

  async function forward(req: IncomingMessage, res: Answer): Promise<void> {
    const { route } = admittedOf(res)
    const key = route.public && req.method === 'GET' ? req.url : undefined
    const kept = key && (await cache.find(key))
    if (kept) return answerKept(res, kept)
    const body = await readBody(req, route.bodyLimit)
    const headers = upstreamHeaders(req, res)
    if (body) headers['content-length'] = String(body.length)
    const request = {
      path: req.url!,
      method: req.method as Dispatcher.HttpMethod,
      headers,
      body,
      // whose certificate is wanted by TLS, at whatever address; otherwise it would be the client's Host that is looked for
      servername: route.service,
    }
    const tried = new Set<Instance>()
    retries = Math.min(retryBurst, retries + retryShare)
    for (let failed: NoAnswer | undefined; ;) {
      const instance = upstreams.pick(route.service, tried)
      if (!instance) throw failed?.answer ?? unavailable(route.service)
      tried.add(instance)
      try {
        return await send(instance, request, res, key)
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error
        failed = error
        const harmless = !error.sent || req.method === 'GET' || req.method === 'HEAD'
        if (!harmless || error.answer.code === 'gateway_timeout' || retries < 1) throw error.answer
        retries -= 1
        retried(route.service)
      }
    }
  }

  /**
   * @param key what a public answer is kept by
   * @throws {NoAnswer} as long as nothing was answered; an answer that breaks off breaks the client's off too
   */
  function send(
    instance: Instance,
    request: Omit<Dispatcher.DispatchOptions, 'origin'>,
    res: Answer,
    key: string | undefined,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      let control: Dispatcher.DispatchController | undefined
      let answered = false
      let stall: NodeJS.Timeout | undefined
      const { service, url } = instance
      admittedOf(res).context.line['service.target.address'] = url
      const attributes = { 'http.request.method': request.method, 'server.address': url }
      const span = tracer && startCall(`${request.method} ${service}`, attributes)
      const headers = span ? { ...request.headers, traceparent: span.traceparent } : request.headers
      let copy: { headers: IncomingHttpHeaders; chunks: Buffer[]; size: number } | undefined
      const late = setTimeout(() => give(new AppError('gateway_timeout')), timeoutMs)
      const gone = (): void => give(new Error('the client went away'))
      const drained = (): void => (clearTimeout(stall), control?.resume())
      instance.inFlight += 1
      res.once('close', gone)

      function done(): void {
        instance.inFlight -= 1
        clearTimeout(late)
        clearTimeout(stall)
        res.off('close', gone)
        res.off('drain', drained)
      }
      /** Gives the request up, wherever it is: also while it waits for a connection. */
      function give(reason: Error): void {
        if (control) return void control.abort(reason)
        fail(reason)
      }
      let failed = false
      function fail(error: Error): void {
        if (failed) return
        failed = true
        done()
        span?.end({}, error)
        // a client that went away, or doesn't read, is no fault of the instance
        if (res.destroyed || answered) return (res.destroy(), resolve())
        upstreams.report(instance, false, error)
        reject(new NoAnswer(error, control !== undefined, service))
      }

      agent.dispatch(
        { ...request, headers, origin: url },
        {
          onRequestStart(controller) {
            control = controller
            if (failed) controller.abort(new Error('given up'))
          },
          onResponseStart(_controller, status, headers) {
            if (status < 200) return
            answered = true
            clearTimeout(late)
            upstreams.report(instance, status < 502 || status > 504)
            const told = clientHeaders(headers)
            if (key && status === 200 && keepMs(told)) copy = { headers: told, chunks: [], size: 0 }
            answerHead(res, status, told)
            res.on('drain', drained)
          },
          onResponseData(controller, chunk) {
            if (copy && (copy.size += chunk.length) <= maxKeptBytes) copy.chunks.push(chunk)
            // head and text are sent as one string by one system call; two of them would cost a tenth of all
            if (res.write(chunk.toString('latin1'), 'latin1')) return
            controller.pause()
            clearTimeout(stall)
            stall = setTimeout(() => give(new Error('the client does not read')), clientStallMs)
          },
          onResponseEnd() {
            done()
            span?.end({ 'http.response.status_code': res.statusCode })
            if (key && copy && copy.size <= maxKeptBytes) cache.keep(key, copy.headers, Buffer.concat(copy.chunks))
            res.end()
            resolve()
          },
          onResponseError: (_controller, error) => fail(error),
        },
      )
    })
  }

  return Object.assign(forward, { close: () => agent.close() })
}

function answerKept(res: Answer, { headers, body, storedAt }: Kept): void {
  const age = String(Math.floor((Date.now() - storedAt) / 1000))
  answerHead(res, 200, { ...headers, age, 'content-length': String(body.length) })
  res.end(body)
}

/** Undefined where there is none. @throws {AppError} 413 */
async function readBody(req: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const length = req.headers['content-length']
  if (length === undefined && req.headers['transfer-encoding'] === undefined) return undefined
  if (Number(length) > limit) throw tooLarge(limit)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    if ((size += chunk.length) > limit) throw tooLarge(limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/** The rest of the body isn't waited for: the connection is closed. */
const tooLarge = (limit: number): AppError =>
  new AppError('too_large', `The body may have ${limit} bytes at most.`, { headers: { Connection: 'close' } })
