import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { invalid } from './errors.ts'

/** Opaque cursors: what a page ended with may be a name or a date of birth, so it is encrypted (AES-256-GCM). */
export interface Cursors {
  /** `list` names the list that the cursor is for, so that one list's cursor is refused by another. */
  encode(list: string, position: unknown): string
  /** @throws a 422 that names `cursor` */
  decode<T>(list: string, cursor: string): T
}

export function buildCursors(key: string): Cursors {
  const aes = Buffer.from(hkdfSync('sha256', key, '', 'caregate cursor', 32))
  return {
    encode(list, position) {
      const iv = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', aes, iv).setAAD(Buffer.from(list))
      const sealed = Buffer.concat([cipher.update(JSON.stringify(position), 'utf8'), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')
    },
    decode(list, cursor) {
      try {
        const bytes = Buffer.from(cursor, 'base64url')
        const decipher = createDecipheriv('aes-256-gcm', aes, bytes.subarray(0, 12), { authTagLength: 16 })
        decipher.setAAD(Buffer.from(list)).setAuthTag(bytes.subarray(12, 28))
        return JSON.parse(
          Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8'),
        ) as never
      } catch {
        throw invalid({ path: 'cursor', message: 'cursor is not one that this list gave out' })
      }
    },
  }
}
