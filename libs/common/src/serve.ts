import { createServer, STATUS_CODES, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { v7 as uuidv7 } from 'uuid'
import { AppError, buildProblem, type ProblemCode } from './errors.ts'
import type { Logger } from './logger.ts'
import { keepRegistered } from './registry.ts'
import type { Lifetime } from './run.ts'

export interface ServeOptions {
  PORT: number
  LISTEN_ADDRESS: string
  DRAIN_GRACE_MS: number
  ADVERTISE_ADDRESS: string
  DISCOVERY: 'consul' | 'static'
  CONSUL_HTTP_ADDR: string
}

/** How Node's parser calls what is more than malformed. */
const parserCodes: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

/** Answers what Node's parser refuses, before there is a request. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  const requestId = uuidv7()
  const problem = buildProblem(new AppError(parserCodes[error.code ?? ''] ?? 'bad_request'), requestId)
  const { status } = problem
  const body = JSON.stringify(problem)
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${requestId}`,
      'X-Process-Time: 0.0000',
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}

/**
 * Listens, with time-outs that cut slow clients and a keep-alive that outlives the gateway's pooled connections, and
 * keeps the instance registered. At the end: not ready, out of Consul, serving on for a grace while others learn of it;
 * then what is in flight is finished, then closed.
 * @param malformed hears of what the parser refused
 */
export async function serve(
  service: string,
  app: RequestListener,
  options: ServeOptions,
  log: Logger,
  lifetime: Lifetime,
  malformed?: (socket: Socket) => void,
): Promise<void> {
  const answering = new WeakMap<Duplex, ServerResponse>()
  const listener: RequestListener = (req, res) => {
    answering.set(req.socket, res)
    if (lifetime.signal.aborted && req.url === '/health/ready') res.writeHead(503).end()
    else app(req, res)
  }
  const timeouts = { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 }
  // the gateway adds headers of its own to what it let in
  const maxHeaderSize = service === 'gateway' ? 16_384 : 32_768
  const server = createServer({ ...timeouts, connectionsCheckingInterval: 1000, maxHeaderSize }, listener)
  // an expectation that nobody knows is none
  server.on('checkExpectation', listener)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // who is gone already can't be refused anything
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    malformed?.(socket as Socket)
    const refuse = (): void => void (socket.writable && refuseMalformed(error, socket))
    const answer = answering.get(socket)
    if (!answer || answer.closed) refuse()
    // another request, which is answered first
    else if (answer.req.complete) answer.once('close', refuse)
    else if (answer.headersSent) socket.destroy()
    else refuse()
  })
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.PORT, options.LISTEN_ADDRESS, resolve),
  )
  lifetime.add('the server', async () => {
    // a connection that is kept alive is idle, and closed, once what is in flight on it is answered
    const sweep = setInterval(() => server.closeIdleConnections(), 50)
    await new Promise((resolve) => server.close(resolve))
    clearInterval(sweep)
  })
  lifetime.add('the grace', () => sleep(options.DRAIN_GRACE_MS))
  const { port } = server.address() as AddressInfo
  log.info('listening', { port })
  if (options.DISCOVERY !== 'consul') return
  const registration = keepRegistered(
    { service, address: options.ADVERTISE_ADDRESS, port },
    options.CONSUL_HTTP_ADDR,
    log,
    lifetime.signal,
  )
  lifetime.add('the registration', () => registration)
}
