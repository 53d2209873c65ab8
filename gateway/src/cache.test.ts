import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { quietLog, testBacking, testToken } from '@caregate/common/testing/service'
import { openTcpProxy, type TcpProxy } from '@caregate/common/testing/tcp-proxy'
import { until } from '@caregate/common/testing/until'
import { openRedis } from './redis.ts'
import { openTestGateway, openUpstream } from './testing.ts'

const jwks = '/.well-known/jwks.json'
let service: Awaited<ReturnType<typeof openUpstream>>
let proxy: TcpProxy
/** What the service says of its answer. */
let said: Record<string, string>
let status: number
let size: number
let paths = 0
let path: string
const opened: { close(): unknown }[] = []

beforeAll(async () => {
  service = await openUpstream((_req, res) => {
    res.writeHead(status, { ...said, 'X-Process-Time': '17', ETag: '"7"' }).end('x'.repeat(size))
  })
  proxy = await openTcpProxy(testBacking().redis)
})
beforeEach(() => {
  said = { 'Cache-Control': 'public, max-age=60' }
  status = 200
  size = 100
  service.seen.length = 0
  // another one in each test and run, for the cache outlives them
  path = `${jwks}?test=${process.pid}-${paths++}`
})
afterEach(async () => {
  for (const part of opened.splice(0)) await part.close()
})
afterAll(async () => {
  await proxy.close()
  await service.close()
})

async function open(withRedis = false) {
  const redis = withRedis ? openRedis(proxy.url, quietLog) : undefined
  const gateway = await openTestGateway({ upstream: service.url, ...(redis && { redis }) })
  opened.push(gateway, { close: () => redis?.close() })
  if (redis) await until(() => redis.ready)
  return { ...gateway, redis }
}

test('a public answer is given again without asking the service, with its age and this request’s own id', async () => {
  const gateway = await open()
  const first = await gateway.call('GET', path)
  const again = await gateway.call('GET', path)
  expect(service.seen).toHaveLength(1)
  expect([first.headers.get('age'), again.headers.get('age')]).toEqual([null, '0'])
  expect([again.status, again.body, again.headers.get('etag')]).toEqual([200, 'x'.repeat(100), '"7"'])
  expect(again.headers.get('x-process-time')).toMatch(/^0\.\d{4}$/)
  expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
  expect((await gateway.call('GET', `${path}&more`)).headers.has('age')).toBe(false)
})

test('it is asked for again when its time is over', async () => {
  said = { 'Cache-Control': 'public, max-age=1' }
  const gateway = await open()
  await gateway.call('GET', path)
  await sleep(1100)
  await gateway.call('GET', path)
  expect(service.seen).toHaveLength(2)
})

test.each([
  ['says nothing', {}],
  ['says how long, but not that it is public', { 'Cache-Control': 'max-age=60' }],
  ['is private', { 'Cache-Control': 'private, max-age=60' }],
  ['contradicts itself', { 'Cache-Control': 'public, no-store, max-age=60' }],
  ['must be validated', { 'Cache-Control': 'public, no-cache, max-age=60' }],
  ['does not say how long', { 'Cache-Control': 'public' }],
  ['sets a cookie', { 'Cache-Control': 'public, max-age=60', 'Set-Cookie': 'a=b' }],
  ['depends on other headers', { 'Cache-Control': 'public, max-age=60', Vary: 'Accept' }],
])('an answer that %s is not kept', async (_what, headers) => {
  said = headers
  const gateway = await open()
  await gateway.call('GET', path)
  await gateway.call('GET', path)
  expect(service.seen).toHaveLength(2)
})

test.each([
  ['a failure', (): void => void (status = 404), 'GET', jwks],
  ['a large one', (): void => void (size = 300_000), 'GET', jwks],
  ['one to another method', () => {}, 'POST', '/api/v1/auth/login'],
  ['one to a request with a token', () => {}, 'GET', '/api/v1/auth/me'],
] as const)('%s is not kept, whatever it says', async (_what, arrange, method, at) => {
  arrange()
  const gateway = await open()
  for (let n = 0; n < 2; n++) await gateway.call(method, `${at}?${path}`, { token: testToken(['nurse']) })
  expect(service.seen).toHaveLength(2)
})

test('in Redis two gateways share it; while that is away they ask, and keep it for themselves', async () => {
  const [one, two] = [await open(true), await open(true)]
  await one.call('GET', path)
  await until(async () => (await two.call('GET', path)).headers.has('age'))
  const asked = service.seen.length
  const body = (await two.call('GET', path)).body
  expect([body, service.seen.length]).toEqual(['x'.repeat(100), asked])
  proxy.cut()
  await until(() => !two.redis!.ready)
  expect((await two.call('GET', path)).status).toBe(200)
  expect((await two.call('GET', path)).headers.get('age')).toBe('0')
  expect(service.seen).toHaveLength(asked + 1)
  proxy.restore()
})

test('what stands in Redis and can’t be read is asked for again', async () => {
  const gateway = await open(true)
  await gateway.redis!.send('SET', `caregate:cache:${path}`, 'garbage', 'PX', '60000')
  expect((await gateway.call('GET', path)).body).toBe('x'.repeat(100))
  expect(service.seen).toHaveLength(1)
})
