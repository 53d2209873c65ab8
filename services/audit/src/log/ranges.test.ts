import { expect, test } from '@jest/globals'
import { endedBy, formatRanges, intersectRanges, mergeRanges, parseRanges, subtractRanges } from './ranges.ts'

test('ranges that touch or overlap are one', () => {
  expect(
    mergeRanges([
      [8, 9],
      [1, 3],
      [4, 5],
      [2, 2],
    ]),
  ).toEqual([
    [1, 5],
    [8, 9],
  ])
})

test.each([
  ['1-10', '3-4', '1-2,5-10'],
  ['1-10', '1-10', ''],
  ['1-10', '1-4,5-12', ''],
  ['1-10', '5-20', '1-4'],
  ['5-10', '1-6,9-9', '7-8,10-10'],
  ['1-2,7-8', '2-7', '1-1,8-8'],
  ['1-2', '', '1-2'],
  ['5-10', '1-2,12-13', '5-10'],
  ['1-20', '12-13,4-5', '1-3,6-11,14-20'],
])('%s without %s is %s', (from, taken, left) => {
  expect(formatRanges(subtractRanges(parseRanges(from)!, parseRanges(taken) ?? []))).toBe(left)
})

test.each(['', '1', '0-1', '2-1', '1-2,', '1-2,x', '1-2,4-3', '-1-2', '1-99999999999999999'])(
  '%j is no list of ranges',
  (text) => {
    expect(parseRanges(text)).toBeUndefined()
  },
)

test('what is in both is what neither lacks', () => {
  expect(formatRanges(intersectRanges(parseRanges('1-10,20-30')!, parseRanges('5-22,30-40')!))).toBe('5-10,20-22,30-30')
})

test('an event tells of the end of what came before it, and of nothing else', () => {
  const told = { resource: { id: '1-5,9-12' } }
  expect(endedBy(told, 13)).toEqual([
    [1, 5],
    [9, 12],
  ])
  expect(endedBy(told, 12)).toEqual([[1, 5]])
  expect(endedBy({ resource: { id: 'x' } }, 13)).toEqual([])
  expect(endedBy({ resource: null }, 13)).toEqual([])
})
