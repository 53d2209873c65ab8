import { isDeepStrictEqual } from 'node:util'
import type { Tx } from '@caregate/common/database'
import type { EventRow } from './database.ts'
import { exportFormat } from './log/entry.ts'
import { parseCheckpoint, splitNote } from './log/note.ts'
import { readSpan } from './tree.ts'
import { searchEvents } from './search.ts'
import {
  findRetained,
  findWitnessedSize,
  getCheckpoint,
  readEvents,
  type EventFilter,
  type Head,
  type ReadEvent,
} from './repository.ts'

/** A line of an export: events in order, hashes of what is left out between them, and checkpoints where their size is reached. */
export type ExportLine =
  | { format: typeof exportFormat; filter: object }
  | ReadEvent
  | { gap: { first: number; last: number; hashes: string[] } }
  | { checkpoint: string }

const eventsAtOnce = 1000
/** A checkpoint is shown no more often, so that an export isn't mostly those. */
const checkpointEvery = 1000

/** The events of a filter in order, as many as are read at once; those up to a size of the log. */
export async function* findBatches(tx: Tx, filter: EventFilter, size: number): AsyncGenerator<EventRow[]> {
  for await (const { rows } of searchEvents(tx, filter, { after: 0, upTo: size, order: 'ASC' }, eventsAtOnce))
    if (rows.length) yield rows
}

/** Each with the number that the log has it under, whatever its bytes say. */
async function* eventsOf(tx: Tx, filter: EventFilter, size: number) {
  for await (const rows of findBatches(tx, filter, size)) {
    const events = await readEvents(tx, rows)
    for (const [n, { sequence }] of rows.entries()) yield { sequence: Number(sequence), event: events[n]! }
  }
}

/**
 * All events that a filter lets through, up to a checkpoint: whoever has the log's key can verify that they are the
 * log's, whole and in their places.
 * @param head the checkpoint that the export ends with
 * @throws where an export of everything would miss events whose retention has ended meanwhile: it couldn't be verified
 */
export async function* exportLines(
  tx: Tx,
  filter: EventFilter,
  head: Pick<Head, 'size' | 'note'>,
): AsyncGenerator<ExportLine> {
  yield { format: exportFormat, filter }
  const isWhole = Object.keys(filter).length === 0
  const retained = await findRetained(tx)
  let reached = 0
  const events = eventsOf(tx, filter, head.size)
  let next = await events.next()
  for await (const { note, size: goal } of sparse(tx, head)) {
    for (; !next.done && next.value.sequence <= goal; next = await events.next()) {
      const { sequence, event } = next.value
      if (sequence > reached + 1) yield await gap(tx, reached, sequence - 1)
      yield event
      reached = sequence
    }
    if (reached < goal) yield await gap(tx, reached, goal)
    reached = goal
    if (goal === head.size && isWhole && !isDeepStrictEqual(retained, await findRetained(tx)))
      throw new Error('retention was applied meanwhile: what it tells of that comes after this export')
    yield { checkpoint: note }
  }
}

/** @param from after this sequence number @param last up to this one */
async function gap(tx: Tx, from: number, last: number): Promise<ExportLine> {
  const hashes = await readSpan(tx, from, last)
  return { gap: { first: from + 1, last, hashes: hashes.map((hash) => hash.toString('base64')) } }
}

/** Checkpoints under the log's name that are some way apart, the newest that a witness signed, so that it can be compared, and the last one. */
async function* sparse(
  tx: Tx,
  { size, note: last }: Pick<Head, 'size' | 'note'>,
): AsyncGenerator<{ note: string; size: number }> {
  const { origin } = parseCheckpoint(splitNote(last).text)
  const witnessed = await findWitnessedSize(tx, size)
  let from = 0
  do {
    const note = await getCheckpoint(tx, Math.min(from + checkpointEvery, from < witnessed ? witnessed : size), origin)
    from = parseCheckpoint(splitNote(note).text).size
    yield { note, size: from }
  } while (from < size)
}
