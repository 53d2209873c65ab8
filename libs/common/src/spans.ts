import type { Attributes } from '@opentelemetry/api'

/** A piece of work in a trace. Names and attributes are the semantic conventions': ids and patterns, never a value of a record. */
export interface Span {
  readonly traceId: string
  /** Whether anything of the trace is kept. */
  readonly sampled: boolean
  /** W3C Trace Context: handed on, it puts the work of others below this. */
  readonly traceparent: string
  /** @param told what is known by now @param error of what failed: its type is told, never what it says */
  end(told?: Attributes, error?: unknown): void
  /** Calls it something else, now that it is known what it is. */
  rename(name: string): void
}

export interface Tracer {
  /**
   * @param parent a traceparent, from whomever: one that isn't well-formed counts as none, and begins a trace
   * @param link the traceparent of work that was done together with this
   */
  start(
    kind: 'server' | 'client' | 'producer' | 'consumer',
    name: string,
    attributes: Attributes,
    parent: string | undefined,
    link?: string,
  ): Span
}
