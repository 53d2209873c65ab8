import type { Outcome } from '@caregate/common/events'
import type { Activity, Bucket } from './api.ts'

const startOf = (bucket: Bucket | undefined): number => Date.parse(bucket?.start ?? '')

/** The same window some time later: new buckets at its end, as many old ones gone. */
export function roll({ bucketSeconds, buckets }: Activity, now: number): Activity {
  const last = startOf(buckets.at(-1))
  const passed = Math.max(0, Math.floor((now - last) / (bucketSeconds * 1000))) || 0
  if (!passed) return { bucketSeconds, buckets }
  const added = Array.from({ length: Math.min(passed, buckets.length) }, (_, n) => {
    const start = last + (passed - Math.min(passed, buckets.length) + n + 1) * bucketSeconds * 1000
    return { start: new Date(start).toISOString(), success: 0, denied: 0, failure: 0 }
  })
  return { bucketSeconds, buckets: [...buckets.slice(added.length), ...added] }
}

/** Counts events into the buckets that they occurred in, if there are such. */
export function count(
  { bucketSeconds, buckets }: Activity,
  events: readonly { occurredAt: string; outcome: Outcome }[],
): Activity {
  const first = startOf(buckets[0])
  const counted = [...buckets]
  for (const { occurredAt, outcome } of events) {
    const index = Math.floor((Date.parse(occurredAt) - first) / (bucketSeconds * 1000))
    const bucket = counted[index]
    if (bucket) counted[index] = { ...bucket, [outcome]: bucket[outcome] + 1 }
  }
  return { bucketSeconds, buckets: counted }
}

export const totals = (buckets: readonly Bucket[]): Record<Outcome, number> => ({
  success: buckets.reduce((sum, { success }) => sum + success, 0),
  denied: buckets.reduce((sum, { denied }) => sum + denied, 0),
  failure: buckets.reduce((sum, { failure }) => sum + failure, 0),
})
