/** Everything of OpenTelemetry that is loaded: by `tracing.ts`, when traces are on. */
import { randomUUIDv7 } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace, type SpanContext } from '@opentelemetry/api'
import { ExportResultCode, parseKeyPairsIntoRecord, parseTraceParent } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace'
import type { TraceConfig } from './config.ts'
import type { Logger } from './logger.ts'
import type { Span, Tracer } from './spans.ts'

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
}

/** By the names of the specification. */
function samplerOf({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: ratio }: TraceConfig): Sampler {
  const own = name.endsWith('always_off')
    ? new AlwaysOffSampler()
    : name.endsWith('traceidratio')
      ? new TraceIdRatioBasedSampler(ratio)
      : new AlwaysOnSampler()
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root: own }) : own
}

/** OTLP over HTTP, as protobuf. What the schema of the configuration doesn't know, a time-out say, the exporter reads itself. */
function openExporter(url: string, headers: string, log: Logger): OTLPTraceExporter {
  const exporter = new OTLPTraceExporter({ url, headers: parseKeyPairsIntoRecord(headers) })
  const send = exporter.export.bind(exporter)
  let failing = false
  exporter.export = (spans, done) =>
    send(spans, (result) => {
      const failed = result.code !== ExportResultCode.SUCCESS
      if (failed && !failing) log.warning('traces could not be sent, and are lost', { error: result.error })
      failing = failed
      done(result)
    })
  return exporter
}

function contextOf(traceparent: string | undefined, isRemote: boolean): SpanContext | undefined {
  const context = traceparent && parseTraceParent(traceparent)
  return context ? { ...context, isRemote } : undefined
}

/** @param url where traces are taken, as the whole address */
export function openTracer(
  service: string,
  url: string,
  config: TraceConfig,
  log: Logger,
): { tracer: Tracer; close(): Promise<void> } {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const own = {
    'service.name': service,
    'service.namespace': 'caregate',
    'service.version': version,
    'service.instance.id': randomUUIDv7(),
  }
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes(own))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: samplerOf(config),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: openExporter(url, config.OTEL_EXPORTER_OTLP_HEADERS, log),
        scheduledDelayMillis: config.OTEL_BSP_SCHEDULE_DELAY,
      }),
    ],
  })
  const otel = provider.getTracer('caregate', version)

  function start(...[kind, name, attributes, parent, link]: Parameters<Tracer['start']>): Span {
    const above = contextOf(parent, kind === 'server' || kind === 'consumer')
    const linked = contextOf(link, false)
    const options = { kind: kinds[kind], attributes, links: linked ? [{ context: linked }] : [] }
    const span = otel.startSpan(name, options, above ? trace.setSpanContext(ROOT_CONTEXT, above) : ROOT_CONTEXT)
    const { traceId, spanId, traceFlags } = span.spanContext()
    const sampled = (traceFlags & TraceFlags.SAMPLED) !== 0
    return {
      traceId,
      sampled,
      traceparent: `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`,
      rename: (to) => void span.updateName(to),
      end(told = {}, error) {
        span.setAttributes(told)
        if (error !== undefined) {
          const { code, name: type = typeof error } = error as { code?: string; name?: string }
          span.setAttribute('error.type', code ?? type)
          span.setStatus({ code: SpanStatusCode.ERROR })
        }
        span.end()
      },
    }
  }
  // what can't be sent is told of above
  return { tracer: { start }, close: () => provider.shutdown().catch(() => {}) }
}
