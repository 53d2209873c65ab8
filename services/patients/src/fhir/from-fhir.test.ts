import { describe, expect, test } from '@jest/globals'
import { AppError } from '@caregate/common/errors'
import { validate } from '@caregate/common/validate'
import { itemBody } from '../clinical/item.ts'
import { patientBody } from '../schemas.ts'
import { fromFhirItem, fromFhirPatient, kindOfResource, patientOfResource } from './from-fhir.ts'

const coding = { system: 'http://snomed.info/sct', code: '300916003', display: 'Latex allergy' }
/** As Synthea writes one. */
const patient = {
  resourceType: 'Patient',
  id: '1b2c',
  extension: [
    {
      url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race',
      extension: [
        { url: 'ombCategory', valueCoding: { system: 'urn:oid:2.16.840.1.113883.6.238', code: '2106-3' } },
        { url: 'text', valueString: 'White' },
      ],
    },
    {
      url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity',
      extension: [{ url: 'text', valueString: 'Somewhere else' }],
    },
  ],
  identifier: [
    { system: 'https://github.com/synthetichealth/synthea', value: '1b2c' },
    { system: 'http://hl7.org/fhir/sid/us-ssn', value: '999-11-2222' },
    {
      type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'DL' }] },
      system: 'urn:oid:2.16.840.1.113883.4.3.25',
      value: 'S999',
    },
  ],
  name: [
    { use: 'maiden', family: 'van der Berg', given: ['María'] },
    { use: 'official', family: "O'Conner", given: ['María', 'José'], prefix: ['Mrs.'], suffix: ['PhD', 'MD'] },
  ],
  telecom: [
    { system: 'phone', value: '555-0100', use: 'home' },
    { system: 'fax', value: '555-0101' },
    { system: 'sms', value: '555-0102', use: 'old' },
  ],
  gender: 'female',
  birthDate: '1950-02-03',
  deceasedDateTime: '2020-04-05T23:30:00-05:00',
  address: [{ line: ['1 Old Mill Road'], city: 'Hilo', state: 'HI', postalCode: '96720', country: 'US' }],
  maritalStatus: { coding: [{ code: 'M' }], text: 'Married' },
  communication: [
    { language: { coding: [{ code: 'es' }] } },
    { language: { coding: [{ code: 'en-US' }] }, preferred: true },
  ],
  contact: [{ name: { given: ['Bo'], family: 'Ng' }, relationship: [{ text: 'son' }] }, { telecom: [] }],
}

test.each(['constructor', '__proto__'])('%s is no type of an identifier and no resource', (code) => {
  const type = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code }] }
  expect(fromFhirPatient({ identifier: [{ type, value: '1' }] })).toMatchObject({ identifiers: [] })
  expect(kindOfResource(code)).toBeUndefined()
})

test('a patient becomes a chart that may be kept', () => {
  expect(validate(patientBody, fromFhirPatient(patient), false)).toEqual({
    name: { given: ['María', 'José'], family: "O'Conner", prefix: 'Mrs.', suffix: 'PhD MD' },
    otherNames: [{ use: 'maiden', given: ['María'], family: 'van der Berg' }],
    birthDate: '1950-02-03',
    deathDate: '2020-04-05',
    sex: 'female',
    identifiers: [
      { system: 'ssn', value: '999-11-2222' },
      { system: 'driving-licence', value: 'S999' },
    ],
    telecom: [
      { system: 'phone', value: '555-0100', use: 'home' },
      { system: 'phone', value: '555-0102', use: null },
    ],
    addresses: [{ line: ['1 Old Mill Road'], city: 'Hilo', state: 'HI', postalCode: '96720', country: 'US' }],
    contacts: [{ name: { given: ['Bo'], family: 'Ng', prefix: null, suffix: null }, relationship: 'son', telecom: [] }],
    language: 'en-US',
    maritalStatus: 'M',
    race: 'white',
    ethnicity: 'Somewhere else',
  })
})

test.each([
  [{ deceasedBoolean: true }, 'deceased'],
  [{ active: false }, 'inactive'],
  [{ active: true }, undefined],
])('%j is the status %s', (more, status) => {
  expect(fromFhirPatient({ name: [], ...more }).status).toBe(status)
})

test.each([[null], [7], ['x'], [[]], [[null, 7, 'x', []]], [{ a: 1 }]])(
  'elements that are %j harm nothing',
  (value) => {
    const names = [...Object.keys(patient), 'deceasedBoolean', 'active'].filter((name) => name !== 'resourceType')
    const strange = fromFhirPatient(Object.fromEntries(names.map((name) => [name, value])))
    expect(() => validate(patientBody, strange, false)).toThrow(AppError)
    const item = fromFhirItem({ code: value, onsetDateTime: value, extension: value, clinicalStatus: value })
    expect(() => validate(itemBody, item, false)).toThrow(AppError)
    expect(patientOfResource({ patient: value, subject: value })).toBe('')
  },
)

test.each(['constructor', '__proto__', 'toString'])('%s is no kind of resource, and no type of identifier', (code) => {
  expect(kindOfResource(code)).toBeUndefined()
  const type = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code }] }
  expect(fromFhirPatient({ ...patient, identifier: [{ type, value: '1' }] }).identifiers).toEqual([])
})

test.each([[[{ toString: 1 }]], [[['Dr.']]], [7]])(
  'a prefix of %j is left to validation, which refuses it',
  (prefix) => {
    const chart = fromFhirPatient({ ...patient, name: [{ given: ['A'], family: 'B', prefix }] })
    expect(() => validate(patientBody, chart, false)).toThrow(
      expect.objectContaining({ extras: { errors: [expect.objectContaining({ path: 'name.prefix' })] } }),
    )
  },
)

describe('an allergy or a condition', () => {
  const code = { coding: [coding], text: 'Latex' }
  const read = (more: object) => validate(itemBody, fromFhirItem({ code, ...more }), false)

  test('has a code and the days that are told', () => {
    expect(read({})).toEqual({ code: coding, onset: null, resolved: null })
    expect(read({ onsetPeriod: { start: '2011-08-09', end: '2011-08-16T10:00:00Z' } })).toMatchObject({
      onset: '2011-08-09',
      resolved: '2011-08-16',
    })
    const extension = [
      { url: 'http://hl7.org/fhir/StructureDefinition/allergyintolerance-abatement', valueDateTime: '2011-08-16' },
    ]
    expect(read({ extension }).resolved).toBe('2011-08-16')
    expect(read({ code: { coding: [{ ...coding, display: undefined }], text: 'Latex' } }).code.display).toBe('Latex')
  })

  const status = (word: string) => ({ coding: [{ code: word }] })
  test.each([
    ['it isn’t so', { verificationStatus: status('refuted') }, 'verificationStatus'],
    ['it was a mistake', { verificationStatus: status('entered-in-error') }, 'verificationStatus'],
    ['it ended nobody knows when', { clinicalStatus: status('resolved') }, 'clinicalStatus'],
    ['there is more to it', { modifierExtension: [{ url: 'urn:x' }] }, 'modifierExtension'],
    ['it began in a year', { onsetDateTime: '2011' }, 'onset'],
  ])('that says that %s is refused', (_what, more, path) => {
    expect(() => read(more)).toThrow(
      expect.objectContaining({
        extras: { errors: expect.arrayContaining([expect.objectContaining({ path })]) },
      }),
    )
  })

  test.each([
    ['Patient/1b2c', '1b2c'],
    ['https://fhir.example/r4/Patient/1b2c/_history/3', '1b2c'],
    ['urn:uuid:1b2c', '1b2c'],
    ['Group/1b2c', ''],
    ['Patient/', ''],
  ])('that refers to %s is of %j', (reference, id) => {
    expect(patientOfResource({ subject: { reference } })).toBe(id)
  })
})
