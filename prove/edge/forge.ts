import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

export type Forge = ReturnType<typeof buildForge>
type Json = Record<string, unknown>

const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')

/**
 * Makes tokens of every sort out of one that is good.
 * @param own the platform's signing key: with it a token can be wrong in nothing but one claim
 */
export function buildForge(good: string, own: KeyObject, publicKey: KeyObject) {
  const [header, claims] = good
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Json)
  const strangers = {
    ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  }
  const join = (head: unknown, body: unknown): string => `${encode(head)}.${encode(body)}`
  const dsa = (data: string, key: KeyObject, dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363'): string =>
    sign('sha256', Buffer.from(data), { key, dsaEncoding }).toString('base64url')

  return {
    good,
    header: header!,
    claims: claims!,
    publicKey,
    strangers,
    /** With the platform's own key. */
    own(changes: { header?: Json; claims?: Json }, dsaEncoding?: 'der'): string {
      const data = join({ ...header, ...changes.header }, { ...claims, ...changes.claims })
      return `${data}.${dsa(data, own, dsaEncoding)}`
    },
    /** With the platform's own key, whatever the parts are. */
    ownOf(head: unknown, body: unknown): string {
      const data = join(head, body)
      return `${data}.${dsa(data, own)}`
    },
    stranger(head: Json = {}, body: Json = {}): string {
      const data = join({ ...header, ...head }, { ...claims, ...body })
      return `${data}.${dsa(data, strangers.ec.privateKey)}`
    },
    rsa(head: Json = {}): string {
      const data = join({ ...header, alg: 'RS256', ...head }, claims)
      return `${data}.${sign('sha256', Buffer.from(data), strangers.rsa.privateKey).toString('base64url')}`
    },
    hmac(secret: string | Buffer, head: Json = {}): string {
      const data = join({ ...header, alg: 'HS256', ...head }, claims)
      return `${data}.${createHmac('sha256', secret).update(data).digest('base64url')}`
    },
    unsigned(alg: unknown, signature = ''): string {
      return `${join({ ...header, alg }, claims)}.${signature}`
    },
  }
}
