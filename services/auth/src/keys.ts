import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUIDv7, type KeyObject } from 'node:crypto'
import { findShared, sharedKey, type FindKey } from '@caregate/common/auth'
import type { Database, Tx } from '@caregate/common/database'
import { AppError } from '@caregate/common/errors'
import { buildSeal, type Seal } from '@caregate/common/seal'
import type { AuthConfig } from './config.ts'
import { signingKeyEntity, type SigningKeyRow } from './database.ts'
import { deleteKey, lockKeys } from './repository/keys.ts'
import { recordUnattended } from '@caregate/common/unattended'

export interface SigningKey {
  kid: string
  privateKey: KeyObject
  /** Since when it is in use, in milliseconds since the epoch; SECRET_KEY doesn't say. */
  from?: number
}
export interface Keys {
  signing(): SigningKey
  find: FindKey
  /** RFC 7517; empty with HS256. */
  jwks(): { keys: Record<string, string>[] }
  /** Makes the next key; the caller reloads once that is committed. @throws {AppError} 409 with HS256 */
  rotate(tx: Tx): Promise<Pick<SigningKeyRow, 'kid' | 'algorithm' | 'createdAt' | 'activeFrom'>>
  reload(): Promise<void>
  /** Seals the keys anew where SECRET_KEY has changed. */
  prepare(): Promise<void>
  /** To be called every few seconds: learns what other instances did, rotates when it is time, forgets what is over. */
  tend(): Promise<void>
}

type KeysConfig = Pick<
  AuthConfig,
  | 'ALGORITHM'
  | 'SECRET_KEY'
  | 'SECRET_KEY_PREVIOUS'
  | 'ACCESS_TOKEN_EXPIRE_MINUTES'
  | 'KEY_ROTATION_DAYS'
  | 'KEY_PUBLISH_SECONDS'
>

/** For what stands in auth's database and isn't the database's to read. */
export const authSeal = ({
  SECRET_KEY,
  SECRET_KEY_PREVIOUS,
}: Pick<AuthConfig, 'SECRET_KEY' | 'SECRET_KEY_PREVIOUS'>): Seal =>
  buildSeal('caregate signing keys', SECRET_KEY, SECRET_KEY_PREVIOUS)

/** Clocks of instances may differ by so much. */
const skewMs = 60_000
const coolDownMs = 2000

function generate(algorithm: 'ES256' | 'RS256'): { publicKey: KeyObject; privateKey: KeyObject } {
  return algorithm === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 3072 })
}

/**
 * The keys that access tokens are signed with. All instances read them from the database: the first to start makes the
 * first key. The next key is published KEY_PUBLISH_SECONDS before it is used, and the one before stays published until
 * the last token that it signed has expired.
 * @throws when a stored key was sealed under a SECRET_KEY that isn't known
 */
export async function openKeys(db: Database, config: KeysConfig, seal: Seal): Promise<Keys> {
  const { ALGORITHM: algorithm } = config
  if (algorithm === 'HS256') return sharedKeys(config)
  const lastsMs = config.ACCESS_TOKEN_EXPIRE_MINUTES * 60_000 + skewMs
  /** Newest first. */
  let rows: SigningKeyRow[] = []
  let signers: (SigningKey & { from: number })[] = []
  let publicKeys = new Map<string, KeyObject>()
  let loadedAt = 0

  async function reload(): Promise<void> {
    loadedAt = Date.now()
    const found = await db.manager.find(signingKeyEntity, { where: { algorithm }, order: { activeFrom: 'DESC' } })
    const opened = new Map(signers.map(({ kid, privateKey }) => [kid, privateKey]))
    signers = found.map(({ kid, privateSealed, activeFrom }) => ({
      kid,
      from: activeFrom.getTime(),
      privateKey: opened.get(kid) ?? createPrivateKey(seal.open(kid, privateSealed)),
    }))
    publicKeys = new Map(found.map(({ kid, publicJwk }) => [kid, createPublicKey({ key: publicJwk, format: 'jwk' })]))
    rows = found
  }

  async function insertKey(tx: Tx, activeFrom: Date): Promise<SigningKeyRow> {
    const kid = randomUUIDv7()
    const { publicKey, privateKey } = generate(algorithm as 'ES256' | 'RS256')
    const publicJwk = {
      ...(publicKey.export({ format: 'jwk' }) as Record<string, string>),
      kid,
      alg: algorithm,
      use: 'sig',
    }
    const privateSealed = seal.close(kid, privateKey.export({ format: 'pem', type: 'pkcs8' }) as string)
    const row = { kid, algorithm, publicJwk, privateSealed, createdAt: new Date(), activeFrom }
    await tx.insert(signingKeyEntity, row)
    return row
  }

  const rotate = (tx: Tx): Promise<SigningKeyRow> =>
    insertKey(tx, new Date(Date.now() + config.KEY_PUBLISH_SECONDS * 1000))

  async function tend(): Promise<void> {
    await reload()
    // somebody has deleted them all
    if (!rows.length) return prepare()
    const now = Date.now()
    const due = rows[0]!.createdAt.getTime() + config.KEY_ROTATION_DAYS * 86_400_000 <= now
    // what came after has been in use for longer than a token lasts
    const over = rows.filter((_, n) => rows[n - 1] && rows[n - 1]!.activeFrom.getTime() + lastsMs < now)
    if (!due && !over.length) return
    await db.transaction(async (tx) => {
      await lockKeys(tx)
      for (const { kid } of over) {
        if (await deleteKey(tx, kid)) await recordKey(tx, 'deleted', kid)
      }
      const [newest] = await tx.find(signingKeyEntity, { where: { algorithm }, order: { activeFrom: 'DESC' }, take: 1 })
      // another instance may have been faster
      if (!due || newest!.kid !== rows[0]!.kid) return
      const { kid } = await rotate(tx)
      await recordKey(tx, 'created', kid)
    })
    await reload()
  }

  /** Seals what there is anew where SECRET_KEY has changed, and makes the first key where there is none. */
  async function prepare(): Promise<void> {
    await db.transaction(async (tx) => {
      await lockKeys(tx)
      for (const row of await tx.find(signingKeyEntity)) {
        const privateSealed = renewed(seal, row)
        if (privateSealed) await tx.update(signingKeyEntity, { kid: row.kid }, { privateSealed })
      }
      if (await tx.existsBy(signingKeyEntity, { algorithm })) return
      const { kid } = await insertKey(tx, new Date())
      await recordKey(tx, 'created', kid)
    })
    await reload()
  }

  await prepare()
  return {
    signing: () => signers.find(({ from }) => from <= Date.now()) ?? signers.at(-1)!,
    async find(kid) {
      // another instance may have made it just now
      if (!publicKeys.has(kid) && Date.now() - loadedAt > coolDownMs) await reload()
      return publicKeys.get(kid)
    },
    jwks: () => ({ keys: rows.map(({ publicJwk }) => publicJwk) }),
    rotate,
    reload,
    prepare,
    tend,
  }
}

const recordKey = (tx: Tx, what: 'created' | 'deleted', kid: string): Promise<void> =>
  recordUnattended(tx, 'signing keys', {
    service: 'auth',
    type: `auth.key.${what}`,
    action: what === 'created' ? 'C' : 'D',
    resource: { type: 'key', id: kid },
  })

function renewed(seal: Seal, { kid, privateSealed }: SigningKeyRow): string | undefined {
  try {
    return seal.renew(kid, privateSealed)
  } catch (cause) {
    throw new Error('The signing key in the database was sealed under another SECRET_KEY.', { cause })
  }
}

/** SECRET_KEY itself signs, and whoever has it can check. */
function sharedKeys({ SECRET_KEY, SECRET_KEY_PREVIOUS }: KeysConfig): Keys {
  const { kid, key } = sharedKey(SECRET_KEY)
  return {
    signing: () => ({ kid, privateKey: key }),
    find: findShared(SECRET_KEY, SECRET_KEY_PREVIOUS),
    jwks: () => ({ keys: [] }),
    rotate() {
      throw new AppError(
        'conflict',
        'With HS256 tokens are signed with SECRET_KEY: change that, and name the old one in SECRET_KEY_PREVIOUS.',
      )
    },
    reload: async () => {},
    prepare: async () => {},
    tend: async () => {},
  }
}
