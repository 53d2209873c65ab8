import { expect, test } from '@jest/globals'
import { differences, fieldsOf, foldName, mergePatch, searchName, withStatus, type Demographics } from './patient.ts'

// those of RFC 7396, appendix A
test.each<[target: unknown, patch: unknown, result: unknown]>([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('%j patched with %j is %j', (target, patch, result) => {
  const before = structuredClone(target)
  expect(mergePatch(target, patch)).toEqual(result)
  expect(target).toEqual(before)
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
  expect(differences({ a: null, l: [1, 2], o: { p: 1 } }, { l: [1, 3], o: ['p'] })).toEqual([
    { path: 'a', before: null, after: null },
    { path: 'l', before: [1, 2], after: [1, 3] },
    { path: 'o', before: { p: 1 }, after: ['p'] },
  ])
  expect(fieldsOf(differences({ l: [{ x: 1 }, { x: 2 }] }, { l: [{ x: 3 }, { x: 4 }] }))).toEqual(['l.x'])
})

test('names are searched family first, without case and accents', () => {
  expect(searchName({ given: ['José', 'Anne-Marie'], family: 'van der Bérg', prefix: null, suffix: null })).toBe(
    ' van der berg jose anne marie',
  )
})

test.each([
  ['Ærøskøbing', 'aeroskobing'],
  ['Œuvre Straße', 'oeuvre strasse'],
  ['Łódź Đặng', 'lodz dang'],
  ['Þórður Sigurðsson', 'thordur sigurdsson'],
  ['Işık', 'isik'],
  ['O’Conner', "o'conner"],
  ['  Anne - Marie\t\n', 'anne marie'],
  ['می\u200Cخواهم', 'میخواهم'],
])('%j is folded to %j', (name, folded) => expect(foldName(name)).toBe(folded))

test('a chart is that of somebody deceased by its date of death, and else what it is said to be, or was', () => {
  const chart = (more: object) => more as Demographics
  expect(withStatus(chart({ deathDate: '2020-01-01', status: 'active' })).status).toBe('deceased')
  expect(withStatus(chart({ deathDate: null, status: 'inactive' }), 'active').status).toBe('inactive')
  expect(withStatus(chart({ deathDate: null }), 'inactive').status).toBe('inactive')
  expect(withStatus(chart({}))).toEqual({ status: 'active' })
})
