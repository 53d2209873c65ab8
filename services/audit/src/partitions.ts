import type { Tx } from '@caregate/common/database'

/** A piece of the table of events: those that were stored in a time. */
export interface Partition {
  /** Of a month, `events_2026_11`. */
  name: string
  /** Null where it reaches back to whatever there was before there were partitions. */
  from: Date | null
  until: Date
}

/** A month, UTC. */
type Month = Partition & { from: Date }

type Queries = Pick<Tx, 'query'>

/** How many months, beyond the current one, have their partition ahead of time. */
const monthsAhead = 12

/** @param later so many months */
export function monthOf(moment: Date, later = 0): Month {
  const start = (n: number): Date => new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + n))
  const from = start(later)
  return { name: `events_${from.toISOString().slice(0, 7).replace('-', '_')}`, from, until: start(later + 1) }
}

/** Oldest first. */
export async function findPartitions(tx: Queries): Promise<Partition[]> {
  return tx.query<Partition[]>(
    `SELECT relname AS name, substring(bounds FROM 'FROM \\(''([^'']+)''\\)')::timestamptz AS "from",
       substring(bounds FROM 'TO \\(''([^'']+)''\\)')::timestamptz AS until
     FROM pg_inherits JOIN pg_class ON oid = inhrelid CROSS JOIN pg_get_expr(relpartbound, oid) AS bounds
     WHERE inhparent = 'events'::regclass ORDER BY until`,
  )
}

/** The first moment from now on at which events could not be stored for want of a partition. Undefined: that is now. */
export async function findPartitionsUntil(tx: Queries, now: Date): Promise<Date | undefined> {
  let until: Date | undefined
  for (const partition of await findPartitions(tx)) {
    const reached = until ?? now
    if (partition.until > reached && (!partition.from || partition.from <= reached)) until = partition.until
  }
  return until
}

/**
 * Makes the partitions of this month and those ahead that are not there. Attached rather than made as partitions: that
 * stops neither readers nor the sequencer.
 * @param tx the owner's @returns their names
 */
export async function makePartitions(tx: Queries, now: Date): Promise<string[]> {
  const there = await findPartitions(tx)
  const missing = Array.from({ length: monthsAhead + 1 }, (_, n) => monthOf(now, n)).filter(
    (month) => !there.some(({ from, until }) => (!from || from < month.until) && until > month.from),
  )
  for (const month of missing) await makePartition(tx, month)
  return missing.map(({ name }) => name)
}

/** @throws when there is one of its name, or of its time */
export async function makePartition(tx: Queries, { name, from, until }: Partition): Promise<void> {
  // together, so that none is left unattached
  await tx.query(
    `CREATE TABLE ${name} (LIKE events INCLUDING INDEXES);
     ALTER TABLE events ATTACH PARTITION ${name} FOR VALUES FROM (${from ? `'${from.toISOString()}'` : 'MINVALUE'}) TO ('${until.toISOString()}')`,
  )
}
