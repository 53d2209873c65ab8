import type { Tx } from '@caregate/common/database'
import type { Outcome } from '@caregate/common/events'
import { selectEvents, type EventFilter } from './repository.ts'

/** Events by outcome and by the time in which they occurred; times without any are left out. */
export async function countEvents(
  tx: Tx,
  filter: EventFilter,
  bucketSeconds: number,
): Promise<{ start: Date; outcome: Outcome; count: number }[]> {
  return selectEvents(tx, filter)
    .select(`date_bin(make_interval(secs => :bucketSeconds), e.occurredAt, 'epoch')`, 'start')
    .addSelect('e.outcome', 'outcome')
    .addSelect('count(*)::int', 'count')
    .setParameters({ bucketSeconds })
    .groupBy('1, 2')
    .getRawMany()
}
