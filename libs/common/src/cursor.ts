import { invalid } from './errors.ts'
import { buildSeal } from './seal.ts'
import type { Page } from './validate.ts'

/** Opaque cursors: what a page ended with may be a name or a date of birth, so it is sealed. */
export interface Cursors {
  /** `list` names the list that the cursor is for, so that one list's cursor is refused by another. */
  encode(list: string, position: unknown): string
  /** @throws a 422 that names `cursor` */
  decode<T>(list: string, cursor: string): T
  /**
   * A page of a list.
   * @param find gives so many rows that come after a position, or the first ones
   * @param positionOf where a row stands
   */
  page<Row, Position>(
    list: string,
    { limit, cursor }: Page,
    find: (after: Position | undefined, limit: number) => Promise<Row[]>,
    positionOf: (row: Row) => Position,
  ): Promise<{ rows: Row[]; nextCursor: string | null }>
}

export function buildCursors(key: string): Cursors {
  const seal = buildSeal('caregate cursor', key)
  const cursors: Cursors = {
    encode: (list, position) => seal.close(list, JSON.stringify(position)),
    decode(list, cursor) {
      try {
        return JSON.parse(seal.open(list, cursor)) as never
      } catch {
        throw invalid({ path: 'cursor', message: 'cursor is not one that this list gave out' })
      }
    },
    async page(list, { limit, cursor }, find, positionOf) {
      // one more than there is room for tells whether there are more
      const found = await find(cursor === undefined ? undefined : cursors.decode(list, cursor), limit + 1)
      const rows = found.slice(0, limit)
      const nextCursor = found.length > limit ? cursors.encode(list, positionOf(rows.at(-1)!)) : null
      return { rows, nextCursor }
    },
  }
  return cursors
}
