import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import type { Demographics } from '../patient.ts'
import { compare, keysOf, phoneKey, traitsOf, weights } from './compare.ts'

type Chart = Omit<Demographics, 'status'>
const named = (given: string[], family: string, suffix: string | null = null) => ({
  name: { given, family, prefix: null, suffix },
})
const nothing = { language: null, maritalStatus: null, race: null, ethnicity: null, deathDate: null }
const maria: Chart = {
  ...named(['Maria', 'Luz'], 'Sandoval'),
  ...{ ...nothing, birthDate: '1977-11-03', sex: 'female' },
  ...{ otherNames: [], identifiers: [], telecom: [], addresses: [], contacts: [] },
}
const phone = (value: string) => ({ telecom: [{ system: 'phone' as const, value, use: null }] })
const email = (value: string) => ({ telecom: [{ system: 'email' as const, value, use: null }] })
const once = (given: string[], family: string | null) => ({ otherNames: [{ use: 'old', given, family }] })
const at = (postalCode: string | null, ...line: string[]) => ({
  postalCode,
  line,
  city: null,
  state: null,
  country: null,
})
const living = (...addresses: Chart['addresses']) => ({ addresses })
const ids = (system: string, ...values: string[]) => ({ identifiers: values.map((value) => ({ system, value })) })

type Part = Partial<Chart>
const compared = (one: Part, other: Part) => {
  const [a, b] = [one, other].map((part) => traitsOf({ ...maria, ...part })) as [never, never]
  expect(compare(b, a)).toEqual(compare(a, b))
  return compare(a, b)
}

describe('two charts, in either order', () => {
  test.each<[field: string, one: Part, other: Part, found: string | undefined]>([
    ['birth date', {}, {}, 'same'],
    ['birth date', {}, { birthDate: '1977-03-11' }, 'day and month swapped'],
    ['birth date', {}, { birthDate: '1977-05-11' }, 'different'],
    ['birth date', {}, { birthDate: '1977-03-05' }, 'different'],
    ['birth date', {}, { birthDate: '1978-03-11' }, 'different'],
    ['birth date', {}, { birthDate: '1977-11-30' }, 'one part differs'],
    ['birth date', {}, { birthDate: '1977-12-03' }, 'one part differs'],
    // longer than a generation isn't a slip of the pen
    ['birth date', {}, { birthDate: '1946-11-03' }, 'one part differs'],
    ['birth date', {}, { birthDate: '1945-11-03' }, 'different'],
    ['given name', {}, named(['MARÍA'], 'Sandoval'), 'same'],
    ['given name', {}, named(['M.'], 'Sandoval'), 'an initial'],
    ['given name', {}, named(['R.'], 'Sandoval'), 'different'],
    ['given name', named(['M'], 'Sandoval'), named(['m.'], 'Sandoval'), 'same'],
    ['given name', {}, named(['Mariah'], 'Sandoval'), 'similar'],
    ['given name', {}, named(['Martha'], 'Sandoval'), 'different'],
    // alike by their letters: three of ten may differ
    ['given name', named(['Maximilian'], 'S'), named(['Maxitisiat'], 'S'), 'similar'],
    ['given name', named(['Maximilian'], 'S'), named(['Taxitisiat'], 'S'), 'different'],
    // by their sound: then half of them
    ['given name', named(['Catherine'], 'S'), named(['Kathryn'], 'S'), 'similar'],
    ['given name', named(['Cathie'], 'S'), named(['Kathy'], 'S'), 'similar'],
    ['given name', named(['Leigh'], 'S'), named(['Lee'], 'S'), 'different'],
    ['given name', named(['Carl'], 'S'), named(['Mark'], 'S'), 'different'],
    ['given name', named(['Maria'.repeat(8) + 'x'.repeat(40)], 'S'), named(['Maria'.repeat(8)], 'S'), 'similar'],
    ['family name', {}, named(['Maria'], 'SÁNDOVAL'), 'same'],
    ['family name', {}, named(['Maria'], 'Sandobal'), 'similar'],
    ['family name', {}, named(['Maria'], 'Sandoval 2'), 'different'],
    ['family name', named(['Maria'], 'Van Dijk'), named(['Maria'], 'Vandyke'), 'similar'],
    ['family name', {}, named(['Maria'], 'Peters'), 'different'],
    ['family name', {}, { ...named(['Maria'], 'Peters'), ...once([], 'Sandobal') }, 'a former name'],
    ['family name', {}, { ...named(['Maria'], 'Peters'), ...once(['Mary'], null) }, 'different'],
    ['name order', {}, named(['Sandoval'], 'Maria Luz'), 'swapped'],
    ['given name', {}, named(['Sandoval'], 'Maria Luz'), 'same'],
    ['family name', {}, named(['Sandoval'], 'Maria Luz'), 'same'],
    ['second name', {}, named(['Sandoval'], 'Maria Luz'), undefined],
    ['name order', {}, named(['Sandoval', 'Peters'], 'Maria'), undefined],
    ['name order', {}, named(['Sandoval'], 'Peters'), undefined],
    ['name order', named(['Maria'], 'Maria'), named(['Maria'], 'Maria'), undefined],
    ['second name', {}, named(['Maria Luz'], 'Sandoval'), 'same'],
    ['second name', {}, named(['Maria', 'L.'], 'Sandoval'), 'an initial'],
    ['second name', {}, named(['Maria', 'Ana'], 'Sandoval'), 'different'],
    ['second name', {}, named(['Maria'], 'Sandoval'), undefined],
    ['suffix', {}, named(['Maria'], 'Sandoval', 'Jr.'), 'different'],
    ['suffix', named(['Maria'], 'Sandoval', 'JR'), named(['Maria'], 'Sandoval', 'Jr.'), undefined],
    ['sex', {}, {}, 'same'],
    ['sex', {}, { sex: 'male' }, 'different'],
    ['sex', {}, { sex: 'unknown' }, undefined],
    ['sex', { sex: 'unknown' }, { sex: 'unknown' }, undefined],
    ['phone', phone('+1 (617) 555-0147'), phone('617 555 0147'), 'same'],
    ['phone', phone('617 555 0147'), phone('717 555 0147'), 'same'],
    ['phone', phone('617 555 0147'), phone('627 555 0147'), 'different'],
    ['phone', phone('617 555 0147'), {}, undefined],
    ['phone', phone('none'), phone('none'), undefined],
    ['phone', phone('617 555 0147'), email('617 555 0147'), undefined],
    ['email', email('Maria@x.example'), email('maria@X.example'), 'same'],
    ['email', email('maria@x.example'), email('luz@x.example'), 'different'],
    ['email', email('maria@x.example'), phone('617 555 0147'), undefined],
    ['address', living(at('EC1A 1BB', '12 High Street')), living(at('ec1a1bb', '12 High Stret', 'Flat 2')), 'same'],
    ['address', living(at('02139', '12 High Street')), living(at('02139', '14 High Street')), 'same postal code'],
    ['address', living(at('02139', '1 Elm', 'Flat 2')), living(at('02139', '9 Oak', 'Flat 2')), 'same postal code'],
    ['address', living(at('02139')), living(at('02139')), 'same postal code'],
    ['address', living(at('02139', '12 High Street')), living(at('02140', '12 High Street')), 'different'],
    ['address', living(at(null, '12 High Street')), living(at(null, '12 High Street')), 'different'],
    ['address', living(at('02139')), {}, undefined],
    ['address', living(at('1'), at('2'), at('3')), living(at('3')), 'same postal code'],
    ['address', living(at('1'), at('2'), at('3'), at('4')), living(at('4')), 'different'],
    ...['ssn', 'driving-licence', 'passport', 'insurance'].flatMap(
      (system): [string, Part, Part, string | undefined][] => [
        [system, ids(system, 'AB 123'), ids(system, 'ab-123'), 'same'],
        [system, ids(system, 'AB123', 'CD456'), ids(system, 'EF789', 'CD456'), 'same'],
        [system, ids(system, 'AB123'), ids(system, 'AB132'), 'similar'],
        [system, ids(system, 'AB123'), ids(system, 'AB145'), 'different'],
        [system, ids(system, 'AB123'), {}, undefined],
        [system, ids(system, 'AB123'), ids('source:registry', 'AB123'), undefined],
      ],
    ),
  ])('%s: of %j and %j it is %s', (field, one, other, found) => {
    expect(compared(one, other).reasons.find((reason) => reason.field === field)?.found).toBe(found)
  })

  test('reasons are of what both say, and add up to the score', () => {
    const { score, grade, reasons } = compared({}, { birthDate: '1990-01-01' })
    expect(reasons.map(({ field, weight }) => [field, weight])).toEqual([
      ['birth date', -9],
      ['given name', 6],
      ['family name', 6],
      ['second name', 2],
      ['sex', 1],
    ])
    expect([score, grade]).toEqual([1 / (1 + 2 ** (14 - 6)), null])
    expect(compared(ids('source:registry', '1'), ids('source:registry', '1')).reasons).toEqual(compared({}, {}).reasons)
  })
})

test('the page about matching shows the weights as they are', () => {
  const page = readFileSync(new URL('../../../../docs/matching.md', import.meta.url), 'utf8').split('\n')
  const head = page.findIndex((line) => line.includes('| bits |'))
  const shown = page.slice(head + 2, page.indexOf('', head)).map((line) => line.split('|').map((cell) => cell.trim()))
  const stand = Object.entries(weights).map(([field, found]) => [
    field,
    Object.entries(found).map((one) => one.join(' ')),
  ])
  expect(shown.map(([, field, bits]) => [field, bits!.split(', ')])).toEqual(stand)
})

describe('a chart is looked for where they have a key in common', () => {
  const common = (one: Part, other: Part) => {
    const [a, b] = [one, other].map((part) => keysOf({ ...maria, ...part })) as [string[], string[]]
    for (const keys of [a, b]) expect(new Set(keys).size).toBe(keys.length)
    return a.filter((key) => b.includes(key)).map((key) => key.split(' ')[0])
  }
  const stranger = { ...named(['Elena'], 'Peters'), birthDate: '1950-01-20' }

  test.each<[what: string, one: Part, other: Part, kinds: string[]]>([
    ['the same', {}, {}, ['born', 'name']],
    ['nothing', {}, stranger, []],
    ['name and year', {}, { birthDate: '1977-01-20' }, ['name']],
    ['a name of another year', {}, { birthDate: '1976-11-03' }, []],
    ['the sound of a name', named(['Catherine'], 'Smith'), named(['Kathryn'], 'Smyth'), ['born', 'name']],
    ['a name in another order', {}, { ...named(['Sandoval'], 'Maria'), birthDate: '1977-01-20' }, ['name']],
    [
      'a former name',
      {},
      { ...named(['Maria'], 'Peters'), ...once([], 'Sandoval'), birthDate: '1977-01-20' },
      ['name'],
    ],
    ['a name that it always had', once([], 'Sandoval'), {}, ['born', 'name']],
    ['a day', {}, { ...stranger, birthDate: maria.birthDate }, ['born']],
    ['a day whose month is swapped', {}, { ...stranger, birthDate: '1977-03-11' }, ['born']],
    ['a phone', phone('617 555 0147'), { ...stranger, ...phone('+1 617 5550147') }, ['phone']],
    ['an e-mail address', email('A@x.example'), { ...stranger, ...email('a@x.example') }, ['email']],
  ])('%s', (_what, one, other, kinds) => {
    expect(common(one, other)).toEqual(kinds)
  })

  test('a phone number by itself has the key that a chart with it has', () => {
    expect(keysOf({ ...maria, ...phone('+1 (617) 555-0147') })).toContain(phoneKey('617 555 0147'))
  })
})
