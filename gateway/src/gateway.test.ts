import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { buildLogger } from '@caregate/common/logger'
import { fhirFaults } from '@caregate/common/testing/fhir'
import { issuer, privateKey, publicKey, testToken } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { openTestGateway, openUpstream, sendRaw } from './testing.ts'

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

async function open(config: NonNullable<Parameters<typeof openTestGateway>[0]['config']> = {}) {
  const gateway = await openTestGateway({ upstream: upstream.url, config })
  opened.push(gateway)
  return gateway
}

describe('the host', () => {
  const statusOf = async (url: string, host: string) =>
    (await sendRaw(url, `GET ${jwks} HTTP/1.1`, `Host: ${host}`, 'Connection: close', '', '')).slice(9, 12)

  test('must be one that is served, a wildcard being every name below', async () => {
    const { url, denials } = await open({ ALLOWED_HOSTS: ['care.example.com', '*.example.org'] })
    for (const host of ['care.example.com', 'CARE.example.com:8000', 'a.example.org', 'b.a.example.org:80'])
      expect([host, await statusOf(url, host)]).toEqual([host, '200'])
    expect(denials).toEqual([])
    const others = ['example.org', 'evilexample.org', 'x.care.example.com', 'care.example.com.evil.org', '', 'a@b']
    for (const host of others) expect([host, await statusOf(url, host)]).toEqual([host, '400'])
    expect(denials.map(({ code }) => code)).toEqual(others.map(() => 'bad_request'))
    expect(upstream.seen).toHaveLength(4)
  })

  test('may be an IPv6 address', async () => {
    const { url } = await open({ ALLOWED_HOSTS: ['[::1]'] })
    expect([await statusOf(url, '[::1]:8000'), await statusOf(url, '[::2]')]).toEqual(['200', '400'])
  })
})

describe('pages of', () => {
  const from = (origin: string, more = {}) => ({ headers: { origin, ...more } })

  test('an allowed origin read answers and their headers, refusals too; those of another do not', async () => {
    const gateway = await open({ CORS_ORIGINS: ['https://care.example.org'] })
    for (const path of [jwks, patients]) {
      const { headers } = await gateway.call('GET', path, from('https://care.example.org'))
      expect(headers.get('access-control-allow-origin')).toBe('https://care.example.org')
      expect(headers.get('vary')).toMatch('Origin')
      expect(headers.get('access-control-expose-headers')!.split(',')).toEqual(
        expect.arrayContaining(['ETag', 'Location', 'X-Request-Id', 'X-Process-Time', 'Retry-After', 'RateLimit']),
      )
      const other = await gateway.call('GET', path, from('https://evil.example'))
      expect(other.headers.has('access-control-allow-origin')).toBe(false)
      const none = await gateway.call('GET', path)
      for (const { headers } of [other, none]) expect(headers.get('vary')).toMatch('Origin')
      expect(headers.has('access-control-allow-credentials')).toBe(false)
    }
  })

  test('an allowed origin may ask beforehand; nothing reaches a service, and no token is needed', async () => {
    const gateway = await open({ CORS_ORIGINS: ['https://care.example.org'] })
    const asking = { 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'if-match' }
    const { status, headers } = await gateway.call('OPTIONS', patients, from('https://care.example.org', asking))
    expect(status).toBe(204)
    expect(headers.get('access-control-allow-methods')).toMatch('PATCH')
    expect(headers.get('access-control-allow-headers')).toBe('if-match')
    expect(headers.get('access-control-max-age')).toBe('600')
    expect(upstream.seen).toEqual([])
  })
})

test('every answer has the security headers, of a service or a refusal', async () => {
  const gateway = await open()
  for (const path of [jwks, '/nowhere']) {
    const { headers } = await gateway.call('GET', path)
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
    })
    expect(headers.has('x-powered-by')).toBe(false)
  }
})

test('answers of services are never compressed: they mix secrets with what a client sent; documentation is', async () => {
  const gateway = await open()
  const token = testToken(['nurse'])
  const { headers } = await gateway.call('POST', patients, { token, body: 'x'.repeat(10_000) })
  expect(headers.get('content-encoding')).toBeNull()
  expect((await gateway.call('GET', '/docs/errors')).headers.get('content-encoding')).toMatch(/^(br|gzip)$/)
})

describe('a token', () => {
  const now = Math.floor(Date.now() / 1000)
  const good = {
    header: { alg: 'ES256', typ: 'at+jwt', kid: 'test' },
    claims: {
      ...{
        iss: issuer.JWT_ISSUER,
        aud: issuer.JWT_AUDIENCE,
        sub: '0190a000-0000-7000-8000-000000000001',
        sid: '0190a000-0000-7000-8000-000000000002',
        jti: 'j',
        roles: ['nurse'],
      },
      ...{ name: 'A nurse', iat: now, nbf: now, exp: now + 600 },
    },
  }
  const es256 = (key: KeyObject) => (data: string) =>
    sign('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
  const hs256 = (secret: string | Buffer) => (data: string) =>
    createHmac('sha256', secret).update(data).digest('base64url')
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  function forge(
    { header = {}, claims = {} }: { header?: object; claims?: object },
    signer = es256(privateKey),
  ): string {
    const data = `${part({ ...good.header, ...header })}.${part({ ...good.claims, ...claims })}`
    return `${data}.${signer(data)}`
  }

  test('that is good lets in', async () => {
    const { status, body } = await (await open()).call('GET', patients, { token: forge({}) })
    expect([status, body.headers['x-user-id']]).toEqual([200, '0190a000-0000-7000-8000-000000000001'])
  })

  const pem = publicKey.export({ type: 'spki', format: 'pem' })
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  test.each([
    ['expired', forge({ claims: { iat: now - 700, nbf: now - 700, exp: now - 1 } }), /has expired/],
    ['not yet valid', forge({ claims: { nbf: now + 60 } }), /not valid/],
    ['without an end', forge({ claims: { exp: undefined } }), /not valid/],
    ['without a session', forge({ claims: { sid: undefined } }), /not valid/],
    ['for another audience', forge({ claims: { aud: 'another' } }), /not valid/],
    ['of another issuer', forge({ claims: { iss: 'another' } }), /not valid/],
    ['of another type', forge({ header: { typ: 'JWT' } }), /not valid/],
    ['signed by another key', forge({}, es256(other)), /not valid/],
    ['of an unknown key', forge({ header: { kid: 'other' } }), /not valid/],
    ['that isn’t signed', forge({ header: { alg: 'none' } }, () => ''), /not a Bearer token/],
    ['with alg none and a signature', forge({ header: { alg: 'none' } }), /not valid/],
    ['with the public key as a shared secret', forge({ header: { alg: 'HS256' } }, hs256(pem)), /not valid/],
    ['that says ES256 of such a signature', forge({}, hs256(pem)), /not valid/],
    ['of garbage', 'a.b.c', /not valid/],
    ['that says it is a JWT and isn’t', 'eyJ0eXAiOiJKV1QifQ.eA.eA', /not valid/],
    ['that is none', 'garbage', /not a Bearer token/],
  ])('%s is refused, and that is recorded', async (_what, token, detail) => {
    const gateway = await open()
    const { status, headers, body } = await gateway.call('GET', `${patients}?name=X`, { token })
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="caregate"'])
    expect(body).toMatchObject({ code: 'unauthorized', detail: expect.stringMatching(detail) })
    expect(gateway.denials).toMatchObject([
      {
        outcome: 'denied',
        actor: { id: null },
        request: { route: '/api/v1/patients/*', path: patients, status: 401, ip: '127.0.0.1' },
      },
    ])
    expect(upstream.seen).toEqual([])
  })

  test('is needed, and asked for', async () => {
    const gateway = await open()
    for (const path of [patients, `${patients}/7`, '/api/v1/auth/me', '/api/v1/audit/events']) {
      const { status, headers } = await gateway.call('GET', path)
      expect([path, status, headers.get('www-authenticate')]).toEqual([path, 401, 'Bearer realm="caregate"'])
    }
    expect(upstream.seen).toEqual([])
  })

  test('is not looked at on public routes', async () => {
    const gateway = await open()
    for (const path of ['/api/v1/auth/register', '/api/v1/auth/login', '/api/v1/auth/refresh', jwks])
      expect([path, (await gateway.call('GET', path, { token: 'garbage' })).status]).toEqual([path, 200])
  })

  test('of a session that has ended is refused, also when it was good before; the event says whose it was', async () => {
    const gateway = await open()
    const token = testToken(['nurse'], {
      sub: '0190a000-0000-7000-8000-000000000001',
      sid: '0190a000-0000-7000-8000-000000000002',
    })
    expect((await gateway.call('GET', patients, { token })).status).toBe(200)
    gateway.revoke('0190a000-0000-7000-8000-000000000002')
    const { status, headers } = await gateway.call('GET', patients, { token })
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="caregate"'])
    expect(gateway.denials).toMatchObject([
      {
        code: 'unauthorized',
        actor: { id: '0190a000-0000-7000-8000-000000000001', sessionId: '0190a000-0000-7000-8000-000000000002' },
      },
    ])
    expect(upstream.seen).toHaveLength(1)
  })
})

test('what is not listed is not there, token or not', async () => {
  const gateway = await open()
  const paths = [
    '/internal/revocations',
    '/internal/description',
    '/metrics',
    '/API/V1/patients',
    '/api/v1',
    jwks + '/x',
  ]
  for (const path of paths) {
    const { status, body } = await gateway.call('GET', path, { token: testToken(['admin']) })
    expect([path, status, body.code]).toEqual([path, 404, 'not_found'])
  }
  expect(gateway.denials.map(({ request }) => request.route)).toEqual(paths.map(() => 'unknown'))
  expect(upstream.seen).toEqual([])
})

describe('below /fhir/R4', () => {
  const fhir = '/fhir/R4/Patient'
  const asked = { token: testToken(['clinician']) }

  test.each<[code: string, issue: string, config: object, away: boolean, path: string, token: boolean]>([
    ['unauthorized', 'login', {}, false, fhir, false],
    ['rate_limited', 'throttled', { RATE_LIMIT_PER_MINUTE_SIGNED_IN: 0 }, false, fhir, true],
    ['unavailable', 'transient', {}, true, fhir, true],
    ['bad_request', 'invalid', {}, false, `${fhir}/..;/x`, true],
    ['uri_too_long', 'too-long', {}, false, `${fhir}?x=${'y'.repeat(9000)}`, true],
  ])('%s is an OperationOutcome, with all that a problem has', async (code, issue, config, away, path, token) => {
    const gateway = await openTestGateway({ config, ...(away ? {} : { upstream: upstream.url }) })
    opened.push(gateway)
    const answer = await gateway.call('GET', path, token ? asked : {})
    expect(answer.headers.get('content-type')).toBe('application/fhir+json; charset=utf-8')
    expect(fhirFaults(answer.body)).toEqual([])
    expect(answer.body.issue).toMatchObject([{ code: issue, details: { coding: [{ code }] } }])
    expect(answer.body.issue[0].diagnostics).toContain(answer.headers.get('x-request-id'))
    if (code === 'rate_limited') expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
    if (code === 'unauthorized') expect(answer.headers.get('www-authenticate')).toMatch('Bearer')
    expect(gateway.denials).toMatchObject([{ code }])
    // elsewhere it is a problem
    const other = await gateway.call('GET', path.replace(fhir, patients), token ? asked : {})
    expect([other.headers.get('content-type'), other.body.code]).toEqual([
      'application/problem+json; charset=utf-8',
      code,
    ])
  })

  test('everything comes to its service, and the CapabilityStatement to anybody', async () => {
    const { call } = await open()
    expect((await call('GET', '/fhir/R4/metadata')).body.url).toBe('/fhir/R4/metadata')
    expect((await call('GET', `${fhir}?_id=1`, asked)).body.url).toBe(`${fhir}?_id=1`)
    for (const path of ['/fhir/R4x', '/fhir/r4/Patient', '/fhir']) {
      const { status, body } = await call('GET', path, asked)
      expect([path, status, body.code]).toEqual([path, 404, 'not_found'])
    }
  })
})

test('a line of the log names nobody who came by the same connection to the service before', async () => {
  const lines: Record<string, unknown>[] = []
  const log = buildLogger('gateway', 'INFO', 'json', (line) => lines.push(JSON.parse(line) as Record<string, unknown>))
  const gateway = await openTestGateway({ upstream: upstream.url, log })
  opened.push(gateway)
  await gateway.call('GET', patients, { token: testToken(['nurse']) })
  await gateway.call('GET', jwks)
  await until(() => lines.length === 2)
  expect(lines.map((line) => [line['caregate.route'], line['user.id']])).toEqual([
    ['/api/v1/patients/*', expect.any(String)],
    [jwks, undefined],
  ])
})
