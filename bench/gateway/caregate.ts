/** The gateway as it is shipped, in front of one instance that is always there. */
import { buildVerify } from '@caregate/common/auth'
import { buildLogger } from '@caregate/common/logger'
import { buildServer } from '@caregate/common/serve'
import { buildGateway } from '../../gateway/src/app.ts'
import { buildCache } from '../../gateway/src/cache.ts'
import { openForward } from '../../gateway/src/forward.ts'
import { buildLimits } from '../../gateway/src/limits.ts'
import { openUpstreams } from '../../gateway/src/upstreams.ts'
import { key, PORT, UPSTREAM, ALGORITHM } from './check.mjs'

const log = buildLogger('gateway', 'WARNING', 'json')
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
const upstreams = openUpstreams(directory, ['127.0.0.1'], log, new AbortController().signal)
const handlers = buildGateway({
  config,
  log,
  directory,
  upstreams,
  forward: openForward(upstreams, buildCache(log), config.REQUEST_TIMEOUT_MS),
  limits: buildLimits(config, log),
  denials: { record: () => {} },
  revocations: { has: () => false, whenEnded: () => () => {}, loaded: true },
  verify: buildVerify({ ALGORITHM, JWT_ISSUER: 'caregate', JWT_AUDIENCE: 'caregate' }, async () => key),
  version: 'bench',
})
buildServer('gateway', handlers, config, log, new AbortController().signal).listen(Number(PORT), '127.0.0.1')
