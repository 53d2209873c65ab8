import { expect, test } from '@jest/globals'
import { differences, fieldsOf, mergePatch, searchName } from './patient.ts'

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
