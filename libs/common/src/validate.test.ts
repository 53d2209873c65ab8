import { expect, test } from '@jest/globals'
import { cleanText, findThreats } from './validate.ts'

test.each([
  "O'Conner",
  'José',
  'Ng',
  'a < b',
  'Smith & Sons',
  'Anne-Marie',
  'x > 3 && y < 5',
  'Dr. Nuñez (retired)',
  '50% <3',
])('%s stays as it is', (value) => {
  expect(cleanText(value)).toBe(value)
  expect(findThreats(value)).toEqual([])
})
