import { ServerResponse, type IncomingMessage } from 'node:http'
import cors from 'cors'
import { unauthorized, type Claims, type Verify } from '@caregate/common/auth'
import { toAppError } from '@caregate/common/errors'
import { buildEvent } from '@caregate/common/events'
import {
  actorOf,
  addressKey,
  buildObserve,
  headersOf,
  localsOf,
  requestFacts,
  sendProblem,
  signedIn,
  type Answer,
} from '@caregate/common/http'
import type { Logger } from '@caregate/common/logger'
import type { Directory } from '@caregate/common/registry'
import type { Handlers } from '@caregate/common/serve'
import { admittedOf } from './admitted.ts'
import type { GatewayConfig } from './config.ts'
import { unreadable, type Denials } from './denials.ts'
import type { Forward } from './forward.ts'
import { buildHostCheck, checkHygiene } from './hygiene.ts'
import type { Limits } from './limits.ts'
import type { Counters } from './metrics.ts'
import { buildPages, isProbe } from './pages.ts'
import { buildProxy } from './proxy.ts'
import type { Revocations } from './revocations.ts'
import { findRoute } from './routes.ts'
import type { Upstreams } from './upstreams.ts'

export interface GatewayDeps {
  config: Pick<GatewayConfig, 'ALLOWED_HOSTS' | 'CORS_ORIGINS' | 'TRUSTED_PROXIES' | 'REQUEST_TIMEOUT_MS'>
  log: Logger
  counters: Pick<Counters, 'requests' | 'tokenRefused'>
  directory: Directory
  upstreams: Upstreams
  forward: Forward
  limits: Limits
  denials: Pick<Denials, 'record'>
  revocations: Pick<Revocations, 'has' | 'loaded' | 'whenEnded'>
  verify: Verify
  version: string
}

const exposedHeaders = [
  'ETag',
  'Location',
  'X-Request-Id',
  'X-Process-Time',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'X-Break-Glass',
]

/** hygiene → host → CORS → address limit (anonymous and failed tokens) → JWT → revocation → user limit → route → instance. */
export function buildGateway(deps: GatewayDeps): Handlers {
  const { config, log, counters, upstreams, forward, limits, denials, revocations, verify } = deps
  const observe = buildObserve(log, counters.requests, config.TRUSTED_PROXIES)
  const checkHost = buildHostCheck(config.ALLOWED_HOSTS)
  const crossOrigin = buildCrossOrigin(config.CORS_ORIGINS)
  const proxy = buildProxy(upstreams, revocations, config.REQUEST_TIMEOUT_MS, fail)
  const pages = buildPages(deps, crossOrigin.preflight, fail)

  /** Answers what the edge refuses, and records it. */
  function fail(res: Answer, thrown: unknown): void {
    const error = toAppError(thrown)
    if (error.code === 'internal_error') log.error('request failed', { error: thrown })
    if (!res.destroyed) {
      denials.record(
        buildEvent({
          type: 'gateway.request.denied',
          service: 'gateway',
          action: 'E',
          actor: actorOf(localsOf(res).claims),
          code: error.code,
          request: requestFacts(res.req, res, error.status),
        }),
      )
    }
    sendProblem(res, error)
  }

  async function authenticate(req: IncomingMessage, res: Answer): Promise<Claims> {
    try {
      const claims = signedIn(res, await verify(req.headers.authorization))
      if (revocations.has(claims.sid)) throw unauthorized('The session has ended: sign in again.', 'ended')
      return claims
    } catch (error) {
      counters.tokenRefused(toAppError(error).extras.token ?? 'unverifiable')
      await limits.address(res, addressKey(localsOf(res).ip))
      throw error
    }
  }

  async function handle(req: IncomingMessage, res: Answer): Promise<void> {
    const locals = admittedOf(res)
    // who has reset the connection already has no address to be counted by, and wants no answer
    if (req.socket.remoteAddress === undefined) return void req.socket.destroy()
    const key = addressKey(locals.ip)
    if (isProbe(locals.path)) return pages(req, res)
    checkHygiene(req)
    checkHost(req.headers.host)
    locals.measuredAs = 'gateway'
    if (req.method === 'OPTIONS') return pages(req, res)
    locals.head.push(...crossOrigin.headers(req.headers.origin))
    const route = findRoute(locals.path)
    if (!route) return pages(req, res)
    locals.route = route
    locals.pattern = route.pattern
    locals.measuredAs = route.service
    if (route.streaming) counters.requests.streams(res)
    if (route.public) await limits.address(res, key)
    else await limits.user(res, (await authenticate(req, res)).sub)
    if (route.guarded) await limits.credentials(res, key)
    if (route.streaming) proxy(req, res)
    else await forward(req, res)
  }

  const begin = (req: IncomingMessage, res: Answer, upgrade?: Buffer): void =>
    observe(req, res, () => {
      if (upgrade) admittedOf(res).upgrade = upgrade
      handle(req, res).catch((error: unknown) => fail(res, error))
    })

  return {
    request: (req, res) => begin(req, res as Answer),
    malformed: (socket, code) => denials.record(unreadable(socket, code)),
    isUpload: streams,
    // the other upgrades that a client may wish for are none: its request is one like any other
    wantsUpgrade: (req) => req.method === 'GET' && req.headers.upgrade?.toLowerCase() === 'websocket' && streams(req),
    upgrade(req, socket, head) {
      const res = new ServerResponse(req) as Answer
      res.shouldKeepAlive = false
      res.assignSocket(socket)
      res.once('finish', () => socket.destroySoon())
      socket.once('close', () => res.emit('close'))
      begin(req, res, head)
    },
  }
}

const streams = ({ url = '' }: IncomingMessage): boolean => findRoute(url.split('?', 1)[0]!)?.streaming === true

/** What pages of other origins may do: `cors` answers their preflights, and says once what the answers carry. */
function buildCrossOrigin(origins: readonly string[]) {
  const anyOrigin = origins.includes('*')
  const preflight = cors({ origin: anyOrigin ? '*' : [...origins], exposedHeaders, maxAge: 600 })
  const carried = (origin?: string) => headersOf(preflight, { method: 'GET', headers: { origin } }).flat()
  const listed = new Map(origins.map((origin) => [origin, carried(origin)]))
  const others = carried()
  return { preflight, headers: (origin = '') => listed.get(origin) ?? others }
}
