import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { generatePatients } from './generate.ts'

test('the sample people are always the same', () => {
  expect(generatePatients()).toBe(readFileSync(new URL('patients.csv', import.meta.url), 'utf8'))
})

test('no social security number could have been issued', () => {
  const numbers = generatePatients().match(/\b\d{3}-\d{2}-\d{4}\b/g) ?? []
  expect(numbers.length).toBeGreaterThan(900)
  expect(numbers.filter((number) => !number.startsWith('9'))).toEqual([])
})
