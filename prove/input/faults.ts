/** What is wrong with the other two thirds: one thing of a request that is right, or everything. */
import fc from 'fast-check'
import type { Operation } from '../operations.ts'
import type { Draft } from './valid.ts'

const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
const long = 'x'.repeat(20_000)

/** JSON as it is written, so that a value can be what JSON.stringify would not say. */
const values = [
  ...['null', 'true', '""', '" "', '0', '-0', '-1', '1.5', '1e400', '-1e-400', '99999999999999999999', '{}', '[]'],
  ...[
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"\\udfff x"',
    '"\\ud83d"',
    '"\u202eabc\u202c"',
    '"e\u0301\u0301\u0301"',
  ],
  ...[
    '"\uffff"',
    '"\ufeff"',
    '"\\u001b[31m"',
    '"2023-02-30"',
    '"0000-00-00"',
    '"9999-12-31"',
    '"10000-01-01"',
    '"NaN"',
  ],
  ...['"-0"', '"1e9"', '"2147483648"', '"9223372036854775808"', '"../../etc/passwd"', '"%00"', '"\'; DROP TABLE x;--"'],
  ...['"00000000-0000-0000-0000-000000000000"', '"__proto__"', '{"__proto__":{"a":1}}', '{"$ne":null}', '[[[]]]'],
  ...[`"${long}"`, `"${'👩‍👩‍👧'.repeat(500)}"`, deep(200), deep(50_000), `[${'0,'.repeat(3000)}0]`],
]
/** The same in a URL or a form. */
const texts = [
  ...[
    '',
    '%00',
    '%',
    '%zz',
    '%ff%fe',
    '%ED%A0%80',
    '%C0%AE',
    '-0',
    '-1',
    '1.5',
    '1e400',
    '0x10',
    'NaN',
    'null',
    'true',
  ],
  ...[
    '99999999999999999999',
    '2147483648',
    '2023-02-30',
    '2023-02-30T25:61:00Z',
    '+275760-09-13T00:00:00Z',
    '%E2%80%AE',
  ],
  ...['%F0%9F%91%A9', 'e%CC%81', '..%2f..%2fetc', '%27%20OR%201%3D1--', '00000000-0000-0000-0000-000000000000'],
  ...['ge2023-02-30', 'Patient%2F1', '*', '%5B%5D', '__proto__', 'x'.repeat(3000), '%D8%B9'.repeat(200), '%0d%0aX:1'],
]
const headerValues = [
  '',
  '*',
  '"0"',
  '"-1"',
  'W/"1"',
  '"1", "2"',
  '1',
  '"99999999999"',
  '"\xff"',
  'x'.repeat(5000),
  '""',
]
const types = [
  ...['', 'text/plain', 'application/json; charset=utf-16', 'application/json; charset=nonsense', 'application/json;'],
  ...['application/xml', 'multipart/form-data', 'multipart/form-data; boundary=x', '*/*', 'json', 'application/JSON'],
  ...['application/x-www-form-urlencoded', 'application/x-ndjson', 'text/csv; charset=latin1', 'application/fhir+json'],
]
const more: Record<string, string[]> = {
  'if-match': headerValues,
  'if-none-match': headerValues,
  'content-type': types,
  'content-encoding': ['gzip', 'br', 'identity', 'nonsense'],
  accept: ['application/xml', '*/*;q=0', 'nonsense', 'text/csv', 'application/fhir+json;fhirVersion=9'],
  authorization: ['', 'Bearer', 'Basic eDp5', 'Bearer a.b.c', `Bearer ${'x'.repeat(4000)}`, 'bearer \xff'],
  range: ['bytes=0-0', 'bytes=9-1', 'lines=1'],
  'idempotency-key': ['', 'x'.repeat(4000), '\xff'],
  'last-event-id': ['-1', '99999999999999999999', 'x'],
  traceparent: ['00-0-0-0', 'x'.repeat(300)],
}

/** A number for each thing that can be replaced in a body, or deleted from it. */
function sizeOf(value: unknown): number {
  return typeof value === 'object' && value !== null
    ? Object.values(value).reduce<number>((sum, member) => sum + sizeOf(member), 1)
    : 1
}

/** The body as text, with what stands at a place written otherwise. */
function write(value: unknown, at: { left: number }, bad: string): string {
  if (at.left-- === 0) return bad
  if (Array.isArray(value)) return `[${value.map((one) => write(one, at, bad)).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, one]) => `${JSON.stringify(name)}:${write(one, at, bad)}`)
    .join()}}`
}

const pick = <T>(list: readonly T[], n: number): T => list[n % list.length]!
type Fault = (draft: Draft, dice: [number, number]) => Draft

const inBody: Fault[] = [
  (draft, [n, m]) => {
    const text = typeof draft.body === 'string'
    const body = text
      ? `${draft.body as string}&${pick(texts, m)}`
      : write(draft.body, { left: n % sizeOf(draft.body) }, pick(values, m))
    return { ...draft, body }
  },
  (draft, [n, m]) => {
    if (typeof draft.body !== 'object' || !draft.body) return { ...draft, body: pick(values, m) }
    const names = Object.keys(draft.body)
    return { ...draft, body: { ...draft.body, [pick([...names, 'x'], n)]: undefined } }
  },
  (draft, [n, m]) => ({
    ...draft,
    body: `{"${pick(['extra', '__proto__', 'constructor', '', 'id'], n)}":${pick(values, m)},${asText(draft.body).slice(1)}`,
  }),
  // the same member twice
  (draft, [, m]) => {
    const text = asText(draft.body)
    const [first = '"x":'] = /"\w+":/.exec(text) ?? []
    return { ...draft, body: `{${first}${pick(values, m)},${text.slice(1)}` }
  },
  (draft, [n]) => ({ ...draft, body: asText(draft.body).slice(0, n % (asText(draft.body).length + 1)) }),
  (draft, [n]) => ({
    ...draft,
    body: Buffer.concat([Buffer.from(asText(draft.body).slice(0, n % 40)), Buffer.from([0xff, 0xc0, n & 255])]),
  }),
  (draft, [n]) => ({ ...draft, headers: { ...draft.headers, 'content-type': pick(types, n) } }),
]
const anywhere: Fault[] = [
  (draft, [n, m]) => ({
    ...draft,
    query: [...draft.query, [pick(['x', '_format', 'limit', 'cursor', '__proto__'], n), pick(texts, m)]],
  }),
  (draft, [n, m]) => {
    const name = pick(Object.keys(more), n)
    return { ...draft, headers: { ...draft.headers, [name]: pick(more[name]!, m) } }
  },
]
/** @param names of the query that the operation knows */
const inQuery = (names: string[]): Fault[] => [
  (draft, [n, m]) => ({
    ...draft,
    query: [...draft.query.filter(([name]) => name !== pick(names, n)), [pick(names, n), pick(texts, m)]],
  }),
  (draft, [n, m]) => ({ ...draft, query: [...draft.query, [pick(names, n), pick(texts, m)], [pick(names, n), '1']] }),
]
const inPath: Fault = (draft, [n, m]) => ({
  ...draft,
  params: { ...draft.params, [pick(Object.keys(draft.params), n)]: pick(texts.slice(1), m) },
})
const inMatch: Fault = (draft, [n, m]) => {
  const { 'if-match': _gone, ...headers } = draft.headers
  return { ...draft, headers: n % 3 ? { ...headers, 'if-match': pick(headerValues, m) } : headers }
}

const asText = (body: unknown): string => (typeof body === 'string' ? body : (JSON.stringify(body) ?? ''))

export function nearlyValid({ parameters, bodies }: Operation, valid: fc.Arbitrary<Draft>): fc.Arbitrary<Draft> {
  const names = parameters.filter((one) => one.in === 'query').map(({ name }) => name)
  const faults = [
    ...anywhere,
    ...(names.length ? inQuery(names) : []),
    ...(parameters.some((one) => one.in === 'path') ? [inPath] : []),
    ...(parameters.some(({ name }) => name === 'If-Match') ? [inMatch] : []),
    // most of what can be wrong
    ...(bodies.length ? [...inBody, ...inBody] : []),
  ]
  return fc
    .tuple(valid, fc.nat(faults.length - 1), fc.nat(99_999), fc.nat(99_999))
    .map(([draft, which, n, m]) => faults[which]!(draft, [n, m]))
}

const methods = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'SEARCH',
  'QUERY',
  'PURGE',
]

/** Any method, any bytes in the path, its query, its headers and its body. */
export function nonsense({ path }: Operation): fc.Arbitrary<Draft> {
  const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((some) => Buffer.from(some))
  const escaped = bytes(12).map((some) => [...some].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))
  const loose = fc.string({ unit: fc.constantFrom(...'abc019/.;:%=&?*~!$,@|{}[]"<>^`\\'), maxLength: 20 })
  const part = fc.oneof(escaped, loose, fc.constantFrom(...texts))
  const parts = fc.tuple(part, part, part)
  return fc
    .record({
      ...{
        method: fc.constantFrom(...methods),
        parts,
        body: fc.option(bytes(300), { nil: undefined }),
        n: fc.nat(199),
      },
      header: fc.tuple(fc.constantFrom(...Object.keys(more), 'x-nonsense', 'cookie', 'expect'), bytes(30)),
      caller: fc.record({ n: fc.nat(29), may: fc.boolean() }),
    })
    .map(({ method, parts: [first, second, third], body, n, header: [name, value], caller }) => ({
      ...{ method, n, caller, params: {}, body },
      path: `${path.replaceAll(/\{\w+\}/g, first)}${n % 3 ? '' : `/${second}`}`,
      query: n % 2 ? [[second, third]] : [],
      headers: {
        [name]: value.toString('latin1').replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, ''),
        ...(body && { 'content-type': pick(types.slice(1), n) }),
      },
    }))
}
