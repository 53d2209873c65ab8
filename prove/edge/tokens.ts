import {
  forbidden,
  headersTooLarge,
  bad,
  json,
  jsonType,
  jwks,
  login,
  noAuth,
  patients,
  type Aim,
  type Draft,
  type Kinds,
  type RoleName,
} from './shot.ts'
import type { Forge } from './forge.ts'

const guarded = [
  '/api/v1/auth/me',
  '/api/v1/auth/users',
  patients,
  '/api/v1/patients/search',
  '/api/v1/patients/import',
  '/api/v1/patients/export',
  '/api/v1/audit/events',
  '/api/v1/audit/stream',
]
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** `Authorization` as given, to somewhere that it isn't good enough for. */
function refused(aim: Aim, authorization: string, answer = noAuth): Draft {
  const bytes = aim.request({
    method: aim.pick(methods),
    target: aim.pick(guarded),
    headers: [`${aim.pick(['Authorization', 'authorization', 'AUTHORIZATION'])}: ${authorization}`],
  })
  return { bytes, intended: [answer], split: answer === noAuth && aim.chance(0.1) }
}
const bearer = (aim: Aim, token: string): Draft => refused(aim, `Bearer ${token}`)

const now = (): number => Math.floor(Date.now() / 1000)
const der = ({ publicKey }: Forge): Buffer => publicKey.export({ type: 'spki', format: 'der' })
const pem = ({ publicKey }: Forge): string => publicKey.export({ type: 'spki', format: 'pem' }) as string
const jwk = ({ publicKey }: Forge): string => JSON.stringify(publicKey.export({ format: 'jwk' }))
const strangeKids = (aim: Aim): unknown[] => [
  '',
  'test',
  'shared',
  aim.uuid(),
  '../../../../dev/null',
  "' UNION SELECT 'x",
  'a'.repeat(2000),
  7,
  null,
  [],
  {},
  true,
  '\u0000',
  '__proto__',
  'constructor',
]

/** A character of a token is another one; but not the last, of which some bits say nothing. */
function flip(aim: Aim, token: string): string {
  const at = aim.int(token.length - 1)
  const others = [...'abcdefgXYZ019-_'].filter((letter) => letter !== token[at])
  return token.slice(0, at) + aim.pick(others) + token.slice(at + 1)
}

/** What a role may not do: of these requests no body is needed to be told so. */
const beyond: Record<RoleName, readonly (readonly [method: string, target: string])[]> = {
  admin: [
    ['GET', patients],
    ['POST', '/api/v1/patients/search'],
    ['GET', '/api/v1/audit/events'],
    ['GET', '{chart}'],
    ['PATCH', '{chart}'],
  ],
  clinician: [
    ['GET', '/api/v1/audit/events'],
    ['GET', '/api/v1/auth/users'],
    ['POST', '/api/v1/auth/users'],
  ],
  nurse: [
    ['GET', '/api/v1/audit/events'],
    ['GET', '/api/v1/auth/users'],
    ['POST', '{chart}/void'],
    ['POST', '{chart}/restore'],
  ],
  registrar: [
    ['GET', '/api/v1/audit/events'],
    ['POST', '/api/v1/auth/users'],
    ['POST', '{chart}/void'],
  ],
  auditor: [
    ['GET', patients],
    ['POST', patients],
    ['GET', '{chart}'],
    ['GET', '/api/v1/auth/users'],
    ['PUT', '{chart}'],
  ],
  patient: [
    ['GET', patients],
    ['POST', patients],
    ['GET', '{chart}'],
    ['GET', '/api/v1/audit/events'],
    ['GET', '/api/v1/auth/users'],
    ['PUT', '{chart}'],
    ['POST', '{chart}/void'],
  ],
}

export const tokens: Kinds = {
  'alg none': (aim) => bearer(aim, aim.world.forge.unsigned(aim.mixCase('none'), aim.pick(['', 'x', aim.text(86)]))),
  'alg none, unsigned': (aim) =>
    bearer(aim, aim.world.forge.unsigned(aim.pick(['none', null, '', 0, [], 'ES256', 'HS256', undefined]))),
  'HS256 with the public key': (aim) => {
    const { forge } = aim.world
    const secret = aim.pick([pem(forge), pem(forge).trim(), der(forge), der(forge).toString('base64'), jwk(forge), ''])
    return bearer(aim, forge.hmac(secret, { alg: aim.pick(['HS256', 'HS256', 'ES256', 'hs256']) }))
  },
  'HS256 with a guess': (aim) =>
    bearer(
      aim,
      aim.world.forge.hmac(
        aim.pick(['secret', 'changeme', 'caregate', '0'.repeat(32), aim.text(32)]),
        aim.pick([{}, { kid: 'shared' }]),
      ),
    ),
  'another key': (aim) => bearer(aim, aim.world.forge.stranger()),
  'another key that it names': (aim) => {
    const { strangers } = aim.world.forge
    const own = strangers.ec.publicKey.export({ format: 'jwk' })
    return bearer(
      aim,
      aim.world.forge.stranger(
        aim.pick([
          { jwk: own },
          { jwk: own, kid: undefined },
          { jku: 'http://127.0.0.1:9/jwks.json' },
          { x5u: 'http://127.0.0.1:9/x' },
          { x5c: ['MIIB'] },
          { kid: aim.uuid(), jwk: own },
        ]),
      ),
    )
  },
  'another algorithm': (aim) =>
    bearer(
      aim,
      aim.world.forge.rsa(aim.pick([{}, { alg: 'PS256' }, { alg: 'ES256' }, { alg: 'ES512' }, { alg: 'EdDSA' }])),
    ),
  kid: (aim) => bearer(aim, aim.world.forge.own({ header: { kid: aim.pick(strangeKids(aim)) } })),
  iss: (aim) =>
    bearer(
      aim,
      aim.world.forge.own({
        claims: { iss: aim.pick(['evil', '', 'Caregate', 'caregate ', null, 7, ['evil'], {}, undefined]) },
      }),
    ),
  aud: (aim) =>
    bearer(
      aim,
      aim.world.forge.own({
        claims: { aud: aim.pick(['evil', '', 'CAREGATE', null, 7, [], ['evil'], {}, undefined]) },
      }),
    ),
  typ: (aim) =>
    bearer(
      aim,
      aim.world.forge.own({
        header: { typ: aim.pick(['JWT', 'jwt', '', 'rt+jwt', 'id+jwt', 'at+jwt ', null, ['at+jwt'], undefined]) },
      }),
    ),
  expired: (aim) =>
    bearer(aim, aim.world.forge.own({ claims: { exp: aim.pick([now() - 1, now() - aim.between(1, 1e6), 0, -1, 1]) } })),
  exp: (aim) =>
    bearer(
      aim,
      aim.world.forge.own({
        claims: { exp: aim.pick([undefined, null, String(now() + 900), 'never', [now() + 900], {}, true]) },
      }),
    ),
  'not yet valid': (aim) =>
    bearer(
      aim,
      aim.world.forge.own({ claims: { nbf: aim.pick([now() + 120, now() + aim.between(120, 1e6), 'now', {}]) } }),
    ),
  'a claim is missing': (aim) =>
    bearer(
      aim,
      aim.world.forge.own({
        claims: { [aim.pick(['sub', 'sid', 'jti', 'roles'])]: aim.pick([undefined, null, 7, {}, true]) },
      }),
    ),
  roles: (aim) =>
    bearer(
      aim,
      aim.world.forge.own({
        claims: { roles: aim.pick([undefined, null, 'admin', 7, { 0: 'admin', length: 1 }, true]) },
      }),
    ),
  'changed claims': (aim) => {
    const { forge } = aim.world
    const [header, , signature] = forge.good.split('.')
    const claims = {
      ...forge.claims,
      ...aim.pick([
        { roles: ['admin'] },
        { exp: now() + 1e8 },
        { sub: aim.uuid() },
        { sid: aim.uuid() },
        { patientId: aim.world.chartId },
      ]),
    }
    return bearer(aim, `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`)
  },
  'changed header': (aim) => {
    const { forge } = aim.world
    const [, claims, signature] = forge.good.split('.')
    const header = {
      ...forge.header,
      ...aim.pick([{ alg: 'none' }, { alg: 'HS256' }, { typ: 'JWT' }, { crit: ['x'] }, { b64: false }, { zip: 'DEF' }]),
    }
    return bearer(aim, `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${claims}.${signature}`)
  },
  flipped: (aim) =>
    bearer(aim, flip(aim, aim.world.tokens[aim.pick(['nurse', 'admin', 'auditor', 'clinician'] as const)])),
  truncated: (aim) => bearer(aim, aim.world.tokens.nurse.slice(0, aim.between(0, aim.world.tokens.nurse.length - 2))),
  longer: (aim) => bearer(aim, aim.world.tokens.nurse + aim.pick(['=', '==', '.', '.x', 'AAAA', '%3d', '/', '+'])),
  'signatures of nothing': (aim) => {
    const [header, claims] = aim.world.tokens.admin.split('.')
    const zero = Buffer.alloc(64)
    const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')
    const signature = aim.pick([
      zero,
      Buffer.concat([order, order]),
      Buffer.alloc(64, 1),
      Buffer.alloc(64, 255),
      Buffer.alloc(0),
      Buffer.alloc(63),
      Buffer.alloc(65),
      Buffer.from('3006020100020100', 'hex'),
    ])
    return bearer(aim, `${header}.${claims}.${signature.toString('base64url')}`)
  },
  'a signature in DER': (aim) => bearer(aim, aim.world.forge.own({}, 'der')),
  'parts that are no claims': (aim) =>
    bearer(
      aim,
      aim.world.forge.ownOf(
        aim.pick([
          aim.world.forge.header,
          { ...aim.world.forge.header, typ: 'JWT' },
          { typ: 'JWT' },
          'x',
          '{',
          [],
          null,
          7,
        ]),
        aim.pick(['x', '', '{', 'null', '[]', '"x"', '7', '{"sub":"a"']),
      ),
    ),
  garbage: (aim) =>
    bearer(
      aim,
      aim.pick([
        '.',
        '..',
        'a.b',
        'a.b.c',
        'a.b.c.d.e',
        aim.text(200),
        `${aim.text(20)}.${aim.text(200)}.${aim.text(86)}`,
        '{}.{}.{}',
        'null',
        'undefined',
        '%00',
        '\xff.\xff.\xff',
        '../../x.y.z',
      ]),
    ),
  huge: (aim) => bearer(aim, `${aim.text(20)}.${'A'.repeat(aim.between(5000, 14_000))}.${aim.text(86)}`),
  'too huge': (aim) => refused(aim, `Bearer ${'A'.repeat(aim.between(17_000, 40_000))}`, headersTooLarge),
  several: (aim) => {
    const { nurse, admin } = aim.world.tokens
    return refused(
      aim,
      aim.pick([
        `Bearer ${nurse}, Bearer ${admin}`,
        `Bearer ${nurse} ${admin}`,
        `Bearer ${nurse},${admin}`,
        `Basic eDp4, Bearer ${nurse}`,
        `Bearer ${nurse}; Bearer ${admin}`,
        `Bearer Bearer ${nurse}`,
      ]),
    )
  },
  'other schemes': (aim) => {
    const { nurse } = aim.world.tokens
    return refused(
      aim,
      aim.pick([
        `Basic ${Buffer.from('admin:admin').toString('base64')}`,
        `Basic ${nurse}`,
        `Token ${nurse}`,
        `JWT ${nurse}`,
        nurse,
        `Bearer:${nurse}`,
        `Bearer=${nurse}`,
        `Bearer\t${nurse}`,
        `Bearer${nurse}`,
        `"Bearer ${nurse}"`,
        'Bearer',
        'Bearer ',
        '',
        'Digest username="x"',
        'Negotiate x',
        'DPoP x',
        `bearer token="${nurse}"`,
        `Bearer\xa0${nurse}`,
        `\xefBearer ${nurse}`,
      ]),
    )
  },
  'control characters': (aim) =>
    refused(
      aim,
      `Bearer ${aim.insert(aim.world.tokens.nurse, aim.pick(['\x00', '\x01', '\x0b', '\x7f', '\n', '\r']))}`,
      bad,
    ),
  'a refresh token': (aim) => bearer(aim, aim.world.refreshToken),
  elsewhere: (aim) => {
    const { nurse } = aim.world.tokens
    const more = aim.pick([
      { target: `${patients}?access_token=${nurse}` },
      { headers: [`Cookie: access_token=${nurse}; Authorization=Bearer ${nurse}`] },
      { headers: [`X-Authorization: Bearer ${nurse}`] },
      { headers: [`Proxy-Authorization: Bearer ${nurse}`] },
      { headers: [`X-Access-Token: ${nurse}`] },
      { headers: [`Authorization_: Bearer ${nurse}`] },
      { headers: [`Sec-WebSocket-Protocol: bearer, ${nurse}`] },
      { method: 'POST', headers: ['Content-Type: application/x-www-form-urlencoded'], body: `access_token=${nurse}` },
    ])
    return { bytes: aim.request({ target: patients, ...more }), intended: [noAuth] }
  },
  'an ended session': (aim) => bearer(aim, aim.world.endedToken),
  'an ended session, spelt otherwise': (aim) =>
    refused(
      aim,
      `${aim.mixCase('bearer')}${' '.repeat(aim.between(1, 5))}${aim.world.endedToken}${' '.repeat(aim.int(3))}`,
    ),
  'honest spellings': (aim) => ({
    bytes: aim.request({
      target: '/api/v1/auth/me',
      headers: [`Authorization: ${aim.mixCase('bearer')}${' '.repeat(aim.between(1, 4))}${aim.world.tokens.nurse}`],
    }),
    intended: ['200'],
    reaches: true,
  }),
  'a one-time token': (aim) => ({
    bytes: aim.request({
      target: aim.pick(['/api/v1/auth/me', patients, `${patients}/${aim.world.chartId}`]),
      token: aim.world.oneTimeToken,
    }),
    intended: ['403 password_change_required'],
    reaches: true,
  }),
  'roles that may not': (aim) => {
    const role = aim.pick(Object.keys(beyond) as RoleName[])
    const [method, target] = aim.pick(beyond[role])
    return {
      bytes: aim.request({
        method,
        target: target.replace('{chart}', `${patients}/${aim.world.chartId}`),
        token: aim.world.tokens[role],
      }),
      intended: [forbidden],
      reaches: true,
      split: aim.chance(0.1),
    }
  },
  'public routes ignore them': (aim) => {
    const token = aim.pick([aim.world.endedToken, 'x', aim.world.forge.stranger(), aim.world.forge.unsigned('none')])
    if (aim.chance(0.5)) return { bytes: aim.request({ target: jwks, token }), intended: ['200'], reaches: true }
    return {
      bytes: aim.request({
        method: 'POST',
        target: login,
        token,
        headers: [jsonType],
        body: json({ email: 'nobody@edge.test', password: 'x' }),
      }),
      intended: [noAuth],
      reaches: true,
    }
  },
}
