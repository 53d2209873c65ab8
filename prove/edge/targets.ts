import {
  bad,
  closed,
  forbidden,
  headersTooLarge,
  invalid,
  jwks,
  login,
  noAuth,
  notAllowed,
  notFound,
  patients,
  tooLong,
  type Aim,
  type Draft,
  type Kinds,
} from './shot.ts'

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const
const withBody = methods.filter((method) => method !== 'HEAD')
const ordinary = withBody.filter((method) => method !== 'OPTIONS')
const open = [jwks, login, '/api/v1/auth/register', '/api/v1/auth/refresh', '/docs', '/health', '/openapi.json']
const guardedPaths = [
  '/api/v1/auth/me',
  '/api/v1/auth/users',
  patients,
  '/api/v1/patients/search',
  '/api/v1/patients/import',
  '/api/v1/audit/events',
  '/api/v1/audit/export',
]
const internal = ['/internal/revocations', '/internal/description', '/metrics', '/internal', '/health/ready']
const anyPath = (aim: Aim): string => aim.pick([...open, ...guardedPaths, ...internal.slice(0, 4)])
const maybeNurse = (aim: Aim): string | undefined => (aim.chance(0.5) ? aim.world.tokens.nurse : undefined)
const query = (aim: Aim): string => (aim.chance(0.3) ? `?${aim.text(3)}=${aim.text(5)}` : '')

/** A target that nobody may ask for, by whatever method and whoever. */
function refused(aim: Aim, target: string): Draft {
  const method = aim.pick(methods)
  return { bytes: aim.request({ method, target, token: maybeNurse(aim) }), intended: [bad], head: method === 'HEAD' }
}

/** The same where the parser may be the first to see it: it doesn't know that HEAD has no body. */
function unreadable(aim: Aim, target: string): Draft {
  return { bytes: aim.request({ method: aim.pick(withBody), target, token: maybeNurse(aim) }), intended: [bad] }
}

/** A path that nobody serves; OPTIONS is answered everywhere. */
function absent(aim: Aim, target: string, ...more: string[]): Draft {
  const method = aim.pick(methods)
  const intended = method === 'OPTIONS' ? ['204', ...more] : [notFound, ...more]
  return { bytes: aim.request({ method, target, token: maybeNurse(aim) }), intended, head: method === 'HEAD' }
}

/** A path below a guarded prefix with nothing there: who isn't signed in learns nothing, and nobody gets anything. */
function guarded(aim: Aim, target: string): Draft {
  const token = maybeNurse(aim)
  const bytes = aim.request({ method: aim.pick(ordinary), target, token })
  if (token === undefined) return { bytes, intended: [noAuth] }
  return { bytes, intended: [notFound, notAllowed, invalid, bad, forbidden], reaches: true }
}

/** Puts a segment in somewhere. */
function withSegment(aim: Aim, path: string, segment: string): string {
  const segments = path.split('/')
  segments.splice(aim.between(1, segments.length), 0, segment)
  return segments.join('/')
}

const hex = (aim: Aim, byte: number): string => `%${aim.mixCase(byte.toString(16).padStart(2, '0'))}`
/** What two readers of a path could take for something else. */
const forbiddenBytes = [0x2f, 0x5c, 0x2e, 0x25, 0x3b, 0x7f, ...Array.from({ length: 32 }, (_, byte) => byte)]
const overlong = [
  '%c0%af',
  '%c0%ae',
  '%C1%9C',
  '%e0%80%af',
  '%f0%80%80%af',
  '%fc%80%80%80%80%af',
  '%ff',
  '%80',
  '%ed%a0%80',
]
const lookalikes = ['%ef%bc%8f', '%ef%bc%8e', '%e2%81%84', '%e2%88%95', '%ef%bc%bc', '%cd%be', '%20', '%c2%a0', '...']
const broken = [
  '%',
  '%2',
  '%zz',
  '%g1',
  '%1g',
  '%%',
  '%u002f',
  '%u2215',
  '%-1',
  '% 41'.replace(' ', '') + '%',
  '%x2f',
  '%2',
]
const authorities = ['evil.example:80', 'gateway.test:443', '127.0.0.1:8001', '[::1]:80', 'user:pw@evil.example:80']

/** Ways to `/internal` that have in them what isn't let in. */
const crooked = (inner: string): string[] => [
  `/api/v1/auth/..${inner}`.replace('..', '../../..'),
  `/api/v1/auth/login/../../../..${inner}`,
  `/api/v1/auth/%2e%2e/%2e%2e/%2e%2e${inner}`,
  `/api/v1/auth/..%2f..%2f..%2f${inner.slice(1)}`,
  `/api/v1/auth/.%2e/.%2E/%2e.${inner}`,
  `/api/v1/auth/%252e%252e/%252e%252e${inner}`,
  `/api/v1/auth/..;/..;/..;${inner}`,
  `/api/v1/auth;/../../..${inner}`,
  `/api/v1/auth\\..\\..\\..${inner.replaceAll('/', '\\')}`,
  `/api/v1/auth/..%5c..%5c..%5c${inner.slice(1)}`,
  `/.well-known/jwks.json/../..${inner}`,
  `/.well-known/..${inner}`,
  `/health/..${inner}`,
  `/docs/assets/../..${inner}`,
  `/docs/assets/..%2f..${inner}`,
  `/.${inner}`,
  `/${inner}`,
  `//auth${inner}`,
  `${inner};x=1`,
  `${inner}%00`,
  `${inner}%0d%0aX-User-Roles:%20admin`,
  `${inner}#/api/v1/auth/login`,
  `${inner}/.`,
  inner.replace('/', '/%2f'),
  `http://127.0.0.1${inner}`,
  `http://auth:8001${inner}`,
  `/api/v1/auth/login#/../../../..${inner}`,
  `/api/v1/auth/login%23/../../../..${inner}`,
  `/api/v1/auth/login%3f/../../../..${inner}`,
]
/** Ways to `/internal` that can be read without doubt, and lead nowhere. */
const plain = (aim: Aim, inner: string): string[] => [
  inner,
  `${inner}/`,
  `${inner}?x=/api/v1/auth/login`,
  aim.mixCase(inner).replace('/i', '/I').replace('/m', '/M'),
  inner.replace('/i', '/%69').replace('/m', '/%6d'),
  inner.replace('/i', '/%49').replace('/m', '/%4D'),
  `/api${inner}`,
  `/api/v1${inner}`,
  `/.well-known${inner}`,
  `/health${inner}`,
  `/health/live${inner}`,
  `/docs${inner}`,
  `${inner}%20`,
  `/%20${inner.slice(1)}`,
  `${inner}:8001`,
  `${inner}&x`,
  `/auth${inner}`,
  `/http:${inner}`,
  `/@auth${inner}`,
  `/~${inner.slice(1)}`,
]
const belowGuarded = (aim: Aim, inner: string): string[] => [
  `/api/v1/auth${inner}`,
  `/api/v1/patients${inner}`,
  `/api/v1/audit${inner}`,
  `/api/v1/auth?/../../..${inner}`,
  `/api/v1/patients?../../..${inner}`,
  `/api/v1/auth/login/${aim.text(3)}`,
  '/api/v1/auth/login/',
  '/api/v1/auth/login%20',
  '/api/v1/auth/login.json',
  '/api/v1/auth/loginx',
  '/api/v1/auth/%6cogin',
  '/api/v1/auth/LOGIN',
  '/api/v1/auth/Refresh',
  '/api/v1/auth/register/me',
  '/api/v1/auth/refresh/',
  '/api/v1/auth',
  '/api/v1/auth/',
  '/api/v1/auth/.well-known/jwks.json',
  '/api/v1/auth/jwks.json',
  '/api/v1/auth/health/live',
  '/api/v1/patients/',
  '/api/v1/patients/docs/errors',
  '/api/v1/audit/',
  '/api/v1/audit/metrics',
  `/api/v1/audit/${aim.text(4)}`,
]
const nowhere = (aim: Aim): string[] => [
  '/api/v1/authx/login',
  '/api/v1/authlogin',
  '/api/v1/auth%20/login',
  '/api/v1/auth./login',
  '/api/v1/auth,/login',
  '/api/v1',
  '/api/v1/',
  '/api',
  '/api/v2/auth/login',
  '/v1/auth/login',
  '/auth/login',
  '/patients',
  '/api/v1/patientsearch',
  '/api/v1/auditor',
  '/.well-known',
  '/.well-known/',
  '/.well-known/jwks',
  '/.well-known/jwks.json/',
  '/.well-known/jwks.json/api/v1/patients',
  '/.well-known/jwks.jsonx',
  '/.well-known/openid-configuration',
  '/well-known/jwks.json',
  '/health/',
  '/health/ready/',
  '/health/live/x',
  '/healthz',
  '/docs/errors/x',
  '/docs/assets/.env',
  '/docs/assets/.npmrc',
  '/docs/assets/none.js',
  '/redoc/assets/none.js',
  '/.env',
  '/.git/config',
  '/actuator/env',
  '/server-status',
  `/${aim.text(8)}`,
  `/${aim.text(4)}/${aim.text(4)}`,
]

const strangeMethods = [
  'SOURCE',
  'PROPFIND',
  'MKCOL',
  'COPY',
  'MOVE',
  'LOCK',
  'SEARCH',
  'REPORT',
  'PURGE',
  'TRACE',
  'NOTIFY',
  'MERGE',
  'LINK',
  'ACL',
  'QUERY',
]
const noMethods = [
  'FOO',
  'get',
  'Get',
  'GETT',
  '',
  'G\tET',
  'GET\t',
  'PRI',
  'POSTX',
  'GET,',
  '"GET"',
  '\x00GET',
  'X'.repeat(300),
]

export const targets: Kinds = {
  'absolute form': (aim) =>
    refused(
      aim,
      `${aim.mixCase(aim.pick(['http', 'https']))}://${aim.pick(['evil.example', 'gateway.test', '127.0.0.1:8001', 'user@evil', '[', ''])}${anyPath(aim)}`,
    ),
  'other schemes': (aim) =>
    unreadable(
      aim,
      `${aim.pick(['ftp://x', 'javascript:alert(1)', 'file://', 'gopher://x', 'ws://x', 'data:,'])}${anyPath(aim)}`,
    ),
  'authority form': (aim) => unreadable(aim, aim.pick(authorities)),
  CONNECT: (aim) => ({
    bytes: aim.request({ method: 'CONNECT', target: aim.pick([...authorities.slice(0, 3), ...internal, '*']) }),
    intended: [closed, bad],
  }),
  asterisk: (aim) => unreadable(aim, aim.pick(['*', '**', '*/', `*${anyPath(aim)}`])),
  'two slashes': (aim) =>
    refused(
      aim,
      anyPath(aim)
        .split('/')
        .map((part, n, all) => (n === 1 || (n < all.length && aim.chance(0.3)) ? `/${part}` : part))
        .join('/') + query(aim),
    ),
  backslash: (aim) => unreadable(aim, aim.insert(anyPath(aim), '\\') + query(aim)),
  semicolon: (aim) =>
    refused(aim, aim.insert(anyPath(aim), aim.pick([';', ';v=1', ';jsessionid=1', ';/../', ';;'])) + query(aim)),
  'encoded byte': (aim) => refused(aim, aim.insert(anyPath(aim), hex(aim, aim.pick(forbiddenBytes))) + query(aim)),
  'double encoding': (aim) =>
    refused(
      aim,
      aim.insert(anyPath(aim), aim.pick(['%252f', '%25%32%66', '%2525', '%255c', '%25c0%25af', '%252e%252e%252f'])),
    ),
  'broken encoding': (aim) =>
    refused(aim, aim.chance(0.5) ? anyPath(aim) + aim.pick(broken) : `${anyPath(aim)}?a=${aim.pick(broken)}`),
  'dot segments': (aim) => refused(aim, withSegment(aim, anyPath(aim), aim.pick(['.', '..'])) + query(aim)),
  fragment: (aim) => unreadable(aim, aim.insert(anyPath(aim), `#${aim.text(3)}`)),
  'raw bytes': (aim) => unreadable(aim, aim.insert(anyPath(aim), String.fromCharCode(aim.between(0x7f, 0xff)))),
  'raw bytes in the query': (aim) =>
    unreadable(aim, `${anyPath(aim)}?q=${String.fromCharCode(aim.between(0x7f, 0xff))}`),
  'raw control characters': (aim) =>
    unreadable(aim, aim.insert(anyPath(aim), String.fromCharCode(aim.between(0, 0x20)))),
  'overlong and other bytes, nowhere': (aim) =>
    absent(aim, `/.well-known${aim.pick([...overlong, ...lookalikes])}jwks.json`, bad),
  'overlong and other bytes, guarded': (aim) =>
    guarded(
      aim,
      `/api/v1/${aim.pick(['patients', 'auth', 'audit'])}/${aim.pick([...overlong, ...lookalikes])}${aim.text(2)}`,
    ),
  'too long': (aim) =>
    refusedAs(aim, `${anyPath(aim)}${aim.pick(['?', '/'])}${'a'.repeat(aim.between(8193, 14_000))}`, tooLong),
  'far too long': (aim) => ({
    bytes: aim.request({
      method: aim.pick(withBody),
      target: `${anyPath(aim)}/${'a'.repeat(aim.between(17_000, 40_000))}`,
    }),
    intended: [headersTooLarge],
  }),
  'as long as may be': (aim) => absent(aim, `/${'a'.repeat(8191)}`),
  'wrong case': (aim) =>
    absent(
      aim,
      aim.pick([
        '/API/v1/auth/login',
        '/api/V1/patients',
        '/Api/V1/audit/events',
        '/.Well-Known/jwks.json',
        '/.well-known/JWKS.json',
        '/HEALTH/live',
        '/Health',
        '/INTERNAL/revocations',
        '/api/v1/Patients',
        '/api/v1/AUTH/login',
      ]),
    ),
  'internal, crooked': (aim) => unreadable(aim, aim.pick(crooked(aim.pick(internal)))),
  'internal, plain': (aim) => absent(aim, aim.pick(plain(aim, aim.pick(internal.slice(0, 3))))),
  'guarded look-alikes': (aim) => guarded(aim, aim.pick(belowGuarded(aim, aim.pick(internal)))),
  'look-alikes': (aim) => absent(aim, aim.pick(nowhere(aim))),
  'guarded, without a token': (aim) => ({
    bytes: aim.request({
      method: aim.pick([...ordinary, ...strangeMethods]),
      target: aim.pick(guardedPaths) + query(aim),
    }),
    intended: [noAuth],
  }),
  'strange methods': (aim) => ({
    bytes: aim.request({ method: aim.pick(strangeMethods), target: patients, token: aim.world.tokens.nurse }),
    intended: [notAllowed],
    reaches: true,
  }),
  'strange methods, public': (aim) => ({
    bytes: aim.request({ method: aim.pick([...strangeMethods, 'POST', 'PUT', 'DELETE']), target: jwks }),
    intended: [notAllowed],
    reaches: true,
  }),
  'no methods': (aim) => ({
    bytes: aim.request({ method: aim.pick(noMethods), target: anyPath(aim) }),
    intended: [bad],
  }),
  'no request line': (aim) => ({
    bytes: `${aim.pick(['GET', 'GET /', '/', 'HTTP/1.1 200 OK', '\x16\x03\x01\x02\x00\x01', 'GET / HTTP/1.1 HTTP/1.1', `GET  HTTP/1.1`, 'SSH-2.0-x', '{}', '\x00\x00', 'GET /\tHTTP/1.1', ' GET / HTTP/1.1', '\tGET / HTTP/1.1'])}\r\nHost: gateway.test\r\n\r\n`,
    intended: [bad],
  }),
  'query on a public route': (aim) => ({
    bytes: aim.request({
      target: `${jwks}?${aim.pick(['x=%2f..%2f', '/../internal/revocations', 'x=%00', '%2e', 'a=b&a=c', '__proto__=x', 'x//..;'])}`,
    }),
    intended: ['200', invalid],
    reaches: true,
  }),
}

function refusedAs(aim: Aim, target: string, answer: string): Draft {
  return { ...refused(aim, target), intended: [answer] }
}
