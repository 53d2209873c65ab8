import { expect, test } from '@jest/globals'
import { buildCursors } from './cursor.ts'

const cursors = buildCursors('a key for the cursors of this test')
const rows = [1, 2, 3, 4, 5, 6]

async function pages(limit: number): Promise<number[][]> {
  const seen: number[][] = []
  for (let cursor: string | undefined; ;) {
    const find = async (after: number | undefined, most: number) => {
      // one more than is shown, and no more: that is a row read for nothing
      expect(most).toBe(limit + 1)
      return rows.filter((row) => after === undefined || row > after).slice(0, most)
    }
    const page = await cursors.page('numbers', { limit, cursor }, find, (row) => row)
    seen.push(page.rows)
    if (page.nextCursor === null) return seen
    cursor = page.nextCursor
  }
}

test('pages follow each other, and the last one says so, also when it is full', async () => {
  expect(await pages(4)).toEqual([
    [1, 2, 3, 4],
    [5, 6],
  ])
  expect(await pages(3)).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ])
  expect(await pages(6)).toEqual([rows])
})

test('a cursor tells nothing, and is good for its list and its key alone', () => {
  const cursor = cursors.encode('numbers', { family: 'Sandoval' })
  expect(cursors.decode('numbers', cursor)).toEqual({ family: 'Sandoval' })
  expect(Buffer.from(cursor, 'base64url').toString()).not.toContain('Sandoval')
  const refused = expect.objectContaining({
    code: 'validation_failed',
    extras: { errors: [expect.objectContaining({ path: 'cursor' })] },
  })
  for (const open of [
    () => cursors.decode('letters', cursor),
    () => cursors.decode('numbers', `${cursor.slice(0, -2)}AA`),
    () => cursors.decode('numbers', ''),
    () => buildCursors('another key than that one before!').decode('numbers', cursor),
  ])
    expect(open).toThrow(refused)
})
