import type {
  AllergyIntolerance,
  CodeableConcept,
  Condition,
  ContactPoint,
  Extension,
  HumanName as FhirName,
  Identifier as FhirIdentifier,
  Patient as FhirPatient,
  Reference,
} from 'fhir/r4.js'
import { compact } from '@caregate/common/fhir'
import type { Item } from '../clinical/item.ts'
import type { Identifier } from '../identifiers.ts'
import { governmentSystems, type HumanName, type Patient, type Telecom } from '../patient.ts'
import type { Hidden } from '../search/repository.ts'
import {
  allergyAbatement,
  clinicalStatusSystems,
  conditionCategory,
  confidentiality,
  dataAbsentReason,
  languageSystem,
  lookUp,
  maritalStatuses,
  maritalStatusSystem,
  mrnSystem,
  ombSystem,
  renderedValue,
  subsetted,
  toFhirSystem,
  usCore,
  userSystem,
  v2Identifier,
  verificationSystems,
  type UsCore,
} from './systems.ts'

const coded = (system: string, code: string, display?: string): CodeableConcept =>
  compact({ coding: [{ system, code, ...(display && { display }) }] })

const mrnOf = (mrn: string): FhirIdentifier => ({
  use: 'official',
  type: coded(v2Identifier, 'MR'),
  system: mrnSystem,
  value: mrn,
})

/** A masked value is no value: how it looks stands beside it. */
function identifierOf({ system, value }: Identifier): FhirIdentifier {
  const { uri, type } = toFhirSystem(system)
  const isMasked = governmentSystems.includes(system) && value.startsWith('***')
  return {
    ...(type && { type: coded(v2Identifier, type) }),
    system: uri,
    ...(isMasked
      ? {
          _value: {
            extension: [
              { url: dataAbsentReason, valueCode: 'masked' },
              { url: renderedValue, valueString: value },
            ],
          },
        }
      : { value }),
  }
}

const nameOf = ({ given, family, prefix, suffix }: HumanName): FhirName =>
  compact({ family, given, prefix: [prefix], suffix: [suffix] }) as FhirName

const telecomOf = (telecom: readonly Telecom[]): ContactPoint[] => telecom.map((one) => ({ ...one }) as ContactPoint)

/** US Core wants the text always, and the category where there is one. */
function extensionOf({ url, categories }: UsCore, value: string | null): Extension[] {
  if (value === null) return []
  const [code, display] = lookUp(categories, value.toLowerCase()) ?? []
  const category = code ? [{ url: 'ombCategory', valueCoding: { system: ombSystem, code, display: display! } }] : []
  return [{ url, extension: [...category, { url: 'text', valueString: value }] }]
}

const metaOf = ({ version, updatedAt }: { version: number; updatedAt: string }) => ({
  versionId: String(version),
  lastUpdated: updatedAt,
})
const restricted = [{ system: confidentiality, code: 'R', display: 'restricted' }]

export function toFhirPatient(patient: Patient): FhirPatient {
  const { maritalStatus: marital, status, deathDate } = patient
  const maritalWord = lookUp(maritalStatuses, marital ?? '')
  return compact<FhirPatient>({
    resourceType: 'Patient',
    id: patient.id,
    meta: { ...metaOf(patient), ...(patient.restricted && { security: restricted }) },
    extension: [...extensionOf(usCore.race, patient.race), ...extensionOf(usCore.ethnicity, patient.ethnicity)],
    identifier: [mrnOf(patient.mrn), ...patient.identifiers.map(identifierOf)],
    active: status === 'active' || status === 'deceased',
    name: [{ use: 'official', ...nameOf(patient.name) }, ...patient.otherNames.map((name) => name as FhirName)],
    telecom: telecomOf(patient.telecom),
    gender: patient.sex,
    birthDate: patient.birthDate,
    link: patient.mergedInto ? [{ other: patientOf(patient.mergedInto), type: 'replaced-by' }] : [],
    ...(deathDate ? { deceasedDateTime: deathDate } : status === 'deceased' && { deceasedBoolean: true }),
    address: patient.addresses as FhirPatient['address'] & object,
    ...(marital && {
      maritalStatus: {
        ...(maritalWord && coded(maritalStatusSystem, marital, maritalWord)),
        text: maritalWord ?? marital,
      },
    }),
    contact: patient.contacts.map(({ name, relationship, telecom }) => ({
      relationship: relationship ? [{ text: relationship }] : [],
      name: nameOf(name),
      telecom: telecomOf(telecom),
    })),
    communication: patient.language ? [{ language: coded(languageSystem, patient.language), preferred: true }] : [],
  })
}

/** That there is such a chart, and no more. */
export const toFhirHidden = ({ id, mrn }: Hidden): FhirPatient => ({
  resourceType: 'Patient',
  id,
  meta: { security: restricted, tag: [{ system: subsetted, code: 'SUBSETTED' }] },
  identifier: [mrnOf(mrn)],
})

/** Users are no resources here: who it was is said by id. */
const recorderOf = ({ recordedBy }: Item): Reference => ({
  type: 'Practitioner',
  identifier: { system: userSystem, value: recordedBy },
})
const patientOf = (patientId: string): Reference => ({ reference: `Patient/${patientId}`, type: 'Patient' })
const statusOf = ({ resolved }: Item): string => (resolved === null ? 'active' : 'resolved')

/** What staff has recorded in a chart counts as confirmed: a chart knows no doubt. */
const certain = 'confirmed'

export const toFhirAllergy = (patientId: string, item: Item): AllergyIntolerance =>
  compact<AllergyIntolerance>({
    resourceType: 'AllergyIntolerance',
    id: item.id,
    meta: metaOf(item),
    extension: item.resolved ? [{ url: allergyAbatement, valueDateTime: item.resolved }] : [],
    clinicalStatus: coded(clinicalStatusSystems.allergy, statusOf(item)),
    verificationStatus: coded(verificationSystems.allergy, certain),
    code: { coding: [item.code], text: item.code.display },
    patient: patientOf(patientId),
    ...(item.onset && { onsetDateTime: item.onset }),
    recordedDate: item.createdAt,
    recorder: recorderOf(item),
  })

export const toFhirCondition = (patientId: string, item: Item): Condition =>
  compact<Condition>({
    resourceType: 'Condition',
    id: item.id,
    meta: metaOf(item),
    clinicalStatus: coded(clinicalStatusSystems.condition, statusOf(item)),
    verificationStatus: coded(verificationSystems.condition, certain),
    category: [coded(conditionCategory, 'problem-list-item', 'Problem List Item')],
    code: { coding: [item.code], text: item.code.display },
    subject: patientOf(patientId),
    ...(item.onset && { onsetDateTime: item.onset }),
    ...(item.resolved && { abatementDateTime: item.resolved }),
    recordedDate: item.createdAt,
    recorder: recorderOf(item),
  })
