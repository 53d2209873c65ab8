import type { Broker } from '@caregate/common/broker'
import type { TokenFlaw } from '@caregate/common/errors'
import type { Logger } from '@caregate/common/logger'
import { measureBroker, measureRequests } from '@caregate/common/measure'
import type { Metrics } from '@caregate/common/metrics'
import type { Directory } from '@caregate/common/registry'
import type { Lifetime } from '@caregate/common/run'
import { buildServer, type ServeOptions } from '@caregate/common/serve'
import { SERVICES } from '@caregate/common/services'
import type { Denials } from './denials.ts'
import type { Limits } from './limits.ts'
import type { Redis } from './redis.ts'
import type { Revocations } from './revocations.ts'
import type { Upstreams } from './upstreams.ts'

/** `unverifiable`: the keys can't be had for the moment. */
const flaws: readonly (TokenFlaw | 'unverifiable')[] = ['missing', 'invalid', 'expired', 'ended', 'unverifiable']
const limits: readonly (keyof Limits)[] = ['address', 'credentials', 'user']

export type Counters = ReturnType<typeof buildCounters>

/** What the gateway counts as it happens. */
export function buildCounters(metrics: Metrics) {
  return {
    requests: measureRequests(metrics),
    tokenRefused: metrics.counters(
      'caregate_gateway_tokens_refused_total',
      'Requests that came without a good access token where one is needed',
      'reason',
      flaws,
    ),
    limited: metrics.counters('caregate_gateway_rate_limited_total', 'Requests beyond a limit', 'limit', limits),
    ejected: metrics.counters(
      'caregate_gateway_ejections_total',
      'Instances taken out of rotation since they kept failing',
      'service',
      SERVICES,
    ),
    retried: metrics.counters(
      'caregate_gateway_upstream_retries_total',
      'Requests sent again, to another instance',
      'service',
      SERVICES,
    ),
  }
}

interface Parts {
  broker: Pick<Broker, 'connected'>
  directory: Directory
  upstreams: Pick<Upstreams, 'instances'>
  revocations: Pick<Revocations, 'heardAt'>
  denials: Pick<Denials, 'waiting'>
  redis: Pick<Redis, 'ready'> | undefined
}

const secondsSince = (at: number | undefined) => (at === undefined ? null : (performance.now() - at) / 1000)

/** What is read from the gateway's parts at each scrape. */
export function measureParts(metrics: Metrics, parts: Parts): void {
  measureBroker(metrics, parts.broker)
  metrics.gauges(
    {
      caregate_gateway_limiter_shared: '1 while limits are counted in Redis, 0 while this gateway counts alone',
      caregate_gateway_discovery_age_seconds: 'Since Consul last answered; it does within 32 s, news or not',
      caregate_gateway_revocations_age_seconds:
        'Since auth last said which sessions have ended; it is asked each second',
      caregate_gateway_denials_waiting: 'Refusals that wait in memory for the broker',
    },
    () => ({
      caregate_gateway_limiter_shared: parts.redis ? Number(parts.redis.ready) : null,
      caregate_gateway_discovery_age_seconds: secondsSince(parts.directory.heardAt),
      caregate_gateway_revocations_age_seconds: secondsSince(parts.revocations.heardAt),
      caregate_gateway_denials_waiting: parts.denials.waiting,
    }),
  )
  metrics.gauges(
    { caregate_gateway_instances: 'Instances of services that discovery names' },
    () => ({
      caregate_gateway_instances: SERVICES.flatMap((service) => {
        const ejected = parts.upstreams.instances(service).filter((instance) => instance.ejected).length
        const up = parts.upstreams.instances(service).length - ejected
        return Object.entries({ up, ejected }).map(([state, count]) => [{ service, state }, count] as const)
      }),
    }),
    'service',
    'state',
  )
}

/** Metrics have a port of their own, since the gateway's is everybody's; it is open to the end. */
export async function serveMetrics(
  metrics: Metrics,
  port: number,
  options: Pick<ServeOptions, 'LISTEN_ADDRESS' | 'REQUEST_TIMEOUT_MS' | 'TLS_CERT_FILE' | 'TLS_KEY_FILE'>,
  log: Logger,
  { signal, add }: Lifetime,
): Promise<void> {
  const server = buildServer(
    'metrics',
    {
      request(req, res) {
        if (req.url !== '/metrics') return void res.writeHead(404).end()
        void metrics.scrape().then((text) => res.writeHead(200, { 'Content-Type': metrics.contentType }).end(text))
      },
    },
    options,
    log,
    signal,
  )
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(port, options.LISTEN_ADDRESS, resolve),
  )
  add('the metrics', () => {
    server.close()
    server.closeAllConnections()
  })
}
