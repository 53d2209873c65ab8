import { expect, test } from '@jest/globals'
import { listLimits, type Demographics } from '../patient.ts'
import { mergedDemographics } from './merged.ts'

type Chart = Omit<Demographics, 'status'>
const named = (given: string[], family: string) => ({ name: { given, family, prefix: null, suffix: null } })
const other = (given: string[], family: string | null, use = 'old') => ({ use, given, family })
const chart = (more: Partial<Chart> = {}) =>
  ({
    ...named(['Ann', 'May'], 'Lee'),
    ...{ otherNames: [], identifiers: [], telecom: [], addresses: [], contacts: [], birthDate: '1989-05-25', ...more },
  }) as unknown as Chart
const merged = (target: Partial<Chart>, source: Partial<Chart>) => mergedDemographics(chart(target), chart(source))
const id = (system: string, value: string) => ({ system, value })

test('a chart keeps its own single values', () => {
  expect(merged({}, { birthDate: '1990-01-01', ...named(['Ann', 'May'], 'LEE') })).toEqual(chart())
})

test.each<[what: string, target: Partial<Chart>, source: Partial<Chart>, names: Chart['otherNames']]>([
  ['a new one', {}, named(['Ann'], 'Lee'), [other(['Ann'], 'Lee')]],
  ['of another family', {}, named(['Ann', 'May'], 'Poe'), [other(['Ann', 'May'], 'Poe')]],
  ['of other words', {}, named(['An', 'nMay'], 'Lee'), [other(['An', 'nMay'], 'Lee')]],
  ['its own', {}, named(['ANN', 'may'], 'Léé'), []],
  ['one of its others', { otherNames: [other(['Ann'], 'Poe')] }, named(['ann'], 'poe'), [other(['Ann'], 'Poe')]],
  ['a nickname', { otherNames: [other(['Lee'], null)] }, named([], 'Lee'), [other(['Lee'], null)]],
])('the other name is among its names: %s', (_what, target, source, names) => {
  expect(merged(target, source).otherNames).toEqual(names)
})

test('lists hold what either had, once', () => {
  const phone = { system: 'phone' as const, value: '555 0100', use: null }
  const address = { line: ['1 Elm'], city: null, state: null, postalCode: null, country: null }
  const contact = { ...named(['Bo'], 'Lee'), relationship: null, telecom: [] }
  const lists = { telecom: [phone], addresses: [address], contacts: [contact], otherNames: [other([], 'Poe')] }
  expect(merged({}, lists)).toEqual(chart(lists))
  expect(merged(lists, lists)).toEqual(chart(lists))
  expect(merged({ telecom: [phone] }, { telecom: [{ ...phone, use: 'home' }] }).telecom).toHaveLength(2)
})

test('an identifier is the same however it was typed, of one system; of a source as it is', () => {
  const both = (one: object, two: object) =>
    merged({ identifiers: [one as never] }, { identifiers: [two as never] }).identifiers
  expect(both(id('ssn', '999-12-6789'), id('ssn', '999126789'))).toEqual([id('ssn', '999-12-6789')])
  expect(both(id('ssn', '999126789'), id('passport', '999126789'))).toHaveLength(2)
  expect(both(id('source:x', 'a-1'), id('source:x', 'a1'))).toHaveLength(2)
  // of signs alone nothing would be left to compare
  expect(both(id('insurance', '--'), id('insurance', '++'))).toHaveLength(2)
})

test('a list that would be too long is named', () => {
  const many = (from: number) => ({
    telecom: Array.from({ length: listLimits.telecom / 2 + 1 }, (_, n) => id('phone', `${from + n}`)) as never,
  })
  expect(() => merged(many(0), many(100))).toThrow('they have 22 telecom, and a chart may have 20')
})
