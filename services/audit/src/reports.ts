import type { Tx } from '@caregate/common/database'
import { invalid } from '@caregate/common/errors'
import type { Outcome } from '@caregate/common/events'
import { selectEvents, type EventFilter } from './repository.ts'
import { buildWindows } from './windows.ts'

export interface Count {
  start: Date
  outcome: Outcome
  count: number
}

/** As much time as can be counted at once, whatever the filter. */
const safeMs = 3_600_000
/** A client doesn't wait for longer than ten seconds. */
const mostMs = 8000

/**
 * Events by outcome and by the time in which they occurred; times without any are left out, one may come more than once.
 * @throws {AppError} 422 when there are too many to count
 */
export async function countEvents(
  tx: Tx,
  filter: EventFilter & { from: Date; to: Date },
  bucketSeconds: number,
): Promise<Count[]> {
  const readWindow = buildWindows(safeMs)
  const counts: Count[] = []
  const began = performance.now()
  for (let { from } = filter; from < filter.to;) {
    if (performance.now() - began > mostMs)
      throw invalid({ path: 'from', message: 'from must be nearer to to: so many events take too long to count' })
    const { found, width } = await readWindow(tx, filter.to.getTime() - from.getTime(), (own, ms) =>
      countWindow(own, { ...filter, from, to: new Date(from.getTime() + ms) }, bucketSeconds),
    )
    counts.push(...found)
    from = new Date(from.getTime() + width)
  }
  return counts
}

const countWindow = (tx: Tx, filter: EventFilter, bucketSeconds: number): Promise<Count[]> =>
  selectEvents(tx, filter)
    .select(`date_bin(make_interval(secs => :bucketSeconds), e.occurredAt, 'epoch')`, 'start')
    .addSelect('e.outcome', 'outcome')
    .addSelect('count(*)::int', 'count')
    .setParameters({ bucketSeconds })
    .groupBy('1, 2')
    .getRawMany()
