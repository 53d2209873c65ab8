import type { Attributes } from '@opentelemetry/api'
import type { TraceConfig } from './config.ts'
import type { Logger } from './logger.ts'
import { requestContext } from './request-context.ts'
import type { Span, Tracer } from './spans.ts'

/** Undefined unless traces are on: then nothing of OpenTelemetry has been loaded. */
export let tracer: Tracer | undefined

/**
 * Sends traces by OTLP, where the environment names a collector.
 * @returns what sends the last of them, and ends it
 */
export async function startTracing(
  service: string,
  config: TraceConfig,
  log: Logger,
): Promise<(() => Promise<void>) | undefined> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_SDK_DISABLED } = config
  const url = config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (base && `${base.replace(/\/$/, '')}/v1/traces`)
  if (!url || OTEL_SDK_DISABLED) return undefined
  const { openTracer } = await import('./otlp.ts')
  const opened = openTracer(service, url, config, log)
  tracer = opened.tracer
  log.info('traces are sent', { 'service.target.address': new URL(url).host })
  return async () => {
    tracer = undefined
    await opened.close()
  }
}

/** The span of the request that is being handled, as far as it is kept. */
function currentSpan(): Span | undefined {
  const span = requestContext.getStore()?.span
  return span?.sampled ? span : undefined
}

/** What an event takes along, to be published and stored in the trace of its request. */
export const currentTraceparent = (): string | undefined => currentSpan()?.traceparent

/** A part of the request that is being handled; undefined where that isn't traced. */
export function startCall(name: string, attributes: Attributes): Span | undefined {
  const parent = currentSpan()
  return parent && tracer?.start('client', name, attributes, parent.traceparent)
}

/** Does something as that part. */
export function within<T>(span: Span | undefined, work: () => Promise<T>): Promise<T> {
  const working = work()
  if (span)
    working.then(
      () => span.end(),
      (error: unknown) => span.end({}, error),
    )
  return working
}
