import { expect, test } from '@jest/globals'
import { maxPatientIds } from '@caregate/common/events'
import { withinEvent } from './disclosed.ts'

const charts = (from: number, count: number) => Array.from({ length: count }, (_, n) => `chart ${from + n}`)
const shownOf = (items: string[][]) => withinEvent(items, (item) => item)

test('all is shown whose charts an event has room for, and each chart is named once', () => {
  expect(shownOf([])).toEqual({ shown: [], patientIds: [] })
  const items = [charts(0, 100), [], charts(50, 150), charts(0, 200)]
  expect(shownOf(items)).toEqual({ shown: items, patientIds: charts(0, maxPatientIds) })
})

test('what is one chart too many ends it, with all that comes after', () => {
  const items = [charts(0, 199), charts(198, 3), charts(0, 1)]
  expect(shownOf(items)).toEqual({ shown: items.slice(0, 1), patientIds: charts(0, 199) })
})
