import type { IncomingHttpHeaders } from 'node:http'
import type { Claims, Role, Scope } from './auth.ts'
import type { Tx } from './database.ts'
import type { AppError, ProblemCode } from './errors.ts'
import type { Action, AuditEvent, EventType } from './events.ts'
import type { Schema } from './validate.ts'

export const apiBase = '/api/v1'

/** `public`: the token is not looked at. `signed-in`: any role. Otherwise the roles that may. */
export type Policy = 'public' | 'signed-in' | readonly Role[]

/** What an event says of a request besides who and when. */
export type Facts = Partial<
  Pick<
    AuditEvent,
    | ('type' | 'action' | 'actor' | 'outcome' | 'code')
    | ('resource' | 'patientIds' | 'changed' | 'basis' | 'breakGlass')
  >
>

export interface Context<P, Q, B> {
  params: P
  query: Q
  body: B
  /** The body where the route takes `uploads`: its type, and its bytes as they come. */
  upload: { type: string; chunks: AsyncIterable<Buffer> }
  /** Undefined on public routes only. */
  claims: Claims
  headers: IncomingHttpHeaders
  /** The client's address. */
  ip: string
  /** Scheme and host, as the client wrote them. */
  origin: string
  /** Adds to what the event of this request will say, also when it is refused. */
  about(facts: Facts): void
  /** A header of the answer, also when it is a refusal. */
  mark(name: string, value: string): void
  /**
   * Records the event of this request in the transaction of the change.
   * @param answered what the handler will answer, where that isn't the route's own status: another, or a refusal that comes
   *   with a change
   */
  record(tx: Tx, facts?: Facts, answered?: AppError | number): Promise<void>
  /**
   * The same event for whoever records it with the change in one statement; nobody else does so then. Of an answer that is
   * streamed also further ones, as it goes on.
   */
  takeEvent(facts?: Facts, answered?: AppError | number): AuditEvent
}

export interface Answer {
  /** In place of all else; thrown, it would undo what comes with it. */
  refused?: AppError
  /** When it isn't the route's own. */
  status?: number
  body?: unknown
  /** Of the route's content types, when it isn't the first. */
  type?: string
  headers?: Record<string, string>
}

/** One operation: everything about it in one place. OpenAPI, validation, policy and audit are all made from this. */
export interface Route<P = unknown, Q = unknown, B = unknown> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** Below /api/v1 unless `root`, e.g. `/patients/{id}`; `{rest*}` is all that comes. */
  path: string
  root?: boolean
  /** Not routed from outside and not documented. */
  internal?: boolean
  summary: string
  policy: Policy
  /** The line of the service's own policy that decides on the single record; told in OpenAPI as `x-access`. */
  access?: string
  /** The token that is good for little else and will do here. */
  scope?: Scope
  /** What is recorded; `subject: 'patient'` says that `{id}` is a chart's. Null only where nothing of anybody is opened. */
  event: {
    type: EventType
    action: Action
    subject?: 'patient' | 'user' | 'event' | 'session' | 'service-account' | 'review'
    failedType?: EventType
  } | null
  params: Schema<P>
  query: Schema<Q>
  body: Schema<B>
  /** Content type of the body, besides application/json; of a form instead of it. */
  bodyType?: string
  /** Content types of a body of any length, which the handler reads itself, as `upload`. */
  uploads?: readonly string[]
  answer: {
    status: 200 | 201 | 202 | 204
    description: string
    schema?: Schema<unknown>
    /** Content type of a body that is text or bytes, or several. */
    type?: string | readonly [string, ...string[]]
    headers?: Record<string, string>
    /** Answers that are no errors either, by status. */
    others?: Record<number, string>
  }
  errors: readonly ProblemCode[]
  handle(context: Context<P, Q, B>): Promise<Answer>
}

/** Gives the handler the types of its schemas. */
export function route<P, Q, B>(definition: Route<P, Q, B>): Route {
  return definition
}

type Place = Pick<Route, 'path' | 'root' | 'internal'>
const baseOf = ({ root, internal }: Place): string => (root || internal ? '' : apiBase)

/** The path as OpenAPI has it. */
export const templateOf = (place: Place): string => baseOf(place) + place.path.replaceAll('*}', '}')

export const expressPath = (place: Place): string =>
  baseOf(place) + place.path.replaceAll(/\{(\w+)\*\}/g, '*$1').replaceAll(/\{(\w+)\}/g, ':$1')
