import { deflateRawSync } from 'node:zlib'
import type { World } from '../edge/shot.ts'
import type { PlatformKeys } from './platform-keys.ts'
import { part, signBy, type Forgeries } from './strangers.ts'

const now = () => Math.floor(Date.now() / 1000)

/** A claim of each name with each value, signed as the platform does it. */
const each = (names: readonly string[], values: readonly unknown[], own: (claims: Record<string, unknown>) => string) =>
  names.flatMap((name) => values.map((value) => own({ [name]: value })))

/** With the platform's own key, so that nothing but what is named is wrong. */
export function forgeClaims({ forge }: World, keys: PlatformKeys): Forgeries {
  const signed = (head: unknown, body: unknown) => signBy('ES256', head, body, keys.own)
  const own = (claims: Record<string, unknown>) => forge.own({ claims })
  const { header, claims } = forge
  const raw = JSON.stringify(claims)
  const twice = (text: string, more: string) => `${text.slice(0, -1)},${more}}`
  const [head, body, signature] = forge.good.split('.')
  const plainHead = JSON.stringify(header)
  return {
    'claims that are missing or no such thing': [
      ...each(['sub', 'sid', 'jti'], [undefined, null, 7, {}, [], true], own),
      ...each(
        ['iss', 'aud'],
        [undefined, null, 7, {}, [], true, '', 'evil', ['evil'], [['caregate']], 'caregate,evil', '*'],
        own,
      ),
      ...each(['roles'], [undefined, null, 'admin', { length: 1, 0: 'admin' }, 7, true], own),
      ...each(['exp'], [undefined, null, String(now() + 900), `${now() + 900}`, {}, [now() + 900], true, 'never'], own),
      ...each(['nbf'], [now() + 600, '0', {}, [0], 'never', true], own),
    ],
    'claims of a shape that auth never gives': [
      ...each(['scope'], ['x', 'constructor', '', 7, {}, ['password']], own),
      ...each(['name'], [undefined, 7, {}, ['x']], own),
      ...each(['sub'], ['x', '', 'a'.repeat(3000), '\u0000', 'a\r\nX-User-Id: b', 'é…'], own),
      ...each(['roles'], [[7], [null], [['nurse']], ['nurse', 'a\r\nb']], own),
    ],
    'times that are over or not yet come': [0, 0.5, -1, -1e308, 1, now() - 1, now() - 86_400]
      .map((exp) => own({ exp }))
      .concat([60, 600, 86_400, 1e9].map((more) => own({ nbf: now() + more, exp: now() + 2e9 }))),
    'other kinds of token': [
      'JWT',
      'jwt',
      'id+jwt',
      'rt+jwt',
      'logout+jwt',
      'secevent+jwt',
      'dpop+jwt',
      'token-introspection+jwt',
      'vp+jwt',
      'application/jwt',
      'at',
      'at+jwt;x=1',
      'at+jwt\u0000',
      '',
      undefined,
      null,
      7,
      ['at+jwt'],
      {},
    ].map((typ) => forge.own({ header: { typ } })),
    'crit that nobody understands': [
      ['exp'],
      ['x'],
      ['b64'],
      ['alg'],
      [],
      'exp',
      ['exp', 'exp'],
      ['http://x.example/y'],
      null,
      7,
      {},
    ].flatMap((crit) => [forge.own({ header: { crit, exp: now() + 900, b64: true } }), forge.stranger({ crit })]),
    'members twice': [
      ...['"alg":"none"', '"alg":"HS256"', '"typ":"JWT"', '"kid":"other"', '"kid":null'].flatMap((more) => [
        forge.ownOf(twice(plainHead, more), claims),
        `${part(twice(plainHead, more))}.${body}.${signature}`,
        `${part(`{${more},${plainHead.slice(1)}`)}.${body}.`,
      ]),
      ...['"exp":1', '"aud":"evil"', '"iss":"evil"', '"sid":null', '"roles":"admin"'].map((more) =>
        forge.ownOf(header, twice(raw, more)),
      ),
      ...['"roles":["admin"]', '"exp":99999999999', '"\\u0072oles":["admin"]'].map(
        (more) => `${head}.${part(twice(raw, more))}.${signature}`,
      ),
    ],
    'compressed or not encoded': [
      signed({ ...header, zip: 'DEF' }, deflateRawSync(raw)),
      signed({ ...header, zip: 'GZIP' }, deflateRawSync(raw)),
      `${part({ ...header, zip: 'DEF' })}.${part(deflateRawSync(raw))}.${signature}`,
      ...[{ b64: false }, { b64: false, crit: ['b64'] }].flatMap((more) => {
        const [first, , own] = forge.own({ header: more }).split('.')
        return [`${first}.${raw}.${own}`, `${first}..${own}`, `${part({ ...header, ...more })}.${body}.${signature}`]
      }),
    ],
    nested: [
      forge.ownOf({ ...header, cty: 'JWT' }, forge.good),
      forge.ownOf(header, JSON.stringify(forge.good)),
      forge.ownOf({ ...header, cty: 'JWT', alg: 'none' }, forge.good),
      ...['dir', 'ECDH-ES', 'RSA-OAEP', 'A256KW', 'PBES2-HS256+A128KW'].map((alg) =>
        [
          part({ ...header, alg, enc: 'A256GCM', p2c: 2 ** 31 - 1, p2s: 'AAAA' }),
          '',
          'A'.repeat(16),
          body,
          'A'.repeat(22),
        ].join('.'),
      ),
      part({ payload: body, signatures: [{ protected: head, signature }] }),
      `${part({ payload: body, protected: head, signature })}.${body}.${signature}`,
    ],
    'JSON that is none': [
      '\ufeff' + plainHead,
      `${plainHead}{}`,
      `${plainHead}//`,
      plainHead.replaceAll('"', "'"),
      `[${plainHead}]`,
      `{"__proto__":${plainHead}}`,
      `{"constructor":{"prototype":${plainHead}}}`,
      JSON.stringify(plainHead),
      '['.repeat(3000),
      '{"alg":'.repeat(700),
      Buffer.from(plainHead, 'utf16le'),
      Buffer.from('ff00fe80', 'hex'),
      '',
      ' ',
    ].flatMap((text) => [
      signed(text, claims),
      signed(header, Buffer.isBuffer(text) ? text : text.replaceAll('"alg"', '"sub"')),
    ]),
  }
}
