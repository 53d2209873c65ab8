/**
 * People who don't exist, some of them with several charts, and who is whom. Written before the rules that are measured with it.
 * What is hard in it: twins, sons who are called like their fathers, households, namesakes of the same year; and charts made anew after
 * a move, a marriage, a mistyped name or day, with or without papers.
 */
import { cultures, places, streets } from '../../samples/names.ts'
import type { Demographics } from '../../services/patients/src/patient.ts'
import { buildChance, type Chance } from '../chance.ts'

/** A chart, and the number of the person whose it is. */
export interface Labelled {
  person: number
  chart: Demographics
  /** What happened to it on the way, for whoever looks at a mistake. */
  story: string[]
}

const day = (chance: Chance, from: number, to: number): string =>
  new Date(Date.UTC(chance.between(from, to), chance.int(12), 1 + chance.int(28))).toISOString().slice(0, 10)
const digits = (chance: Chance, length: number): string => Array.from({ length }, () => chance.int(10)).join('')
const phoneOf = (chance: Chance): string => `+1-${digits(chance, 3)}-555-${digits(chance, 4)}`

function addressOf(chance: Chance): Demographics['addresses'][number] {
  const { city, state, zip } = chance.pick(places)
  return { line: [`${chance.between(1, 1999)} ${chance.pick(streets)}`], city, state, postalCode: zip, country: 'US' }
}

function makePerson(chance: Chance): Demographics {
  const culture = chance.pick(cultures.flatMap((each) => Array<typeof each>(each.share).fill(each)))
  const woman = chance.chance(0.52)
  const given = [chance.pick(woman ? culture.women : culture.men)]
  if (chance.chance(0.4)) given.push(chance.pick(woman ? culture.women : culture.men))
  const family = chance.pick(culture.families)
  const mail = `${given[0]!.slice(0, 1)}${family}${digits(chance, 3)}`
    .normalize('NFD')
    .replaceAll(/[^a-z0-9]/gi, '')
    .toLowerCase()
  return {
    status: 'active',
    name: { given, family, prefix: null, suffix: null },
    otherNames: [],
    birthDate: day(chance, 1930, 2024),
    deathDate: null,
    sex: woman ? 'female' : 'male',
    identifiers: [
      ...(chance.chance(0.8)
        ? [{ system: 'ssn', value: `9${digits(chance, 2)}-${chance.between(10, 49)}-${digits(chance, 4)}` }]
        : []),
      ...(chance.chance(0.5) ? [{ system: 'driving-licence', value: `S9${digits(chance, 7)}` }] : []),
      ...(chance.chance(0.6) ? [{ system: 'insurance', value: `INS${digits(chance, 8)}` }] : []),
    ],
    telecom: [
      ...(chance.chance(0.9) ? [{ system: 'phone', value: phoneOf(chance), use: 'mobile' } as const] : []),
      ...(chance.chance(0.5) ? [{ system: 'email', value: `${mail}@example.org`, use: null } as const] : []),
    ],
    addresses: chance.chance(0.95) ? [addressOf(chance)] : [],
    contacts: [],
    language: 'en',
    maritalStatus: null,
    race: culture.race,
    ethnicity: culture.ethnicity,
  }
}

/** Somebody else who is much like `person`: where the hard cases come from. */
function makeRelative(chance: Chance, person: Demographics): { kind: string; chart: Demographics } {
  const other = makePerson(chance)
  const home = {
    addresses: person.addresses,
    telecom: [
      ...person.telecom.filter(({ system }) => system === 'phone'),
      ...other.telecom.filter(({ system }) => system === 'email'),
    ],
  }
  const family = { ...other.name, family: person.name.family }
  const kind = chance.pick(['twin', 'twin', 'junior', 'sibling', 'spouse', 'namesake'])
  switch (kind) {
    case 'twin':
      return { kind, chart: { ...other, ...home, name: family, birthDate: person.birthDate } }
    case 'junior': {
      const year = Math.min(Number(person.birthDate.slice(0, 4)) + chance.between(19, 40), 2024)
      return {
        kind,
        chart: {
          ...other,
          ...home,
          name: { ...person.name, suffix: 'Jr.' },
          sex: person.sex,
          birthDate: day(chance, year, year),
        },
      }
    }
    case 'sibling': {
      const year = Math.min(Number(person.birthDate.slice(0, 4)) + chance.between(1, 8), 2024)
      return { kind, chart: { ...other, ...home, name: family, birthDate: day(chance, year, year) } }
    }
    case 'spouse':
      return { kind, chart: { ...other, ...home, name: family } }
    default: {
      const year = Number(person.birthDate.slice(0, 4))
      return { kind, chart: { ...other, name: person.name, sex: person.sex, birthDate: day(chance, year, year) } }
    }
  }
}

function mistype(chance: Chance, text: string): string {
  const at = chance.int(text.length)
  const letter = chance.pick([...'abcdefghijklmnoprstuvwyz'])
  switch (chance.int(4)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1) || text
    case 1:
      return text.slice(0, at) + letter + text.slice(at)
    case 2:
      return text.slice(0, at) + letter + text.slice(at + 1)
    default:
      return at + 1 < text.length ? text.slice(0, at) + text[at + 1]! + text[at]! + text.slice(at + 2) : text
  }
}
const mistypeDigit = (chance: Chance, text: string): string => {
  const places = [...text].flatMap((one, at) => (/\d/.test(one) ? [at] : []))
  const at = chance.pick(places)
  return text.slice(0, at) + String((Number(text[at]) + chance.between(1, 9)) % 10) + text.slice(at + 1)
}
const withoutAccents = (text: string): string => text.normalize('NFD').replaceAll(/\p{M}/gu, '')

type Mishap = (chance: Chance, chart: Demographics) => Demographics
const rename = (chart: Demographics, name: Partial<Demographics['name']>): Demographics => ({
  ...chart,
  name: { ...chart.name, ...name },
})

/** What happens to the record of one person between one desk and another; the number is how often. */
const mishaps: readonly [often: number, name: string, happen: Mishap][] = [
  [6, 'given mistyped', (c, p) => rename(p, { given: [mistype(c, p.name.given[0]!), ...p.name.given.slice(1)] })],
  [6, 'family mistyped', (c, p) => rename(p, { family: mistype(c, p.name.family) })],
  [
    4,
    'accents lost',
    (_c, p) => rename(p, { given: p.name.given.map(withoutAccents), family: withoutAccents(p.name.family) }),
  ],
  [3, 'given and family swapped', (_c, p) => rename(p, { given: [p.name.family], family: p.name.given.join(' ') })],
  [5, 'second name left out', (_c, p) => rename(p, { given: p.name.given.slice(0, 1) })],
  [
    2,
    'second name as an initial',
    (_c, p) => rename(p, { given: p.name.given.map((name, n) => (n ? `${name[0]}.` : name)) }),
  ],
  [
    2,
    'in capitals',
    (_c, p) =>
      rename(p, { given: p.name.given.map((name) => name.toUpperCase()), family: p.name.family.toUpperCase() }),
  ],
  [
    3,
    'married',
    (c, p) =>
      p.sex === 'female'
        ? {
            ...rename(p, { family: c.pick(c.pick(cultures).families) }),
            otherNames: c.chance(0.6) ? [{ use: 'maiden', given: [], family: p.name.family }] : [],
          }
        : p,
  ],
  [
    3,
    'day and month swapped',
    (_c, p) => {
      const [year, month, date] = p.birthDate.split('-') as [string, string, string]
      return Number(date) <= 12 ? { ...p, birthDate: `${year}-${date}-${month}` } : p
    },
  ],
  [
    3,
    'day mistyped',
    (c, p) => ({ ...p, birthDate: p.birthDate.slice(0, 8) + String(c.between(1, 28)).padStart(2, '0') }),
  ],
  [
    1,
    'year mistyped',
    (c, p) => ({
      ...p,
      birthDate: String(Number(p.birthDate.slice(0, 4)) + c.pick([-10, -1, 1])) + p.birthDate.slice(4),
    }),
  ],
  [6, 'moved', (c, p) => ({ ...p, addresses: [addressOf(c)] })],
  [
    3,
    'moved and has another phone',
    (c, p) => ({ ...p, addresses: [addressOf(c)], telecom: [{ system: 'phone', value: phoneOf(c), use: 'home' }] }),
  ],
  [
    3,
    'another phone',
    (c, p) => ({
      ...p,
      telecom: [
        ...p.telecom.filter(({ system }) => system === 'email'),
        { system: 'phone', value: phoneOf(c), use: 'home' },
      ],
    }),
  ],
  [
    2,
    'phone mistyped',
    (c, p) => ({
      ...p,
      telecom: p.telecom.map((one) => (one.system === 'phone' ? { ...one, value: mistypeDigit(c, one.value) } : one)),
    }),
  ],
  [
    2,
    'phone written otherwise',
    (_c, p) => ({
      ...p,
      telecom: p.telecom.map((one) => ({
        ...one,
        value: one.system === 'phone' ? one.value.replace('+1-', '').replaceAll('-', '.') : one.value.toUpperCase(),
      })),
    }),
  ],
  [6, 'came without papers', (_c, p) => ({ ...p, identifiers: [] })],
  [
    2,
    'an identifier mistyped',
    (c, p) => ({
      ...p,
      identifiers: p.identifiers.map((one, n) => (n ? one : { ...one, value: mistypeDigit(c, one.value) })),
    }),
  ],
  [
    3,
    'street written otherwise',
    (_c, p) => ({
      ...p,
      addresses: p.addresses.map((one) => ({
        ...one,
        line: one.line.map((line) => line.replace('Street', 'St').replace('Avenue', 'Ave').toUpperCase()),
      })),
    }),
  ],
  [3, 'no address', (_c, p) => ({ ...p, addresses: [] })],
  [1, 'no contact', (_c, p) => ({ ...p, telecom: [] })],
  [1, 'sex unknown', (_c, p) => ({ ...p, sex: 'unknown' })],
]
const drawn = mishaps.flatMap(([often, name, happen]) => Array<[string, Mishap]>(often).fill([name, happen]))

/** The same person's chart, made anew. */
function makeAgain(chance: Chance, chart: Demographics): { chart: Demographics; story: string[] } {
  const story: string[] = []
  let again = chart
  for (let n = chance.between(1, 4); n > 0; n--) {
    const [name, happen] = chance.pick(drawn)
    story.push(name)
    again = happen(chance, again)
  }
  return { chart: again, story }
}

/** @param persons of whom a quarter have two charts or three, and a third have somebody like them */
export function makePeople(persons: number, seed: number): Labelled[] {
  const chance = buildChance(seed, 0)
  const people: Labelled[] = []
  for (let person = 0; person < persons; person++) {
    const before = people.at(-1)
    const { kind, chart } =
      before && chance.chance(0.33) ? makeRelative(chance, before.chart) : { kind: 'first', chart: makePerson(chance) }
    people.push({ person, chart, story: [kind] })
    while (chance.chance(0.22)) people.push({ person, ...makeAgain(chance, chart) })
  }
  return people
}
