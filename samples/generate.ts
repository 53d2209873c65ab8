/**
 * Makes `patients.csv`: a thousand people who don't exist, in Synthea's columns.
 * The same seed gives the same bytes; dates count back from a fixed day, not from now.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { cultures, places, streets } from './names.ts'

const SEED = 'caregate samples 1'
const TODAY = Date.UTC(2026, 5, 30) / 864e5
const YEAR = 365.25

const columns =
  'Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,ZIP'

export function generatePatients(count = 1000): string {
  const lines = Array.from({ length: count }, (_, index) => generatePerson(index).map(quote).join(','))
  return [columns, ...lines, ''].join('\n')
}

function generatePerson(index: number): string[] {
  const { between, chance, digits, pick, uuid } = randomOf(`${SEED}/${index}`)
  const culture = pick(cultures.flatMap((each) => Array<typeof each>(each.share).fill(each)))
  const woman = chance(0.52)

  const age = chance(0.02) ? between(0, 28) / YEAR : chance(0.015) ? between(100, 108) : between(0, 95)
  const born = Math.ceil(TODAY - age * YEAR)
  const died = chance(0.02 + 0.5 * (age / 100) ** 2) ? Math.floor(born + (TODAY - born) * between(0.6, 1)) : undefined
  const lived = ((died ?? TODAY) - born) / YEAR
  const adult = lived >= 18

  const given = pick(woman ? culture.women : culture.men)
  const family = pick(culture.families)
  const married = adult && chance(0.6)
  const maiden = woman && married && chance(0.6) ? pick(culture.families) : ''
  const home = pick(places)
  const birthplace = pick(places)
  const homeless = chance(0.02)

  return [
    uuid,
    date(born),
    died === undefined ? '' : date(died),
    // Area 9xx was never issued as a social security number, and groups below 50 aren't taxpayer numbers either.
    chance(lived < 0.1 ? 0.8 : 0.05) ? '' : `9${digits(2)}-${Math.floor(between(10, 50))}-${digits(4)}`,
    lived >= 16 && chance(0.85) ? `S9${digits(7)}` : '',
    adult && chance(0.7) ? `X${digits(8)}X` : '',
    adult && chance(0.95) ? (woman ? (married ? 'Mrs.' : 'Ms.') : 'Mr.') : '',
    given,
    family,
    adult && chance(0.04) ? pick(woman ? ['MD', 'PhD', 'JD'] : ['Jr.', 'Sr.', 'III', 'MD', 'PhD']) : '',
    maiden === family ? '' : maiden,
    adult ? (married ? 'M' : 'S') : '',
    culture.race,
    culture.ethnicity,
    chance(0.004) ? '' : woman ? 'F' : 'M',
    `${birthplace.city}  ${birthplace.state}  US`,
    homeless
      ? ''
      : `${Math.floor(between(1, 2000))} ${pick(streets)}${chance(0.2) ? pick([' Apt 4B', ' Unit 12', ', Floor 2', ' #7']) : ''}`,
    home.city,
    home.state,
    chance(0.03) ? '' : home.county,
    homeless || chance(0.05) ? '' : home.zip,
  ]
}

/** Each person has a stream of their own, so a change to one rule doesn't reshuffle everybody. */
function randomOf(seed: string) {
  let drawn = 0
  const hash = (what: string) => createHash('sha256').update(`${seed}/${what}`).digest()
  const next = () => hash(String(drawn++)).readUInt32BE() / 2 ** 32
  const between = (low: number, high: number) => low + next() * (high - low)
  const hex = hash('id').toString('hex')
  return {
    between,
    chance: (probability: number) => next() < probability,
    digits: (length: number) => String(Math.floor(next() * 10 ** length)).padStart(length, '0'),
    pick: <T>(items: readonly T[]) => items[Math.floor(between(0, items.length))] as T,
    // Version 8 (RFC 9562): the bits are ours to choose.
    uuid: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`,
  }
}

function date(day: number): string {
  return new Date(day * 864e5).toISOString().slice(0, 10)
}

function quote(value: string): string {
  return /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

if (import.meta.main) writeFileSync(new URL('patients.csv', import.meta.url), generatePatients())
