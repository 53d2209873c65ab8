/** The gateway as it is shipped, in front of one instance that is always there. */
import { buildVerify } from '@caregate/common/auth'
import { buildLogger } from '@caregate/common/logger'
import { buildMetrics } from '@caregate/common/metrics'
import { buildServer } from '@caregate/common/serve'
import { buildGateway } from '../../gateway/src/app.ts'
import { buildCache } from '../../gateway/src/cache.ts'
import { openForward } from '../../gateway/src/forward.ts'
import { buildLimits } from '../../gateway/src/limits.ts'
import { buildCounters, type Counters } from '../../gateway/src/metrics.ts'
import { openUpstreams } from '../../gateway/src/upstreams.ts'
import { key, PORT, UPSTREAM, ALGORITHM } from './check.mjs'

/** Whether requests are logged and measured, as they are by default, or nothing is. */
const watched = process.env.WATCHED === 'true'
const log = buildLogger('gateway', watched ? 'INFO' : 'WARNING', 'json')

function openCounters(): Counters {
  const nothing = () => {}
  if (!watched)
    return {
      requests: { began: nothing, streams: nothing, ended: nothing },
      ...{ tokenRefused: nothing, limited: nothing, ejected: nothing, retried: nothing },
    }
  const metrics = buildMetrics('gateway', 'bench')
  setInterval(() => void metrics.scrape(), 15_000)
  return buildCounters(metrics)
}
const counters = openCounters()
const config = {
  ALLOWED_HOSTS: ['*'],
  CORS_ORIGINS: ['*'],
  TRUSTED_PROXIES: [],
  RATE_LIMIT_PER_MINUTE: 1_000_000_000,
  RATE_LIMIT_CREDENTIALS_PER_MINUTE: 1_000_000_000,
  RATE_LIMIT_PER_MINUTE_SIGNED_IN: 1_000_000_000,
  RATE_LIMIT_NETWORKS: [],
  REQUEST_TIMEOUT_MS: 10_000,
}
const urls = [UPSTREAM]
const directory = { instances: () => urls }
const upstreams = openUpstreams(directory, ['127.0.0.1'], counters.ejected, log, new AbortController().signal)
const handlers = buildGateway({
  config,
  log,
  counters,
  directory,
  upstreams,
  forward: openForward(upstreams, buildCache(log), counters.retried, config.REQUEST_TIMEOUT_MS),
  limits: buildLimits(config, counters.limited, log),
  denials: { record: () => {} },
  revocations: { has: () => false, whenEnded: () => () => {}, loaded: true },
  verify: buildVerify({ ALGORITHM, JWT_ISSUER: 'caregate', JWT_AUDIENCE: 'caregate' }, async () => key),
  version: 'bench',
})
buildServer('gateway', handlers, config, log, new AbortController().signal).listen(Number(PORT), '127.0.0.1')
