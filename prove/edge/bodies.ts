import { gzipSync } from 'node:zlib'
import { createFields, goodBody, loginFields, registerFields, searchFields, threats, type Bodied } from './fields.ts'
import {
  bad,
  closed,
  forbidden,
  invalid,
  json,
  jsonType,
  login,
  mediaType,
  noAuth,
  notAllowed,
  notFound,
  patients,
  tooLarge,
  utf8,
  type Aim,
  type Draft,
  type Kinds,
  type RoleName,
} from './shot.ts'

interface Sending {
  headers?: string[]
  chunked?: boolean
  reaches?: boolean
  split?: boolean
}

/** Bytes as the body of one of the routes that take one. */
function sent(
  aim: Aim,
  { target, role }: Bodied,
  body: string,
  intended: readonly string[],
  { headers = [jsonType], chunked = false, reaches = true, split = aim.chance(0.1) }: Sending = {},
): Draft {
  const token = role && aim.world.tokens[role]
  const framed = chunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body
  const lines = chunked ? [...headers, 'Transfer-Encoding: chunked'] : headers
  return {
    bytes: aim.request({ method: 'POST', target, token, headers: lines, body: framed, length: !chunked }),
    intended,
    reaches,
    split,
  }
}
const register: Bodied = { target: '/api/v1/auth/register' }
const signIn: Bodied = { target: login }
const create: Bodied = { target: patients, role: 'nurse' }
const search: Bodied = { target: '/api/v1/patients/search', role: 'clinician' }
const refresh: Bodied = { target: '/api/v1/auth/refresh' }
const all = [signIn, register, create, search, refresh]
const anywhere = (aim: Aim): Bodied => aim.pick(all)
/** What an honest body gets. */
const answerOf = (where: Bodied): string =>
  where === signIn || where === refresh ? noAuth : where === search ? '200' : '201'

const brokenJson = [
  '{',
  '}',
  '[',
  ']',
  '{"email":',
  '{"email":"a@b.cd",}',
  "{'email':'a'}",
  '{email:"a"}',
  '{"email":"a" "password":"x"}',
  'NaN',
  'undefined',
  '{"a":NaN}',
  '{"a":Infinity}',
  '{"a":01}',
  '{"a":+1}',
  '{"a":.5}',
  '{"a":1.}',
  '{"a":0x1}',
  '{"a":"\x01"}',
  '{"a":"\\x"}',
  '{"a":"\\u12"}',
  '{"a":1}}',
  '{"a":1}{"b":2}',
  '[1,]',
  '/* */{}',
  '{"a":1}//',
  '"text"',
  '123',
  'null',
  'true',
  '\x00',
  '{"a":"b\x00"}',
  '<xml/>',
  '%7b%7d',
  '{"a":"\n"}',
  'a=b&c=d',
  '{"a"}',
  '{,}',
  '{"a"::1}',
  ")]}',\n{}",
  '-',
  '\xff\xfe{\x00}\x00',
]
const wrongTypes = [
  'text/plain',
  'application/xml',
  'text/xml',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'application/jsonx',
  'json',
  'text/json',
  'application/json-patch+json',
  'application/octet-stream',
  'a/b/c',
  '*/*',
  'application/*',
  'application/x-ndjson',
  'application/problem+json',
  'text/html',
  'application/javascript',
  'image/png',
]
const bodiesOfOthers = [
  '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
  '--x\r\nContent-Disposition: form-data; name="file"; filename="../../x"\r\n\r\nx\r\n--x--\r\n',
  'email=a&password=b',
  'email: a\npassword: b\n',
  '\x80\x04\x95',
  '<script>alert(1)</script>',
  'GIF89a',
]

const bomb = gzipSync(Buffer.alloc(10_000_000)).toString('latin1')
const deep = (depth: number, open: string, close: string, within = ''): string =>
  open.repeat(depth) + within + close.repeat(depth)

type QueryCase = readonly [role: RoleName, target: string, ...intended: string[]]
const badLimits = [
  '0',
  '-1',
  '201',
  '1e9',
  '1.5',
  'x',
  '',
  'NaN',
  '0x10',
  '99999999999999999999',
  '%00',
  '1%20',
  'true',
  '[]',
]
function queries(aim: Aim): QueryCase {
  const { chartId } = aim.world
  const lists: QueryCase = aim.pick([
    ['nurse', `${patients}?`],
    ['admin', '/api/v1/auth/users?'],
    ['auditor', '/api/v1/audit/events?'],
  ])
  const [role, list] = lists
  return aim.pick<QueryCase>([
    [role, `${list}limit=${aim.pick(badLimits.filter((limit) => limit !== '1%20'))}`, invalid],
    [role, `${list}limit=1&limit=2`, invalid],
    [role, `${list}limit[]=1`, invalid],
    [role, `${list}limit[$gt]=1`, invalid],
    [
      role,
      `${list}cursor=${aim.pick(['x', aim.text(64), aim.text(2001), '%00', '..%2f', '', 'null', `${aim.text(30)}&cursor=x`])}`,
      invalid,
    ],
    [role, `${list}${aim.text(5)}=1`, invalid],
    [
      role,
      `${list}${aim.pick(['constructor', 'toString', 'hasOwnProperty', 'limit%00', 'LIMIT', '%6cimi%74%20'])}=1`,
      invalid,
    ],
    [role, `${list}__proto__=1`, invalid, '200'],
    [role, `${list}${'a=b&'.repeat(900)}`, invalid],
    [
      'nurse',
      `${patients}?status=${aim.pick(['x', 'ACTIVE', '', "'--", 'active,inactive', '%F0%9F%98%80', '%ff'])}`,
      invalid,
    ],
    ['nurse', `${patients}/${chartId}?x=1`, invalid],
    [
      'auditor',
      `/api/v1/audit/events?${aim.pick(['from', 'to'])}=${aim.pick(['x', '9999-99-99', '1899-12-31', '99999-01-01', '-1', '', '%00', '2026-02-30T25:00:00Z'])}`,
      invalid,
    ],
    [
      'auditor',
      `/api/v1/audit/events?${aim.pick(['actorId', 'method', 'path', 'ip', 'requestId'])}=${aim.pick(['%00', '%01', '', '%7f', '%0a', 'a'.repeat(1001), '%ed%a0%80%00'])}`,
      invalid,
    ],
    [
      'auditor',
      `/api/v1/audit/events?${aim.pick(['actorId', 'path', 'requestId'])}=${aim.pick(["'%20OR%201=1--", '%25', '%5c', '%F0%9F%98%80', '%ff', '$1', '..%2f'])}`,
      '200',
    ],
    [
      'auditor',
      `/api/v1/audit/events?afterSequence=${aim.pick(['-1', '1.5', '1e400', '9007199254740993', 'x', '', '0x1'])}`,
      invalid,
    ],
    ['auditor', '/api/v1/audit/events?afterSequence=9007199254740991', '200'],
    [
      'auditor',
      `/api/v1/audit/events?${aim.pick(['patientId=x', 'type=x', 'action=X', 'outcome=x', 'patientId=%00', 'type=gateway.request.denied%00'])}`,
      invalid,
    ],
    ['nurse', `${patients}/${aim.uuid()}`, notFound],
    ['nurse', `${patients}/00000000-0000-0000-0000-000000000000`, notFound, invalid],
    [
      'nurse',
      `${patients}/${aim.pick(['x', '1', '-1', 'null', '%27', '%20', '%7b%7d', `%7b${chartId}%7d`, `${chartId}x`, chartId.replaceAll('-', ''), 'a'.repeat(5000), '%f0%9f%98%80', '$%7b7*7%7d', "'%20OR%201=1--", '*', '__proto__'])}`,
      invalid,
    ],
    ['admin', `/api/v1/auth/users/${aim.pick(['x', '1', "'", '*', '__proto__'])}`, invalid],
    ['auditor', `/api/v1/audit/events/${aim.pick(['x', '1', "'", '*', '__proto__'])}`, invalid],
    ['auditor', `/api/v1/audit/events/${aim.uuid()}`, notFound],
  ])
}

/** A PATCH that would change something if its condition held. */
function conditional(aim: Aim): Draft {
  const { chartId, tokens } = aim.world
  const tag = aim.pick([
    undefined,
    '*',
    'x',
    '1',
    '"999"',
    'W/"1"',
    '"1", "2"',
    '"01x"',
    '""',
    '"-1"',
    '"1e0"',
    '"99999999999999999999"',
    "'1'",
    '\xe9',
  ])
  const headers = ['Content-Type: application/merge-patch+json', ...(tag === undefined ? [] : [`If-Match: ${tag}`])]
  const missing = tag === undefined || tag === '*'
  return {
    bytes: aim.request({
      method: 'PATCH',
      target: `${patients}/${chartId}`,
      token: tokens.nurse,
      headers,
      body: '{"language":"es"}',
    }),
    intended: [missing ? '428 precondition_required' : '412 stale'],
    reaches: true,
  }
}

/** Beyond a limit; what is still on its way then may cost the client the answer. */
function oversized(aim: Aim): Draft {
  const [where, limit] = aim.pick([
    [signIn, 16_384],
    [register, 16_384],
    [refresh, 16_384],
    [signIn, 16_384],
    [create, 1_048_576],
    [search, 1_048_576],
  ] as const)
  const size = limit + aim.pick([1, 2, aim.between(1, 20_000)])
  const body = aim.pick(['x'.repeat(size), `{"email":"${'a'.repeat(size - 12)}"}`])
  const chunked = aim.chance(0.4)
  return sent(aim, where, body, limit > 16_384 ? [tooLarge, closed] : [tooLarge], {
    chunked,
    reaches: false,
    split: false,
  })
}

const sizeOf = (aim: Aim): Draft => {
  const length = aim.pick(['16385', '1048577', '99999999', '999999999999999'])
  const [target, token] =
    length === '16385' || aim.chance(0.5) ? [login, undefined] : [patients, aim.world.tokens.nurse]
  return {
    bytes: aim.request({ method: 'POST', target, token, headers: [jsonType, `Content-Length: ${length}`] }),
    intended: [tooLarge],
  }
}

/** As large as may be. */
function full(aim: Aim): Draft {
  if (aim.chance(0.8)) return sent(aim, signIn, goodBody(aim, signIn).padEnd(16_384), [noAuth], { split: false })
  return sent(aim, search, goodBody(aim, search).padEnd(1_048_576), ['200'], { split: false })
}

/** One field of an honest body is none that could be meant. */
function wrongField(
  aim: Aim,
  where: Bodied,
  fields: readonly (readonly [field: string, values: readonly unknown[]])[],
): Draft {
  const [field, values] = aim.pick(fields)
  const body = JSON.parse(goodBody(aim, where)) as Record<string, unknown>
  const value = aim.pick(values)
  // JSON has numbers that JavaScript has not
  const text = JSON.stringify({ ...body, [field]: value }).replaceAll(
    '"@huge"',
    aim.pick(['1e400', '-1e400', '9'.repeat(400), '1e-400000']),
  )
  return sent(aim, where, utf8(text), [invalid])
}

export const bodies: Kinds = {
  'broken JSON': (aim) => sent(aim, anywhere(aim), utf8(aim.pick(brokenJson)), [bad]),
  'JSON that breaks off': (aim) => {
    const where = anywhere(aim)
    const body = goodBody(aim, where)
    return sent(aim, where, body.slice(0, aim.between(1, body.length - 1)), [bad])
  },
  'spaces alone': (aim) => sent(aim, anywhere(aim), aim.pick([' ', '\n', '\t\t', '\r\n\r\n']), [bad]),
  'no body': (aim) =>
    sent(aim, aim.pick([signIn, register, create, refresh]), '', [invalid], {
      headers: aim.pick([[jsonType], [], ['Content-Length: 0']]),
    }),
  arrays: (aim) =>
    sent(aim, anywhere(aim), aim.pick(['[]', '[{}]', '[[]]', `[${'{},'.repeat(500)}{}]`, '[null]']), [invalid]),
  'deep nesting': (aim) => {
    const depth = aim.between(1000, 3900)
    return sent(
      aim,
      anywhere(aim),
      aim.pick([
        deep(depth, '[', ']'),
        `{"email":${deep(depth, '[', ']')}}`,
        `{"name":${deep(Math.floor(depth / 2), '{"a":', '}', '1')}}`,
        `{"q":${deep(depth, '[', ']', '1')}}`,
      ]),
      [invalid],
    )
  },
  'nesting without an end': (aim) =>
    sent(aim, anywhere(aim), aim.pick(['[', '{"a":', '[[{"a":']).repeat(aim.between(1000, 2300)), [bad]),
  'very deep nesting': (aim) =>
    aim.chance(0.15)
      ? sent(aim, create, `{"name":${deep(aim.between(50_000, 400_000), '[', ']')}}`, [invalid], { split: false })
      : sent(aim, create, `{"name":${deep(7000, '[', ']')}}`, [invalid]),
  'many items': (aim) =>
    sent(aim, create, `{"identifiers":[${'{},'.repeat(aim.between(100, 3000))}{}],"${aim.text(5)}":1}`, [invalid], {
      split: false,
    }),
  'many fields': (aim) =>
    sent(
      aim,
      aim.pick([create, search]),
      `{${Array.from({ length: aim.between(100, 1000) }, (_, n) => `"f${n}":1`).join(',')}}`,
      [invalid],
    ),
  'doubled keys': (aim) =>
    sent(aim, signIn, `{"email":"nobody@edge.test","email":"no-one@edge.test","password":"a","password":"b"}`, [
      noAuth,
      bad,
    ]),
  __proto__: (aim) => {
    const where = anywhere(aim)
    const body = goodBody(aim, where).replace(
      '{',
      `{"__proto__":${aim.pick(['{"roles":["admin"]}', 'null', '1', '{"restricted":true,"id":"x"}'])},`,
    )
    return sent(aim, where, body, [answerOf(where), invalid, bad])
  },
  'constructor and its like': (aim) => {
    const where = anywhere(aim)
    const body = goodBody(aim, where).replace(
      '{',
      `{"${aim.pick(['constructor', 'prototype', 'toString', 'hasOwnProperty', 'toJSON', 'then', 'length', '$where', '', ' ', '\\u0000', 'a.b'])}":${aim.pick(['{"prototype":{"x":1}}', 'null', '1', '""'])},`,
    )
    return sent(aim, where, body, [invalid])
  },
  'fields that are not theirs to write': (aim) => {
    const where = aim.pick([create, register])
    const mine =
      where === create
        ? [
            '"id":"x"',
            '"mrn":"1"',
            '"version":9',
            '"restricted":true',
            '"createdAt":"2020-01-01"',
            '"voided":true',
            '"status":"voided"',
            '"status":"merged"',
          ]
        : [
            '"roles":["admin"]',
            '"role":"admin"',
            '"disabled":false',
            '"patientId":"x"',
            '"passwordHash":"x"',
            '"totpEnabled":true',
            '"scope":"admin"',
            '"isAdmin":true',
          ]
    return sent(aim, where, goodBody(aim, where).replace('{', `{${aim.pick(mine)},`), [invalid])
  },
  'invalid UTF-8': (aim) => {
    const where = aim.pick([signIn, create])
    const junk = aim.pick(['\xff', '\xc0\xaf', '\xed\xa0\x80', '\x80', '\xf8\x88\x80\x80\x80', '\xf0\x9f'])
    const body =
      where === signIn
        ? `{"email":"nobody@edge.test","password":"${junk}"}`
        : goodBody(aim, create).replace(/"family":"/, `"family":"${junk}a`)
    return sent(aim, where, body, [where === signIn ? noAuth : invalid, bad])
  },
  'lone surrogates and NUL': (aim) =>
    sent(
      aim,
      signIn,
      `{"email":"nobody@edge.test","password":"${aim.pick(['\\ud800', '\\udc00\\ud800', 'a\\u0000b', '\\u0000', '\\uffff', '\\ufeff'])}"}`,
      [noAuth],
    ),
  'lone surrogates and NUL in an e-mail': (aim) =>
    sent(
      aim,
      signIn,
      `{"email":"a${aim.pick(['\\ud800', '\\u0000', '\\udfff', '\\u202e'])}@edge.test","password":"x"}`,
      [noAuth, invalid],
    ),
  'lone surrogates in a name': (aim) =>
    sent(
      aim,
      create,
      goodBody(aim, create).replace('"family":"', `"family":"a${aim.pick(['\\ud800', '\\udc00', '\\ud83d'])}`),
      ['201', invalid],
    ),
  'a BOM': (aim) => sent(aim, signIn, `\xef\xbb\xbf${goodBody(aim, signIn)}`, [noAuth, bad]),
  'wrong content types': (aim) =>
    sent(aim, anywhere(aim), aim.chance(0.5) ? '{}' : aim.pick(bodiesOfOthers), [mediaType], {
      headers: [`Content-Type: ${aim.pick(wrongTypes)}`],
      chunked: aim.chance(0.2),
    }),
  'no content type': (aim) =>
    sent(aim, anywhere(aim), '{}', [mediaType], {
      headers: aim.pick([[], ['Content-Type:'], ['Content-Type: ;'], ['X-Content-Type: application/json']]),
    }),
  charsets: (aim) =>
    sent(aim, signIn, goodBody(aim, signIn), [noAuth, bad, mediaType], {
      headers: [
        `Content-Type: application/json; charset=${aim.pick(['utf-16', 'utf-7', 'utf-32', 'iso-8859-1', 'x', 'utf-99', '"utf-8"', '', 'UTF-8', 'utf-8; charset=utf-16'])}`,
      ],
    }),
  'content encodings': (aim) =>
    sent(aim, anywhere(aim), aim.pick([gzipSync('{}').toString('latin1'), '{}']), [mediaType], {
      headers: [
        jsonType,
        `Content-Encoding: ${aim.pick(['gzip', 'deflate', 'br', 'zstd', 'x-gzip', 'compress', 'gzip, gzip', 'x', 'aws-chunked'])}`,
      ],
    }),
  'a bomb': (aim) =>
    sent(aim, aim.pick([create, search]), bomb, [mediaType], { headers: [jsonType, 'Content-Encoding: gzip'] }),
  oversized: (aim) => oversized(aim),
  'announced oversized': (aim) => sizeOf(aim),
  full: (aim) => full(aim),
  'honest, chunked': (aim) => {
    const where = aim.pick([signIn, search, create])
    return sent(aim, where, goodBody(aim, where), [answerOf(where)], { chunked: true })
  },
  'login fields': (aim) => wrongField(aim, signIn, loginFields),
  'register fields': (aim) => wrongField(aim, register, registerFields),
  'chart fields': (aim) => wrongField(aim, create, createFields),
  'search fields': (aim) => wrongField(aim, search, searchFields),
  'patterns in a chart': (aim) =>
    sent(
      aim,
      create,
      json({
        ...(JSON.parse(goodBody(aim, create)) as object),
        ...aim.pick([
          (text: string) => ({ race: text }),
          (text: string) => ({ addresses: [{ city: text }] }),
          (text: string) => ({ telecom: [{ system: 'phone', value: text }] }),
          (text: string) => ({ name: { given: [text], family: 'x' } }),
          (text: string) => ({ name: { given: ['x'], family: text } }),
        ])(aim.pick(threats)),
      }),
      [invalid],
    ),
  'patterns in a search': (aim) => sent(aim, search, json({ q: aim.pick(threats) }), [invalid]),
  'patterns in an account': (aim) =>
    sent(
      aim,
      register,
      json({ email: `${aim.id}@edge.test`, password: `Aa1${aim.text(12)}`, fullName: aim.pick(threats) }),
      [invalid],
    ),
  'patterns in a login': (aim) =>
    sent(aim, signIn, json({ email: 'nobody@edge.test', password: aim.pick(threats) }), [noAuth]),
  'patterns in an e-mail': (aim) =>
    sent(
      aim,
      aim.pick([signIn, register]),
      json({
        email: `${aim.pick(["' OR 1=1--", '<script>', 'a b', 'a,b', '\u0000'])}@edge.test`,
        password: 'Aa1aaaaaaa',
        fullName: 'x',
      }),
      [invalid],
    ),
  'odd but honest names': (aim) =>
    sent(
      aim,
      create,
      json({
        ...(JSON.parse(goodBody(aim, create)) as object),
        name: {
          given: [
            aim.pick([
              "O'Conner",
              'null',
              'NaN',
              'a < b',
              '1=1',
              'DROP TABLE',
              '😀',
              'ﷺ',
              'Ｚ̸̖a͂l͟g̢o',
              '--',
              '%',
              '\\',
              '&amp;',
              'true',
            ]),
          ],
          family: aim.pick(["D'Arcy", 'Smith & Sons', 'Null', 'a'.repeat(100), 'עִבְרִית', '0']),
        },
      }),
      ['201'],
    ),
  'odd but honest searches': (aim) =>
    sent(
      aim,
      search,
      json({ q: aim.pick(['%', '_', '\\', "'", '"', '%%%', "O'", '😀', '$1', '(', '[a-z]*', '|', '&', ':*', '!']) }),
      ['200'],
    ),
  'a new account': (aim) => sent(aim, register, goodBody(aim, register), ['201']),
  queries: (aim) => {
    const [role, target, ...intended] = queries(aim)
    return { bytes: aim.request({ target, token: aim.world.tokens[role] }), intended, reaches: true }
  },
  conditions: (aim) => conditional(aim),
  'bodies where none belong': (aim) => {
    const [method, target, intended] = aim.pick([
      ['GET', patients, invalid],
      ['DELETE', `${patients}/${aim.world.chartId}`, notAllowed],
      ['GET', `${patients}/${aim.world.chartId}`, invalid],
      ['POST', `${patients}/${aim.world.chartId}/void`, forbidden],
    ] as const)
    return {
      bytes: aim.request({ method, target, token: aim.world.tokens.nurse, headers: [jsonType], body: '{"x":1}' }),
      intended: [intended],
      reaches: true,
    }
  },
}
