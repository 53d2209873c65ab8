import { expect, test } from '@jest/globals'
import { formatMrn, isMrn } from './mrn.ts'
import { differences, fieldsOf, mergePatch, searchName } from './patient.ts'

test('an MRN shows every single wrong digit', () => {
  const mrn = formatMrn(42n)
  expect(mrn).toMatch(/^\d{8}$/)
  expect(isMrn(mrn)).toBe(true)
  for (let place = 0; place < mrn.length; place++) {
    for (let digit = 0; digit < 10; digit++) {
      const typed = mrn.slice(0, place) + String(digit) + mrn.slice(place + 1)
      expect(isMrn(typed)).toBe(typed === mrn)
    }
  }
})

test('a merge patch changes, adds and takes away, as RFC 7396 says', () => {
  expect(mergePatch({ a: 1, b: { c: 2, d: 3 }, l: [1, 2] }, { b: { c: null, e: 4 }, l: [9], n: {} })).toEqual({
    a: 1,
    b: { d: 3, e: 4 },
    l: [9],
    n: {},
  })
})

test('changed fields are names, dotted, through lists of the same length', () => {
  const changes = differences({ a: 1, l: [{ x: 1, y: 1 }], s: ['q'] }, { a: 1, l: [{ x: 2, y: 1 }], s: ['r'], t: 3 })
  expect(changes).toEqual([
    { path: 'l.0.x', before: 1, after: 2 },
    { path: 's', before: ['q'], after: ['r'] },
    { path: 't', before: null, after: 3 },
  ])
  expect(fieldsOf(changes)).toEqual(['l.x', 's', 't'])
  expect(fieldsOf(differences({ l: [{ x: 1 }], o: { p: 1 } }, { l: [], o: { p: 2 } }))).toEqual(['l', 'o.p'])
  expect(fieldsOf(differences({ l: [{ x: 1 }, { x: 2 }] }, { l: [{ x: 3 }, { x: 4 }] }))).toEqual(['l.x'])
})

test('names are searched family first, without case and accents', () => {
  expect(searchName({ given: ['José', 'Anne-Marie'], family: 'van der Bérg', prefix: null, suffix: null })).toBe(
    ' van der berg jose anne marie',
  )
})
