import type { Database, Tx } from '@caregate/common/database'
import { recordUnattended } from '@caregate/common/unattended'
import { findRetained } from './repository.ts'
import { findPartitions, makePartition, type Partition } from './partitions.ts'
import { formatRanges, mergeRanges, type Range } from './log/ranges.ts'

const dayMs = 86_400_000

/**
 * Drops partitions that are wholly older than the retention; of one that has events about a held patient, all others.
 * Each in a transaction with the event that tells of it.
 * @param owner one at a time @param days of retention, at least 1: so never the current partition
 * yields a line for each that had something to drop
 */
export async function* applyRetention(
  owner: Pick<Database, 'query' | 'transaction'>,
  days: number,
  now: Date,
): AsyncGenerator<string> {
  const before = new Date(now.getTime() - days * dayMs)
  for (const partition of await findPartitions(owner)) {
    if (partition.until > before) continue
    const line = await owner.transaction((tx) => retire(tx, partition))
    if (line) yield line
  }
}

/** @returns what to tell; undefined when there was no event in it that may go */
async function retire(tx: Tx, { name, from, until }: Partition): Promise<string | undefined> {
  // dropping has to wait for whoever reads, and whoever stores would wait behind that
  await tx.query(`SET LOCAL lock_timeout = '3s'`)
  // a hold is either seen here, or set after
  await tx.query('LOCK TABLE legal_holds IN SHARE MODE')
  // a forged row, whose number is not of that time, is not to widen it
  const sizeBefore = (moment: string) => `coalesce((SELECT max(size) FROM checkpoints WHERE stored_at < ${moment}), 0)`
  const [range] = await tx.query<{ first: string | null; last: string }[]>(
    `SELECT min(sequence) AS first, max(sequence) AS last FROM ${name}
     WHERE sequence > ${sizeBefore('$1')} AND sequence <= ${sizeBefore('$2')}`,
    [from, until],
  )
  // what is held goes into a table of its own: then dropping takes no time, and who sets a hold doesn't wait
  const isHeld = 'patient_ids && (SELECT array_agg(patient_id) FROM legal_holds)'
  await tx.query(`CREATE TEMPORARY TABLE held ON COMMIT DROP AS SELECT * FROM ${name} WHERE ${isHeld}`)
  const [held] = await tx.query<[{ count: number }]>('SELECT count(*)::int FROM held')
  const others = `SELECT 1 FROM ${name} WHERE NOT ${isHeld} LIMIT 1`
  if (held.count && !(await tx.query<unknown[]>(others)).length) return undefined
  await tx.query(`DROP TABLE ${name}`)
  if (held.count) {
    await makePartition(tx, { name, from, until })
    await tx.query(`INSERT INTO ${name} SELECT * FROM held`)
  }
  if (!range?.first) return undefined
  await tell(tx, [Number(range.first), Number(range.last)])
  return `${name}: events ${range.first}–${range.last} dropped${held.count ? `, but ${held.count} that are held` : ''}`
}

/** The event names all that retention ever covered: those that told of it before will be dropped in their turn. */
async function tell(tx: Tx, range: Range): Promise<void> {
  const ranges = mergeRanges([...(await findRetained(tx)), range])
  await tx.query('DELETE FROM retained')
  await tx.query('INSERT INTO retained (first, last) SELECT * FROM unnest($1::bigint[], $2::bigint[])', [
    ranges.map(([first]) => first),
    ranges.map(([, last]) => last),
  ])
  const resource = { type: 'events', id: formatRanges(ranges) }
  await recordUnattended(tx, 'retain', { service: 'audit', type: 'audit.retention.applied', action: 'D', resource })
}
