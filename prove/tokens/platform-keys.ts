import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedKey } from '@caregate/common/auth'
import { loadConfig } from '@caregate/common/config'
import { openDatabase } from '@caregate/common/database'
import { buildLogger } from '@caregate/common/logger'
import { serviceDatabaseUrls } from '../../platform/services.ts'
import { openSecrets } from '../../platform/state.ts'
import { keys as authKeys } from '../../services/auth/src/config.ts'
import { signingKeyEntity } from '../../services/auth/src/database.ts'
import { authSeal, openKeys } from '../../services/auth/src/keys.ts'
import { deleteKey } from '../../services/auth/src/repository/keys.ts'
import type { Bed } from '../edge/bed.ts'
import { buildForge } from '../edge/forge.ts'

export type PlatformKeys = Awaited<ReturnType<typeof makePlatformKeys>>

interface KidAndKey {
  kid: string
  key: KeyObject
}

const statusOf = async (url: string, token: string): Promise<number> =>
  (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status

/**
 * Keys that are the platform's and sign nothing any more: one that was good until it was taken back, one for the
 * algorithm that it had before, and the secret itself.
 * @param good a token of whoever may read the own account, charts and the log
 */
export async function makePlatformKeys({ platform, url, passed }: Bed, good: Record<'me' | 'chart' | 'log', string>) {
  const { backing, services } = platform.info
  const secrets = openSecrets(platform.folder)
  const { DATABASE_URL } = serviceDatabaseUrls(backing.postgres, 'auth', secrets)
  const config = loadConfig(authKeys, { ...secrets, DATABASE_URL, AMQP_URL: backing.amqp })
  const log = buildLogger('prove', 'ERROR', 'text')
  const signal = AbortSignal.timeout(10_000)
  const options = { DATABASE_URL, DB_POOL_MAX: 2, DB_STATEMENT_TIMEOUT_MS: 5000 }
  const db = await openDatabase(options, [signingKeyEntity], log, signal)
  try {
    const seal = authSeal(config)
    const own = (await openKeys(db, config, seal)).signing().privateKey
    const rsa = (await openKeys(db, { ...config, ALGORITHM: 'RS256' }, seal)).signing()

    // as if the one in use had come after it
    const before = await openKeys(db, { ...config, KEY_PUBLISH_SECONDS: -3600 }, seal)
    const { kid } = await db.transaction((tx) => before.rotate(tx))
    const { privateSealed } = await db.manager.findOneByOrFail(signingKeyEntity, { kid })
    const key = createPrivateKey(seal.open(kid, privateSealed))
    const places = {
      me: [`${url}/api/v1/auth/me`, `${services.auth!.url}/api/v1/auth/me`],
      chart: [`${services.patients!.url}/api/v1/patients?limit=1`],
      log: [`${services.audit!.url}/api/v1/audit/events?limit=1`],
    }
    const retired = (token: string): string => {
      const forge = buildForge(token, key, createPublicKey(key))
      return forge.own({ header: { kid }, claims: { jti: crypto.randomUUID() } })
    }
    const wasPassedOn = (token: string) =>
      passed.some(({ headers }) => headers.some(([, value]) => value.endsWith(token)))
    /** Whether whoever is asked answers so, and of a refusal that the gateway did not leave it to the service. */
    async function answers(place: string, by: keyof typeof places, status: number): Promise<boolean> {
      const token = retired(good[by])
      return (await statusOf(place, token)) === status && (status === 200 || !wasPassedOn(token))
    }
    async function everywhere(status: number): Promise<void> {
      for (const [by, urls] of Object.entries(places) as [keyof typeof places, string[]][]) {
        for (const place of urls) {
          for (let tries = 0; !(await answers(place, by, status)); tries++) {
            if (tries === 60) throw new Error(`${place} does not answer ${status} to a key that came or went`)
            await sleep(500)
          }
        }
      }
    }
    await everywhere(200)
    await db.transaction((tx) => deleteKey(tx, kid))
    // an unknown one makes them ask anew
    const stranger = buildForge(good.me, key, createPublicKey(key)).own({ header: { kid: 'unknown' } })
    const nudge = setInterval(() => {
      for (const place of Object.values(places).flat()) statusOf(place, stranger).catch(() => {})
    }, 700)
    await everywhere(401).finally(() => clearInterval(nudge))

    const shared = sharedKey(config.SECRET_KEY)
    return {
      retired: Object.values(good).flatMap((token) => [retired(token), retired(token)]),
      own,
      rsa: { kid: rsa.kid, key: rsa.privateKey } satisfies KidAndKey,
      shared: { kid: shared.kid, secret: config.SECRET_KEY },
    }
  } finally {
    await db.destroy()
  }
}
