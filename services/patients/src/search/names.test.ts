import { expect, test } from '@jest/globals'
import { askedWords, lineOf, variantsOf, wordsOf } from './names.ts'

const numbered = (count: number) => Array.from({ length: count }, (_, n) => `word${n}`).join(' ')

test('a chart is found by each word of its names, folded, once', () => {
  const name = { given: ['José', 'Ann-May'], family: 'van Lee', prefix: 'Dr.', suffix: null }
  const otherNames = [
    { use: 'maiden', given: [], family: 'Poe' },
    { use: 'nickname', given: ['Pepe', 'José'], family: null },
  ]
  expect(wordsOf({ name, otherNames })).toEqual(['van', 'lee', 'jose', 'ann', 'may', 'poe', 'pepe'])
})

test('what is asked for is every word of every field, fifty at most, and one in each', () => {
  expect(askedWords({ q: 'Ann  LEE', given: ['Ann', 'Bo'], family: undefined })).toEqual(['ann', 'lee', 'bo'])
  expect(askedWords({ q: numbered(50) })).toHaveLength(50)
  const refused = (fields: Parameters<typeof askedWords>[0]) => {
    try {
      return askedWords(fields)
    } catch (error) {
      return (error as { extras: object }).extras
    }
  }
  expect(refused({ q: numbered(30), given: [numbered(51)] })).toMatchObject({ errors: [{ path: 'given' }] })
  expect(refused({ q: 'Ann', family: ' - ' })).toMatchObject({ errors: [{ path: 'family' }] })
})

test('words stand in a line between spaces, as long as an index takes', () => {
  expect(lineOf(['ann', 'lee'])).toBe(' ann lee ')
  expect(lineOf(['x'.repeat(600)])).toBe(` ${'x'.repeat(499)} `)
})

test.each([
  ['sandoval', 'sandobal', 'a wrong letter'],
  ['sandoval', 'sandval', 'a missing one'],
  ['sandoval', 'sandovaal', 'one too many'],
  ['sandoval', 'sadnoval', 'two swapped'],
  ['catherine', 'kathryn', 'the same sound'],
])('%s is like %s: %s', (one, other) => {
  expect(variantsOf(one).some((variant) => variantsOf(other).includes(variant))).toBe(true)
})

test('words that are short or differ in more are not alike', () => {
  for (const [one, other] of [
    ['lee', 'leo'],
    ['sandoval', 'sandibil'],
  ] as const)
    expect(variantsOf(one).some((variant) => variantsOf(other).includes(variant))).toBe(false)
})
