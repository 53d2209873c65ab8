import type { Tx } from '@caregate/common/database'
import type { EventRow } from './database.ts'
import { findEvents, getHead, type EventFilter, type Span } from './repository.ts'
import { buildWindows } from './windows.ts'

const safeWidth = 100_000
/** A page that is not full by then is answered as it is. */
const pageMs = 2000

/**
 * The events of a filter, in order, a statement at a time: no filter, and no size of the log, makes one that takes long.
 * @param limit of events at once
 * @returns what each found, which may be nothing, and what is left to be searched
 */
export async function* searchEvents(
  tx: Tx,
  filter: EventFilter,
  span: Span,
  limit: number,
): AsyncGenerator<{ rows: EventRow[]; left: Span }> {
  const readWindow = buildWindows(safeWidth)
  let left = span
  while (left.after < left.upTo) {
    const { found: rows, width } = await readWindow(tx, left.upTo - left.after, (own, most) =>
      findEvents(own, filter, firstOf(left, most), limit),
    )
    left = rows.length === limit ? beyond(left, rows.at(-1)!) : restOf(left, width)
    yield { rows, left }
  }
}

const firstOf = (span: Span, width: number): Span =>
  span.order === 'ASC' ? { ...span, upTo: span.after + width } : { ...span, after: span.upTo - width }
const restOf = (span: Span, width: number): Span =>
  span.order === 'ASC' ? { ...span, after: span.after + width } : { ...span, upTo: span.upTo - width }
const beyond = (span: Span, { sequence }: Pick<EventRow, 'sequence'>): Span =>
  span.order === 'ASC' ? { ...span, after: Number(sequence) } : { ...span, upTo: Number(sequence) - 1 }

/** Where a page begins: after a number, oldest first, or with one, newest first, or with the newest. */
export type Position = { after: number } | { upTo?: number }

/** Where the page begins that follows one which ended with that event. */
export const behind = (position: Position, { sequence }: { sequence: string | number }): Position =>
  'after' in position ? { after: Number(sequence) } : { upTo: Number(sequence) - 1 }

/**
 * A page of at most `limit` events; of fewer, of none even, when there are more but it would take too long to find them.
 * @returns with where the next page begins, if there may be one
 */
export async function findPage(
  tx: Tx,
  filter: EventFilter,
  position: Position,
  limit: number,
): Promise<{ rows: EventRow[]; next: Position | undefined }> {
  const { size } = await getHead(tx)
  const span: Span =
    'after' in position
      ? { after: position.after, upTo: size, order: 'ASC' }
      : { after: 0, upTo: Math.min(position.upTo ?? size, size), order: 'DESC' }
  const began = performance.now()
  const found: EventRow[] = []
  let left = span
  // one more than there is room for tells whether there are more
  for await (const { rows, left: rest } of searchEvents(tx, filter, span, limit + 1)) {
    found.push(...rows)
    left = rest
    if (found.length > limit || performance.now() - began > pageMs) break
  }
  const rows = found.slice(0, limit)
  if (found.length > limit) return { rows, next: behind(position, rows.at(-1)!) }
  if (left.after >= left.upTo) return { rows, next: undefined }
  return { rows, next: span.order === 'ASC' ? { after: left.after } : { upTo: left.upTo } }
}
