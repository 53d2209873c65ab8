import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import { sharedKid, type Algorithm, type FindKey } from '@caregate/common/auth'
import type { Database } from '@caregate/common/database'
import { signingKeyEntity, type SigningKeyRow } from './database.ts'

export interface SigningKey {
  kid: string
  privateKey: KeyObject
}
export interface Keys {
  signing(): SigningKey
  find: FindKey
  /** RFC 7517; empty with HS256. */
  jwks(): { keys: Record<string, string>[] }
}

/** Private keys stand in the database sealed under SECRET_KEY (AES-256-GCM), bound to their id. */
function buildSeal(secretKey: string) {
  const aes = Buffer.from(hkdfSync('sha256', secretKey, '', 'caregate signing keys', 32))
  return {
    close(kid: string, plain: string): string {
      const iv = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', aes, iv).setAAD(Buffer.from(kid))
      const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64')
    },
    open(kid: string, sealed: string): string {
      const bytes = Buffer.from(sealed, 'base64')
      const decipher = createDecipheriv('aes-256-gcm', aes, bytes.subarray(0, 12), { authTagLength: 16 })
      decipher.setAAD(Buffer.from(kid)).setAuthTag(bytes.subarray(12, 28))
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
    },
  }
}

function generate(algorithm: 'ES256' | 'RS256'): { publicKey: KeyObject; privateKey: KeyObject } {
  return algorithm === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 3072 })
}

/**
 * The keys that access tokens are signed with. The first instance to start makes the first key; the others find it.
 * @throws when a stored key can't be opened, i.e. SECRET_KEY is not the one it was sealed under
 */
export async function openKeys(db: Database, algorithm: Algorithm, secretKey: string): Promise<Keys> {
  if (algorithm === 'HS256') {
    const shared = createSecretKey(Buffer.from(secretKey))
    return {
      signing: () => ({ kid: sharedKid, privateKey: shared }),
      find: async (kid) => (kid === sharedKid ? shared : undefined),
      jwks: () => ({ keys: [] }),
    }
  }
  const seal = buildSeal(secretKey)
  const rows = await db.transaction(async (tx): Promise<SigningKeyRow[]> => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtext('caregate signing keys'))`)
    const found = await tx.find(signingKeyEntity, { where: { algorithm }, order: { createdAt: 'DESC' } })
    if (found.length) return found
    const kid = uuidv7()
    const { publicKey, privateKey } = generate(algorithm)
    const row: SigningKeyRow = {
      kid,
      algorithm,
      publicJwk: {
        ...(publicKey.export({ format: 'jwk' }) as Record<string, string>),
        kid,
        alg: algorithm,
        use: 'sig',
      },
      privateSealed: seal.close(kid, privateKey.export({ format: 'pem', type: 'pkcs8' }) as string),
      createdAt: new Date(),
    }
    await tx.insert(signingKeyEntity, row)
    return [row]
  })
  const [newest] = rows
  const signing = { kid: newest!.kid, privateKey: openPrivate(seal, newest!) }
  const publicKeys = new Map(
    rows.map(({ kid, publicJwk }) => [kid, createPublicKey({ key: publicJwk, format: 'jwk' })]),
  )
  return {
    signing: () => signing,
    find: async (kid) => publicKeys.get(kid),
    jwks: () => ({ keys: rows.map(({ publicJwk }) => publicJwk) }),
  }
}

function openPrivate(seal: ReturnType<typeof buildSeal>, row: SigningKeyRow): KeyObject {
  try {
    return createPrivateKey(seal.open(row.kid, row.privateSealed))
  } catch {
    throw new Error('The signing key in the database was sealed under another SECRET_KEY.')
  }
}
