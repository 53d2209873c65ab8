import { afterEach, describe, expect, test } from '@jest/globals'
import { request, type IncomingMessage, type RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { testToken } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { openTestGateway, openUpstream, sendRaw } from './testing.ts'

const path = '/api/v1/audit/stream'
const token = testToken(['auditor'], {
  sub: '0190a000-0000-7000-8000-000000000001',
  sid: '0190a000-0000-7000-8000-000000000002',
})
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const part of opened.splice(0)) await part.close()
})

async function before(answer: RequestListener, upgrade?: (req: IncomingMessage, socket: Socket) => void) {
  const service = await openUpstream(answer, upgrade)
  const gateway = await openTestGateway({ upstream: service.url, config: { REQUEST_TIMEOUT_MS: 500 } })
  opened.push(gateway, service)
  return { gateway, service }
}

/** An answer as it comes, in `text`. */
function listen(url: string) {
  const heard = { text: '', encoding: undefined as string | undefined, closed: false }
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'accept-encoding': 'gzip' }
  const sending = request(url + path, { headers }, (res) => {
    heard.encoding = res.headers['content-encoding']
    res.setEncoding('utf8').on('data', (text: string) => (heard.text += text))
    res.on('error', () => {}).on('close', () => (heard.closed = true))
  })
  sending.on('error', () => {}).end()
  return heard
}

describe('server-sent events', () => {
  async function stream() {
    let service!: Parameters<RequestListener>[1]
    const { gateway } = await before((_req, res) => {
      service = res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
      res.write('id: 1\n\n')
    })
    const heard = listen(gateway.url)
    await until(() => heard.text === 'id: 1\n\n')
    return { gateway, heard, service }
  }

  test('come one by one, as they are, for as long as they like', async () => {
    const { heard, service } = await stream()
    await new Promise((resolve) => setTimeout(resolve, 700))
    service.write('id: 2\n\n')
    await until(() => heard.text === 'id: 1\n\nid: 2\n\n')
    expect(heard.encoding).toBeUndefined()
    service.end()
    await until(() => heard.closed)
  })

  test('end with the session, and only that one’s', async () => {
    const { gateway, heard, service } = await stream()
    gateway.revoke('another-session')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(heard.closed).toBe(false)
    gateway.revoke('0190a000-0000-7000-8000-000000000002')
    await until(() => heard.closed)
    await until(() => service.closed)
  })
})

describe('an upgrade to WebSocket', () => {
  const lines = ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x', 'X-User-Id: root']
  const ask = (authorization = `Bearer ${token}`) => [
    `GET ${path} HTTP/1.1`,
    ...lines,
    `Authorization: ${authorization}`,
    '',
    'hello',
  ]
  const refuses: RequestListener = (_req, res) => void res.writeHead(404, { 'X-Request-Id': 'other' }).end('no sockets')
  let tunnels = 0
  const echoes = (_req: IncomingMessage, socket: Socket): void => {
    tunnels += 1
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    socket.on('data', (chunk) => {
      socket.write(chunk)
      if (String(chunk).includes('bye')) socket.end()
    })
    socket.on('end', () => socket.end()).on('close', () => (tunnels -= 1))
  }

  test('makes a tunnel where the service agrees', async () => {
    const { gateway, service } = await before(refuses, echoes)
    const answer = await sendRaw(gateway.url, ...ask(), 'and bye')
    expect(answer).toMatch(/^HTTP\/1\.1 101 /)
    expect(answer.match(/^(x-request-id|x-process-time|upgrade): /gim)).toHaveLength(3)
    expect(answer).toMatch(/\r\n\r\nhello\r\nand bye$/)
    expect(service.seen[0]!.headers).toMatchObject({
      'x-user-id': '0190a000-0000-7000-8000-000000000001',
      upgrade: 'websocket',
    })
    expect(service.seen).toHaveLength(1)
  })

  test('of a session that ends is cut on both sides', async () => {
    const { gateway } = await before(refuses, echoes)
    const answer = sendRaw(gateway.url, ...ask())
    await until(() => tunnels === 1)
    gateway.revoke('0190a000-0000-7000-8000-000000000002')
    expect(await answer).not.toMatch(/bye/)
    await until(() => tunnels === 0)
  })

  test('is answered as any other request where it is not let in', async () => {
    const { gateway, service } = await before(refuses, echoes)
    const answer = await sendRaw(gateway.url, ...ask('Bearer a.b.c'))
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
    expect(answer).toMatch(/^Connection: close\r$/m)
    expect(answer).toMatch(/"code":"unauthorized"/)
    expect(gateway.denials).toMatchObject([{ code: 'unauthorized', request: { route: path } }])
    expect(service.seen).toEqual([])
  })

  test('gets the service’s answer where that does not agree', async () => {
    const { gateway } = await before(refuses)
    const answer = await sendRaw(gateway.url, ...ask())
    expect(answer).toMatch(/^HTTP\/1\.1 404 /)
    expect(answer).toMatch(/no sockets$/)
    expect(answer.match(/^x-request-id: .*$/gim)).toEqual([expect.not.stringMatching('other')])
  })

  test.each([
    ['hangs', 504, 'gateway_timeout', () => {}],
    ['breaks off', 502, 'bad_gateway', (req: IncomingMessage) => void req.socket.destroy()],
  ])('is refused as a problem where the service %s', async (_what, status, code, answer) => {
    const { gateway } = await before(answer)
    const text = await sendRaw(gateway.url, ...ask())
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(text).toMatch(`"code":"${code}"`)
    expect(gateway.denials).toMatchObject([{ code }])
  })

  test('is none on other routes, and none to other protocols', async () => {
    const { gateway, service } = await before((_req, res) => void res.end('as ever'), echoes)
    const close = 'Connection: close, Upgrade'
    const h2c = await sendRaw(
      gateway.url,
      `GET ${path} HTTP/1.1`,
      'Host: x',
      close,
      'Upgrade: h2c',
      `Authorization: Bearer ${token}`,
      '',
      '',
    )
    const other = await sendRaw(
      gateway.url,
      'GET /.well-known/jwks.json HTTP/1.1',
      'Host: x',
      close,
      'Upgrade: websocket',
      '',
      '',
    )
    for (const answer of [h2c, other]) expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*as ever/)
    for (const { headers } of service.seen) expect(headers).not.toHaveProperty('upgrade')
  })
})
