import { invalid } from '@caregate/common/errors'
import type { Outcome } from '@caregate/common/events'

/** How many events there were in a time, by outcome. */
export interface Bucket extends Record<Outcome, number> {
  /** UTC, ISO 8601; a multiple of the buckets' length since 1970. */
  start: string
}

/** Lengths that buckets have, in seconds, from a second to a week. */
const lengths = [1, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400, 604_800] as const
const mostBuckets = 200
const mostDays = 400
const dayMs = 86_400_000

/** The time that is asked for: the last 24 hours unless said otherwise. @throws {AppError} 422 */
export function spanOf(asked: { from?: Date; to?: Date }): { from: Date; to: Date } {
  const to = asked.to ?? new Date()
  const from = asked.from ?? new Date(to.getTime() - dayMs)
  if (from >= to) throw invalid({ path: 'from', message: 'from must be before to' })
  if (to.getTime() - from.getTime() > mostDays * dayMs)
    throw invalid({ path: 'from', message: `from must be at most ${mostDays} days before to` })
  return { from, to }
}

/** The finest length that cuts a time into so many buckets as a chart has room for, in seconds. */
export function bucketLength({ from, to }: { from: Date; to: Date }): number {
  const seconds = (to.getTime() - from.getTime()) / 1000
  return lengths.find((length) => seconds / length <= mostBuckets) ?? lengths.at(-1)!
}

/**
 * Every bucket of a time, those without events too. They start where the clock does, not where the time does: whoever asks
 * again a moment later gets the same ones.
 * @param counts which add up
 */
export function fillBuckets(
  { from, to }: { from: Date; to: Date },
  seconds: number,
  counts: readonly { start: Date; outcome: Outcome; count: number }[],
): Bucket[] {
  const length = seconds * 1000
  const first = Math.floor(from.getTime() / length) * length
  const buckets: Bucket[] = []
  for (let start = first; start < to.getTime(); start += length)
    buckets.push({ start: new Date(start).toISOString(), success: 0, denied: 0, failure: 0 })
  for (const { start, outcome, count } of counts) buckets[(start.getTime() - first) / length]![outcome] += count
  return buckets
}
