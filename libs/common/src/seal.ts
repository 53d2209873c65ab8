import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto'

/** Seals what goes through hands that must not read it: a database's, a client's (AES-256-GCM). */
export interface Seal {
  /** @param name what it belongs to: sealed under one name, it opens under that name alone */
  close(name: string, plain: string): string
  /** @throws when it was sealed under another key, or under another name */
  open(name: string, sealed: string): string
  /** @returns it sealed anew; undefined when it is under the current key already */
  renew(name: string, sealed: string): string | undefined
}

/**
 * 256 bits: what one secret gives for one purpose says nothing about those for others. An object: Node would make one of bytes
 * at every use, for more than the use itself costs.
 */
export const deriveKey = (secret: string, purpose: string): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', purpose, 32)))

/**
 * @param purpose what one secret seals for one purpose opens for no other
 * @param previous the secret before: it opens still
 */
export function buildSeal(purpose: string, secret: string, previous?: string): Seal {
  const current = deriveKey(secret, purpose)
  const known = previous ? [current, deriveKey(previous, purpose)] : [current]

  function open(name: string, sealed: string): { plain: string; by: KeyObject } {
    const bytes = Buffer.from(sealed, 'base64')
    for (const by of known) {
      const decipher = createDecipheriv('aes-256-gcm', by, bytes.subarray(0, 12), { authTagLength: 16 })
      decipher.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(12, 28))
      try {
        const plain = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
        return { plain, by }
      } catch {
        // perhaps under the other key
      }
    }
    throw new Error(`${name} was sealed under another key.`)
  }
  function close(name: string, plain: string): string {
    const iv = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', current, iv).setAAD(Buffer.from(name))
    const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')
  }
  return {
    close,
    open: (name, sealed) => open(name, sealed).plain,
    renew(name, sealed) {
      const { plain, by } = open(name, sealed)
      return by === current ? undefined : close(name, plain)
    },
  }
}
