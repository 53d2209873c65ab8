/** Synthea's `patients.csv`, row by row, and what the API calls the same things. */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { parse } from 'csv-parse'
import type { Info } from 'csv-parse'
import { PlatformError } from './errors.ts'

const header =
  'Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,ZIP'
const columns: string[] = header.split(',')

type Split<Text> = Text extends `${infer First},${infer Rest}` ? First | Split<Rest> : Text
export type Row = Record<Split<typeof header>, string>
/** `problem` says why the line can't be sent at all. */
export type Line = { line: number; row: Row; problem?: string }

/** @throws {PlatformError} when the file can't be read, its header isn't Synthea's or a quote never closes */
export async function* readRows(file: string): AsyncGenerator<Line> {
  const parser = parse({ bom: true, info: true, relax_column_count: true, skip_empty_lines: true })
  pipeline(createReadStream(file), parser, () => {}) // an error of either reaches the loop below
  let found: string[] | undefined
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      if (found) yield readLine(found, record, info.lines)
      else checkHeader((found = record))
    }
    if (!found) throw new Error('it is empty')
  } catch (error) {
    throw new PlatformError(`${file} can't be imported: ${(error as Error).message}`)
  }
}

function readLine(found: string[], record: string[], line: number): Line {
  const row = Object.fromEntries(found.map((column, index) => [column, record[index] ?? ''])) as Row
  if (record.length !== found.length) return { line, row, problem: `has ${record.length} fields, not ${found.length}` }
  // Without it a second import would make a second chart.
  if (!row.Id) return { line, row, problem: 'Id must not be empty' }
  return { line, row }
}

function checkHeader(found: string[]) {
  const missing = columns.filter((column) => !found.includes(column))
  const unknown = found.filter((column, index) => !columns.includes(column) || found.indexOf(column) !== index)
  const problems = [
    missing.length && `lacks ${missing.join(', ')}`,
    unknown.length && `has ${unknown.join(', ')}`,
  ].filter(Boolean)
  if (problems.length) throw new Error(`its header isn't that of a Synthea patients.csv, it ${problems.join(' and ')}`)
}

const sexes: Record<string, string> = { M: 'male', F: 'female' }

export function toPatient(row: Row) {
  return filled({
    name: filled({
      given: row.FIRST.split(' ').filter(Boolean),
      family: row.LAST,
      prefix: row.PREFIX,
      suffix: row.SUFFIX,
    }),
    otherNames: row.MAIDEN ? [{ use: 'maiden', family: row.MAIDEN }] : [],
    birthDate: row.BIRTHDATE,
    deathDate: row.DEATHDATE,
    sex: sexes[row.GENDER] ?? 'unknown',
    identifiers: [
      { system: 'source:synthea', value: row.Id },
      { system: 'ssn', value: row.SSN },
      { system: 'driving-licence', value: row.DRIVERS },
      { system: 'passport', value: row.PASSPORT },
    ].filter(({ value }) => value),
    addresses:
      row.ADDRESS || row.CITY || row.STATE || row.ZIP
        ? [
            filled({
              line: [row.ADDRESS].filter(Boolean),
              city: row.CITY,
              state: row.STATE,
              postalCode: row.ZIP,
              country: 'US',
            }),
          ]
        : [],
    maritalStatus: row.MARITAL,
    race: row.RACE,
    ethnicity: row.ETHNICITY,
  })
}

/** What is empty in the file is not a value: it is left out. */
function filled(value: Record<string, unknown>) {
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => item !== '' && !(Array.isArray(item) && item.length === 0)),
  )
}
