import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openAudit } from './testing.ts'
import { buildWindows, type ReadWindow } from './windows.ts'

let service: Awaited<ReturnType<typeof openAudit>>
beforeAll(async () => {
  service = await openAudit()
})
afterAll(() => service.close())

/** Reads all of it, a millisecond or more for each, as a walk through a table would. @returns the widths of what was read */
async function readAll(readWindow: ReadWindow, total: number, msEach: number): Promise<number[]> {
  const widths: number[] = []
  for (let left = total; left > 0; left -= widths.at(-1)!) {
    const { width } = await readWindow(service.db.manager, left, (tx, most) =>
      tx.query('SELECT pg_sleep($1)', [(most * msEach) / 1000]),
    )
    widths.push(width)
  }
  return widths
}

test('what is found quickly is read at once', async () => {
  expect(await readAll(buildWindows(10), 1e6, 1e-6)).toEqual([1e6])
})

test('what takes long is cut off, and read a little at a time, ever more while that is quick', async () => {
  const began = performance.now()
  const widths = await readAll(buildWindows(20), 1600, 1)
  expect(widths[0]).toBe(20)
  // how soon depends on what else the machine does
  expect(Math.max(...widths)).toBeGreaterThan(100)
  expect(Math.max(...widths)).toBeLessThanOrEqual(1000)
  expect(widths.reduce((sum, width) => sum + width, 0)).toBe(1600)
  // not the 1.6 s alone, but a second that was lost
  expect(performance.now() - began).toBeGreaterThan(2500)
})

test('what fails otherwise, or of the least width, fails', async () => {
  const { manager } = service.db
  await expect(buildWindows(10)(manager, 100, (tx) => tx.query('SELECT 1 / 0'))).rejects.toThrow('division by zero')
  const slow = (tx: typeof manager): Promise<unknown> => tx.query('SELECT pg_sleep(20)')
  await expect(buildWindows(10)(manager, 10, slow)).rejects.toThrow('statement timeout')
})
