import { EventEmitter } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type RequestListener } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { buildVerify } from '@caregate/common/auth'
import type { AuditEvent } from '@caregate/common/events'
import { buildMetrics } from '@caregate/common/metrics'
import { buildServer } from '@caregate/common/serve'
import { issuer, listenForTest, publicKey, quietLog } from '@caregate/common/testing/service'
import { buildCache } from './cache.ts'
import { buildGateway, type GatewayDeps } from './app.ts'
import { openForward } from './forward.ts'
import { buildLimits } from './limits.ts'
import { buildCounters } from './metrics.ts'
import type { Redis } from './redis.ts'
import { openUpstreams } from './upstreams.ts'

export const testVerify = buildVerify(issuer, async (kid) => (kid === 'test' ? publicKey : undefined))

/** A request as a service got it. */
export interface Seen {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: string
}

/** A service that answers what it was asked, unless `answer` says otherwise; `seen` are the requests that reached it. */
export async function openUpstream(
  answer?: RequestListener,
  upgrade?: (req: IncomingMessage, socket: Socket, head: Buffer) => void,
) {
  const seen: Seen[] = []
  const server = createServer((req, res) => {
    const { method = '', url = '', headers } = req
    const request: Seen = { method, url, headers, body: '' }
    seen.push(request)
    if (answer) return answer(req, res)
    req.setEncoding('utf8').on('data', (chunk: string) => (request.body += chunk))
    req.on('end', () => {
      res.setHeader('Content-Type', 'application/json')
      res.setHeader('X-Request-Id', 'of-the-service')
      res.setHeader('X-Process-Time', '17')
      res.end(JSON.stringify(request))
    })
  })
  if (upgrade) {
    server.on('upgrade', (req, socket: Socket, head: Buffer) => {
      seen.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers, body: '' })
      upgrade(req, socket, head)
    })
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type LimitConfig = Parameters<typeof buildLimits>[0]
type TestGatewayOptions = Partial<Omit<GatewayDeps, 'config'>> & {
  config?: Partial<GatewayDeps['config'] & LimitConfig>
  redis?: Redis
  /** Where every service is; given none, there is none. */
  upstream?: string
}

/** The gateway behind a real socket. What it refuses is in `denials`; `revoke` ends sessions. */
export async function openTestGateway({ config, redis, upstream, ...deps }: TestGatewayOptions) {
  const denials: AuditEvent[] = []
  const revoked = new Set<string>()
  const endings = new EventEmitter()
  function whenEnded(sessionId: string, end: () => void) {
    endings.once(sessionId, end)
    return () => void endings.off(sessionId, end)
  }
  const settings = {
    RATE_LIMIT_CREDENTIALS_PER_MINUTE: 10_000,
    RATE_LIMIT_NETWORKS: [],
    ALLOWED_HOSTS: ['*'],
    CORS_ORIGINS: ['*'],
    TRUSTED_PROXIES: [],
    RATE_LIMIT_PER_MINUTE: 10_000,
    RATE_LIMIT_PER_MINUTE_SIGNED_IN: 10_000,
    REQUEST_TIMEOUT_MS: 2000,
    ...config,
  }
  const stopping = new AbortController()
  const directory = deps.directory ?? { instances: () => (upstream ? [upstream] : []) }
  const metrics = buildMetrics('gateway', 'test')
  const counters = buildCounters(metrics)
  const { ejected, retried, limited } = counters
  const upstreams = openUpstreams(directory, ['127.0.0.1'], ejected, deps.log ?? quietLog, stopping.signal)
  const forward = openForward(upstreams, buildCache(quietLog, redis), retried, settings.REQUEST_TIMEOUT_MS)
  const handlers = buildGateway({
    config: settings,
    log: quietLog,
    counters,
    directory,
    upstreams,
    forward,
    limits: buildLimits(settings, limited, quietLog, redis),
    denials: { record: (event) => denials.push(event) },
    revocations: { has: (sessionId) => revoked.has(sessionId), loaded: true, whenEnded },
    verify: testVerify,
    version: '1.2.3',
    ...deps,
  })
  const server = buildServer('gateway', handlers, settings, quietLog, stopping.signal)
  const { close, ...listening } = await listenForTest(server)
  return {
    ...listening,
    metrics,
    upstreams,
    denials,
    /** Ends a session. */
    revoke(sessionId: string) {
      revoked.add(sessionId)
      endings.emit(sessionId)
    },
    async close() {
      stopping.abort()
      await close()
      await forward.close()
    },
  }
}

/** Sends bytes as they are (a character is a byte), and gives what comes back until the connection is closed. */
export function sendRaw(url: string, ...lines: string[]): Promise<string> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url)
    let answer = ''
    const socket = connect(Number(port), hostname)
    socket.setEncoding('latin1').on('data', (text: string) => (answer += text))
    // a reset is an answer too: none
    socket.on('error', () => {}).on('close', () => resolve(answer))
    socket.write(lines.join('\r\n'), 'latin1')
  })
}
