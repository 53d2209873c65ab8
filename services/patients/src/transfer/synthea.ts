import { invalid } from '@caregate/common/errors'
import type { Item } from '../clinical/item.ts'
import type { Patient } from '../patient.ts'

/** Synthea's files (https://github.com/synthetichealth/synthea/wiki/CSV-File-Data-Dictionary) that are known. */
export type File = 'patients' | 'allergies' | 'conditions'
export const files = ['patients', 'allergies', 'conditions'] as const satisfies File[]

type Columns<Text> = Text extends `${infer First},${infer Rest}` ? First | Columns<Rest> : Text
const patientHeader =
  'Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,ZIP'
const itemHeader = 'START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION'
type PatientRow = Record<Columns<typeof patientHeader>, string> & { MIDDLE?: string }
type ItemRow = Record<Columns<typeof itemHeader>, string> & { SYSTEM?: string }
export type Row = Partial<Record<string, string>>

/** Columns that later releases of Synthea have as well; of those without a place in a chart nothing is kept. */
const later = {
  patients: /^(MIDDLE|FIPS|LAT|LON|HEALTHCARE_EXPENSES|HEALTHCARE_COVERAGE|INCOME)$/,
  items: /^(SYSTEM|TYPE|CATEGORY|(REACTION|DESCRIPTION|SEVERITY)[12])$/,
}

/**
 * Which file begins with that header.
 * @param file what somebody says that it is, if they do: allergies and conditions have the same columns
 * @throws {AppError} 422 that names what is missing and what is too much
 */
export function fileOf(header: readonly string[], file: File | undefined): File {
  const isPatients = file ? file === 'patients' : header.includes('BIRTHDATE')
  const columns = (isPatients ? patientHeader : itemHeader).split(',')
  const missing = columns.filter((column) => !header.includes(column))
  const unknown = header.filter(
    (column, at) =>
      header.indexOf(column) !== at ||
      !(columns.includes(column) || later[isPatients ? 'patients' : 'items'].test(column)),
  )
  const problems = [missing.length && `lacks ${missing.join(', ')}`, unknown.length && `has ${unknown.length} unknown`]
  if (missing.length || unknown.length)
    throw invalid({
      path: 'header',
      message: `header is not that of Synthea's ${isPatients ? 'patients.csv' : 'allergies.csv or conditions.csv'}: it ${problems.filter(Boolean).join(' and ')}`,
    })
  if (isPatients) return 'patients'
  if (file ?? header.includes('TYPE')) return file ?? 'allergies'
  throw invalid({ path: 'file', message: 'file must say allergies or conditions: the header of both is the same' })
}

const sexes = new Map([
  ['M', 'male'],
  ['F', 'female'],
])

/** A row of patients.csv as a chart, yet to be validated. What is empty in it is not a value. */
export function fromPatientRow(cells: Row, source: string): Record<string, unknown> {
  const row = cells as PatientRow
  const hasAddress = [row.ADDRESS, row.CITY, row.STATE, row.ZIP].some(Boolean)
  return {
    name: {
      given: [row.FIRST, row.MIDDLE ?? ''].join(' ').split(' ').filter(Boolean),
      family: row.LAST,
      prefix: row.PREFIX || null,
      suffix: row.SUFFIX || null,
    },
    otherNames: row.MAIDEN ? [{ use: 'maiden', family: row.MAIDEN }] : [],
    birthDate: row.BIRTHDATE,
    deathDate: row.DEATHDATE || null,
    sex: sexes.get(row.GENDER) ?? 'unknown',
    identifiers: [
      { system: `source:${source}`, value: row.Id },
      { system: 'ssn', value: row.SSN },
      { system: 'driving-licence', value: row.DRIVERS },
      { system: 'passport', value: row.PASSPORT },
    ].filter(({ value }) => value),
    addresses: hasAddress
      ? [
          {
            line: [row.ADDRESS].filter(Boolean),
            ...{ city: row.CITY || null, state: row.STATE || null, postalCode: row.ZIP || null },
            country: 'US',
          },
        ]
      : [],
    maritalStatus: row.MARITAL || null,
    race: row.RACE || null,
    ethnicity: row.ETHNICITY || null,
  }
}

/** As newer files name them; without a name it is SNOMED CT. */
const codeSystems = new Map([
  ['', 'http://snomed.info/sct'],
  ['SNOMED-CT', 'http://snomed.info/sct'],
  ['RxNorm', 'http://www.nlm.nih.gov/research/umls/rxnorm'],
])

/** A row of allergies.csv or conditions.csv, yet to be validated. */
export function fromItemRow(cells: Row): Record<string, unknown> {
  const { SYSTEM = '', CODE, DESCRIPTION, START, STOP } = cells as ItemRow
  return {
    code: { system: codeSystems.get(SYSTEM) ?? SYSTEM, code: CODE, display: DESCRIPTION },
    onset: START || null,
    resolved: STOP || null,
  }
}

export const headerOf = (file: File): string[] =>
  (file === 'patients' ? patientHeader : `${itemHeader},SYSTEM`).split(',')

/** The id by which Synthea knows a chart, else our own. */
const idOf = ({ id, identifiers }: Patient): string =>
  identifiers.find(({ system }) => system === 'source:synthea')?.value ?? id

/** In the order of `headerOf`. Of what is several in a chart the first is told. */
export function toPatientRow(patient: Patient): (string | null | undefined)[] {
  const { name, identifiers, addresses } = patient
  const numberOf = (system: string) => identifiers.find((one) => one.system === system)?.value
  const maiden = patient.otherNames.find(({ use }) => use === 'maiden')?.family
  const [address] = addresses
  return [
    ...[idOf(patient), patient.birthDate, patient.deathDate],
    ...[numberOf('ssn'), numberOf('driving-licence'), numberOf('passport')],
    ...[name.prefix, name.given.join(' '), name.family, name.suffix, maiden],
    ...[patient.maritalStatus, patient.race, patient.ethnicity],
    { male: 'M', female: 'F', other: null, unknown: null }[patient.sex],
    ...[null, address?.line.join(', '), address?.city, address?.state, null, address?.postalCode],
  ]
}

export const toItemRow = (patient: Patient, { code, onset, resolved }: Item): (string | null)[] => [
  ...[onset, resolved, idOf(patient), null],
  ...[code.code, code.display, code.system],
]
