import { headerOf } from './raw.ts'
import {
  bad,
  forbidden,
  headersTooLarge,
  honest,
  host,
  hostSuffix,
  notAllowed,
  json,
  jsonType,
  jwks,
  login,
  noAuth,
  origin,
  patients,
  type Aim,
  type Draft,
  type Kinds,
} from './shot.ts'

/** An honest request with more headers; what comes of it is what came of it before. */
function harmless(aim: Aim, headers: string[], more: { close?: boolean } = {}): Draft {
  const { answer, ...request } = honest(aim)
  const bytes = aim.request({ ...request, ...more, headers: [...request.headers, ...headers] })
  return { bytes, intended: [answer], reaches: true }
}

function refused(aim: Aim, headers: string[], answer = bad): Draft {
  const { answer: _, ...request } = honest(aim)
  return { bytes: aim.request({ ...request, headers: [...request.headers, ...headers] }), intended: [answer] }
}

function hostOf(aim: Aim, asked: string | null, ...intended: string[]): Draft {
  const { answer, ...request } = honest(aim)
  return {
    bytes: aim.request({ ...request, host: asked }),
    intended: intended.length ? intended : [answer],
    reaches: !intended.includes(bad),
  }
}

const ours = [
  'X-User-Id',
  'X-User-Roles',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Request-Id',
  'Authorization',
  'Host',
  'Content-Length',
  'Content-Type',
  'User-Agent',
]
const spoofs = (aim: Aim): string[] => {
  const { chartId } = aim.world
  const all = [
    'X-User-Id: 00000000-0000-0000-0000-000000000000',
    'x-user-id: admin',
    'X-USER-ROLES: admin,auditor,clinician',
    'X_User_Id: admin',
    'X-User-Name: admin',
    'X-Forwarded-For: 10.0.0.1',
    'X-Forwarded-For: 1.2.3.4, 5.6.7.8',
    'X-Forwarded-Host: evil.example',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Port: 1',
    'X-Forwarded-Prefix: /internal',
    'X-Forwarded-User: admin',
    'Forwarded: for=127.0.0.1;host=evil.example;proto=https',
    'X-Real-IP: 127.0.0.1',
    'X-Client-IP: 127.0.0.1',
    'True-Client-IP: 127.0.0.1',
    'X-Original-URL: /internal/revocations',
    'X-Rewrite-URL: /internal/revocations',
    'X-HTTP-Method-Override: DELETE',
    'X-Method-Override: PUT',
    `X-Patient-Id: ${chartId}`,
    'Proxy-Authorization: Basic YWRtaW46YWRtaW4=',
    'Proxy-Connection: keep-alive',
    'Via: 1.1 evil',
  ]
  return Array.from({ length: aim.between(1, 6) }, () => aim.pick(all))
}
const oddities = [
  'Accept: */*;q=0, text/html, %%%',
  'Accept-Language: \x80\xff',
  'Accept-Charset: utf-16',
  'Range: bytes=0-0',
  'Cookie: a=b; __proto__=c',
  'TE: trailers, deflate',
  'Trailer: X-User-Id',
  'Max-Forwards: 0',
  'If-Modified-Since: never',
  'Keep-Alive: timeout=99999',
  '__proto__: x',
  'constructor: x',
  'hasOwnProperty: x',
  'toString: x',
  'X-A: \xe9\xff\x80',
  'X-A:',
  'X-A:\t\tx\t',
  "!#$%&'*+-.^_`|~: x",
  'Via: 1.1 a, 1.0 b',
  'Expect: 100-continue',
  'Expect: 200-ok',
  'Upgrade: h2c',
  'Upgrade: websocket',
  'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  "X-A: '; DROP TABLE users; --",
  'X-A: <script>alert(1)</script>',
  'X-A: () { :;}; /bin/true',
  'X-A: $' + '{jndi:ldap://127.0.0.1/a}',
]
/** Each is against the grammar of a header. */
const malformed = [
  'X-A : b',
  'X-A\t: b',
  ' X-A: b',
  '\tX-A: b',
  ': b',
  'X-A',
  'X A: b',
  'X-\x00A: b',
  'X-A: b\x00',
  'X-A: \x01',
  'X-A: b\x7f',
  'X-A: b\x0b',
  'X-(A): b',
  'X@A: b',
  'X-\xe9: b',
  'X-A: b\r\n folded',
  'X-A: b\r\n\tfolded',
  'X-A: b\nX-B: c',
  'X-A: b\rX-B: c',
  'X-A: b\r\r\nX-B: c',
  '"X-A": b',
]
const doubles = (aim: Aim): string[] => {
  const { nurse, admin } = aim.world.tokens
  return aim.pick([
    [`Host: ${aim.pick([host, 'evil.example'])}`],
    [`hOST: ${host}`],
    [`Authorization: Bearer ${nurse}`, `Authorization: Bearer ${aim.pick([nurse, admin, 'x'])}`],
    [`Authorization: Bearer ${nurse}`, 'AUTHORIZATION: Basic eDp4'],
    ['Content-Type: application/json', `Content-type: ${aim.pick(['application/json', 'text/plain'])}`],
    [`X-Request-Id: ${aim.id}`],
    ['x-request-id: another-of-them'],
    ['Content-Length: 0', 'Content-Length: 0'],
    ['Content-Length: 0', 'Content-Length: 5'],
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
  ])
}
const invalidIds = [
  'short',
  'x'.repeat(129),
  '-starts-badly',
  'has spaces in it',
  'has%0d%0aX-A:b',
  "'; DROP TABLE x;--",
  '<script>alert(1)</script>',
  '\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9',
  '',
  '../../../../etc',
  'a,b,c,d,e,f,g,h',
]
const wrongHosts = [
  'evil.example',
  '',
  'gateway.test.evil.example',
  'evil.example#gateway.test',
  'gateway.test@evil.example',
  'evil@gateway.test',
  'gateway.test:',
  'gateway.test:999999',
  'gateway.test:80a',
  'gateway.test/x',
  'gateway.test?x',
  'evil.example, gateway.test',
  'gateway.test evil.example',
  '[::1',
  '[::1]',
  'localhost',
  '127.1',
  '2130706433',
  'clinic.test',
  'xclinic.test',
  hostSuffix,
  `<x>${hostSuffix}`,
  `"x"${hostSuffix}`,
  `a b${hostSuffix}`,
  `a\\b${hostSuffix}`,
  `a..b${hostSuffix}`,
  `\xe9${hostSuffix}`,
  `%00${hostSuffix}`,
  'http://gateway.test',
]
const wrongVersions = [
  'HTTP/0.9',
  'HTTP/1.2',
  'HTTP/1.9',
  'HTTP/2.0',
  'HTTP/2',
  'HTTP/3.0',
  'HTTP/9.9',
  'HTTP/1',
  'HTTP/1.',
  'HTTP/01.1',
  'HTTP/1.11',
  'HTTP/11',
  'http/1.1',
  'HTTPS/1.1',
  'HTTP 1.1',
  'HTTP/1.1x',
  'HTTP/-1.1',
  'ICE/1.0',
  'HTCPCP/1.0',
  '1.1',
  'HTTP/1,1',
  'HTTP/1.1\t',
  'HTTP/ 1.1',
]

/** Wishes for WebSocket on a route that passes streams, and on one that doesn't; no service speaks it. */
function upgrade(aim: Aim): Draft {
  const token = aim.chance(0.6) ? aim.world.tokens.nurse : undefined
  const headers = [
    `Connection: ${aim.pick(['Upgrade', 'upgrade, close', 'keep-alive, Upgrade'])}`,
    `Upgrade: ${aim.pick(['websocket', 'WebSocket'])}`,
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  // one is not for nurses, the other only takes POST
  const [target, answer] = aim.pick([
    ['/api/v1/patients/export', forbidden],
    ['/api/v1/patients/import', notAllowed],
  ] as const)
  return {
    bytes: aim.request({ target, token, headers, close: false }),
    intended: [token ? answer : noAuth],
    reaches: token !== undefined,
  }
}

export const headers: Kinds = {
  doubles: (aim) => ({
    bytes: aim.request({
      ...aim.pick([{}, { method: 'POST', target: login, body: '' }, { target: patients }]),
      headers: doubles(aim),
    }),
    intended: [bad],
  }),
  'doubles of others': (aim) =>
    harmless(
      aim,
      aim.pick([
        ['X-A: b', 'X-A: c'],
        ['Cookie: a', 'Cookie: b'],
        ['Accept: a/b', 'Accept: c/d'],
        ['Set-Cookie: a=b', 'Set-Cookie: c=d'],
        ['X-User-Id: a', 'X-User-Id: b'],
        ['X-Forwarded-For: 1.1.1.1', 'X-Forwarded-For: 2.2.2.2'],
        ['Origin: a', 'Origin: b'],
        ['User-Agent: x'],
      ]),
    ),
  malformed: (aim) => refused(aim, [aim.pick(malformed)]),
  'malformed, first': (aim) => ({
    bytes: `GET ${jwks} HTTP/1.1\r\n${aim.pick(malformed)}\r\nHost: ${host}\r\n\r\n`,
    intended: [bad],
  }),
  'line ends': (aim) => {
    const bytes = aim.request({})
    return {
      bytes: aim.pick([
        bytes.replaceAll('\r\n', '\n'),
        bytes.replaceAll('\r\n', '\r'),
        bytes.replace('\r\n', '\n'),
        bytes.replace('\r\n', '\r'),
        bytes.replace('\r\nUser', '\nUser'),
        bytes.replace('\r\n\r\n', '\n\n'),
        bytes.replace('\r\nHost', '\r\r\nHost'),
        bytes.replace('\r\nHost', '\n\rHost'),
      ]),
      intended: [bad],
    }
  },
  'empty lines before': (aim) => ({
    bytes: '\r\n'.repeat(aim.between(1, 3)) + aim.request(),
    intended: ['200'],
    reaches: true,
  }),
  spoofs: (aim) => harmless(aim, spoofs(aim)),
  'spoofed roles': (aim) => ({
    bytes: aim.request({
      target: aim.pick(['/api/v1/audit/events', '/api/v1/auth/users']),
      token: aim.world.tokens.nurse,
      headers: [...spoofs(aim), 'X-User-Roles: admin,auditor'],
    }),
    intended: [forbidden],
    reaches: true,
  }),
  'spoofed identity, no token': (aim) => ({
    bytes: aim.request({
      target: aim.pick([patients, '/api/v1/auth/me']),
      headers: [...spoofs(aim), 'X-User-Id: 1', 'X-User-Roles: admin,nurse'],
    }),
    intended: [noAuth],
  }),
  'Connection names ours': (aim) =>
    harmless(
      aim,
      [
        `Connection: ${['close', ...Array.from({ length: aim.between(1, 5) }, () => aim.mixCase(aim.pick(ours)))].join(aim.pick([',', ', ', ' ,\t']))}`,
      ],
      { close: false },
    ),
  oddities: (aim) =>
    harmless(
      aim,
      Array.from({ length: aim.between(1, 3) }, () => aim.pick(oddities)).filter(
        (line, n, all) => all.indexOf(line) === n && !(n && line.startsWith('Expect')),
      ),
    ),
  'invalid request ids': (aim) => {
    const { answer, ...request } = honest(aim)
    const own = aim.pick(invalidIds)
    const bytes = aim.request(request).replace(/X-Request-Id: [^\r]*/, `X-Request-Id: ${own}`)
    return {
      bytes,
      intended: [answer],
      reaches: true,
      check: ([first]) => (first && headerOf(first, 'x-request-id') === own ? 'the id was taken' : undefined),
    }
  },
  'wrong hosts': (aim) => hostOf(aim, aim.pick(wrongHosts), bad),
  'no host': (aim) => hostOf(aim, null, bad),
  'no host, HTTP/1.0': (aim) => ({ bytes: aim.request({ version: 'HTTP/1.0', host: null }), intended: [bad] }),
  'allowed hosts': (aim) =>
    hostOf(
      aim,
      aim.pick([
        'GATEWAY.test',
        'gateway.test:80',
        'gateway.test:65535',
        `a${hostSuffix}`,
        `a.b${hostSuffix}:1`,
        '127.0.0.1:8000',
      ]),
    ),
  'wrong versions': (aim) => ({
    bytes: aim.request({ ...aim.pick([{}, { target: patients }]), version: aim.pick(wrongVersions) }),
    intended: [bad],
  }),
  'no version': (aim) => ({ bytes: aim.request({ version: '' }).replace(' \r\n', '\r\n'), intended: [bad] }),
  'HTTP/1.0': (aim) => ({
    bytes: aim.request({ version: 'HTTP/1.0', close: aim.chance(0.5) }),
    intended: ['200'],
    reaches: true,
  }),
  'HTTP/2 preface': () => ({
    bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00',
    intended: [bad],
  }),
  'one large header': (aim) => ({
    bytes: aim.request({
      headers: [
        `${aim.pick(['X-A', 'Cookie', 'Authorization', 'Origin'])}: ${'a'.repeat(aim.between(17_000, 40_000))}`,
      ],
    }),
    intended: [headersTooLarge],
  }),
  'a large name': (aim) => ({
    bytes: aim.request({ headers: [`${'a'.repeat(aim.between(17_000, 30_000))}: b`] }),
    intended: [headersTooLarge],
  }),
  'many headers': (aim) =>
    harmless(
      aim,
      Array.from({ length: aim.between(100, 900) }, (_, n) => `A${n}: b`),
    ),
  'too many headers': (aim) => ({
    bytes: aim.request({ headers: Array.from({ length: aim.between(4000, 6000) }, (_, n) => `A${n}: b`) }),
    intended: [headersTooLarge],
  }),
  'doubles behind many': (aim) => {
    // a parser that keeps no more than so many would hide what is behind them
    const many = Array.from({ length: aim.between(2000, 2600) }, () => 'a:')
    return {
      bytes: aim.request({ target: patients, headers: [...many, ...doubles(aim)] }),
      intended: [bad, headersTooLarge, noAuth],
    }
  },
  'a token behind many': (aim) => {
    const many = Array.from({ length: aim.between(2000, 2600) }, () => 'a:')
    const headersThen = [...many, `Authorization: Bearer ${aim.world.tokens.nurse}`]
    return {
      bytes: aim.request({ target: `${patients}?limit=1`, headers: headersThen }),
      intended: [bad, headersTooLarge, noAuth, '200'],
      reaches: true,
    }
  },
  upgrades: (aim) => upgrade(aim),
  'upgrades of others': (aim) =>
    harmless(
      aim,
      [
        `Connection: ${aim.pick(['Upgrade, close', 'Upgrade, HTTP2-Settings, close'])}`,
        `Upgrade: ${aim.pick(['websocket', 'h2c', 'TLS/1.0', 'x'])}`,
        'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
      ],
      { close: false },
    ),
  origins: (aim) =>
    harmless(aim, [
      `Origin: ${aim.pick([origin, 'null', 'https://evil.example', `${origin}.evil.example`, 'https://app.clinic.test:443', 'http://app.clinic.test', '*', 'javascript:', '\xff'])}`,
    ]),
  preflights: (aim) => ({
    bytes: aim.request({
      method: 'OPTIONS',
      target: aim.pick([patients, login, '/internal/revocations', '/nowhere']),
      headers: [
        'Origin: https://evil.example',
        'Access-Control-Request-Method: DELETE',
        `Access-Control-Request-Headers: ${aim.pick(['authorization', 'x-user-id', '<script>', 'a, b'])}`,
      ],
    }),
    intended: ['204'],
  }),
  'an expectation': (aim) => ({
    bytes: aim.request({
      method: 'POST',
      target: login,
      headers: [jsonType, `Expect: ${aim.pick(['100-continue', '100-Continue', 'x', '999'])}`],
      body: json({ email: 'nobody@edge.test', password: 'x' }),
    }),
    intended: [noAuth],
    reaches: true,
  }),
}
