import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { request, type RequestListener } from 'node:http'
import { testToken } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { openTestGateway, openUpstream, sendRaw } from './testing.ts'

let upstream: Awaited<ReturnType<typeof openUpstream>>
let gateway: Awaited<ReturnType<typeof openTestGateway>>
const token = testToken(['nurse', 'clinician'], { sub: '0190a000-0000-7000-8000-000000000001' })
const jwks = '/.well-known/jwks.json'
const login = '/api/v1/auth/login'

beforeAll(async () => {
  upstream = await openUpstream()
  gateway = await openTestGateway({ upstream: upstream.url })
})
beforeEach(() => void (upstream.seen.length = 0))
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

describe('a service gets', () => {
  test('who asks and from where, by the gateway’s word alone', async () => {
    await sendRaw(
      gateway.url,
      'GET /api/v1/patients HTTP/1.1',
      'Host: care.example.org',
      `Authorization: Bearer ${token}`,
      'X-User-Id: root',
      'x-user-roles: admin',
      'X-User-Name: Root',
      'X-Forwarded-For: 203.0.113.9',
      'X-Forwarded-For: 203.0.113.10',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-Port: 1',
      'Forwarded: for=203.0.113.9',
      'X-Real-IP: 203.0.113.9',
      'Connection: close',
      '',
      '',
    )
    const [{ headers }] = upstream.seen as [(typeof upstream.seen)[0]]
    const told = Object.entries(headers).filter(([name]) => /^(x-|forwarded|authorization)/.test(name))
    expect(Object.fromEntries(told)).toEqual({
      authorization: `Bearer ${token}`,
      'x-user-id': '0190a000-0000-7000-8000-000000000001',
      'x-user-roles': 'nurse,clinician',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'care.example.org',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
  })

  test('nothing that was meant for one hop, and all that the gateway decides by', async () => {
    const ours = ['X-Request-Id: mine-0001', `Authorization: Bearer ${token}`, 'X-Secret: 1', 'Accept: */*']
    const hop = ['Keep-Alive: timeout=5', 'TE: trailers', 'Proxy-Authorization: Basic eA==', 'Proxy-Connection: close']
    const named = 'Connection: close, X-Request-Id, authorization, x-user-id, x-forwarded-for,X-Secret'
    await sendRaw(gateway.url, 'GET /api/v1/patients HTTP/1.1', 'Host: x', ...ours, ...hop, named, '', '')
    expect(Object.keys(upstream.seen[0]!.headers).sort()).toEqual([
      'accept',
      'authorization',
      'connection',
      'host',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-request-id',
      'x-user-id',
      'x-user-roles',
    ])
    expect(upstream.seen[0]!.headers).toMatchObject({ 'x-request-id': 'mine-0001', connection: 'keep-alive' })
  })

  test('no user on a public route, whatever the token', async () => {
    await gateway.call('GET', jwks, { token, headers: { 'x-user-id': 'root' } })
    expect(upstream.seen[0]!.headers).not.toHaveProperty('x-user-id')
  })

  test.each(['short', 'with space in it', '-begins-badly', 'x'.repeat(129), 'semi;colon'])(
    'an id of ours instead of %s',
    async (id) => {
      const { headers } = await gateway.call('GET', jwks, { headers: { 'x-request-id': id } })
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
      expect(upstream.seen[0]!.headers['x-request-id']).toBe(headers.get('x-request-id'))
    },
  )

  test('method, path and query as they were sent', async () => {
    const url = '/api/v1/patients/%C3%A9+a%20b?q=%2F..%2f;x&&q=//%00&=\\'
    await sendRaw(
      gateway.url,
      `PATCH ${url} HTTP/1.1`,
      'Host: x',
      `Authorization: Bearer ${token}`,
      'Connection: close',
      '',
      '',
    )
    expect(upstream.seen).toMatchObject([{ method: 'PATCH', url }])
  })

  test('a body of a megabyte unchanged', async () => {
    const body = 'José ¶ '.repeat(110_000)
    await gateway.call('POST', '/api/v1/patients', { body, token })
    expect(upstream.seen[0]!.body === body).toBe(true)
    expect(upstream.seen[0]!.headers['content-length']).toBe(String(Buffer.byteLength(body)))
  })

  test('a chunked body while it is still being sent', async () => {
    let got = ''
    const slow = await openUpstream((req, res) => {
      req.setEncoding('utf8').on('data', (chunk: string) => (got += chunk))
      req.on('end', () => res.end())
    })
    const own = await openTestGateway({ upstream: slow.url })
    const sending = request(`${own.url}/api/v1/patients/import`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    })
    const status = new Promise((resolve) => sending.on('response', (res) => resolve(res.resume().statusCode)))
    sending.write('first,')
    await until(() => got === 'first,')
    sending.end('second')
    expect(await status).toBe(200)
    expect(got).toBe('first,second')
    expect(slow.seen[0]!.headers['transfer-encoding']).toBe('chunked')
    await own.close()
    await slow.close()
  })
})

describe('a client gets', () => {
  test('the gateway’s id and time, once', async () => {
    const answer = await sendRaw(gateway.url, `GET ${jwks} HTTP/1.1`, 'Host: x', 'Connection: close', '', '')
    expect(answer.match(/^x-request-id: .*$/gim)).toEqual([expect.stringMatching(/^x-request-id: [0-9a-f-]{36}$/i)])
    expect(answer.match(/^x-process-time: .*$/gim)).toEqual([expect.stringMatching(/^x-process-time: 0\.\d{4}$/i)])
  })

  test('a connection that is kept or closed as it asked', async () => {
    const ask = (version: string, ...lines: string[]) =>
      sendRaw(gateway.url, `GET ${jwks} HTTP/${version}`, 'Host: x', ...lines, '', '')
    expect((await ask('1.1', 'Connection: close')).match(/^connection: .*$/gim)).toEqual(['Connection: close'])
    expect((await ask('1.0')).match(/^connection: .*$/gim)).toEqual(['Connection: close'])
    expect((await gateway.call('GET', jwks)).headers.get('connection')).toBe('keep-alive')
  })

  test('status and headers of the service', async () => {
    const service = await openUpstream((_req, res) => {
      res.writeHead(409, { ETag: '"3"', Location: '/api/v1/patients/7', 'Cache-Control': 'no-store' }).end('taken')
    })
    const own = await openTestGateway({ upstream: service.url })
    const { status, headers, body } = await own.call('GET', jwks)
    expect([status, body]).toEqual([409, 'taken'])
    expect([headers.get('etag'), headers.get('location')]).toEqual(['"3"', '/api/v1/patients/7'])
    expect(own.denials).toEqual([])
    await own.close()
    await service.close()
  })

  test.each([
    ['of a given length', { 'Content-Length': '300000' }],
    ['in chunks', {}],
  ])('every byte of an answer %s', async (_name, headers) => {
    const bytes = Buffer.alloc(300_000, Buffer.from(Array.from({ length: 256 }, (_, n) => n)))
    const service = await openUpstream((_req, res) => void res.writeHead(200, headers).end(bytes))
    const own = await openTestGateway({ upstream: service.url })
    const answer = await fetch(own.url + jwks)
    expect(bytes.equals(Buffer.from(await answer.arrayBuffer()))).toBe(true)
    await own.close()
    await service.close()
  })
})

describe('when a service fails', () => {
  const opened: { close(): Promise<void> }[] = []
  afterEach(async () => {
    for (const part of opened.splice(0)) await part.close()
  })
  async function behind(answer: RequestListener, timeoutMs = 300) {
    const failing = await openUpstream(answer)
    const own = await openTestGateway({ upstream: failing.url, config: { REQUEST_TIMEOUT_MS: timeoutMs } })
    opened.push(own, failing)
    return own
  }
  const isProblem = (answer: Awaited<ReturnType<typeof gateway.call>>, status: number, code: string) => {
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(answer.body).toMatchObject({ status, code, requestId: answer.headers.get('x-request-id') })
    expect(answer.headers.get('x-process-time')).toMatch(/^\d+\.\d{4}$/)
  }

  test('having no instance, it is unavailable', async () => {
    const own = await openTestGateway({})
    opened.push(own)
    const answer = await own.call('GET', jwks)
    isProblem(answer, 503, 'unavailable')
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(own.denials).toMatchObject([{ code: 'unavailable', outcome: 'failure', request: { route: jwks } }])
  })

  test('closing without an answer, it is a bad gateway', async () => {
    const own = await behind((req) => void req.socket.destroy())
    isProblem(await own.call('POST', login, { body: {} }), 502, 'bad_gateway')
    expect(own.denials).toMatchObject([{ code: 'bad_gateway', request: { method: 'POST', status: 502 } }])
  })

  test('having gone without a word, it is unavailable', async () => {
    const gone = await openUpstream()
    await gone.close()
    const own = await openTestGateway({ upstream: gone.url })
    opened.push(own)
    const answer = await own.call('GET', jwks)
    isProblem(answer, 503, 'unavailable')
    expect(answer.headers.get('retry-after')).toBe('1')
  })

  test('answering gibberish, it is a bad gateway', async () => {
    const own = await behind((req) => void req.socket.end('220 smtp.example ESMTP\r\n\r\n'))
    isProblem(await own.call('GET', jwks), 502, 'bad_gateway')
  })

  test.each([
    ['hanging', {}],
    ['hanging before a client that expects 100 Continue', { Expect: '100-continue' }],
  ])('%s, it is given up within the time-out', async (_what, headers) => {
    const own = await behind(() => {})
    const started = Date.now()
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    const answer = await sendRaw(
      own.url,
      `POST ${login} HTTP/1.1`,
      'Host: x',
      ...lines,
      'Connection: close',
      'Content-Length: 2',
      '',
      '{}',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 504 /m)
    expect(answer).toMatch(/"code":"gateway_timeout"/)
    expect(Date.now() - started).toBeLessThan(1500)
    expect(own.denials).toMatchObject([{ code: 'gateway_timeout' }])
  })

  test('breaking off in the middle, the client’s answer breaks off too', async () => {
    const own = await behind((req, res) => {
      res.writeHead(200, { 'Content-Type': 'application/json' }).write('{"items":[')
      setTimeout(() => req.socket.destroy(), 50)
    })
    await expect(own.call('GET', jwks)).rejects.toThrow()
  })

  test('a client that goes away takes its request along', async () => {
    let given = false
    let broken = false
    const own = await behind((_req, res) => {
      given = true
      res.on('close', () => (broken = !res.writableFinished))
    }, 5000)
    const sending = request(own.url + jwks).on('error', () => {})
    sending.end()
    await until(() => given)
    expect(broken).toBe(false)
    sending.destroy()
    await until(() => broken, 2)
    expect(own.denials).toEqual([])
  })
})
