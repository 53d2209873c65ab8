import { AsyncLocalStorage } from 'node:async_hooks'
import type { Span } from './spans.ts'

/** What lines say besides time, level, message and service: names of the Elastic Common Schema, and those that it lacks. */
export const fieldNames = [
  'error.code',
  'error.message',
  'error.stack_trace',
  'error.type',
  'event.duration',
  'event.reason',
  'file.path',
  'http.request.id',
  'http.request.method',
  'http.response.status_code',
  'server.port',
  'service.node.name',
  'service.target.address',
  'service.target.name',
  'source.ip',
  'tls.server.not_after',
  'trace.id',
  'user.id',
  'caregate.aborted',
  'caregate.events',
  'caregate.message.id',
  'caregate.route',
  'caregate.settings',
  'caregate.threats',
] as const
export type Fields = Readonly<Partial<Record<(typeof fieldNames)[number], unknown>>>

/** What is known of the request that is being handled. */
export interface RequestContext {
  /** Carried by every line. */
  line: { -readonly [name in keyof Fields]: Fields[name] }
  /** Where traces are on. */
  span?: Span | undefined
}
export const requestContext = new AsyncLocalStorage<RequestContext>()
