import type { SessionRow } from './database.ts'

/**
 * What a refresh token is worth. `rotate`: it is the current one. `repeat`: its successor was made a moment ago and is
 * not used yet (two honest tabs), so it gets that successor again. `reuse`: it was spent, somebody has a copy.
 */
export type RefreshVerdict = 'rotate' | 'repeat' | 'reuse' | 'dead'

export function judgeRefresh(
  session: Pick<SessionRow, 'generation' | 'rotatedAt' | 'expiresAt' | 'endedAt'>,
  generation: number,
  now: Date,
  reuseSeconds: number,
): RefreshVerdict {
  if (session.endedAt || session.expiresAt <= now) return 'dead'
  if (generation === session.generation) return 'rotate'
  const fresh = now.getTime() - session.rotatedAt.getTime() <= reuseSeconds * 1000
  return generation === session.generation - 1 && fresh ? 'repeat' : 'reuse'
}
