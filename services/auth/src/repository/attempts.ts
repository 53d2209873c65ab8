import type { Tx } from '@caregate/common/database'
import { attemptEntity } from '../database.ts'

/** A wrong attempt counts for so long; of several one after another is forgotten. */
const forgottenSeconds = 900

/**
 * Counts an attempt, in one statement: of parallel ones each sees those before it.
 * @param free wrong attempts after which the next one waits a second, and the ones after that twice as long each time;
 *   infinite: it is counted and never waits
 * @returns seconds to wait where it is too early; then nothing is counted
 */
export async function reserveAttempt(
  tx: Tx,
  { key, free, maxWaitSeconds }: { key: string; free: number; maxWaitSeconds: number },
): Promise<number | undefined> {
  const counted = await tx.query<unknown[]>(
    `INSERT INTO attempts AS a (key, failures, blocked_until, updated_at)
     VALUES ($1, 1, CASE WHEN 1 >= $2::float8 THEN now() + interval '1 second' ELSE to_timestamp(0) END, now())
     ON CONFLICT (key) DO UPDATE SET (failures, blocked_until, updated_at) = (
       SELECT failures, CASE WHEN round(failures) >= $2::float8
           THEN now() + make_interval(secs => least(power(2, least(round(failures) - $2::float8, 20)), $3))
           ELSE to_timestamp(0) END, now()
       FROM (SELECT 1 + greatest(0, a.failures - extract(epoch FROM now() - a.updated_at) / ${forgottenSeconds})::float8 AS failures) n)
     WHERE a.blocked_until <= now() OR $2::float8 = 'infinity'
     RETURNING 1`,
    [key, free, maxWaitSeconds],
  )
  if (counted.length) return undefined
  const [blocked] = await tx.query<{ seconds: number }[]>(
    `SELECT greatest(1, ceil(extract(epoch FROM blocked_until - now())))::int AS seconds FROM attempts WHERE key = $1`,
    [key],
  )
  return blocked?.seconds ?? 1
}

/** Takes an attempt back that was counted. */
export async function forgiveAttempt(tx: Tx, key: string): Promise<void> {
  await tx.query(
    `UPDATE attempts SET failures = greatest(0, failures - 1), blocked_until = to_timestamp(0) WHERE key = $1`,
    [key],
  )
}

export async function succeedAttempt(tx: Tx, key: string): Promise<void> {
  const now = new Date()
  await tx.upsert(attemptEntity, { key, failures: 0, blockedUntil: new Date(0), updatedAt: now, succeededAt: now }, [
    'key',
  ])
}

export async function hasSucceeded(tx: Tx, key: string, withinDays: number): Promise<boolean> {
  const found = await tx.query<unknown[]>(
    'SELECT 1 FROM attempts WHERE key = $1 AND succeeded_at > now() - make_interval(days => $2)',
    [key, withinDays],
  )
  return found.length > 0
}

/** Forgets counts that no longer say anything. */
export async function deleteOldAttempts(tx: Tx, knownDays: number): Promise<void> {
  await tx.query(
    `DELETE FROM attempts WHERE updated_at < now() - interval '1 day'
     AND coalesce(succeeded_at, to_timestamp(0)) < now() - make_interval(days => $1)`,
    [knownDays],
  )
}
