import { expect, test } from '@jest/globals'
import { csvLines, plainCell } from './csv.ts'

test.each(['=1+1', '+1', '-1', '@SUM', '\tx', '\rx', '＝1', '＋1', '－1', '＠x'])(
  '%j is no formula, and comes back as it was',
  (cell) => {
    const written = csvLines([[cell]])
      .replace(/\r\n$/, '')
      .replace(/^"(.*)"$/s, '$1')
    expect(written).toBe(`'${cell}`)
    expect(plainCell(written)).toBe(cell)
  },
)

test.each(["'t Hooft", "O'Conner", "''", '1-1'])('%j stays as it is', (cell) => {
  expect(csvLines([[cell]])).toBe(`${cell}\r\n`)
  expect(plainCell(cell)).toBe(cell)
})
