import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import protobuf from 'protobufjs'

/** As far as it is looked at: https://github.com/open-telemetry/opentelemetry-proto, trace/v1. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9; repeated Link links = 13; Status status = 15;
  }
  message Link { bytes trace_id = 1; bytes span_id = 2; }
  message Status { int32 code = 3; }
  message KeyValue { string key = 1; Value value = 2; }
  message Value { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
`)
const request = root.lookupType('Request')

type Attributes = Record<string, unknown>
type Told = { key: string; value: Record<string, unknown> }[]
interface Sent {
  resourceSpans: {
    resource: { attributes: Told }
    scopeSpans: { spans: (Omit<CollectedSpan, 'service' | 'attributes'> & { attributes: Told })[] }[]
  }[]
}
/** Ids as hex digits, as in a traceparent; those of a root's parent are empty. */
export interface CollectedSpan {
  service: string
  traceId: string
  spanId: string
  parentSpanId: string
  name: string
  /** 2 server, 3 client, 4 producer, 5 consumer */
  kind: number
  attributes: Attributes
  links: { traceId: string; spanId: string }[]
  status: { code: number } | null
  startTimeUnixNano: string
  endTimeUnixNano: string
}

const attributesOf = (told: Told): Attributes =>
  Object.fromEntries(told.map(({ key, value }) => [key, Object.values(value)[0]]))

function spansIn(body: Buffer): CollectedSpan[] {
  const sent = request.toObject(request.decode(body), { arrays: true, longs: Number, bytes: Array, defaults: false })
  const hex = (_key: string, value: unknown): unknown =>
    /Id$/.test(_key) ? Buffer.from(value as number[]).toString('hex') : value
  const { resourceSpans } = JSON.parse(JSON.stringify(sent), hex) as Sent
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        service: String(attributesOf(resource.attributes)['service.name']),
        attributes: attributesOf(span.attributes),
      })),
    ),
  )
}

/** A collector of traces in this process: what is sent to it by OTLP over HTTP, as protobuf. */
export async function openCollector() {
  const spans: CollectedSpan[] = []
  const headers: NodeJS.Dict<string | string[]>[] = []
  const take = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    spans.push(...spansIn(Buffer.concat(await req.toArray())))
    headers.push(req.headers)
    res.end()
  }
  const server = createServer((req, res) => void take(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    headers,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  }
}
