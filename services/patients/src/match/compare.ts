import levenshtein from 'damerau-levenshtein'
import { doubleMetaphone } from 'double-metaphone'
import { normalise } from '../identifiers.ts'
import { foldName, type Demographics } from '../patient.ts'

/** How sure it is that two charts are one person's: FHIR's match-grade. */
export type Grade = 'certain' | 'probable' | 'possible'

/** One of the comparisons that a score is made of. */
export interface Reason {
  field: string
  /** How the two stand to each other in it, e.g. `same`, `similar`, `different`. */
  found: string
  /** Bits of evidence for one person (log2 of the likelihood ratio), negative for two. */
  weight: number
}

export interface Match {
  /** 0 to 1: how likely it is one person, as far as the evidence goes. */
  score: number
  grade: Grade | null
  reasons: Reason[]
}

/**
 * Bits, after Fellegi and Sunter (A Theory for Record Linkage, 1969): log2 of how much more often it is found between two
 * charts of one person than between those of two. Set by hand from what the cases mean; what shares a house shares less.
 */
export const weights = {
  'birth date': { same: 11, 'day and month swapped': 8, 'one part differs': 3, different: -9 },
  'given name': { same: 6, similar: 4, 'an initial': 2, different: -12 },
  'family name': { same: 6, similar: 4, 'a former name': 5, different: -4 },
  'name order': { swapped: -1 },
  'second name': { same: 2, 'an initial': 1, different: -3 },
  suffix: { different: -6 },
  sex: { same: 1, different: -6 },
  phone: { same: 6, different: -1 },
  email: { same: 8, different: -1 },
  address: { same: 5, 'same postal code': 2, different: -1 },
  ssn: { same: 18, similar: 5, different: -14 },
  'driving-licence': { same: 15, similar: 4, different: -10 },
  passport: { same: 15, similar: 4, different: -6 },
  insurance: { same: 8, similar: 2, different: -3 },
} as const

type Field = keyof typeof weights
type Found<F extends Field> = keyof (typeof weights)[F] & string

/** Bits that it takes for even odds: two charts drawn from a million are hardly ever one person's. */
const prior = 14
const grades = [
  ['certain', 0.9],
  ['probable', 0.5],
  ['possible', 0.02],
] as const satisfies [Grade, score: number][]
export const gradesInOrder = grades.map(([grade]) => grade)

const similarity = (a: string, b: string): number => levenshtein(a, b).similarity

const digitsOf = (text: string): string => text.replaceAll(/\D/g, '')

/** Longer texts are as telling by their beginnings, and comparing them costs the square of their length. */
const comparedLetters = 40

function compareText(one: string, other: string): 'same' | 'similar' | 'different' {
  if (one === other) return 'same'
  // Baby 1 and Baby 2 are twins, and neighbours live next door
  if (digitsOf(one) !== digitsOf(other)) return 'different'
  const [a, b] = [one.slice(0, comparedLetters), other.slice(0, comparedLetters)]
  // a letter in four may be wrong, and one of three; what sounds alike may be further apart
  const alike = similarity(a, b)
  if (alike >= 0.7) return 'similar'
  return alike >= 0.5 && soundOf(a) === soundOf(b) ? 'similar' : 'different'
}

/** How a folded name sounds, roughly. */
export const soundOf = (name: string): string => doubleMetaphone(name.replaceAll(' ', ''))[0] || name

/** What is compared of a chart, in the form in which it is compared. */
export interface Traits {
  given: string
  second: string
  family: string
  /** Families that the person goes or went by besides. */
  former: string[]
  suffix: string
  birthDate: string
  sex: Demographics['sex']
  phones: string[]
  emails: string[]
  /** Of each address the postal code and the first line. */
  addresses: { postalCode: string; line: string }[]
  ids: { system: string; value: string }[]
}

/** The first ones of each chart: every one is compared with every other. */
const comparedAddresses = 3

/** Without a country's prefix: the last nine digits tell one from another. */
const phoneDigits = (text: string): string => digitsOf(text).slice(-9)

export function traitsOf(chart: Omit<Demographics, 'status'>): Traits {
  const { name, otherNames, birthDate, sex, telecom, addresses, identifiers } = chart
  const [given = '', second = ''] = foldName(name.given.join(' ')).replaceAll('.', '').split(' ')
  const valuesOf = (system: string) => telecom.filter((one) => one.system === system).map(({ value }) => value)
  return {
    given,
    second,
    family: foldName(name.family),
    former: otherNames.flatMap(({ family }) => (family ? [foldName(family)] : [])),
    suffix: foldName(name.suffix ?? '').replaceAll('.', ''),
    birthDate,
    sex,
    phones: valuesOf('phone').map(phoneDigits).filter(Boolean),
    emails: valuesOf('email').map((value) => value.toLowerCase()),
    addresses: addresses.slice(0, comparedAddresses).map(({ postalCode, line }) => ({
      postalCode: normalise(postalCode ?? ''),
      line: foldName(line[0] ?? ''),
    })),
    ids: identifiers
      .filter(({ system }) => system in weights)
      .map(({ system, value }) => ({ system, value: normalise(value) })),
  }
}

const isInitial = (a: string, b: string): boolean => (a.length === 1 || b.length === 1) && a[0] === b[0]

function compareDates(a: string, b: string): Found<'birth date'> {
  if (a === b) return 'same'
  const [from, to] = [a.split('-'), b.split('-')] as [string[], string[]]
  if (from[0] === to[0] && from[1] === to[2] && from[2] === to[1]) return 'day and month swapped'
  const differing = from.flatMap((part, n) => (part === to[n] ? [] : [n]))
  const isSlip = differing.length === 1 && Math.abs(Number(from[differing[0]!]) - Number(to[differing[0]!])) <= 31
  return isSlip ? 'one part differs' : 'different'
}

function compareFamilies(a: Traits, b: Traits): Found<'family name'> {
  const plain = compareText(a.family, b.family)
  if (plain !== 'different') return plain
  const known = (one: Traits, other: Traits) =>
    one.former.some((name) => compareText(name, other.family) !== 'different')
  return known(a, b) || known(b, a) ? 'a former name' : 'different'
}

function compareGiven(a: string, b: string): Found<'given name'> {
  return a !== b && isInitial(a, b) ? 'an initial' : compareText(a, b)
}

function compareAddresses(a: Traits, b: Traits): Found<'address'> | undefined {
  if (!a.addresses.length || !b.addresses.length) return undefined
  const pairs = a.addresses.flatMap((one) => b.addresses.map((other) => [one, other] as const))
  const near = pairs.filter(([one, other]) => one.postalCode && one.postalCode === other.postalCode)
  if (near.some(([one, other]) => one.line && compareText(one.line, other.line) !== 'different')) return 'same'
  return near.length ? 'same postal code' : 'different'
}

const compareLists = (a: readonly string[], b: readonly string[]): 'same' | 'different' | undefined => {
  if (!a.length || !b.length) return undefined
  return a.some((one) => b.includes(one)) ? 'same' : 'different'
}

/** What two charts have to say for and against being one person's. Symmetric. */
export function compare(a: Traits, b: Traits): Match {
  const reasons: Reason[] = []
  const find = <F extends Field>(field: F, found: Found<F> | undefined) => {
    if (found === undefined) return
    const weight = (weights[field] as Record<string, number>)[found]
    if (weight !== undefined) reasons.push({ field, found, weight })
  }
  const swapped = {
    given: compareGiven(a.given, b.family.split(' ')[0]!),
    family: compareText(a.family, [b.given, b.second].filter(Boolean).join(' ')),
  }
  const isSwapped = swapped.given !== 'different' && swapped.family !== 'different'
  const straight = { given: compareGiven(a.given, b.given), family: compareFamilies(a, b) }
  const names = isSwapped && straight.given === 'different' ? swapped : straight
  find('birth date', compareDates(a.birthDate, b.birthDate))
  find('given name', names.given)
  find('family name', names.family)
  if (names === swapped) find('name order', 'swapped')
  else if (a.second && b.second)
    find('second name', a.second === b.second ? 'same' : isInitial(a.second, b.second) ? 'an initial' : 'different')
  if (a.suffix !== b.suffix) find('suffix', 'different')
  if (a.sex !== 'unknown' && b.sex !== 'unknown') find('sex', a.sex === b.sex ? 'same' : 'different')
  find('phone', compareLists(a.phones, b.phones))
  find('email', compareLists(a.emails, b.emails))
  find('address', compareAddresses(a, b))
  for (const system of ['ssn', 'driving-licence', 'passport', 'insurance'] as const) {
    const valuesOf = ({ ids }: Traits) => ids.filter((one) => one.system === system).map(({ value }) => value)
    const found = compareLists(valuesOf(a), valuesOf(b))
    const isSlip = found === 'different' && levenshtein(valuesOf(a)[0]!, valuesOf(b)[0]!).steps === 1
    find(system, isSlip ? 'similar' : found)
  }
  const bits = reasons.reduce((sum, { weight }) => sum + weight, -prior)
  const score = 1 / (1 + 2 ** -bits)
  return { score, grade: grades.find(([, least]) => score >= least)?.[0] ?? null, reasons }
}

/** Of a phone number, however it is written. */
export const phoneKey = (text: string): string => `phone ${phoneDigits(text)}`

/**
 * Keys under which a chart is looked for: two charts of one person have one in common unless everything about them differs,
 * and few others have it. Identifiers are keys too, but have an index of their own, which doesn't show their values.
 */
export function keysOf(chart: Omit<Demographics, 'status' | 'identifiers'>): string[] {
  const { given, family, former, birthDate, phones, emails } = traitsOf({ ...chart, identifiers: [] })
  const [year, month, day] = birthDate.split('-') as [string, string, string]
  const names = [family, ...former].map((name) => [soundOf(name), soundOf(given)].sort().join(' '))
  const keys = [
    `born ${year} ${[month, day].sort().join(' ')}`,
    ...names.map((name) => `name ${name} ${year}`),
    ...phones.map((digits) => `phone ${digits}`),
    ...emails.map((email) => `email ${email}`),
  ]
  return [...new Set(keys)]
}
