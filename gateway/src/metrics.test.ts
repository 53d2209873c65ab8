import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { AppError } from '@caregate/common/errors'
import { buildMetrics } from '@caregate/common/metrics'
import { requestsOf, samplesOf } from '@caregate/common/testing/samples'
import { quietLog, testToken } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { freePort } from '../../platform/processes.ts'
import { measureParts, serveMetrics } from './metrics.ts'
import { openTestGateway, openUpstream, sendRaw } from './testing.ts'

type Gateway = Awaited<ReturnType<typeof openTestGateway>>
const token = testToken(['nurse'])
const path = '/api/v1/patients'
const opened: { close(): Promise<void> }[] = []
let upstream: Awaited<ReturnType<typeof openUpstream>>
beforeAll(async () => (upstream = await openUpstream()))
afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close()
})
afterAll(() => upstream.close())

async function open(options: Parameters<typeof openTestGateway>[0] = {}): Promise<Gateway> {
  const gateway = await openTestGateway({ upstream: upstream.url, ...options })
  opened.push(gateway)
  return gateway
}
const requests = async ({ metrics }: Gateway) => requestsOf(await metrics.scrape())
const sample = async ({ metrics }: Gateway, name: string) => samplesOf(await metrics.scrape()).get(name)

describe('requests are counted', () => {
  test('by method, status and service; what the gateway answers itself is its own', async () => {
    const gateway = await open()
    await gateway.call('GET', `${path}/0190a000-0000-7000-8000-000000000001`, { token })
    await gateway.call('POST', path, { token, body: {} })
    await gateway.call('GET', path)
    await gateway.call('GET', '/docs/errors')
    await gateway.call('OPTIONS', path)
    await gateway.call('GET', '/nowhere')
    await until(async () => (await requests(gateway))['GET unmatched 404'] === 1)
    expect(await requests(gateway)).toEqual({
      'GET patients 200': 1,
      'POST patients 200': 1,
      'GET patients 401': 1,
      'GET gateway 200': 1,
      'OPTIONS gateway 204': 1,
      'GET unmatched 404': 1,
    })
  })

  test('but not those of who watches over it', async () => {
    const gateway = await open()
    for (const probe of ['/health', '/health/live', '/health/ready', '/metrics']) await gateway.call('GET', probe)
    expect(await requests(gateway)).toEqual({})
    expect(await sample(gateway, 'http_server_active_requests')).toBe(0)
  })

  test('in few series, whatever clients send', async () => {
    const gateway = await open()
    const methods = ['GET', 'PUT', 'PROPFIND', 'M-SEARCH', 'QUERY', 'LINK']
    const paths = (n: number) => [
      `/x${n}`,
      `${path}/${n}/y${n}`,
      `/docs/${n}`,
      `/health/${n}`,
      `/api/v1/auth/u${n}?q=${n}`,
      `/a//${n}`,
    ]
    for (let n = 0; n < 120; n++) {
      const [method, target] = [methods[n % methods.length], paths(n)[Math.floor(n / methods.length) % 6]]
      const answer = await sendRaw(
        gateway.url,
        `${method} ${target} HTTP/1.1`,
        `Host: h${n}`,
        'Connection: close',
        '',
        '',
      )
      expect(answer).toMatch(/^HTTP\/1\.1 4/)
    }
    const series = Object.keys(await requests(gateway)).map((one) => one.split(' '))
    expect([...new Set(series.map(([method]) => method))].sort()).toEqual(['GET', 'PUT', '_OTHER'])
    expect([...new Set(series.map(([, route]) => route))].sort()).toEqual(['auth', 'patients', 'unmatched'])
  })

  test('of a client that is gone before its answer as 499', async () => {
    const silent = await openUpstream(() => {})
    opened.push(silent)
    const gateway = await open({ upstream: silent.url })
    const leaving = new AbortController()
    const asked = fetch(gateway.url + path, { headers: { authorization: `Bearer ${token}` }, signal: leaving.signal })
    asked.catch(() => {})
    await until(async () => (await sample(gateway, 'http_server_active_requests')) === 1)
    leaving.abort()
    await until(async () => (await requests(gateway))['GET patients 499'] === 1)
    expect(await sample(gateway, 'http_server_active_requests')).toBe(0)
  })

  test('of a stream with the time until it began, and apart while it goes on', async () => {
    const streaming = await openUpstream((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': here\n\n')
      setTimeout(() => res.end(), 700)
    })
    opened.push(streaming)
    const gateway = await open({ upstream: streaming.url })
    const call = gateway.call('GET', '/api/v1/audit/stream', { token })
    await until(async () => (await sample(gateway, 'http_server_active_streams')) === 1)
    expect(await sample(gateway, 'http_server_active_requests')).toBe(0)
    await call
    await until(async () => (await requests(gateway))['GET audit 200'] === 1)
    const text = await gateway.metrics.scrape()
    const [, seconds] = /^http_server_request_duration_seconds_sum\{.*\} (.+)$/m.exec(text)!
    expect(Number(seconds)).toBeLessThan(0.6)
    expect(await sample(gateway, 'http_server_active_streams')).toBe(0)
  })
})

describe('it is counted', () => {
  test('why tokens are refused', async () => {
    const ended = testToken(['nurse'], { sid: '0190a000-0000-7000-8000-000000000009' })
    const gateway = await open()
    gateway.revoke('0190a000-0000-7000-8000-000000000009')
    const expired = testToken(['nurse'], { exp: Math.floor(Date.now() / 1000) - 10 })
    for (const one of [undefined, 'a.b.c', expired, ended, token]) await gateway.call('GET', path, { token: one })
    const keyless = await open({ verify: () => Promise.reject(new AppError('unavailable')) })
    await keyless.call('GET', path, { token })
    const reasons = (text: string) =>
      Object.fromEntries(
        [...text.matchAll(/^caregate_gateway_tokens_refused_total\{reason="(\w+)"\} (\d+)$/gm)].map(
          ([, reason, count]) => [reason, Number(count)],
        ),
      )
    const none = { missing: 0, invalid: 0, expired: 0, ended: 0, unverifiable: 0 }
    expect(reasons(await gateway.metrics.scrape())).toEqual({ ...none, missing: 1, invalid: 1, expired: 1, ended: 1 })
    expect(reasons(await keyless.metrics.scrape())).toEqual({ ...none, unverifiable: 1 })
  })

  test('which limit was passed', async () => {
    const gateway = await open({ config: { RATE_LIMIT_PER_MINUTE_SIGNED_IN: 1, RATE_LIMIT_CREDENTIALS_PER_MINUTE: 1 } })
    for (let n = 0; n < 3; n++) await gateway.call('GET', path, { token })
    for (let n = 0; n < 2; n++) await gateway.call('POST', '/api/v1/auth/login', { body: {} })
    const limited = (limit: string) => sample(gateway, `caregate_gateway_rate_limited_total{limit="${limit}"}`)
    expect([await limited('user'), await limited('credentials'), await limited('address')]).toEqual([2, 1, 0])
  })

  test('what was sent again, and which instances are left alone', async () => {
    const broken = await openUpstream((req) => void req.socket.destroy())
    opened.push(broken)
    const gateway = await open({ directory: { instances: () => [broken.url, upstream.url] } })
    const { metrics, upstreams } = gateway
    measureParts(metrics, { ...quietParts, upstreams })
    await until(async () => {
      await gateway.call('GET', path, { token })
      return (await sample(gateway, 'caregate_gateway_ejections_total{service="patients"}')) === 1
    })
    expect(await sample(gateway, 'caregate_gateway_upstream_retries_total{service="patients"}')).toBe(3)
    const instances = (state: string) =>
      sample(gateway, `caregate_gateway_instances{service="patients",state="${state}"}`)
    expect([await instances('up'), await instances('ejected')]).toEqual([1, 1])
  })
})

const quietParts = {
  broker: { connected: true },
  directory: { instances: () => [] },
  upstreams: { instances: () => [] },
  revocations: { heardAt: undefined },
  denials: { waiting: 3 },
  redis: undefined,
}

test('what a gateway depends on is read at the scrape; what it doesn’t use or know is missing', async () => {
  const redis = { ready: true }
  const [alone, sharing] = [buildMetrics('gateway', '1'), buildMetrics('gateway', '1')]
  measureParts(alone, quietParts)
  const heardAt = performance.now() - 5000
  measureParts(sharing, { ...quietParts, redis, directory: { instances: () => [], heardAt }, revocations: { heardAt } })
  const own = async (metrics: typeof alone) =>
    Object.fromEntries(
      [...samplesOf(await metrics.scrape())].filter(([name]) => /^caregate_(gateway|broker)_\w+$/.test(name)),
    )
  const always = { caregate_broker_connected: 1, caregate_gateway_denials_waiting: 3 }
  expect(await own(alone)).toEqual(always)
  const aged = {
    caregate_gateway_discovery_age_seconds: expect.closeTo(5, 0),
    caregate_gateway_revocations_age_seconds: expect.closeTo(5, 0),
  }
  expect(await own(sharing)).toEqual({ ...always, ...aged, caregate_gateway_limiter_shared: 1 })
  redis.ready = false
  expect(await own(sharing)).toMatchObject({ caregate_gateway_limiter_shared: 0 })
})

test('metrics have a port of their own, which has nothing else', async () => {
  const port = await freePort()
  const stopping = new AbortController()
  const lifetime = {
    signal: stopping.signal,
    add: (_what: string, stop: () => unknown) => opened.push({ close: async () => void stop() }),
  }
  const options = { LISTEN_ADDRESS: '127.0.0.1', REQUEST_TIMEOUT_MS: 1000 }
  await serveMetrics(buildMetrics('gateway', '1.2.3'), port, options, quietLog, lifetime)
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  expect(await answer.text()).toContain('caregate_build_info{service="gateway",version="1.2.3"} 1\n')
  for (const other of ['/', '/health', '/api/v1/patients'])
    expect((await fetch(`http://127.0.0.1:${port}${other}`)).status).toBe(404)
})
