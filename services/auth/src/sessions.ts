import type { AuthConfig } from './config.ts'
import type { SessionRow } from './database.ts'

/**
 * What a refresh token is worth. `rotate`: it is the current one. `repeat`: its successor was made a moment ago and is
 * not used yet (two honest tabs), so it gets that successor again. `reuse`: it was spent, somebody has a copy.
 */
export type RefreshVerdict = 'rotate' | 'repeat' | 'reuse' | 'dead'
type Lifetimes = Pick<AuthConfig, 'REFRESH_TOKEN_EXPIRE_DAYS' | 'REFRESH_REUSE_SECONDS'>

/** A session that was not refreshed since then is over. */
export const idleSince = (
  now: Date,
  { REFRESH_TOKEN_EXPIRE_DAYS }: Pick<Lifetimes, 'REFRESH_TOKEN_EXPIRE_DAYS'>,
): Date => new Date(now.getTime() - REFRESH_TOKEN_EXPIRE_DAYS * 86_400_000)

export function judgeRefresh(
  session: Pick<SessionRow, 'generation' | 'rotatedAt' | 'expiresAt' | 'endedAt'>,
  generation: number,
  now: Date,
  lifetimes: Lifetimes,
): RefreshVerdict {
  if (session.endedAt || session.expiresAt <= now || session.rotatedAt <= idleSince(now, lifetimes)) return 'dead'
  if (generation === session.generation) return 'rotate'
  const fresh = now.getTime() - session.rotatedAt.getTime() <= lifetimes.REFRESH_REUSE_SECONDS * 1000
  return generation === session.generation - 1 && fresh ? 'repeat' : 'reuse'
}
