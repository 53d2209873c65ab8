import { randomUUIDv7 } from 'node:crypto'
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { AppError, buildProblem, type ProblemCode } from './errors.ts'
import type { Logger } from './logger.ts'
import { keepRegistered } from './registry.ts'
import type { Lifetime } from './run.ts'
import { openTlsServer } from './tls.ts'

// What a request needs is young and soon garbage. V8 may come to make objects of some line of code old at once, by what it saw in
// the first seconds; all that they point to then waits for a full collection, and collecting took 11 % of the CPU instead of 4 %.
setFlagsFromString('--no-allocation-site-pretenuring')

export interface ServeOptions {
  PORT: number
  LISTEN_ADDRESS: string
  DRAIN_GRACE_MS: number
  REQUEST_TIMEOUT_MS: number
  ADVERTISE_ADDRESS: string
  DISCOVERY: 'consul' | 'static'
  CONSUL_HTTP_ADDR: string
  TLS_CERT_FILE?: string | undefined
  TLS_KEY_FILE?: string | undefined
}

/** What a process does with what reaches its port. */
export interface Handlers {
  request: RequestListener
  /** Hears of what the parser refused. */
  malformed?(socket: Socket, code: ProblemCode): void
  /** Whether a body may take longer than 30 seconds to come. */
  isUpload?(req: IncomingMessage): boolean
  /** Whether a request leaves HTTP, by `upgrade`. */
  wantsUpgrade?(req: IncomingMessage): boolean
  upgrade?(req: IncomingMessage, socket: Socket, head: Buffer): void
}

/** How long is waited for others, in milliseconds. */
export interface Patience {
  /** For the headers of a request. */
  headersMs: number
  /** For its body. */
  bodyMs: number
  /** For what is in flight when the process ends; streams know no end of their own. */
  finishMs: number
}
const usual: Patience = { headersMs: 10_000, bodyMs: 30_000, finishMs: 10_000 }

/** How Node's parser calls what is more than malformed. */
const parserCodes: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

/** Answers what Node's parser refuses, before there is a request. */
function refuseMalformed(code: ProblemCode, socket: Duplex): void {
  const requestId = randomUUIDv7()
  const problem = buildProblem(new AppError(code), requestId)
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
 * A server with time-outs that cut slow clients, and a keep-alive that outlives the gateway's pooled connections.
 * @param upgraded gets the connections that have left HTTP
 */
export function buildServer(
  service: string,
  handlers: Handlers,
  options: Pick<ServeOptions, 'REQUEST_TIMEOUT_MS' | 'TLS_CERT_FILE' | 'TLS_KEY_FILE'>,
  log: Logger,
  signal: AbortSignal,
  { headersMs, bodyMs }: Patience = usual,
  upgraded = new Set<Socket>(),
): Server {
  const answering = new WeakMap<Duplex, ServerResponse>()
  const listener: RequestListener = (req, res) => {
    answering.set(req.socket, res)
    // who keeps a connection alive shall not send on it in the moment when it is closed
    if (signal.aborted) res.shouldKeepAlive = false
    if (!handlers.isUpload?.(req)) cutSlowBody(req)
    if (signal.aborted && req.url === '/health/ready') res.writeHead(503).end()
    else handlers.request(req, res)
  }
  function cutSlowBody(req: IncomingMessage): void {
    if (req.headers['content-length'] === undefined && req.headers['transfer-encoding'] === undefined) return
    const error = Object.assign(new Error('slow body'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
    const late = setTimeout(() => server.emit('clientError', error, req.socket), bodyMs)
    req.once('end', () => clearTimeout(late)).once('close', () => clearTimeout(late))
  }
  const settings: ServerOptions = {
    headersTimeout: headersMs,
    // an upload may take its time, as long as it goes on
    requestTimeout: 0,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 1000,
    // the gateway adds headers of its own to what it let in
    maxHeaderSize: service === 'gateway' ? 16_384 : 32_768,
    // the gateway refuses such a request itself
    requireHostHeader: service !== 'gateway',
    shouldUpgradeCallback: (req) => handlers.wantsUpgrade?.(req) ?? false,
  }
  const server = options.TLS_CERT_FILE
    ? openTlsServer(options.TLS_CERT_FILE, options.TLS_KEY_FILE!, settings, log, signal)
    : createServer(settings)
  server.on('request', listener)
  // neither a byte sent nor one taken: a client that doesn't read, or a stream without a sign of life
  server.timeout = options.REQUEST_TIMEOUT_MS + 20_000
  // an expectation that nobody knows is none
  server.on('checkExpectation', listener)
  server.on('upgrade', (req, socket: Socket, head: Buffer) => {
    upgraded.add(socket)
    socket.once('close', () => upgraded.delete(socket))
    handlers.upgrade!(req, socket, head)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // who is gone already can't be refused anything
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    const code = parserCodes[error.code ?? ''] ?? 'bad_request'
    handlers.malformed?.(socket as Socket, code)
    const refuse = (): void => void (socket.writable && refuseMalformed(code, socket))
    const answer = answering.get(socket)
    if (!answer || answer.closed) refuse()
    // another request, which is answered first
    else if (answer.req.complete) answer.once('close', refuse)
    else if (answer.headersSent) socket.destroy()
    else refuse()
  })
  return server
}

/**
 * Listens, and keeps the instance registered. At the end: not ready, out of Consul, serving on for a grace while others
 * learn of it; then what is in flight is finished, or cut if that takes longer than ten seconds, then closed.
 */
export async function serve(
  service: string,
  handlers: Handlers,
  options: ServeOptions,
  log: Logger,
  lifetime: Lifetime,
  patience: Patience = usual,
): Promise<void> {
  const upgraded = new Set<Socket>()
  const server = buildServer(service, handlers, options, log, lifetime.signal, patience, upgraded)
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.PORT, options.LISTEN_ADDRESS, resolve),
  )
  lifetime.add('the server', async () => {
    // a connection that is kept alive is idle, and closed, once what is in flight on it is answered
    const sweep = setInterval(() => server.closeIdleConnections(), 50)
    const cut = setTimeout(() => {
      server.closeAllConnections()
      for (const socket of upgraded) socket.destroy()
    }, patience.finishMs)
    await new Promise((resolve) => server.close(resolve))
    clearInterval(sweep)
    clearTimeout(cut)
  })
  lifetime.add('the grace', () => sleep(options.DRAIN_GRACE_MS))
  const { port } = server.address() as AddressInfo
  log.info('listening', { 'server.port': port })
  if (options.DISCOVERY !== 'consul') return
  const registration = keepRegistered(
    { service, address: options.ADVERTISE_ADDRESS, port, scheme: options.TLS_CERT_FILE ? 'https' : 'http' },
    options.CONSUL_HTTP_ADDR,
    log,
    lifetime.signal,
  )
  lifetime.add('the registration', () => registration)
}
