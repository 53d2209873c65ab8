import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { buildApp } from './app.ts'
import { buildMetrics } from './metrics.ts'
import { route, type Answer, type Route } from './route.ts'
import { requestsOf, samplesOf } from './testing/samples.ts'
import { listenForTest, quietLog } from './testing/service.ts'
import { until } from './testing/until.ts'
import { idParams, nothing } from './validate.ts'

const metrics = buildMetrics('patients', 'test')
let service: Awaited<ReturnType<typeof listenForTest>>

const thing = (
  path: string,
  params: Route['params'],
  handle: () => Promise<Answer>,
  more: Partial<Route> = {},
): Route =>
  route({
    ...{
      method: 'get',
      path,
      summary: 'A thing',
      policy: 'public',
      event: null,
      params,
      query: nothing,
      body: nothing,
    },
    ...{ answer: { status: 200, description: 'The thing' }, errors: [], handle },
    ...more,
  })
async function* slowly(): AsyncGenerator<string> {
  yield 'one'
  await sleep(500)
  yield 'two'
}
const answer = { status: 200, description: 'A stream', type: 'text/plain' } as const

beforeAll(async () => {
  const routes = [
    thing('/things/{id}', idParams, async () => ({ body: {} })),
    thing('/.well-known/thing', nothing, async () => ({ body: {} }), { root: true }),
    thing('/stream', nothing, async () => ({ body: slowly() }), { answer }),
    thing('/broken', nothing, () => Promise.reject(new Error('broken on purpose'))),
  ]
  service = await listenForTest(
    buildApp({
      service: 'patients',
      refused: 'patients.request.refused',
      routes,
      log: { ...quietLog, error: () => quietLog as never, isLevelEnabled: () => false },
      metrics,
      outbox: { record: async () => {}, wake: () => {} },
      verify: () => Promise.reject(new Error('nobody signs in here')),
      trustedProxies: [],
      ready: async () => {},
    }),
  )
})
afterAll(() => service.close())

const counted = async () => requestsOf(await metrics.scrape())
const sample = async (name: string) => samplesOf(await metrics.scrape()).get(name)

test('requests are counted by the template that OpenAPI has, whatever they are answered', async () => {
  const id = '0190a000-0000-7000-8000-000000000001'
  for (const path of [`things/${id}`, 'things/no-id', 'broken']) await service.call('GET', `/api/v1/${path}`)
  await service.call('DELETE', `/api/v1/things/${id}`)
  await service.call('GET', '/.well-known/thing')
  for (const own of ['/health/live', '/health/ready', '/metrics', '/internal/description'])
    await service.call('GET', own)
  for (let n = 0; n < 50; n++) await service.call('GET', `/api/v1/${n}`)
  await until(async () => (await counted())['GET unmatched 500'] === 50)
  expect(await counted()).toEqual({
    'GET /api/v1/things/{id} 200': 1,
    'GET /api/v1/things/{id} 422': 1,
    'DELETE /api/v1/things/{id} 405': 1,
    'GET /api/v1/broken 500': 1,
    'GET /.well-known/thing 200': 1,
    // who asks for what isn't there would have to be signed in to be told so
    'GET unmatched 500': 50,
  })
})

test('a stream counts with the time until it began, and apart while it goes on', async () => {
  const streaming = service.call('GET', '/api/v1/stream')
  await until(async () => (await sample('http_server_active_streams')) === 1)
  expect(await sample('http_server_active_requests')).toBe(0)
  await streaming
  await until(async () => (await counted())['GET /api/v1/stream 200'] === 1)
  const below = (le: string) =>
    `http_server_request_duration_seconds_bucket{le="${le}",http_request_method="GET",http_route="/api/v1/stream",http_response_status_code="200"}`
  expect(await sample(below('0.25'))).toBe(1)
  expect(await sample('http_server_active_streams')).toBe(0)
})

test('a method that nobody knows is one of them all', async () => {
  await new Promise((resolve) =>
    request(`${service.url}/api/v1/broken`, { method: 'PROPFIND' }, (res) => res.resume().on('end', resolve)).end(),
  )
  await until(async () => (await counted())['_OTHER /api/v1/broken 405'] === 1)
})
