import {
  constants,
  createHmac,
  generateKeyPairSync,
  sign,
  type JsonWebKey,
  type KeyObject,
  type SignKeyObjectInput,
} from 'node:crypto'

/** Tokens that must not be good, by how they were made (RFC 8725, and the attacks that it and others tell of). */
export type Forgeries = Readonly<Record<string, readonly string[]>>

type Json = Record<string, unknown>

/** A part of a token: JSON, or what stands there instead. */
export const part = (of: unknown): string =>
  Buffer.from(typeof of === 'string' || Buffer.isBuffer(of) ? of : JSON.stringify(of)).toString('base64url')

const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
const p1363 = { dsaEncoding: 'ieee-p1363' } as const

/** RFC 7518, 8037 and 8812: which hash, which sort of key, and how. */
const algorithms: Record<string, [hash: string | null, key: KeyObject, how?: Omit<SignKeyObjectInput, 'key'>]> = {}
function addAlgorithms(rsa: KeyObject): void {
  for (const bits of ['256', '384', '512']) {
    algorithms[`RS${bits}`] = [`sha${bits}`, rsa]
    algorithms[`PS${bits}`] = [`sha${bits}`, rsa, pss]
  }
  algorithms.ES256 = ['sha256', ec('P-256'), p1363]
  algorithms.ES384 = ['sha384', ec('P-384'), p1363]
  algorithms.ES512 = ['sha512', ec('P-521'), p1363]
  algorithms.ES256K = ['sha256', ec('secp256k1'), p1363]
  algorithms.EdDSA = [null, generateKeyPairSync('ed25519').privateKey]
}
addAlgorithms(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
export const algorithmNames = Object.keys(algorithms)

/** Signs rightly by an algorithm, whatever the header says. @param own instead of a key that nobody knows */
export function signBy(algorithm: string, head: unknown, claims: unknown, own?: KeyObject): string {
  const [hash, key, how] = algorithms[algorithm]!
  const data = `${part(head)}.${part(claims)}`
  return `${data}.${sign(hash, Buffer.from(data), { key: own ?? key, ...how }).toString('base64url')}`
}

export function hmacBy(bits: '256' | '384' | '512', secret: string | Buffer, head: Json, claims: unknown): string {
  const data = `${part({ ...head, alg: `HS${bits}` })}.${part(claims)}`
  return `${data}.${createHmac(`sha${bits}`, secret).update(data).digest('base64url')}`
}

/** All the bytes that somebody might take a public key for. */
export function spellingsOf(publicKey: KeyObject, kid: unknown): (string | Buffer)[] {
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
  const der = publicKey.export({ type: 'spki', format: 'der' })
  const jwk: JsonWebKey = publicKey.export({ format: 'jwk' })
  const published = { ...jwk, kid, alg: 'ES256', use: 'sig' }
  const point = ['x', 'y'].map((name) => Buffer.from(jwk[name] as string, 'base64url'))
  return [
    pem,
    pem.trim(),
    pem.replaceAll('\n', '\r\n'),
    pem.split('\n').slice(1, -2).join(''),
    der,
    der.toString('base64'),
    der.toString('hex'),
    JSON.stringify(jwk),
    JSON.stringify(published),
    JSON.stringify({ keys: [published] }),
    Buffer.concat(point),
    Buffer.concat([Buffer.from([4]), ...point]),
    point[0]!,
    jwk.x!,
    String(kid),
    '',
  ]
}
