/** What FHIR calls things, for both directions: from a chart and into one. */
import type { Demographics } from '../patient.ts'

export const v2Identifier = 'http://terminology.hl7.org/CodeSystem/v2-0203'
export const mrnSystem = 'urn:caregate:mrn'
/** Of users, who are no resources here: `recorder.identifier`. */
export const userSystem = 'urn:caregate:user'

/** What a table has for a word of a client's, who may well write `constructor`. */
export const lookUp = <T>(table: Readonly<Record<string, T>>, word: string): T | undefined =>
  Object.hasOwn(table, word) ? table[word] : undefined

/** Where no number says which state, country or insurer it is of, there is no registered system: then one of our own. */
const identifierSystems: Readonly<Record<string, { uri: string; type: string }>> = {
  ssn: { uri: 'http://hl7.org/fhir/sid/us-ssn', type: 'SS' },
  'driving-licence': { uri: 'urn:caregate:driving-licence', type: 'DL' },
  passport: { uri: 'urn:caregate:passport', type: 'PPN' },
  insurance: { uri: 'urn:caregate:insurance', type: 'MB' },
}
const sourcePrefix = 'urn:caregate:source:'

/** FHIR's system, and the code of v2-0203 where there is one, of an identifier's own: `ssn`, `source:synthea`. */
export const toFhirSystem = (system: string): { uri: string; type?: string } =>
  lookUp(identifierSystems, system) ?? { uri: sourcePrefix + system.slice('source:'.length) }

/** The other way round; undefined for a system that charts know nothing of. */
export function fromFhirSystem(uri: string): string | undefined {
  if (uri.startsWith(sourcePrefix)) return `source:${uri.slice(sourcePrefix.length)}`
  return Object.keys(identifierSystems).find((system) => identifierSystems[system]!.uri === uri)
}

export const maritalStatusSystem = 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus'
export const maritalStatuses: Readonly<Record<string, string>> = {
  A: 'Annulled',
  C: 'Common Law',
  D: 'Divorced',
  I: 'Interlocutory',
  L: 'Legally Separated',
  M: 'Married',
  P: 'Polygamous',
  S: 'Never Married',
  T: 'Domestic partner',
  U: 'unmarried',
  W: 'Widowed',
}

export const languageSystem = 'urn:ietf:bcp:47'

/** US Core's extensions for `race` and `ethnicity`, and the OMB categories (CDC's codes) that have a word of their own in a chart. */
export const ombSystem = 'urn:oid:2.16.840.1.113883.6.238'
export const usCore = {
  race: {
    url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race',
    categories: {
      native: ['1002-5', 'American Indian or Alaska Native'],
      asian: ['2028-9', 'Asian'],
      black: ['2054-5', 'Black or African American'],
      hawaiian: ['2076-8', 'Native Hawaiian or Other Pacific Islander'],
      white: ['2106-3', 'White'],
    },
  },
  ethnicity: {
    url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity',
    categories: {
      hispanic: ['2135-2', 'Hispanic or Latino'],
      nonhispanic: ['2186-5', 'Not Hispanic or Latino'],
    },
  },
} as const satisfies Partial<Record<keyof Demographics, UsCore>>
export interface UsCore {
  url: string
  categories: Readonly<Record<string, readonly [code: string, display: string]>>
}

export const renderedValue = 'http://hl7.org/fhir/StructureDefinition/rendered-value'
export const dataAbsentReason = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason'
/** FHIR R4 has no element for when an allergy ended. */
export const allergyAbatement = 'http://hl7.org/fhir/StructureDefinition/allergyintolerance-abatement'

export const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'
export const clinicalStatusSystems = {
  allergy: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical',
  condition: 'http://terminology.hl7.org/CodeSystem/condition-clinical',
}
export const verificationSystems = {
  allergy: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification',
  condition: 'http://terminology.hl7.org/CodeSystem/condition-ver-status',
}
export const conditionCategory = 'http://terminology.hl7.org/CodeSystem/condition-category'
/** Of a resource that isn't whole. */
export const subsetted = 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue'
