import type { Tx } from '@caregate/common/database'
import { exportFormat } from './log/entry.ts'
import { parseCheckpoint, splitNote } from './log/note.ts'
import { readSpan } from './tree.ts'
import {
  findEvents,
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

/**
 * All events that a filter lets through, up to a checkpoint: whoever has the log's key can verify that they are the
 * log's, whole and in their places.
 * @param head the checkpoint that the export ends with
 */
export async function* exportLines(
  tx: Tx,
  filter: EventFilter,
  head: Pick<Head, 'size' | 'note'>,
): AsyncGenerator<ExportLine> {
  yield { format: exportFormat, filter }
  let reached = 0
  let after = 0
  let found: ReadEvent[] = []
  let more = true
  for await (const { note, size: goal } of sparse(tx, head)) {
    for (;;) {
      if (!found.length && more) {
        const rows = await findEvents(tx, filter, { after }, eventsAtOnce)
        more = rows.length === eventsAtOnce
        found = await readEvents(tx, rows)
        after = found.at(-1)?.sequence ?? after
      }
      const next = found[0]
      if (!next || next.sequence > goal) break
      if (next.sequence > reached + 1) yield await gap(tx, reached, next.sequence - 1)
      yield next
      reached = next.sequence
      found.shift()
    }
    if (reached < goal) yield await gap(tx, reached, goal)
    reached = goal
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
