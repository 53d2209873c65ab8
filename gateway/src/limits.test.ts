import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { quietLog, testBacking, testToken } from '@caregate/common/testing/service'
import { openTcpProxy, type TcpProxy } from '@caregate/common/testing/tcp-proxy'
import { until } from '@caregate/common/testing/until'
import { openRedis } from './redis.ts'
import { openTestGateway, openUpstream } from './testing.ts'

let upstream: Awaited<ReturnType<typeof openUpstream>>
const opened: Awaited<ReturnType<typeof openTestGateway>>[] = []
const patients = '/api/v1/patients'
const jwks = '/.well-known/jwks.json'

beforeAll(async () => (upstream = await openUpstream()))
afterEach(async () => {
  for (const gateway of opened.splice(0)) await gateway.close()
  upstream.seen.length = 0
})
afterAll(() => upstream.close())

async function open(config: Parameters<typeof openTestGateway>[0]['config']) {
  const gateway = await openTestGateway({ upstream: upstream.url, config })
  opened.push(gateway)
  return gateway
}

describe('the limit', () => {
  type Gateway = Awaited<ReturnType<typeof open>>
  const statuses = async (times: number, ask: () => ReturnType<Gateway['call']>) => {
    const found: number[] = []
    for (let n = 0; n < times; n++) found.push((await ask()).status)
    return found
  }

  test('of an address is said in every answer, and ends in 429 with Retry-After', async () => {
    const gateway = await open({ RATE_LIMIT_PER_MINUTE: 2 })
    const first = await gateway.call('GET', jwks)
    expect(first.headers.get('ratelimit-policy')).toMatch(/^"address"; q=2; w=60$/)
    expect(first.headers.get('ratelimit')).toMatch(/^"address"; r=1; t=(60|59)$/)
    expect((await gateway.call('GET', '/nowhere')).headers.get('ratelimit')).toMatch(/r=0/)
    const { status, headers, body } = await gateway.call('GET', jwks)
    expect([status, body.code]).toEqual([429, 'rate_limited'])
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60)
    expect(headers.get('ratelimit')).toMatch(/^"address"; r=0; /)
    expect(gateway.denials.at(-1)).toMatchObject({ code: 'rate_limited', outcome: 'denied', request: { route: jwks } })
    expect(upstream.seen).toHaveLength(1)
  })

  test('of a user is their own, wherever they are signed in', async () => {
    const gateway = await open({ RATE_LIMIT_PER_MINUTE: 1, RATE_LIMIT_PER_MINUTE_SIGNED_IN: 2 })
    const [one, two] = [randomUUID(), randomUUID()]
    const as = (sub: string) => () => gateway.call('GET', patients, { token: testToken(['nurse'], { sub }) })
    expect(await statuses(3, as(one))).toEqual([200, 200, 429])
    expect(await statuses(3, as(two))).toEqual([200, 200, 429])
    expect((await as(one)()).headers.get('ratelimit-policy')).toMatch(/^"user"; q=2; w=60/)
    expect((await gateway.call('GET', jwks)).status).toBe(200)
  })

  test('of an address counts failed tokens, and leaves the good ones alone', async () => {
    const gateway = await open({ RATE_LIMIT_PER_MINUTE: 2 })
    expect(await statuses(3, () => gateway.call('GET', patients, { token: 'a.b.c' }))).toEqual([401, 401, 429])
    expect((await gateway.call('GET', patients)).status).toBe(429)
    expect((await gateway.call('GET', jwks)).status).toBe(429)
    expect((await gateway.call('GET', patients, { token: testToken(['nurse']) })).status).toBe(200)
  })

  test('is not dodged by forwarding headers', async () => {
    const gateway = await open({ RATE_LIMIT_PER_MINUTE: 2 })
    let n = 0
    const ask = () => gateway.call('GET', jwks, { headers: { 'x-forwarded-for': `203.0.113.${n++}` } })
    expect(await statuses(3, ask)).toEqual([200, 200, 429])
    expect(gateway.denials).toMatchObject([{ request: { ip: '127.0.0.1' } }])
  })

  test('is by the address that a trusted proxy saw, whatever the client put before it', async () => {
    const gateway = await open({ RATE_LIMIT_PER_MINUTE: 1, TRUSTED_PROXIES: ['127.0.0.0/8'] })
    const via = (forwarded: string) =>
      gateway.call('GET', jwks, { headers: { 'x-forwarded-for': forwarded, 'x-forwarded-proto': 'https' } })
    expect((await via('203.0.113.1')).body.headers).toMatchObject({
      'x-forwarded-for': '203.0.113.1',
      'x-forwarded-proto': 'https',
    })
    expect((await via('203.0.113.2')).status).toBe(200)
    expect((await via('192.0.2.99, 203.0.113.2')).status).toBe(429)
    expect(gateway.denials).toMatchObject([{ request: { ip: '203.0.113.2' } }])
  })

  test('takes an IPv6 network for one address', async () => {
    const gateway = await open({ RATE_LIMIT_PER_MINUTE: 1, TRUSTED_PROXIES: ['127.0.0.0/8'] })
    const via = async (ip: string) => (await gateway.call('GET', jwks, { headers: { 'x-forwarded-for': ip } })).status
    expect(await via('2001:db8:0:1::1')).toBe(200)
    expect(await via('2001:db8:0:2::2')).toBe(429)
    expect(await via('2001:db8:0:100::1')).toBe(200)
  })

  test('is not for the state of health', async () => {
    const gateway = await open({ RATE_LIMIT_PER_MINUTE: 1 })
    expect(await statuses(5, () => gateway.call('GET', '/health'))).toEqual([200, 200, 200, 200, 200])
  })

  test('of credentials is stricter, and counts them together', async () => {
    const gateway = await open({ RATE_LIMIT_CREDENTIALS_PER_MINUTE: 2 })
    const post = (name: string) => gateway.call('POST', `/api/v1/auth/${name}`, { body: {} })
    expect([(await post('login')).status, (await post('refresh')).status]).toEqual([200, 200])
    const { status, headers } = await post('register')
    expect(status).toBe(429)
    expect(headers.get('ratelimit-policy')).toMatch(/"address"; .*"credentials"; q=2; w=60/)
    expect((await gateway.call('GET', jwks)).status).toBe(200)
  })

  test('of a known network is its own, for each address in it', async () => {
    const gateway = await open({
      RATE_LIMIT_PER_MINUTE: 1,
      RATE_LIMIT_CREDENTIALS_PER_MINUTE: 1,
      RATE_LIMIT_NETWORKS: ['198.51.100.0/24=3', '2001:db8::/32=2'],
      TRUSTED_PROXIES: ['127.0.0.0/8'],
    })
    const from = (ip: string) => () =>
      gateway.call('POST', '/api/v1/auth/login', { body: {}, headers: { 'x-forwarded-for': ip } })
    expect(await statuses(4, from('198.51.100.7'))).toEqual([200, 200, 200, 429])
    expect(await statuses(1, from('198.51.100.8'))).toEqual([200])
    expect(await statuses(3, from('2001:db8::1'))).toEqual([200, 200, 429])
    expect(await statuses(2, from('203.0.113.7'))).toEqual([200, 429])
  })
})

describe('counters in Redis', () => {
  let proxy: TcpProxy
  beforeAll(async () => (proxy = await openTcpProxy(testBacking().redis)))
  afterAll(() => proxy.close())

  async function openShared() {
    const redis = openRedis(proxy.url, quietLog)
    const gateway = await openTestGateway({
      upstream: upstream.url,
      config: { RATE_LIMIT_PER_MINUTE_SIGNED_IN: 3 },
      redis,
    })
    const { close } = gateway
    const shared = { ...gateway, redis, close: () => (redis.close(), close()) }
    opened.push(shared)
    await until(() => redis.ready)
    return shared
  }
  const as = (gateway: Awaited<ReturnType<typeof open>>, token: string) => gateway.call('GET', patients, { token })

  test('are one for two gateways', async () => {
    const [one, two] = [await openShared(), await openShared()]
    const token = testToken(['nurse'])
    const statuses = []
    for (const gateway of [one, two, one, two, one]) statuses.push((await as(gateway, token)).status)
    expect(statuses).toEqual([200, 200, 200, 429, 429])
  })

  test('going away before they were ever used, they harm nobody, and are used once they are back', async () => {
    const gateway = await openShared()
    const token = testToken(['nurse'])
    proxy.cut()
    expect((await as(gateway, token)).status).toBe(200)
    await until(() => !gateway.redis.ready)
    expect((await as(gateway, token)).status).toBe(200)
    proxy.restore()
    await until(() => gateway.redis.ready)
    const other = await openShared()
    const statuses = []
    for (const each of [gateway, other, gateway, other]) statuses.push((await as(each, token)).status)
    expect(statuses).toEqual([200, 200, 200, 429])
  })

  test('being away, each gateway counts by itself, and they are used again when they are back', async () => {
    const gateway = await openShared()
    const token = testToken(['nurse'])
    expect((await as(gateway, token)).status).toBe(200)
    proxy.cut()
    await until(() => !gateway.redis.ready)
    const alone = []
    for (let n = 0; n < 4; n++) alone.push((await as(gateway, token)).status)
    expect(alone).toEqual([200, 200, 200, 429])
    proxy.restore()
    await until(() => gateway.redis.ready)
    expect((await as(gateway, token)).headers.get('ratelimit')).toMatch(/r=1;/)
  })
})
