import { randomUUID } from 'node:crypto'
import { buildChance, type Chance } from '../../prove/chance.ts'
import { cultures, places, streets } from '../../samples/names.ts'
import type { Demographics } from '../../services/patients/src/patient.ts'

export interface Person {
  id: string
  mrn: string
  demographics: Omit<Demographics, 'status'>
}

const given = { female: cultures.flatMap(({ women }) => women), male: cultures.flatMap(({ men }) => men) }
const families = cultures.flatMap((culture) => culture.families)
const syllables =
  'ba,be,bor,da,den,dol,fa,fen,gar,hal,ka,kin,la,lem,lin,ma,mer,na,nor,pa,ran,ro,sal,sen,ta,tor,va,wil,zan,zer'.split(
    ',',
  )

/** Beyond the names of the samples there are as many as one likes: `n` in syllables. */
function nameOf(known: readonly string[], n: number): string {
  if (n < known.length) return known[n]!
  const made: string[] = []
  for (let rest = n * 7; rest; rest = Math.floor(rest / syllables.length))
    made.push(syllables[rest % syllables.length]!)
  const name = made.join('')
  return name[0]!.toUpperCase() + name.slice(1)
}

/** The rank of a name of `count`, spread like names are: the commonest has a third of a per cent, and most are rare. */
function rank(chance: Chance, count: number): number {
  const flat = 50
  return Math.floor(flat * ((count + flat) / flat) ** chance.next() - flat)
}

/** The n-th of people who don't exist, with 20,000 family names and 4,000 given ones. */
export function makePerson(n: number): Person {
  const chance = buildChance(1, n)
  const digits = (length: number) => String(chance.int(10 ** length)).padStart(length, '0')
  const sex = chance.chance(0.52) ? 'female' : 'male'
  const { city, state, zip } = chance.pick(places)
  const born = new Date(Date.UTC(chance.between(1930, 2024), chance.int(12), 1 + chance.int(28)))
  return {
    id: randomUUID(),
    mrn: String(200_000_000 + n),
    demographics: {
      name: {
        given: [nameOf(given[sex], rank(chance, 4000)), ...(chance.chance(0.3) ? [chance.pick(given[sex])] : [])],
        family: nameOf(families, rank(chance, 20_000)),
        prefix: null,
        suffix: null,
      },
      otherNames: [],
      birthDate: born.toISOString().slice(0, 10),
      deathDate: null,
      sex,
      identifiers: [{ system: 'insurance', value: `INS${String(n).padStart(9, '0')}` }],
      telecom: [{ system: 'phone', value: `+1-${digits(3)}-${digits(3)}-${digits(4)}`, use: 'mobile' }],
      addresses: [
        { line: [`${chance.between(1, 1999)} ${chance.pick(streets)}`], city, state, postalCode: zip, country: 'US' },
      ],
      contacts: [],
      language: 'en',
      maritalStatus: null,
      race: null,
      ethnicity: null,
    },
  }
}
