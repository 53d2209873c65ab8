import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '@caregate/common/database'
import type { Logger } from '@caregate/common/logger'
import type { Seal } from '@caregate/common/seal'
import { knownDays } from './attempts.ts'
import type { AuthConfig } from './config.ts'
import type { Keys } from './keys.ts'
import { deleteOldAttempts } from './repository/attempts.ts'
import { deleteOldResets } from './repository/password-resets.ts'
import { deleteOldSessions } from './repository/sessions.ts'
import { renewTotpSeals } from './repository/users.ts'

const everyMs = 5000
const cleaningMs = 600_000
/** Sessions that are over are kept for so long, for who looks into something. */
const keptDays = 30
const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000)

type Deps = {
  db: Database
  config: Pick<AuthConfig, 'REFRESH_TOKEN_EXPIRE_DAYS' | 'SECRET_KEY_PREVIOUS'>
  keys: Pick<Keys, 'tend' | 'prepare'>
  seal: Seal
}

/** Forgets what is over. Several instances may do so at once. */
export async function clean(db: Database, config: Pick<AuthConfig, 'REFRESH_TOKEN_EXPIRE_DAYS'>): Promise<void> {
  await deleteOldSessions(db.manager, daysAgo(keptDays), daysAgo(config.REFRESH_TOKEN_EXPIRE_DAYS + keptDays))
  await deleteOldResets(db.manager)
  await deleteOldAttempts(db.manager, knownDays)
}

/** What the service does by itself, until `signal` aborts. */
export async function startUpkeep({ db, config, keys, seal }: Deps, log: Logger, signal: AbortSignal): Promise<void> {
  async function renewSeals(): Promise<void> {
    await keys.prepare()
    await renewTotpSeals(db.manager, seal)
  }
  const failed = (error: unknown): void => void log.warning('upkeep failed, and is tried again', { error })
  for (let cleanedAt = 0; !signal.aborted;) {
    await keys.tend().catch(failed)
    if (Date.now() - cleanedAt > cleaningMs) {
      cleanedAt = Date.now()
      await clean(db, config).catch(failed)
      // again and again: an instance that has the keys the other way round may still be sealing
      if (config.SECRET_KEY_PREVIOUS) await renewSeals().catch(failed)
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {})
  }
}
