import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { readRows, toPatient } from './synthea.ts'

const header =
  'Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,ZIP'
const full =
  '1b2c,1950-02-03,2020-04-05,999-11-2222,S999,X999X,Mrs.,María José,O\'Conner,PhD,van der Berg,M,white,hispanic,F,Hilo  Hawaii  US,"1 Old Mill Road, Floor 2",Hilo,Hawaii,Hawaii County,96720'
const bare = '3d4e,2026-06-29,,,,,,Bo,Ng,,,,asian,nonhispanic,,Hilo  Hawaii  US,,,,,'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'caregate-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function read(...lines: string[]) {
  const file = join(folder, 'patients.csv')
  await writeFile(file, lines.join('\n'))
  return Array.fromAsync(readRows(file))
}

test('a full row becomes a patient, a bare one leaves out what it lacks', async () => {
  const patients = (await read(header, full, bare, '')).map(({ row }) => toPatient(row))
  expect(patients).toEqual([
    {
      name: { given: ['María', 'José'], family: "O'Conner", prefix: 'Mrs.', suffix: 'PhD' },
      otherNames: [{ use: 'maiden', family: 'van der Berg' }],
      birthDate: '1950-02-03',
      deathDate: '2020-04-05',
      sex: 'female',
      identifiers: [
        { system: 'source:synthea', value: '1b2c' },
        { system: 'ssn', value: '999-11-2222' },
        { system: 'driving-licence', value: 'S999' },
        { system: 'passport', value: 'X999X' },
      ],
      addresses: [
        { line: ['1 Old Mill Road, Floor 2'], city: 'Hilo', state: 'Hawaii', postalCode: '96720', country: 'US' },
      ],
      maritalStatus: 'M',
      race: 'white',
      ethnicity: 'hispanic',
    },
    {
      name: { given: ['Bo'], family: 'Ng' },
      birthDate: '2026-06-29',
      sex: 'unknown',
      identifiers: [{ system: 'source:synthea', value: '3d4e' }],
      race: 'asian',
      ethnicity: 'nonhispanic',
    },
  ])
})

test('a byte order mark and another order of columns are no trouble', async () => {
  const turned = (line: string) => [...line.split(',').slice(1), line.split(',')[0]].join(',')
  const [line] = await read(`\uFEFF${turned(header)}`, turned(bare))
  expect(line).toMatchObject({ line: 2, row: { Id: '3d4e', LAST: 'Ng', ZIP: '' } })
})

test('a header names what it lacks and what is too much', async () => {
  await expect(read(header.replace('SSN', 'SOCIAL').replace(',ZIP', ''))).rejects.toThrow(
    'it lacks SSN, ZIP and has SOCIAL',
  )
  await expect(read('')).rejects.toThrow('is empty')
  await expect(Array.fromAsync(readRows(join(folder, 'nowhere.csv')))).rejects.toThrow('ENOENT')
})

test('a row with too few fields or without an id is marked with its line, an open quote ends the file', async () => {
  const lines = await read(header, bare, 'x,1950-01-01', bare.replace('3d4e', ''))
  expect(lines.map(({ line, problem }) => [line, problem])).toEqual([
    [2, undefined],
    [3, 'has 2 fields, not 21'],
    [4, 'Id must not be empty'],
  ])
  await expect(read(header, '"never closed')).rejects.toThrow(/Quote Not Closed/)
})
