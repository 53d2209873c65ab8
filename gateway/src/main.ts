import { setTimeout as sleep } from 'node:timers/promises'
import { configuredVerify } from '@caregate/common/auth'
import { openBroker } from '@caregate/common/broker'
import { currentUrl } from '@caregate/common/current-url'
import { buildMetrics } from '@caregate/common/metrics'
import { watchConsul, watchStatic, type Directory } from '@caregate/common/registry'
import { run, versionOf } from '@caregate/common/run'
import { serve } from '@caregate/common/serve'
import { SERVICES } from '@caregate/common/services'
import { buildGateway } from './app.ts'
import { buildCache } from './cache.ts'
import { keys } from './config.ts'
import { openDenials } from './denials.ts'
import { openForward } from './forward.ts'
import { buildLimits } from './limits.ts'
import { buildCounters, measureParts, serveMetrics } from './metrics.ts'
import { openRedis } from './redis.ts'
import { watchRevocations } from './revocations.ts'
import { openUpstreams } from './upstreams.ts'

const patienceMs = 5000

/** Waits a moment for the registry's first answers: who asks at once shall not hear that nobody is there. */
async function firstInstances(directory: Directory, signal: AbortSignal): Promise<void> {
  const known = () => SERVICES.every((service) => directory.instances(service).length > 0)
  for (const until = Date.now() + patienceMs; !known() && Date.now() < until && !signal.aborted;) await sleep(50)
}

const version = versionOf(import.meta.url)

await run('gateway', keys, async (config, log, lifetime) => {
  const { signal } = lifetime
  const metrics = buildMetrics('gateway', version)
  const counters = buildCounters(metrics)
  const directory =
    config.DISCOVERY === 'static'
      ? watchStatic(config.SERVICES, log, signal)
      : watchConsul(SERVICES, config.CONSUL_HTTP_ADDR, log, signal, config.TLS_REQUIRED)
  const broker = await openBroker(currentUrl(config.AMQP_URL, config.AMQP_URL_FILE), log, (model) =>
    revocations.subscribe(model),
  )
  const revocations = watchRevocations(directory, log, signal)
  lifetime.add('the broker', () => broker.close())
  const denials = openDenials(broker, log)
  lifetime.add('the refusals', () => denials.close())
  const upstreams = openUpstreams(directory, config.UPSTREAM_NETWORKS, counters.ejected, log, signal)
  const redis = config.REDIS_URL ? openRedis(config.REDIS_URL, log) : undefined
  if (redis) lifetime.add('Redis', () => redis.close())
  const forward = openForward(upstreams, buildCache(log, redis), counters.retried, config.REQUEST_TIMEOUT_MS)
  lifetime.add('the connections to the services', () => forward.close())
  const gateway = buildGateway({
    config,
    log,
    counters,
    directory,
    upstreams,
    forward,
    limits: buildLimits(config, counters.limited, log, redis),
    denials,
    revocations,
    verify: configuredVerify(config),
    version,
  })
  measureParts(metrics, { broker, directory, upstreams, revocations, denials, redis })
  await serveMetrics(metrics, config.METRICS_PORT, config, log, lifetime)
  await firstInstances(directory, signal)
  await serve('gateway', gateway, config, log, lifetime)
})
