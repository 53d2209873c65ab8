import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express'
import type { Claims, Scope, Verify } from './auth.ts'
import { AppError, levelOf, toAppError } from './errors.ts'
import { buildEvent, type AuditEvent, type EventType } from './events.ts'
import { checkFormat, isFhir } from './fhir.ts'
import {
  actorOf,
  buildExpress,
  buildObserve,
  localsOf,
  requestFacts,
  sendJson,
  sendProblem,
  signedIn,
  unmatched,
  type Meter,
} from './http.ts'
import type { Logger } from './logger.ts'
import { measureRequests } from './measure.ts'
import type { Metrics } from './metrics.ts'
import { describeRoutes, type Vocabulary } from './openapi.ts'
import { recordEvent, type Outbox } from './outbox.ts'
import { expressPath, templateOf, type Context, type Facts, type Policy, type Route } from './route.ts'
import { validate } from './validate.ts'

export type ServiceApp = Express

export interface AppOptions {
  service: string
  refused: EventType
  routes: readonly Route[]
  log: Logger
  metrics: Metrics
  outbox: Pick<Outbox, 'record' | 'wake'>
  verify: Verify
  /** CIDRs whose forwarding headers are believed. */
  trustedProxies: readonly string[]
  /** Rejects while the process can't do its work. */
  ready(): Promise<unknown>
  /** What has a name in the API's document. */
  vocabulary?: Vocabulary
  /** Sentences for a 405, by path, where there is something to explain. */
  notAllowed?: Record<string, string>
}

const bodyLimit = '1mb'
/** Text stands for other types in it, as in a URL. */
const formType = 'application/x-www-form-urlencoded'

const scopeProblems = { password: 'password_change_required', totp: 'totp_enrolment_required' } as const

function checkRoles(policy: Policy, scope: Scope | undefined, claims: Claims): void {
  if (claims.scope && claims.scope !== scope) throw new AppError(scopeProblems[claims.scope])
  if (policy !== 'signed-in' && !claims.roles.some((role) => policy.includes(role))) throw new AppError('forbidden')
}

/** The chart, user or event that the path names, if it names one. */
function subjectOf({ event }: Route, req: Request): Facts {
  // a search of FHIR names a chart in the query
  const { patient = req.query.subject } = req.query
  const { id = typeof patient === 'string' ? patient.replace('Patient/', '') : undefined } = req.params
  if (!event?.subject || typeof id !== 'string' || !uuidPattern.test(id)) return {}
  const resource = { id: id.toLowerCase(), type: event.subject }
  return { resource, ...(event.subject === 'patient' ? { patientIds: [resource.id] } : {}) }
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * The application of a service. For each request: role, then parsing and validation, then the handler; and whatever
 * comes of it, one event, recorded before the answer leaves.
 * @throws when a route lacks a policy, a schema or an event
 */
export function buildApp(options: AppOptions): Express {
  const { service, routes, log, outbox, verify, metrics } = options
  routes.forEach(checkRoute)
  const app = buildExpress()
  const meter = measureRequests(metrics)
  app.use(buildObserve(log, meter, options.trustedProxies))
  const parsers = buildParsers(routes)

  async function authenticate(req: Request, res: Response): Promise<Claims> {
    return signedIn(res, await verify(req.headers.authorization))
  }

  function refusalOf(
    req: Request,
    res: Response,
    { code, status, extras }: AppError,
    event: NonNullable<Route['event']>,
    facts: Facts,
  ): AuditEvent {
    return buildEvent({
      service,
      action: event.action,
      actor: actorOf(localsOf(res).claims),
      code,
      request: requestFacts(req, res, status),
      ...facts,
      type: event.failedType ?? event.type,
      ...(extras.patientIds ? { patientIds: [...(facts.patientIds ?? []), ...extras.patientIds] } : {}),
      ...(extras.threats ? { threats: extras.threats } : {}),
    })
  }

  /** Answers an error once it is on record; a refusal that can't be recorded is a 503. */
  async function refuse(
    req: Request,
    res: Response,
    thrown: unknown,
    pattern: string,
    event: Route['event'],
    facts: Facts,
  ): Promise<void> {
    let error = toAppError(thrown)
    if (error.status >= 500) log[levelOf(thrown)]('request failed', { error: thrown })
    if (error.extras.threats)
      log.warning('dangerous input refused', {
        'caregate.threats': error.extras.threats,
        'caregate.route': pattern,
        'source.ip': localsOf(res).ip,
      })
    if (event) {
      try {
        await outbox.record(refusalOf(req, res, error, event, facts))
      } catch (failure) {
        if (error.status < 500) error = toAppError(failure)
      }
    }
    sendProblem(res, error)
  }

  function handlerOf(definition: Route): RequestHandler {
    const { policy, event, answer, path: pattern } = definition
    return async (req, res) => {
      const locals = localsOf(res)
      locals.pattern = pattern
      locals.measuredAs = templateOf(definition)
      let facts = subjectOf(definition, req)
      let recorded = false
      const eventNow = (status: number, more: Facts = {}): AuditEvent =>
        buildEvent({
          service,
          type: event!.type,
          action: event!.action,
          actor: actorOf(locals.claims),
          request: requestFacts(req, res, status),
          ...facts,
          ...more,
        })
      try {
        if (policy !== 'public') checkRoles(policy, definition.scope, await authenticate(req, res))
        if (isFhir(pattern)) checkFormat(req.headers, req.query._format)
        const uploadType = definition.uploads && checkUpload(req, definition.uploads)
        if (!uploadType) await parseBody(req, res, parsers, definition.bodyType)
        const context: Context<unknown, unknown, unknown> = {
          params: validate(definition.params, req.params, true),
          query: validate(definition.query, req.query, true),
          body: validate(definition.body, req.body ?? {}, definition.bodyType === formType),
          // who stops reading doesn't close the connection: there may be something to answer yet
          upload: { type: uploadType ?? '', chunks: req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer> },
          claims: locals.claims as Claims,
          headers: req.headers,
          ip: locals.ip,
          origin: `${locals.protocol}://${req.headers.host}`,
          about: (more) => void (facts = { ...facts, ...more }),
          mark: (name, value) => void res.set(name, value),
          record: (tx, more, answered) => recordEvent(tx, context.takeEvent(more, answered)),
          takeEvent(more, answered = answer.status) {
            recorded = true
            if (!(answered instanceof AppError)) return eventNow(answered, more)
            return refusalOf(req, res, answered, event!, { ...facts, ...more })
          },
        }
        const { status = answer.status, body, type, headers = {}, refused: error } = await definition.handle(context)
        if (error && !recorded) throw error
        if (recorded) outbox.wake()
        else if (event) {
          if (event.action !== 'R' && event.action !== 'E')
            throw new Error(`${pattern} changed something without an event`)
          await outbox.record(eventNow(status))
        }
        if (error) return sendProblem(res, error)
        if (body !== undefined && (answer.schema ?? !answer.type)) {
          const told = answer.type
            ? { 'Content-Type': `${[answer.type].flat()[0]}; charset=utf-8`, ...headers }
            : headers
          return sendJson(res, status, body, told)
        }
        res.status(status).set({ 'Cache-Control': 'no-store', ...headers })
        if (body === undefined) res.end()
        else await sendBody(res.type(type ?? [answer.type!].flat()[0]!), body as Body, meter, log)
      } catch (error) {
        // what leaves no event when it is answered does when it is refused
        await refuse(req, res, error, pattern, event ?? (policy === 'public' ? null : refused), facts)
      }
      // what nobody has read of it would stand before the next request of the connection
      if (definition.uploads) req.resume()
    }
  }

  const description = describeRoutes(service, routes, options.vocabulary)
  app.get('/internal/description', (_req, res) => void res.json(description))
  app.get('/metrics', async (_req, res) => void res.type(metrics.contentType).send(await metrics.scrape()))
  app.get('/health/live', (_req, res) => void res.json({ status: 'healthy' }))
  app.get('/health/ready', async (_req, res) => {
    const healthy = await options.ready().then(
      () => true,
      () => false,
    )
    res.status(healthy ? 200 : 503).json({ status: healthy ? 'healthy' : 'unhealthy' })
  })

  const refused = { type: options.refused, action: 'E' } as const
  /** Who asks for something that isn't there must be signed in to be told so, unless it stands beside a public route. */
  function refuseAlways(pattern: string, isPublic: boolean, error: AppError, like?: Route): RequestHandler {
    return async (req, res) => {
      Object.assign(localsOf(res), { pattern, measuredAs: like ? templateOf(like) : unmatched })
      try {
        if (!isPublic) await authenticate(req, res)
        throw error
      } catch (thrown) {
        await refuse(req, res, thrown, pattern, refused, like ? subjectOf(like, req) : {})
      }
    }
  }
  // `/patients/search` before `/patients/{id}`
  const inOrder = routes.toSorted((a, b) => (a.path.replaceAll('{', '~') < b.path.replaceAll('{', '~') ? -1 : 1))
  for (const [path, own] of Map.groupBy(inOrder, expressPath)) {
    for (const definition of own) {
      app[definition.method](path, handlerOf(definition))
    }
    const Allow = own.map(({ method }) => method.toUpperCase()).join(', ')
    const pattern = own[0]!.path
    const error = new AppError('method_not_allowed', options.notAllowed?.[pattern], { headers: { Allow } })
    app.all(
      path,
      refuseAlways(
        pattern,
        own.some(({ policy }) => policy === 'public'),
        error,
        own[0],
      ),
    )
  }
  app.use(refuseAlways('unknown', false, new AppError('not_found', 'There is no such path.')))
  // express itself refuses undecodable paths
  app.use(async (error: unknown, req: Request, res: Response, _next: NextFunction) =>
    refuse(req, res, error, 'unknown', refused, {}),
  )
  return app
}

type Body = string | Buffer | AsyncIterable<string>

/** Text or bytes, at once or as they come. What breaks off then, by the client or here, was answered already. */
async function sendBody(res: Response, body: Body, meter: Meter, log: Logger): Promise<void> {
  if (typeof body === 'string' || Buffer.isBuffer(body)) return void res.end(body)
  meter.streams(res)
  // before the first of it is there: whoever waits learns that it was begun
  res.flushHeaders()
  await pipeline(Readable.from(body), res).catch((error: unknown) => {
    if ((error as { code?: string }).code !== 'ERR_STREAM_PREMATURE_CLOSE')
      log[levelOf(error)]('an answer broke off', { error })
  })
}

function checkRoute(definition: Route): void {
  for (const part of ['policy', 'params', 'query', 'body', 'answer'] as const) {
    if (!definition[part]) throw new Error(`${definition.method.toUpperCase()} ${definition.path} has no ${part}`)
  }
  if (definition.event === undefined)
    throw new Error(`${definition.method.toUpperCase()} ${definition.path} has no event`)
}

/** @returns which of the types it is @throws {AppError} 415 */
function checkUpload(req: Request, types: readonly string[]): string {
  const type = req.headers['content-encoding'] === undefined && req.is([...types])
  if (!type) throw new AppError('unsupported_media_type', `Send the body as ${types.join(', ')}, not encoded.`)
  return type
}

const typesOf = (bodyType: string): string[] =>
  bodyType === formType ? [formType] : ['application/json', bodyType].filter(Boolean)

/** By the routes' content types. */
const buildParsers = (routes: readonly Route[]): Map<string, RequestHandler> =>
  new Map(
    ['', ...routes.flatMap(({ bodyType }) => bodyType ?? [])].map((bodyType) => {
      const options = { limit: bodyLimit, inflate: false, type: typesOf(bodyType) }
      return [
        bodyType,
        bodyType === formType ? express.urlencoded({ ...options, extended: false }) : express.json(options),
      ]
    }),
  )

async function parseBody(
  req: Request,
  res: Response,
  parsers: ReadonlyMap<string, RequestHandler>,
  bodyType = '',
): Promise<void> {
  const hasBody = Number(req.headers['content-length'] ?? 0) > 0 || req.headers['transfer-encoding'] !== undefined
  if (!hasBody) return
  if (!req.is(typesOf(bodyType))) throw new AppError('unsupported_media_type')
  const parser = parsers.get(bodyType)!
  await new Promise<void>((resolve, reject) =>
    parser(req, res, (error?: unknown) => (error ? reject(error) : resolve())),
  )
}
