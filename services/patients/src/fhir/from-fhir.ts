import { invalid } from '@caregate/common/errors'
import type { Kind } from '../clinical/item.ts'
import { allergyAbatement, fromFhirSystem, lookUp, usCore, v2Identifier, type UsCore } from './systems.ts'

/** Some element of a resource, as whoever sent it has it: nothing is known of its form, and validation comes after. */
type Element = Record<string, unknown>

const isElement = (value: unknown): value is Element =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const elementOf = (value: unknown): Element => (isElement(value) ? value : {})
const listOf = (value: unknown): Element[] => (Array.isArray(value) ? value.map(elementOf) : [])
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
/** The day of a dateTime, as it is written; one that is less exact stays so, and is refused by who wants a day. */
const dayOf = (value: unknown): unknown => (typeof value === 'string' ? value.split('T', 1)[0] : value)
const codesOf = (concept: unknown): Element[] => listOf(elementOf(concept).coding)
const hasCode = (concept: unknown, ...codes: string[]): boolean =>
  codesOf(concept).some(({ code }) => codes.includes(textOf(code)))
const wordOf = (concept: unknown): unknown =>
  elementOf(concept).text ?? codesOf(concept)[0]?.display ?? codesOf(concept)[0]?.code
const extensionsOf = (element: Element, url: string): Element[] =>
  listOf(element.extension).filter((one) => one.url === url)

/** By HL7's table of identifier types, where the system is one that charts know nothing of: each state has its own for licences. */
const identifierTypes: Record<string, string> = { SS: 'ssn', DL: 'driving-licence', PPN: 'passport', MB: 'insurance' }

function systemOf({ system, type }: Element): string | undefined {
  const typed = codesOf(type).filter(({ system: table }) => table === v2Identifier)
  const [known] = typed.flatMap(({ code }) => lookUp(identifierTypes, textOf(code)) ?? [])
  return fromFhirSystem(textOf(system)) ?? known
}

const nameOf = ({ given, family, prefix, suffix }: Element) => ({
  given: given ?? [],
  family,
  prefix: Array.isArray(prefix) ? prefix.join(' ') : null,
  suffix: Array.isArray(suffix) ? suffix.join(' ') : null,
})
const telecomOf = (element: Element) =>
  listOf(element.telecom)
    .filter(({ system, value }) => ['phone', 'sms', 'email'].includes(textOf(system)) && value !== undefined)
    .map(({ system, value, use }) => ({
      system: system === 'sms' ? 'phone' : system,
      value,
      use: ['home', 'work', 'mobile'].includes(textOf(use)) ? use : null,
    }))

/** The word that a chart has for a US Core category, else the text. */
function categoryOf(patient: Element, { url, categories }: UsCore): unknown {
  const parts = extensionsOf(patient, url).flatMap(({ extension }) => listOf(extension))
  const codes = parts.filter((part) => part.url === 'ombCategory').map(({ valueCoding }) => elementOf(valueCoding).code)
  const word = Object.keys(categories).find((name) => codes.includes(categories[name]![0]))
  return word ?? parts.find((part) => part.url === 'text')?.valueString ?? null
}

/** @throws {AppError} 422 where a resource says that what it has isn't to be read without that */
function checkUnderstood(resource: Element): void {
  const found = ['modifierExtension', 'implicitRules'].filter((name) => resource[name] !== undefined)
  if (found.length)
    throw invalid(
      ...found.map((path) => ({ path, message: `${path} changes the meaning of the rest, and isn't known here` })),
    )
}

/** A FHIR R4 Patient (https://hl7.org/fhir/R4/patient.html) as a chart, yet to be validated. @throws {AppError} 422 */
export function fromFhirPatient(resource: Element): Element {
  checkUnderstood(resource)
  const names = listOf(resource.name)
  const isFormer = ({ use }: Element) => ['old', 'maiden', 'temp', 'nickname', 'anonymous'].includes(textOf(use))
  const name = names.find(({ use }) => use === 'official') ?? names.find((one) => !isFormer(one)) ?? names[0] ?? {}
  const spoken = listOf(resource.communication)
  const { language } = spoken.find(({ preferred }) => preferred === true) ?? spoken[0] ?? {}
  const { deceasedDateTime, deceasedBoolean, active } = resource
  return {
    ...(deceasedBoolean === true ? { status: 'deceased' } : active === false ? { status: 'inactive' } : {}),
    name: nameOf(name),
    otherNames: names
      .filter((one) => one !== name)
      .map(({ use, given, family }) => ({ use: use ?? 'usual', given: given ?? [], family: family ?? null })),
    birthDate: resource.birthDate,
    deathDate: dayOf(deceasedDateTime ?? null),
    sex: resource.gender ?? 'unknown',
    identifiers: listOf(resource.identifier).flatMap((one) => {
      const system = systemOf(one)
      return system ? [{ system, value: one.value }] : []
    }),
    telecom: telecomOf(resource),
    addresses: listOf(resource.address).map(({ line, city, state, postalCode, country }) => ({
      line: line ?? [],
      ...{ city: city ?? null, state: state ?? null, postalCode: postalCode ?? null, country: country ?? null },
    })),
    contacts: listOf(resource.contact)
      .filter((one) => isElement(one.name))
      .map((one) => ({
        name: nameOf(one.name as Element),
        relationship: wordOf(listOf(one.relationship)[0]) ?? null,
        telecom: telecomOf(one),
      })),
    language: codesOf(language)[0]?.code ?? null,
    maritalStatus: codesOf(resource.maritalStatus)[0]?.code ?? wordOf(resource.maritalStatus) ?? null,
    race: categoryOf(resource, usCore.race),
    ethnicity: categoryOf(resource, usCore.ethnicity),
  }
}

const resourceKinds: Record<string, Kind> = { AllergyIntolerance: 'allergy', Condition: 'condition' }

/** What kind of thing of a chart a resource is, if it is one. */
export const kindOfResource = (resourceType: unknown): Kind | undefined => lookUp(resourceKinds, textOf(resourceType))

/** The id in `Patient/123`, in an absolute address of it, or in `urn:uuid:…`. */
export function patientOfResource({ patient, subject }: Element): string {
  const reference = textOf(elementOf(patient ?? subject).reference)
  return (
    /(?:^|\/)Patient\/([^/]+)(?:\/_history\/[^/]+)?$/.exec(reference)?.[1] ??
    /^urn:uuid:(.+)$/.exec(reference)?.[1] ??
    ''
  )
}

/**
 * A FHIR R4 AllergyIntolerance or Condition, yet to be validated.
 * @throws {AppError} 422 also where it says what a chart can't: that it isn't so, or that it ended nobody knows when
 */
export function fromFhirItem(resource: Element): Element {
  checkUnderstood(resource)
  const { code, verificationStatus, clinicalStatus, onsetDateTime, onsetPeriod, abatementDateTime } = resource
  if (hasCode(verificationStatus, 'refuted', 'entered-in-error'))
    throw invalid({
      path: 'verificationStatus',
      message: 'verificationStatus says that it is not so: that is no entry of a chart',
    })
  const [abatement] = extensionsOf(resource, allergyAbatement)
  const resolved =
    abatementDateTime ??
    abatement?.valueDateTime ??
    elementOf(resource.abatementPeriod).end ??
    elementOf(onsetPeriod).end ??
    null
  if (resolved === null && hasCode(clinicalStatus, 'resolved', 'inactive', 'remission'))
    throw invalid({ path: 'clinicalStatus', message: 'clinicalStatus says that it ended, and nothing says when' })
  const [coding = {}] = codesOf(code)
  const { system, code: value, display } = coding
  return {
    code: { ...(system === undefined ? {} : { system }), code: value, display: display ?? elementOf(code).text },
    onset: dayOf(onsetDateTime ?? elementOf(onsetPeriod).start ?? null),
    resolved: dayOf(resolved),
  }
}
