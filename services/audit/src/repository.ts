import { finished } from 'node:stream/promises'
import { startQuery, type Tx } from '@caregate/common/database'
import { AppError, notFound } from '@caregate/common/errors'
import { within } from '@caregate/common/tracing'
import { from as copyFrom, type CopyStreamQuery } from 'pg-copy-streams'
import { Between, MoreThan, MoreThanOrEqual, type SelectQueryBuilder } from 'typeorm'
import {
  checkpointEntity,
  eventEntity,
  eventIdEntity,
  type CheckpointRow,
  type EventIdRow,
  type EventRow,
  type LeavesRow,
  type RetainedRow,
  type SearchColumns,
} from './database.ts'
import type { StoredEvent } from './log/entry.ts'
import type { Frontier, Hash, Node } from './log/merkle.ts'
import type { Range } from './log/ranges.ts'
import { monthOf } from './partitions.ts'

/** An event as clients read it. */
export type ReadEvent = StoredEvent & { leafHash: string }

/** One sequencer at a time, until the transaction ends. */
export async function lockLog(tx: Tx): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('caregate audit sequencer'))`)
}

/** No partition is dropped until the transaction ends. */
export const lockEvents = (tx: Tx): Promise<unknown> => tx.query('LOCK TABLE events IN ACCESS SHARE MODE')

/** Of these ids those that were ever stored, and under which sequence number. */
export async function findKnownIds(tx: Tx, ids: readonly string[]): Promise<Map<string, string>> {
  const known = await tx.query<EventIdRow[]>('SELECT id, sequence FROM event_ids WHERE id = ANY($1::uuid[])', [ids])
  return new Map(known.map(({ id, sequence }) => [id, sequence]))
}

/** COPY's text format has an escape for these alone. */
const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
const fieldOf = (text: string): string =>
  /[\\\t\n\r]/.test(text) ? text.replaceAll(/[\\\t\n\r]/g, (character) => escapes[character]!) : text

/** What an event is searched by, as COPY reads it. */
export const lineOf = (row: SearchColumns): string =>
  [
    ...[row.id, row.occurredAt.toISOString(), row.type, row.action, row.outcome],
    row.actorId === null ? '\\N' : fieldOf(row.actorId),
    `{${row.patientIds.join(',')}}`,
    ...[row.method, row.path, row.ip, row.requestId].map(fieldOf),
  ].join('\t')

/** An event that is about to be stored. @param columns by `lineOf` */
interface NewEvent {
  id: string
  columns: string
  entry: string
}

/**
 * By COPY, Postgres's bulk loading: nothing is parsed, planned and unescaped for each row.
 * @param first the number of the first of them
 * @throws naming the partition that is missing, where one is: nothing can be stored until it is made
 */
export async function insertEvents(tx: Tx, first: number, storedAt: Date, events: readonly NewEvent[]): Promise<void> {
  const at = storedAt.toISOString()
  // canonical JSON has nothing else that has to be escaped
  const lines = events.map(
    ({ columns, entry }, n) => `${first + n}\t${at}\t${columns}\t${entry.replaceAll('\\', '\\\\')}\n`,
  )
  const client = (await tx.queryRunner!.connect()) as { query: (copy: CopyStreamQuery) => CopyStreamQuery }
  const copy = client.query(copyFrom(copyEvents))
  copy.end(lines.join(''))
  await within(startQuery(copyEvents), () => finished(copy)).catch(
    (error: Error & { code?: string; constraint?: string }) => {
      // a check that has no name: that there is a partition for it
      if (error.code !== '23514' || error.constraint) throw error
      throw new Error(`the table has no partition ${monthOf(storedAt).name}: npm run retain makes it`)
    },
  )
  await tx.query(
    'INSERT INTO event_ids (id, sequence) SELECT id, $2::bigint + n - 1 FROM unnest($1::uuid[]) WITH ORDINALITY AS new(id, n)',
    [events.map(({ id }) => id), first],
  )
}
const copyEvents = `COPY events (sequence, stored_at, id, occurred_at, type, action, outcome, actor_id, patient_ids,
  method, path, ip, request_id, entry) FROM STDIN`

/** @param start of the leaves @param nodes of levels that are multiples of 8 */
export async function insertHashes(
  tx: Tx,
  start: number,
  leaves: readonly Hash[],
  nodes: readonly Node[],
): Promise<void> {
  await tx.query('INSERT INTO leaves (start, hashes) VALUES ($1, $2)', [start, Buffer.concat(leaves)])
  if (!nodes.length) return
  const columns = [nodes.map(({ level }) => level / 8), nodes.map(({ index }) => index), nodes.map(({ hash }) => hash)]
  await tx.query(
    'INSERT INTO nodes (tier, position, hash) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])',
    columns,
  )
}

/** The log's newest state: what it takes to append to the tree, and the signed checkpoint. */
export interface Head extends Frontier {
  storedAt: Date
  note: string
}

export async function insertCheckpoint(tx: Tx, { size, roots, storedAt, note }: Head): Promise<void> {
  const row = [size, storedAt, Buffer.concat(roots), note]
  await tx.query('INSERT INTO checkpoints (size, stored_at, roots, note) VALUES ($1, $2, $3, $4)', row)
}

/** Undefined before the log was opened for the first time. */
export async function findHead(tx: Tx): Promise<Head | undefined> {
  const [row] = await tx.query<CheckpointRow[]>(
    'SELECT size, stored_at AS "storedAt", roots, note FROM checkpoints ORDER BY size DESC LIMIT 1',
  )
  return row && toHead(row)
}

export async function getHead(tx: Tx): Promise<Head> {
  const head = await findHead(tx)
  if (!head) throw new Error('the log has no checkpoint')
  return head
}

/** The first checkpoint of at least that size, under that name, which the log must have. */
export async function getCheckpoint(tx: Tx, size: number, origin: string): Promise<string> {
  const [row] = await tx.query<{ note: string }[]>(
    String.raw`SELECT note FROM checkpoints WHERE size >= $1 AND split_part(note, E'\n', 1) = $2 ORDER BY size LIMIT 1`,
    [size, origin],
  )
  if (!row) throw new Error(`the log has no checkpoint of ${size} events`)
  return row.note
}

export async function insertCosignature(tx: Tx, size: number, line: string): Promise<void> {
  await tx.query('INSERT INTO cosignatures (size, line) VALUES ($1, $2) ON CONFLICT DO NOTHING', [size, line])
}

/** The newest checkpoint that a witness signed, with what it signed. Undefined while there is none. */
export async function findWitnessed(tx: Tx): Promise<string | undefined> {
  const [row] = await tx.query<{ note: string; line: string }[]>(
    'SELECT note, line FROM cosignatures JOIN checkpoints USING (size) ORDER BY size DESC LIMIT 1',
  )
  return row && row.note + row.line
}

/** Of the newest checkpoint of at most that size that a witness signed; 0 when there is none. */
export async function findWitnessedSize(tx: Tx, most: number): Promise<number> {
  const [row] = await tx.query<{ size: string | null }[]>(
    'SELECT max(size) AS size FROM cosignatures WHERE size <= $1',
    [most],
  )
  return Number(row?.size ?? 0)
}

/** Where the log is, and how it gets on. */
export interface LogState {
  size: number
  /** Of the last event; null while there is none. */
  storedAt: Date | null
  /** Events that were stored within the last minute. */
  perMinute: number
  /** From occurring to being stored: the median of the last hundred events. Null while there is none. */
  ingestLagMs: number | null
  /** Size of the newest checkpoint that a witness signed. */
  witnessed: number | null
}

/** @throws while the log was never opened */
export async function readLogState(tx: Tx): Promise<LogState> {
  const [row] = await tx.query<LogState[]>(
    `SELECT size::float8, CASE WHEN size > 0 THEN stored_at END AS "storedAt",
       (size - coalesce((SELECT size FROM checkpoints WHERE stored_at <= $1 ORDER BY size DESC LIMIT 1), 0))::int AS "perMinute",
       (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM stored_at - occurred_at)::float8 * 1000)
        FROM (SELECT stored_at, occurred_at FROM events ORDER BY sequence DESC LIMIT 100) AS newest) AS "ingestLagMs",
       (SELECT max(size) FROM cosignatures)::float8 AS witnessed
     FROM checkpoints ORDER BY size DESC LIMIT 1`,
    // by the clock that storedAt is of
    [new Date(Date.now() - 60_000)],
  )
  if (!row) throw new Error('the log has no checkpoint')
  return row
}

const hashBytes = 32
const cut = (hashes: Buffer): Hash[] =>
  Array.from({ length: hashes.length / hashBytes }, (_, n) => hashes.subarray(n * hashBytes, (n + 1) * hashBytes))

/** No event after that number was stored before this: the partitions from then on are all that have to be read. */
async function findSince(tx: Tx, after: number): Promise<Date> {
  const [row] = await tx.query<{ storedAt: Date }[]>(
    'SELECT stored_at AS "storedAt" FROM checkpoints WHERE size <= $1 ORDER BY size DESC LIMIT 1',
    [after],
  )
  return row?.storedAt ?? new Date(0)
}

/** Numbers of events whose retention has ended: of these, those that are held are there, and no others. */
export async function findRetained(tx: Tx): Promise<Range[]> {
  const rows = await tx.query<RetainedRow[]>('SELECT first, last FROM retained ORDER BY first')
  return rows.map(({ first, last }) => [Number(first), Number(last)])
}

/** Entries after a sequence number, in order. */
export async function readEntries(
  tx: Tx,
  after: number,
  limit: number,
): Promise<Pick<EventRow, 'entry' | 'storedAt'>[]> {
  return tx.find(eventEntity, {
    select: { sequence: true, entry: true, storedAt: true },
    where: { sequence: MoreThan(String(after)), storedAt: MoreThanOrEqual(await findSince(tx, after)) },
    order: { sequence: 'ASC' },
    take: limit,
  })
}

/** Hashes of leaves [from, to), those that there are in their places. */
export async function readLeaves(tx: Tx, from: number, to: number): Promise<Hash[]> {
  const rows = await tx.query<LeavesRow[]>(
    `SELECT start, hashes FROM leaves
     WHERE start >= coalesce((SELECT max(start) FROM leaves WHERE start <= $1), 0) AND start < $2 ORDER BY start`,
    [from, to],
  )
  const found: Hash[] = []
  for (const { start, hashes } of rows) {
    for (const [n, hash] of cut(hashes).entries()) {
      const at = Number(start) + n - from
      if (at >= 0 && at < to - from) found[at] = hash
    }
  }
  return found
}

/** Rows of sequence numbers (from, to], with all that is derived from them. */
export const readRows = (tx: Tx, from: number, to: number): Promise<EventRow[]> =>
  tx.find(eventEntity, { where: { sequence: Between(String(from + 1), String(to)) } })

/** Rows that no tree of that size has. */
export async function countBeyond(tx: Tx, size: number): Promise<number> {
  const [row] = await tx.query<[{ count: number }]>(
    'SELECT count(*)::int AS count FROM events WHERE sequence > $1 OR sequence < 1',
    [size],
  )
  return row.count
}

/** Checkpoints of sizes (from, to]. */
export async function readCheckpoints(tx: Tx, from: number, to: number): Promise<Head[]> {
  return (await tx.findBy(checkpointEntity, { size: Between(String(from + 1), String(to)) })).map(toHead)
}

const toHead = ({ size, roots, storedAt, note }: CheckpointRow): Head => ({
  size: Number(size),
  roots: cut(roots),
  storedAt,
  note,
})

/** Hashes [from, to) of a tier of the tree: of leaves for tier 0, else of 256^tier leaves each. */
export interface HashRange {
  tier: number
  from: number
  to: number
}

/** The hashes of each range; those that there are. */
export async function readHashes(tx: Tx, ranges: readonly HashRange[]): Promise<Hash[][]> {
  const rows = await tx.query<{ n: number; hashes: Buffer }[]>(
    `SELECT n::int, string_agg(hashes, '' ORDER BY first) AS hashes
     FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS asked(own_tier, low, high, n)
     CROSS JOIN LATERAL (
       SELECT greatest(start, low) AS first, substring(hashes FROM (greatest(low - start, 0) * ${hashBytes} + 1)::int
         FOR ((high - greatest(start, low)) * ${hashBytes})::int) AS hashes
       FROM leaves WHERE own_tier = 0 AND start < high
         AND start >= coalesce((SELECT max(start) FROM leaves WHERE start <= low), 0)
       UNION ALL SELECT position, hash FROM nodes WHERE tier = own_tier AND position >= low AND position < high
     ) AS found GROUP BY n`,
    [ranges.map(({ tier }) => tier), ranges.map(({ from }) => from), ranges.map(({ to }) => to)],
  )
  const found = new Map(rows.map(({ n, hashes }) => [n, cut(hashes)]))
  return ranges.map((_range, n) => found.get(n + 1) ?? [])
}

/** Rows as clients read them, each with the hash that the tree has. */
export async function readEvents(tx: Tx, rows: readonly EventRow[]): Promise<ReadEvent[]> {
  const hashes = await tx.query<{ hash: string }[]>(
    `SELECT encode(substring(hashes FROM ((index - start) * ${hashBytes} + 1)::int FOR ${hashBytes}), 'base64') AS hash
     FROM unnest($1::bigint[]) WITH ORDINALITY AS asked(index, n)
     CROSS JOIN LATERAL (SELECT start, hashes FROM leaves WHERE start <= index ORDER BY start DESC LIMIT 1) AS own
     ORDER BY n`,
    [rows.map(({ sequence }) => Number(sequence) - 1)],
  )
  return rows.map(({ entry }, n) => ({ ...(JSON.parse(entry) as StoredEvent), leafHash: hashes[n]!.hash }))
}

export interface EventFilter {
  from?: Date
  to?: Date
  actorId?: string
  patientId?: string
  action?: string
  outcome?: string
  type?: string
  method?: string
  path?: string
  ip?: string
  requestId?: string
  /** Not those of looking after the log, but that somebody asked who was at a chart. */
  isAccess?: true
}

/** The events that a filter lets through. */
export function selectEvents(tx: Tx, filter: EventFilter): SelectQueryBuilder<EventRow> {
  const select = tx.createQueryBuilder(eventEntity, 'e')
  const { from, to, patientId, isAccess, ...equal } = filter
  for (const [column, value] of Object.entries(equal)) {
    if (value !== undefined) select.andWhere(`e.${column} = :${column}`, { [column]: value })
  }
  if (from) select.andWhere('e.occurredAt >= :from', { from })
  if (to) select.andWhere('e.occurredAt < :to', { to })
  if (patientId) select.andWhere('e.patientIds @> ARRAY[:patientId]::uuid[]', { patientId })
  if (isAccess) select.andWhere(`(e.type NOT LIKE 'audit.%' OR e.type = 'audit.access.read')`)
  return select
}

/** Events of sequence numbers (after, upTo], oldest or newest first. */
export interface Span {
  after: number
  upTo: number
  order: 'ASC' | 'DESC'
}

export async function findEvents(
  tx: Tx,
  filter: EventFilter,
  { after, upTo, order }: Span,
  limit: number,
): Promise<EventRow[]> {
  return selectEvents(tx, filter)
    .andWhere('e.sequence > :after AND e.sequence <= :upTo', { after, upTo })
    .andWhere('e.storedAt >= :since', { since: await findSince(tx, after) })
    .orderBy('e.sequence', order)
    .limit(limit)
    .getMany()
}

/** @throws {AppError} 410 when its retention has ended */
export async function findEvent(tx: Tx, id: string): Promise<EventRow | undefined> {
  const known = await tx.findOneBy(eventIdEntity, { id })
  if (!known) return undefined
  const sequence = Number(known.sequence)
  const covering = await tx.findOne(checkpointEntity, {
    where: { size: MoreThanOrEqual(known.sequence) },
    order: { size: 'ASC' },
  })
  const storedAt = Between(await findSince(tx, sequence - 1), covering?.storedAt ?? new Date())
  const row = await tx.findOneBy(eventEntity, { sequence: known.sequence, storedAt })
  if (row) return row
  if (!(await findRetained(tx)).some(([first, last]) => first <= sequence && sequence <= last))
    throw new Error(`event ${sequence} is missing, and no retention has covered it`)
  throw new AppError('gone', 'The retention of this event has ended: the log has its hash alone.')
}

/** @throws {AppError} 404, or 410 */
export async function getEvent(tx: Tx, id: string): Promise<EventRow> {
  const row = await findEvent(tx, id)
  if (!row) throw notFound('event')
  return row
}
