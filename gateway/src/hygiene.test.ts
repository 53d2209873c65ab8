import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { openTestGateway, openUpstream, sendRaw } from './testing.ts'

let upstream: Awaited<ReturnType<typeof openUpstream>>
let gateway: Awaited<ReturnType<typeof openTestGateway>>

beforeAll(async () => {
  upstream = await openUpstream()
  gateway = await openTestGateway({ upstream: upstream.url })
})
beforeEach(() => {
  upstream.seen.length = 0
  gateway.denials.length = 0
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

const target = (text: string) => sendRaw(gateway.url, `GET ${text} HTTP/1.1`, 'Host: x', 'Connection: close', '', '')
const headers = (...lines: string[]) =>
  sendRaw(gateway.url, 'POST /api/v1/auth/login HTTP/1.1', ...lines, 'Connection: close', '', '')

test('an ordinary request comes through', async () => {
  expect(await target('/.well-known/jwks.json')).toMatch(/^HTTP\/1\.1 200 /)
  expect(await headers('Host: x', 'Content-Length: 0')).toMatch(/^HTTP\/1\.1 200 /)
  expect(upstream.seen.map(({ url }) => url)).toEqual(['/.well-known/jwks.json', '/api/v1/auth/login'])
})

test('headers that may come twice do, and HTTP/1.0 is understood', async () => {
  const twice = ['X-A: host', 'Host: x', 'Accept: text/html', 'Accept: */*', 'X-A: content-length', 'Content-Length: 0']
  expect(await headers(...twice)).toMatch(/^HTTP\/1\.1 200 /)
  const older = sendRaw(gateway.url, 'GET /.well-known/jwks.json HTTP/1.0', 'Host: x', '', '')
  expect(await older).toMatch(/^HTTP\/1\.1 200 /)
})

/** Each below a public route, where the path alone decides. */
const paths = [
  ['in absolute form', 'http://evil.example/.well-known/jwks.json'],
  ['in absolute form that cannot be parsed', 'http://[/.well-known/jwks.json'],
  ['the asterisk', '*'],
  ['//', '//.well-known/jwks.json'],
  ['// within', '/.well-known//jwks.json'],
  ['a backslash', '/.well-known\\jwks.json'],
  ['a semicolon', '/.well-known/jwks.json;v=1'],
  ['an encoded semicolon', '/.well-known/jwks.json%3bv=1'],
  ['an encoded slash', '/.well-known%2Fjwks.json'],
  ['an encoded backslash', '/.well-known%5cjwks.json'],
  ['an encoded dot', '/api/%2e%2e/.well-known/jwks.json'],
  ['an encoded percent', '/.well-known%252fjwks.json'],
  ['an encoded NUL', '/.well-known/jwks.json%00'],
  ['an encoded line break', '/.well-known/jwks.json%0d%0a'],
  ['an encoded DEL', '/.well-known/jwks.json%7F'],
  ['a broken percent-encoding', '/.well-known/jwks.json%2'],
  ['a broken percent-encoding in the query', '/.well-known/jwks.json?a=%zz'],
  ['a percent-encoding of one digit in the query', '/.well-known/jwks.json?a=%2g'],
  ['a dot segment', '/./.well-known/jwks.json'],
  ['a dot-dot segment', '/api/../.well-known/jwks.json'],
  ['a dot-dot segment at the end', '/.well-known/jwks.json/..'],
  ['a fragment', '/.well-known/jwks.json#top'],
] as const
test.each(paths)('a target with %s is refused, and that is recorded', async (_what, text) => {
  const answer = await target(text)
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(answer).toMatch(/"code":"bad_request"/)
  expect(answer.match(/^(X-Request-Id|X-Process-Time|Content-Type: application\/problem\+json)/gm)).toHaveLength(3)
  expect(gateway.denials).toMatchObject([{ type: 'gateway.request.denied', code: 'bad_request', outcome: 'failure' }])
  expect(upstream.seen).toEqual([])
})

const unparsed = [
  ['in authority form', 'evil.example:80'],
  ['a control character', '/.well-known/jwks.json\x01'],
  ['a DEL', '/.well-known/jwks.json\x7f'],
  ['a byte that is no ASCII', '/.well-known/jwks.json\xe9'],
  ['a byte that is no ASCII in the query', '/.well-known/jwks.json?q=\xe9'],
  ['another scheme', 'javascript:alert(1)'],
  ['a backslash at its beginning', '\\.well-known/jwks.json'],
] as const
test.each(unparsed)('a target with %s is refused by the parser', async (_what, text) => {
  expect(await target(text)).toMatch(/^HTTP\/1\.1 400 /)
  expect(upstream.seen).toEqual([])
})

test('a password in a target of absolute form is not kept', async () => {
  await target('http://user:hunter2@evil.example/')
  expect(gateway.denials).toMatchObject([{ request: { path: '*' } }])
})

test('CONNECT ends the connection', async () => {
  expect(await sendRaw(gateway.url, 'CONNECT x:80 HTTP/1.1', 'Host: x', '', '')).toBe('')
  expect(upstream.seen).toEqual([])
})

test.each([
  ['Host', 'Host: x', 'Host: y'],
  ['Authorization', 'Host: x', 'Authorization: Bearer a', 'Authorization: Bearer b'],
  ['Content-Type', 'Host: x', 'Content-Type: application/json', 'Content-Type: text/plain'],
  ['X-Request-Id', 'Host: x', 'X-Request-Id: first-of-two', 'X-Request-Id: second-of-two'],
])('%s twice is refused, and that is recorded', async (name, ...lines) => {
  expect(await headers(...lines)).toMatch(`The header ${name.toLowerCase()} is there twice.`)
  expect(gateway.denials).toMatchObject([{ code: 'bad_request', request: { status: 400 } }])
  expect(upstream.seen).toEqual([])
})

test.each([
  ['Content-Length twice', 'Host: x', 'Content-Length: 5', 'Content-Length: 6'],
  ['the same Content-Length twice', 'Host: x', 'Content-Length: 5', 'Content-Length: 5'],
  ['Content-Length and Transfer-Encoding', 'Host: x', 'Content-Length: 5', 'Transfer-Encoding: chunked'],
  ['Transfer-Encoding and Content-Length', 'Host: x', 'Transfer-Encoding: chunked', 'Content-Length: 5'],
  ['Transfer-Encoding twice', 'Host: x', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
  ['an unknown Transfer-Encoding', 'Host: x', 'Transfer-Encoding: xchunked'],
  ['a folded header', 'Host: x', 'X-A: b', ' c'],
  ['a space before the colon', 'Host: x', 'Content-Length : 5'],
  ['a control character in a header', 'Host: x', 'X-A: b\x01'],
])('%s is refused by the parser', async (_what, ...lines) => {
  expect(await headers(...lines)).toMatch(/^HTTP\/1\.1 400 /)
  expect(upstream.seen).toEqual([])
})

test.each([
  ['no Host', 'GET / HTTP/1.1', 'X-A: b'],
  ['no version', 'GET /', 'Host: x'],
  ['another version', 'GET / HTTP/2.0', 'Host: x'],
  ['a Host that is no name', 'GET / HTTP/1.1', 'Host: a b'],
  ['an encoded Host', 'GET / HTTP/1.1', 'Host: %00.example.org'],
])('a request with %s is refused as a problem, and that is recorded', async (_what, ...lines) => {
  const answer = await sendRaw(gateway.url, ...lines, 'Connection: close', '', '')
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(answer).toMatch(/"code":"bad_request"/)
  expect(gateway.denials).toMatchObject([{ code: 'bad_request' }])
})

/** Asks and resets at once, by a process of its own: the gateway reads what comes of a client that has gone. */
const resets = `
const { connect } = require('node:net')
let left = 50
;(function next() {
  if (!left--) return
  const socket = connect(Number(process.argv[1]), '127.0.0.1').on('error', () => {}).on('close', next)
  socket.write('GET ' + process.argv[2] + ' HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n', () => socket.resetAndDestroy())
})()`

test('a client that resets its connection at once harms nobody, and reaches no service without an address', async () => {
  for (const path of ['/health/live', '/.well-known/jwks.json'])
    await promisify(execFile)(process.execPath, ['-e', resets, new URL(gateway.url).port, path])
  for (const { headers } of upstream.seen) expect(headers['x-forwarded-for']).toBe('127.0.0.1')
  expect(await target('/.well-known/jwks.json')).toMatch(/^HTTP\/1\.1 200 /)
})

test('a wish to upgrade is not passed on', async () => {
  const lines = ['Host: x', 'Connection: close, Upgrade', 'Upgrade: websocket', '', '']
  expect(await sendRaw(gateway.url, 'GET /.well-known/jwks.json HTTP/1.1', ...lines)).toMatch(/^HTTP\/1\.1 200 /)
  expect(upstream.seen[0]!.headers).not.toHaveProperty('upgrade')
})
