import {
  bad,
  closed,
  forbidden,
  headersTooLarge,
  host,
  invalid,
  json,
  jsonType,
  jwks,
  login,
  mediaType,
  noAuth,
  notFound,
  patients,
  tooLarge,
  type Aim,
  type Draft,
  type Kinds,
} from './shot.ts'

/** A request that must not be found within another. */
function hidden(aim: Aim): string {
  const id = `${aim.id}-hidden`
  return aim.pick([
    aim.request({ id, target: '/internal/revocations', close: false }),
    aim.request({ id, target: patients, token: aim.world.tokens.admin, close: false }),
    aim.request({ id, target: jwks, close: false, headers: ['X-User-Roles: admin'] }),
    `GET /internal/description HTTP/1.1\r\nHost: ${host}\r\nX-Request-Id: ${id}\r\nX-Ignore: `,
  ])
}
const wrongLogin = (aim: Aim): string => json({ email: `nobody-${aim.text(5)}@edge.test`, password: aim.text(9) })

/** A POST with these lines about its length, in this order, and this body. */
function posted(
  aim: Aim,
  lines: string[],
  body: string,
  intended: string[],
  more: Partial<Draft> & { close?: boolean; target?: string; token?: string } = {},
): Draft {
  const { close, target = login, token, ...rest } = more
  const headers = [jsonType, ...lines]
  return {
    bytes: aim.request({ method: 'POST', target, token, headers, body, length: false, close }),
    intended,
    ...rest,
  }
}
/** What passes streams on, and may have begun to when the body turns out to be none. */
const streamed = (aim: Aim) => ({ target: '/api/v1/patients/import', token: aim.world.tokens.nurse })
/** Refused for its head, wherever it goes. */
const badHead = (aim: Aim, lines: string[], body: string): Draft =>
  posted(aim, lines, body, [bad], aim.chance(0.3) ? streamed(aim) : {})
/** Refused for its chunks. */
function badChunks(aim: Aim, body: string): Draft {
  return posted(
    aim,
    ['Transfer-Encoding: chunked'],
    body,
    [bad],
    aim.chance(0.3) ? { ...streamed(aim), reaches: true } : {},
  )
}
const chunk = (text: string, size = text.length.toString(16)): string => `${size}\r\n${text}\r\n`
const chunkedBody = (aim: Aim): string => `${chunk(wrongLogin(aim))}0\r\n\r\n`

const encodings = [
  'xchunked',
  'chunked, identity',
  'chunked, chunked',
  'identity',
  'gzip',
  'chunked;q=1',
  '"chunked"',
  '\x0bchunked',
  '\x0cchunked',
  'chunked\x00',
  'chunked\x0b',
  'chunke',
  'chun ked',
  '\xa0chunked',
  'chunked\xa0',
  'c\xc5\xbfunked',
  'x, identity, x',
  '[chunked]',
  'chunked=1',
  'chunked\r\n ',
  '\r\n chunked',
  '\n chunked',
  'chunked\n',
  '\r chunked',
  'chunked\rX: y',
]
const encodingNames = [
  'Transfer-Encoding ',
  'Transfer-Encoding\t',
  ' Transfer-Encoding',
  '\tTransfer-Encoding',
  'Transfer-Encoding\x00',
  'Transfer\x0bEncoding',
  'X: y\nTransfer-Encoding',
  'X: y\rTransfer-Encoding',
  'Transfer Encoding',
]
const lengths = [
  '+5',
  '-1',
  '-0',
  '0x5',
  '5.0',
  '5e0',
  '5,5',
  '5, 5',
  '5;5',
  '5 5',
  '5\x00',
  '\x0b5',
  '99999999999999999999999',
  '18446744073709551621',
  '',
  '"5"',
  '\xb2',
  '5\r\n 0',
  'five',
  '5\rX: y',
]
const sizes = [
  '0x3',
  '+3',
  '-3',
  '3 ',
  ' 3',
  '3\x00',
  '',
  'g',
  'fffffffffffffffff',
  '10000000000000003',
  '3\t',
  '3\x0b',
  '3\n',
  '\r\n3',
  '3.0',
  'three',
]
const extensions = [';a\n', ';a=b\nX: y', ';a\rb', ';\x00', ';a="b\r\nc"', ';a=b\x01', ' ;a\x7f', ';a="\n"']

/** Two requests at once on one connection, each of which is answered for itself. */
function pipelined(aim: Aim, second: string, answer: string, reaches: boolean): Draft {
  const id = `${aim.id}-second`
  const bytes =
    aim.request({ target: `${patients}?limit=1`, token: aim.world.tokens.nurse, close: false }) +
    second.replaceAll(aim.id, id)
  return { bytes, intended: [`200, ${answer}`], reaches: true, alsoReach: reaches ? [id] : [] }
}

export const smuggling: Kinds = {
  'CL.TE': (aim) => {
    const inner = `0\r\n\r\n${hidden(aim)}`
    const lines = [`Content-Length: ${inner.length}`, 'Transfer-Encoding: chunked']
    return badHead(aim, aim.chance(0.5) ? lines : lines.reverse(), inner)
  },
  'TE.CL': (aim) => {
    const inner = hidden(aim)
    const body = `${chunk(inner)}0\r\n\r\n`
    const lines = [`Content-Length: ${body.indexOf('\r\n') + 2}`, 'Transfer-Encoding: chunked']
    return badHead(aim, aim.chance(0.5) ? lines : lines.reverse(), body)
  },
  'TE.TE': (aim) =>
    badHead(
      aim,
      [
        `Transfer-Encoding: ${aim.pick(['chunked', 'x'])}`,
        `${aim.mixCase('transfer-encoding')}: ${aim.pick(['x', 'identity', 'chunked', 'cow'])}`,
      ],
      `0\r\n\r\n${hidden(aim)}`,
    ),
  'transfer encodings': (aim) => badHead(aim, [`Transfer-Encoding: ${aim.pick(encodings)}`], `0\r\n\r\n${hidden(aim)}`),
  'transfer encodings and a length': (aim) => {
    const body = `0\r\n\r\n${hidden(aim)}`
    return badHead(aim, [`Content-Length: ${body.length}`, `Transfer-Encoding: ${aim.pick(encodings)}`], body)
  },
  'names of Transfer-Encoding': (aim) =>
    badHead(aim, [`Content-Length: 5`, `${aim.pick(encodingNames)}: chunked`], `0\r\n\r\n${hidden(aim)}`),
  'another coding before chunked': (aim) =>
    posted(
      aim,
      [`Transfer-Encoding: ${aim.pick(['gzip, chunked', 'identity, chunked', 'x, chunked'])}`],
      chunkedBody(aim),
      [bad, noAuth, mediaType],
      { reaches: true },
    ),
  'spellings of chunked': (aim) =>
    posted(
      aim,
      [
        `Transfer-Encoding:${aim.pick([' chunked', '\tchunked', 'chunked', ' chunked ', `   ${aim.mixCase('chunked')}`])}`,
      ],
      chunkedBody(aim),
      [noAuth],
      { reaches: true },
    ),
  'chunked in HTTP/1.0': (aim) => {
    const bytes = posted(aim, ['Transfer-Encoding: chunked'], chunkedBody(aim), [noAuth]).bytes
    return { bytes: bytes.replace('HTTP/1.1', 'HTTP/1.0'), intended: [noAuth, invalid, bad], reaches: true }
  },
  lengths: (aim) => badHead(aim, [`Content-Length: ${aim.pick(lengths)}`], `12345${hidden(aim)}`),
  'spellings of a length': (aim) => {
    const body = wrongLogin(aim)
    return posted(
      aim,
      [
        `Content-Length:${aim.pick([`   ${body.length}  `, `\t${body.length}\t`, `000000${body.length}`.padStart(20)])}`,
      ],
      body,
      [noAuth, bad],
      { reaches: true },
    )
  },
  'a length twice': (aim) =>
    badHead(aim, [`Content-Length: 5`, `Content-Length: ${aim.pick(['5', '6', '0', '05'])}`], `12345${hidden(aim)}`),
  'names of Content-Length': (aim) =>
    badHead(
      aim,
      [
        `${aim.pick(['Content-Length ', ' Content-Length', 'Content-Length\t', 'Content-\x00Length', 'Content Length'])}: 5`,
      ],
      hidden(aim),
    ),
  'sizes of a chunk': (aim) => badChunks(aim, `${aim.pick(sizes)}\r\nabc\r\n0\r\n\r\n${hidden(aim)}`),
  'line ends of chunks': (aim) =>
    badChunks(
      aim,
      aim.pick([
        '3\nabc\n0\n\n',
        '3\r\nabc\n0\r\n\r\n',
        '3\r\nabc0\r\n\r\n',
        '3\rabc\r0\r\r',
        '3\r\nabcd\r\n0\r\n\r\n',
        '3\r\nabc\r\n\r\n0\r\n\r\n',
        '3\r\nab\r\n0\r\n\r\n',
        '3\r\nabc\r\nz\r\n',
        '3\r\nabcXX0\r\n\r\n',
        '0\r\nX\r\n\r\n',
        '0\r\n\n',
      ]) + hidden(aim),
    ),
  'extensions of chunks': (aim) => badChunks(aim, `3${aim.pick(extensions)}\r\nabc\r\n0\r\n\r\n${hidden(aim)}`),
  'honest extensions': (aim) => {
    const text = wrongLogin(aim)
    return posted(
      aim,
      ['Transfer-Encoding: chunked'],
      `${text.length.toString(16)}${aim.pick([';a', ';a=b', ';a="b"', `;${'a'.repeat(200)}`])}\r\n${text}\r\n000${aim.pick(['', ';x=y'])}\r\n\r\n`,
      [noAuth, bad],
      { reaches: true },
    )
  },
  'a large extension': (aim) =>
    posted(aim, ['Transfer-Encoding: chunked'], `3;${'a'.repeat(aim.between(17_000, 40_000))}\r\nabc\r\n0\r\n\r\n`, [
      bad,
      headersTooLarge,
      tooLarge,
    ]),
  trailers: (aim) =>
    posted(
      aim,
      ['Transfer-Encoding: chunked'],
      `${chunk(wrongLogin(aim))}0\r\n${aim.pick(['X-User-Id: admin', 'Host: evil.example', `Authorization: Bearer ${aim.world.tokens.admin}`, 'X-Forwarded-For: 1.1.1.1', 'X-Request-Id: another-request', '__proto__: x'])}\r\n\r\n`,
      [noAuth, bad],
      { reaches: true },
    ),
  'trailers about the length': (aim) =>
    posted(
      aim,
      ['Transfer-Encoding: chunked'],
      `${chunk(wrongLogin(aim))}0\r\n${aim.pick(['Content-Length: 5', 'Transfer-Encoding: chunked'])}\r\n\r\n`,
      [noAuth, bad, `${noAuth}, ${bad}`],
      { reaches: true },
    ),
  'malformed trailers': (aim) =>
    badChunks(
      aim,
      `${chunk(wrongLogin(aim))}0\r\n${aim.pick(['X : y', ' X: y', 'X', '\x00: y', 'X: \x00', 'X: y\n\n'])}\r\n\r\n`,
    ),
  'a large trailer': (aim) =>
    posted(
      aim,
      ['Transfer-Encoding: chunked'],
      `${chunk(wrongLogin(aim))}0\r\nX: ${'a'.repeat(aim.between(17_000, 30_000))}\r\n\r\n`,
      [bad, headersTooLarge],
    ),
  'a body within GET': (aim) => {
    const type = aim.chance(0.5) ? [jsonType] : []
    const { chartId, tokens } = aim.world
    const headers = aim.chance(0.5) ? type : [...type, 'Transfer-Encoding: chunked']
    const isChunked = headers.length > type.length
    const body = isChunked ? `${chunk(hidden(aim))}0\r\n\r\n` : hidden(aim)
    const target = `${patients}/${chartId}`
    return {
      bytes: aim.request({ target, token: tokens.nurse, headers, body, length: !isChunked }),
      intended: [type.length ? bad : mediaType],
      reaches: true,
    }
  },
  // the keys may be kept: then nobody looks at the body
  'a body within a public GET': (aim) => ({
    bytes: aim.request({ headers: aim.pick([[], [jsonType]]), body: hidden(aim) }),
    intended: ['200', mediaType, bad],
    reaches: true,
  }),
  'a body that is a request': (aim) => ({
    bytes: aim.request({
      method: 'POST',
      target: aim.pick([login, '/api/v1/auth/refresh']),
      headers: [jsonType],
      body: hidden(aim),
    }),
    intended: [bad],
    reaches: true,
  }),
  'a body that nobody reads': (aim) => ({
    bytes: aim.request({
      method: aim.pick(['POST', 'PUT', 'GET']),
      target: aim.pick(['/nowhere', '/internal/revocations']),
      body: hidden(aim),
    }),
    intended: [notFound],
  }),
  'a body that is refused before it is read': (aim) => ({
    bytes: aim.request({
      method: 'POST',
      target: aim.pick([patients, '/api/v1/patients/import']),
      headers: [jsonType],
      body: hidden(aim),
      close: aim.chance(0.5),
    }),
    intended: [noAuth],
  }),
  'a length that is too short': (aim) => {
    const body = wrongLogin(aim)
    return posted(aim, [`Content-Length: ${aim.between(1, body.length - 1)}`], body, [bad, `${bad}, ${bad}`], {
      reaches: true,
      close: false,
    })
  },
  'more after Connection: close': (aim) => ({
    bytes: aim.request() + hidden(aim),
    intended: ['200', `200, ${bad}`],
    reaches: true,
  }),
  'an underscore': (aim) =>
    posted(aim, [`Transfer_Encoding: chunked`], `${chunk(hidden(aim))}0\r\n\r\n`, [invalid, `${invalid}, ${bad}`], {
      reaches: true,
    }),
  'one after another': (aim) =>
    pipelined(aim, aim.request({ target: '/api/v1/auth/me', token: aim.world.tokens.auditor }), '200', true),
  'no identity is handed on': (aim) => pipelined(aim, aim.request({ target: `${patients}?limit=1` }), noAuth, false),
  'no host is handed on': (aim) => pipelined(aim, aim.request({ host: null }), bad, false),
  'one after another, to nobody': (aim) =>
    pipelined(aim, aim.request({ target: '/internal/revocations' }), notFound, false),
  'one after another, crooked': (aim) =>
    pipelined(aim, aim.request({ target: '/api/v1/auth/../../../internal' }), bad, false),
  'one after another, unreadable': (aim) => pipelined(aim, 'GET / HTTP/1.1\r\nHost : x\r\n\r\n', bad, false),
  'behind a wish to upgrade': (aim) => {
    const upgrading = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]
    const target = '/api/v1/patients/export'
    return {
      bytes: aim.request({ target, token: aim.world.tokens.nurse, headers: upgrading, close: false }) + hidden(aim),
      intended: [forbidden],
      reaches: true,
    }
  },
  'a body that breaks off': (aim) =>
    posted(aim, [`Content-Length: ${aim.between(500, 5000)}`], wrongLogin(aim), [closed, bad], { ends: true }),
  'chunks that break off': (aim) =>
    posted(
      aim,
      ['Transfer-Encoding: chunked'],
      aim.pick(['', '5', '5\r\nab', '5\r\nabcde\r\n', '5\r\nabcde\r\n0\r\n']),
      [closed, bad],
      { ends: true },
    ),
  'a head that breaks off': (aim) => {
    const bytes = aim.request()
    return { bytes: bytes.slice(0, aim.between(1, bytes.length - 1)), intended: [closed, bad], ends: true }
  },
}
