import type { RequestListener } from 'node:http'
import compression from 'compression'
import cors from 'cors'
import type { Express, NextFunction, Request, Response } from 'express'
import { bearerToken, unauthorized, type Claims, type Verify } from '@caregate/common/auth'
import { AppError, toAppError } from '@caregate/common/errors'
import { buildEvent } from '@caregate/common/events'
import { actorOf, addressOf, buildExpress, requestFacts, sendProblem, type Locals } from '@caregate/common/http'
import type { Logger } from '@caregate/common/logger'
import { buildOpenApi, describeRoutes, type Description, type OpenApi } from '@caregate/common/openapi'
import type { Directory } from '@caregate/common/registry'
import type { Admitted } from './admitted.ts'
import type { GatewayConfig } from './config.ts'
import type { Denials } from './denials.ts'
import { docsRouter } from './docs.ts'
import { healthRoute } from './health.ts'
import { buildHostCheck, checkHygiene } from './hygiene.ts'
import { addressKey, type Limits } from './limits.ts'
import type { Forward } from './forward.ts'
import { buildProxy } from './proxy.ts'
import type { Revocations } from './revocations.ts'
import { findRoute, services } from './routes.ts'
import type { Upstreams } from './upstreams.ts'

export interface GatewayDeps {
  config: Pick<GatewayConfig, 'ALLOWED_HOSTS' | 'CORS_ORIGINS' | 'TRUSTED_PROXIES' | 'REQUEST_TIMEOUT_MS'>
  log: Logger
  directory: Directory
  upstreams: Upstreams
  forward: Forward
  limits: Limits
  denials: Pick<Denials, 'record'>
  revocations: Pick<Revocations, 'has' | 'loaded'>
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
export function buildGateway(deps: GatewayDeps): Express {
  const { config, log, directory, upstreams, forward, limits, denials, revocations, verify, version } = deps
  const app = buildExpress(log)
  app.set('trust proxy', config.TRUSTED_PROXIES)
  const checkHost = buildHostCheck(config.ALLOWED_HOSTS)
  const proxy = buildProxy(upstreams, config.REQUEST_TIMEOUT_MS, fail)
  const health = healthRoute(directory, version)

  /** Answers what the edge refuses, and records it. */
  function fail(res: Response, thrown: unknown): void {
    const error = toAppError(thrown)
    const { req } = res
    const { pattern = 'unknown', claims } = res.locals as Locals
    if (error.code === 'internal_error') log.error('request failed', { error: thrown })
    if (!res.destroyed) {
      denials.record(
        buildEvent({
          type: 'gateway.request.denied',
          service: 'gateway',
          action: 'E',
          actor: actorOf(claims),
          code: error.code,
          request: requestFacts(req, res, pattern, error.status),
        }),
      )
    }
    sendProblem(res, error)
  }

  async function authenticate(req: Request, res: Response): Promise<Claims> {
    try {
      const claims = await verify(bearerToken(req.get('authorization')))
      ;(res.locals as Locals).claims = claims
      if (revocations.has(claims.sid)) throw unauthorized('The session has ended: sign in again.')
      return claims
    } catch (error) {
      await limits.address(req, res, addressKey((res.locals as Admitted).ip))
      throw error
    }
  }

  /** Decides by the raw path whether a request goes on, and where to. */
  async function admit(req: Request, res: Response): Promise<void> {
    const locals = res.locals as Admitted & Locals
    const route = findRoute(req.path)
    locals.pattern = route?.pattern ?? 'unknown'
    if (route && !route.public) await limits.user(req, res, (await authenticate(req, res)).sub)
    else await limits.address(req, res, addressKey(locals.ip))
    if (route?.guarded) await limits.credentials(req, res, addressKey(locals.ip))
    if (!route) throw new AppError('not_found', 'There is no such path.')
    locals.route = route
  }

  app.get('/health/live', (_req, res) => void res.json({ status: 'healthy' }))
  app.get('/health/ready', (_req, res) => {
    res.status(revocations.loaded ? 200 : 503).json({ status: revocations.loaded ? 'healthy' : 'unhealthy' })
  })
  app.use((req, res, next) => {
    // before anything rewrites the headers that it is read from
    ;(res.locals as Admitted).ip = addressOf(req)
    checkHygiene(req)
    checkHost(req.headers.host)
    next()
  })
  const anyOrigin = config.CORS_ORIGINS.includes('*')
  app.use(cors({ origin: anyOrigin ? '*' : config.CORS_ORIGINS, exposedHeaders, maxAge: 600 }))
  app.get('/health', async (_req, res) => {
    const { status = 200, body } = await health.handle({} as never)
    res.status(status).set('Cache-Control', 'no-store').json(body)
  })
  // tokens and secrets never share a compressed answer with what a client sent
  app.use(compression({ filter: (req, res) => !req.path.startsWith('/api/v1/auth/') && compression.filter(req, res) }))
  const docs = docsRouter(openApiReader(directory, version, describeRoutes('gateway', [health])))
  // a router looks at all its routes: requests for services needn't pay for that
  app.use((req, res, next) => (req.path.startsWith('/api/') ? next() : docs(req, res, next)))
  app.use(async (req, res, next) => {
    await admit(req, res)
    if ((res.locals as Admitted).route.streaming) proxy(req, res, next)
    else await forward(req, res)
  })
  app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => fail(res, error))
  return refuseOtherTargets(app)
}

/** What is no path becomes `*`, which hygiene refuses: one that Express can't parse, it would answer by itself. */
function refuseOtherTargets(app: Express): Express {
  const { handle } = app as unknown as { handle: RequestListener }
  const checked: RequestListener = (req, res) => {
    if (!req.url?.startsWith('/')) req.url = '*'
    handle.call(app, req, res)
  }
  return Object.assign(app, { handle: checked })
}

const freshMs = 10_000

/** What the services say of themselves, in one document. One that is away is described as it last was. */
function openApiReader(directory: Directory, version: string, own: Description): () => Promise<OpenApi> {
  const known = new Map<string, Description>()
  let readAt = 0
  async function read(service: string): Promise<void> {
    const [instance] = directory.instances(service)
    if (!instance) throw new Error(`${service} is away`)
    const answer = await fetch(`${instance}/internal/description`, { signal: AbortSignal.timeout(2000) })
    if (answer.ok) known.set(service, (await answer.json()) as Description)
  }
  return async () => {
    if (Date.now() - readAt > freshMs) {
      const outcomes = await Promise.allSettled(services.map(read))
      if (outcomes.every(({ status }) => status === 'fulfilled')) readAt = Date.now()
    }
    return buildOpenApi(version, [...services.flatMap((service) => known.get(service) ?? []), own])
  }
}
