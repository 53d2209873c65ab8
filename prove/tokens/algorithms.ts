import { createPublicKey } from 'node:crypto'
import type { World } from '../edge/shot.ts'
import type { PlatformKeys } from './platform-keys.ts'
import type { Forgeries } from './strangers.ts'
import { algorithmNames, hmacBy, part, signBy, spellingsOf } from './strangers.ts'

const nones = [
  'none',
  'None',
  'NONE',
  'nOnE',
  ' none',
  'none ',
  'none\u0000',
  'n\u043ene',
  'null',
  '',
  null,
  false,
  0,
  [],
  ['none'],
  {},
]
const nobody = 'http://127.0.0.1:9'

export function forgeAlgorithms({ forge, tokens }: World, keys: PlatformKeys): Forgeries {
  const { header, claims, publicKey } = forge
  const signature = forge.good.split('.')[2]!
  const spellings = spellingsOf(publicKey, header.kid)
  const rsaPublic = createPublicKey(keys.rsa.key)
  const rsaHead = { ...header, kid: keys.rsa.kid }
  return {
    'alg none in every spelling': nones.flatMap((alg) => [
      forge.unsigned(alg, signature),
      forge.unsigned(alg, 'AA'),
      forge.unsigned(alg),
    ]),
    'HMAC with the public key': spellings.flatMap((secret) => [
      hmacBy('256', secret, header, claims),
      hmacBy('512', secret, header, claims),
      forge.hmac(secret, { alg: 'ES256' }),
    ]),
    'other algorithms, rightly signed': algorithmNames.flatMap((alg) => [
      signBy(alg, { ...header, alg }, claims),
      signBy(alg, { ...header, alg: 'ES256' }, claims),
      signBy(alg, { ...header, alg, kid: 'other' }, claims),
    ]),
    'the RSA key of another algorithm': [
      ...['RS256', 'RS512', 'PS256'].flatMap((alg) => [
        signBy(alg, { ...rsaHead, alg }, claims, keys.rsa.key),
        signBy(alg, { ...rsaHead, alg: 'ES256' }, claims, keys.rsa.key),
      ]),
      ...spellingsOf(publicKey, keys.rsa.kid).map((secret) => hmacBy('256', secret, rsaHead, claims)),
      hmacBy('256', rsaPublic.export({ type: 'spki', format: 'pem' }), rsaHead, claims),
    ],
    'the secret as a key of HS256': [header.kid, keys.shared.kid, 'shared', ''].flatMap((kid) => [
      hmacBy('256', keys.shared.secret, { ...header, kid }, claims),
      forge.hmac(keys.shared.secret, { kid, alg: 'ES256' }),
    ]),
    'a key that was taken back': keys.retired,
    'another issuer, and its key': ['caregate', 'https://issuer.example', ''].flatMap((iss) => [
      forge.stranger({}, { iss }),
      forge.stranger({ kid: 'of-another-issuer' }, { iss, roles: ['admin'] }),
      forge.own({ claims: { iss: `${iss}/`, roles: ['admin'] } }),
      forge.own({ claims: { iss: [iss] } }),
    ]),
    'keys in the header': keysInside(forge),
    'elevated roles': Object.values(tokens).flatMap((token) => {
      const [head, , own] = token.split('.')
      const more = part({ ...claims, roles: ['admin', 'auditor', 'clinician'] })
      return [`${head}.${more}.${own}`, `${head}.${more}.${signature}`, forge.stranger({}, { roles: ['admin'] })]
    }),
    'parts of several tokens': Object.values(tokens).flatMap((one) =>
      Object.values(tokens)
        .filter((other) => other !== one)
        .map((other) => `${one.split('.')[0]}.${other.split('.')[1]}.${one.split('.')[2]}`),
    ),
  }
}

function keysInside(forge: World['forge']): string[] {
  const { publicKey } = forge.strangers.ec
  const jwk = publicKey.export({ format: 'jwk' })
  const pem = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const heads = [
    { jwk },
    { jwk: { ...jwk, kid: forge.header.kid } },
    { jwk: [jwk] },
    { jwk: JSON.stringify(jwk) },
    { jwks: { keys: [jwk] } },
    { jku: `${nobody}/.well-known/jwks.json` },
    { jku: `http://127.0.0.1:8001@${nobody.slice(7)}/jwks.json` },
    { jku: `data:application/json,${encodeURIComponent(JSON.stringify({ keys: [jwk] }))}` },
    { jku: 'file:///etc/passwd' },
    { x5u: `${nobody}/x.pem` },
    { x5c: [pem] },
    { x5c: pem },
    { x5t: 'AAAA', 'x5t#S256': 'AAAA' },
    { epk: jwk, apu: '', apv: '' },
    { key: jwk },
  ].flatMap((more) => [more, { ...more, kid: undefined }, { ...more, kid: 'own' }])
  const secret = Buffer.alloc(32, 7)
  const oct = { kty: 'oct', k: secret.toString('base64url'), kid: 'own', alg: 'HS256' }
  return [
    ...heads.map((head) => forge.stranger(head)),
    ...[{ jwk: oct }, { jwk: oct, kid: 'own' }].map((head) => forge.hmac(secret, head)),
    ...['/dev/null', '../../../dev/null', "x' UNION SELECT '", 'file:///dev/null', '|/bin/true', '$(true)'].map((kid) =>
      forge.hmac('', { kid }),
    ),
    ...['__proto__', 'a'.repeat(6000), '\ud800', '%00', '\r\nX: y'].map((kid) => forge.stranger({ kid })),
  ]
}
