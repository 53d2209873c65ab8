import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { buildApp } from '@caregate/common/app'
import { problems } from '@caregate/common/errors'
import { buildMetrics } from '@caregate/common/metrics'
import { watchStatic } from '@caregate/common/registry'
import { route } from '@caregate/common/route'
import { SERVICES, type Service } from '@caregate/common/services'
import { listenForTest, quietLog } from '@caregate/common/testing/service'
import { nothing } from '@caregate/common/validate'
import { until } from '@caregate/common/testing/until'
import { openTestGateway, testVerify } from './testing.ts'

/** A service with one public route, that is ready or not. */
async function openService(service: Service) {
  const state = { ready: true }
  const app = buildApp({
    service,
    refused: `${service}.request.refused`,
    routes: [
      route({
        method: 'get',
        path: `/${service}/thing`,
        summary: `The thing of ${service}`,
        policy: 'public',
        event: null,
        params: nothing,
        query: nothing,
        body: nothing,
        answer: { status: 200, description: 'The thing' },
        errors: [],
        handle: async () => ({ body: {} }),
      }),
    ],
    log: quietLog,
    metrics: buildMetrics(service, 'test'),
    outbox: { record: async () => {}, wake() {} },
    verify: testVerify,
    trustedProxies: [],
    ready: () => (state.ready ? Promise.resolve() : Promise.reject(new Error('not ready'))),
  })
  return { ...(await listenForTest(app)), state }
}

const running = {} as Record<Service, Awaited<ReturnType<typeof openService>>>
/** Services that discovery knows of. */
const present = new Set<Service>()
const directory = {
  instances: (service: string) => (present.has(service as Service) ? [running[service as Service].url] : []),
}
let gateway: Awaited<ReturnType<typeof openTestGateway>>

beforeAll(async () => {
  for (const service of SERVICES) running[service] = await openService(service)
  gateway = await openTestGateway({ directory })
})
afterEach(() => present.clear())
afterAll(async () => {
  await gateway.close()
  for (const service of SERVICES) await running[service].close()
})

describe('the platform’s health is', () => {
  const state = (instances: number) => ({ status: instances ? 'healthy' : 'unhealthy', instances })

  test.each<[string, number, Service[]]>([
    ['healthy', 200, SERVICES],
    ['degraded', 200, ['auth', 'audit']],
    ['unhealthy', 503, []],
  ])('%s (%i) with these services: %s %s', async (status, code, there) => {
    there.forEach((service) => present.add(service))
    const answer = await gateway.call('GET', '/health')
    expect(answer.status).toBe(code)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.body).toEqual({
      status,
      version: '1.2.3',
      services: Object.fromEntries(SERVICES.map((name) => [name, state(there.includes(name) ? 1 : 0)])),
    })
  })

  test('found out by asking each instance, with discovery by a fixed list', async () => {
    const stop = new AbortController()
    const list = SERVICES.map((service) => `${service}=${running[service].url}`)
    const own = await openTestGateway({ directory: watchStatic(list, quietLog, stop.signal) })
    const status = async () => (await own.call('GET', '/health')).body.status as string
    await until(async () => (await status()) === 'healthy', 2)
    running.audit.state.ready = false
    await until(async () => (await status()) === 'degraded', 2)
    running.audit.state.ready = true
    await until(async () => (await status()) === 'healthy', 2)
    stop.abort()
    await own.close()
  })
})

test('the gateway is alive at once, and ready when it has read the ended sessions', async () => {
  const revocations = { has: () => false, whenEnded: () => () => {}, loaded: false }
  const own = await openTestGateway({ revocations })
  const ready = async () => (await own.call('GET', '/health/ready')).status
  expect((await own.call('GET', '/health/live')).status).toBe(200)
  expect(await ready()).toBe(503)
  revocations.loaded = true
  expect(await ready()).toBe(200)
  await own.close()
})

describe('the description', () => {
  const paths = async () => Object.keys((await gateway.call('GET', '/openapi.json')).body.paths).sort()

  test('is one of all services, an absent one as it last was', async () => {
    present.add('auth').add('patients')
    expect(await paths()).toEqual(['/api/v1/auth/thing', '/api/v1/patients/thing', '/health'])
    present.delete('patients')
    present.add('audit')
    expect(await paths()).toEqual(['/api/v1/audit/thing', '/api/v1/auth/thing', '/api/v1/patients/thing', '/health'])
  })

  test('has the version and the security scheme', async () => {
    const { body } = await gateway.call('GET', '/openapi.json')
    expect(body).toMatchObject({
      openapi: '3.1.0',
      info: { version: '1.2.3' },
      security: [{ bearer: [] }],
      components: { securitySchemes: { bearer: { scheme: 'bearer' } } },
    })
  })
})

describe('the page', () => {
  test.each([
    ['/docs', 3],
    ['/redoc', 2],
    ['/docs/errors', 0],
  ])(
    '%s and the %i files it names come from this host, under a policy that allows nothing else',
    async (path, files) => {
      const { status, headers, body } = await gateway.call('GET', path)
      expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
      const policy = headers.get('content-security-policy')!
      expect(policy).toMatch("default-src 'none'")
      expect(policy).toMatch(/script-src 'self'(;|$)/)
      expect(policy).not.toMatch(/unsafe-eval|https?:/)
      expect(body).not.toMatch(/<script(?! src=)|\son\w+=/)
      const named = [...(body as string).matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url!)
      expect(named).toHaveLength(files)
      for (const url of named) {
        expect(url).toMatch(/^\/[^/]/)
        const asset = await gateway.call('GET', url)
        expect([url, asset.status]).toEqual([url, 200])
        expect(asset.headers.get('content-type')).toMatch(/javascript|css/)
      }
    },
  )

  test('/docs/errors explains every code under its name', async () => {
    const { body } = await gateway.call('GET', '/docs/errors')
    for (const code of Object.keys(problems)) expect(body).toMatch(`id="${code}"`)
  })

  test('of a file that isn’t there is a problem, as everywhere', async () => {
    const { status, body } = await gateway.call('GET', '/docs/assets/nothing.js')
    expect([status, body.code]).toEqual([404, 'not_found'])
  })
})
