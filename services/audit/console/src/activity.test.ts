import { expect, test } from '@jest/globals'
import { count, roll, totals } from './activity.ts'
import type { Activity } from './api.ts'

const at = (seconds: number): string => new Date(Date.UTC(2026, 10, 24, 8, 0, seconds)).toISOString()
const empty = { success: 0, denied: 0, failure: 0 }
const activity: Activity = {
  bucketSeconds: 10,
  buckets: [0, 10, 20].map((start, n) => ({ start: at(start), ...empty, success: n + 1 })),
}

test('events are counted where they occurred, and others not at all', () => {
  const { buckets } = count(activity, [
    { occurredAt: at(0), outcome: 'denied' },
    { occurredAt: at(9), outcome: 'denied' },
    { occurredAt: at(29), outcome: 'failure' },
    { occurredAt: at(30), outcome: 'failure' },
    { occurredAt: at(-1), outcome: 'failure' },
  ])
  expect(buckets.map(({ denied, failure }) => [denied, failure])).toEqual([
    [2, 0],
    [0, 0],
    [0, 1],
  ])
  expect(totals(buckets)).toEqual({ success: 6, denied: 2, failure: 1 })
})

test('the window goes on with the time, and keeps its length', () => {
  expect(roll(activity, Date.parse(at(29)))).toEqual(activity)
  expect(roll(activity, Date.parse(at(30))).buckets).toEqual([
    { start: at(10), ...empty, success: 2 },
    { start: at(20), ...empty, success: 3 },
    { start: at(30), ...empty },
  ])
  expect(roll(activity, Date.parse(at(105))).buckets.map(({ start }) => start)).toEqual([at(80), at(90), at(100)])
})
