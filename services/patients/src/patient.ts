import { isDeepStrictEqual } from 'node:util'
import Joi from 'joi'
import { invalid } from '@caregate/common/errors'
import { pastDateField, textField, type Schema } from '@caregate/common/validate'

export interface HumanName {
  given: string[]
  family: string
  prefix: string | null
  suffix: string | null
}
export interface Telecom {
  system: 'phone' | 'email'
  value: string
  use: 'home' | 'work' | 'mobile' | null
}
/** What a client writes of a chart. Dates are `YYYY-MM-DD`; FHIR's spelling where FHIR has the thing. */
export interface Demographics {
  status: 'active' | 'inactive' | 'deceased'
  name: HumanName
  otherNames: { use: string; given: string[]; family: string | null }[]
  birthDate: string
  deathDate: string | null
  sex: 'male' | 'female' | 'other' | 'unknown'
  identifiers: { system: string; value: string }[]
  telecom: Telecom[]
  addresses: {
    line: string[]
    city: string | null
    state: string | null
    postalCode: string | null
    country: string | null
  }[]
  contacts: { name: HumanName; relationship: string | null; telecom: Telecom[] }[]
  language: string | null
  maritalStatus: string | null
  race: string | null
  ethnicity: string | null
}
export type PatientStatus = Demographics['status'] | 'voided' | 'merged'

/** A chart as clients read it. Times are UTC, ISO 8601. */
export interface Patient extends Omit<Demographics, 'status'> {
  id: string
  mrn: string
  version: number
  status: PatientStatus
  restricted: boolean
  /** The id of the chart that it is part of since it was merged. */
  mergedInto?: string
  createdAt: string
  updatedAt: string
}

const optional = <S extends Joi.Schema>(schema: S): S => schema.allow(null).default(null) as S
const list = (item: Joi.Schema, max: number): Joi.ArraySchema => Joi.array().items(item).max(max).default([])

const given = Joi.array().items(textField(100)).max(10)
export const humanName = Joi.object({
  given: given.min(1).required(),
  family: textField(100).required(),
  prefix: optional(textField(30)),
  suffix: optional(textField(30)),
})
export const telecom = Joi.object({
  system: Joi.string().valid('phone', 'email').required(),
  value: textField(254).required(),
  use: optional(Joi.string().valid('home', 'work', 'mobile')),
})
export const otherName = Joi.object({
  use: Joi.string().valid('usual', 'official', 'temp', 'nickname', 'anonymous', 'old', 'maiden').required(),
  given: given.default([]),
  family: optional(textField(100)),
})
/** Whose values are sealed in the database, and shown in full to whom the policy lets read them. */
export const governmentSystems: readonly string[] = ['ssn', 'driving-licence', 'passport']
const identifierSystem = /^(ssn|driving-licence|passport|insurance|source:[a-z0-9][a-z0-9-]{0,39})$/
export const identifier = Joi.object({
  system: Joi.string()
    .pattern(identifierSystem, 'ssn, driving-licence, passport, insurance or source:<name>')
    .required(),
  value: textField(100)
    .required()
    .description(
      'Of ssn, driving-licence and passport `***` and the end to whom may not see them; sent back as it was shown it stays',
    ),
})
const eachOnce: Joi.CustomValidator<{ system: string; value: string }[]> = (values, helpers) => {
  // two that are masked may look alike
  const plain = values.filter(({ system, value }) => !governmentSystems.includes(system) || !value.includes('*'))
  const different = new Set(plain.map((one) => `${one.system} ${one.value}`))
  return different.size < plain.length ? helpers.message({ custom: '{{#label}} must not say the same twice' }) : values
}
/** How many entries the lists of a chart may have. */
export const listLimits = { otherNames: 10, identifiers: 20, telecom: 20, addresses: 10, contacts: 10 } as const
export const address = Joi.object({
  line: list(textField(200), 4),
  city: optional(textField(100)),
  state: optional(textField(100)),
  postalCode: optional(textField(20)),
  country: optional(Joi.string().pattern(/^[A-Z]{2}$/, 'two letters, ISO 3166')),
})
export const contact = Joi.object({
  name: humanName.required(),
  relationship: optional(textField(60)),
  telecom: list(telecom, 20),
})

const demographics: Schema<Demographics> = Joi.object({
  status: Joi.string().valid('active', 'inactive', 'deceased'),
  name: humanName.required(),
  otherNames: list(otherName, listLimits.otherNames),
  birthDate: pastDateField().required(),
  deathDate: optional(pastDateField()),
  sex: Joi.string().valid('male', 'female', 'other', 'unknown').required(),
  identifiers: list(identifier, listLimits.identifiers).custom(eachOnce),
  telecom: list(telecom, listLimits.telecom),
  addresses: list(address, listLimits.addresses),
  contacts: list(contact, listLimits.contacts),
  language: optional(
    Joi.string()
      .max(35)
      .pattern(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'a language tag, BCP 47'),
  ),
  maritalStatus: optional(textField(30)),
  race: optional(textField(60)),
  ethnicity: optional(textField(60)),
})

/** What POST and PUT take. */
export const newDemographics: Schema<Demographics> = demographics.custom((value: Demographics) => {
  if (value.deathDate && value.deathDate < value.birthDate) {
    throw invalid({ path: 'deathDate', message: 'deathDate must not be before birthDate' })
  }
  return value
})

/** What PATCH takes: any part of it, and null takes a member away (JSON Merge Patch, RFC 7396). */
export const demographicsPatch: Schema<object> = demographics
  .fork(
    [
      ...Object.keys(demographics.describe().keys as object),
      ...['given', 'family', 'prefix', 'suffix'].map((part) => `name.${part}`),
    ],
    (part) => part.optional().allow(null),
  )
  .prefs({ noDefaults: true })

/** JSON Merge Patch (RFC 7396). */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const result = isObject(target) ? { ...target } : {}
  for (const [member, value] of Object.entries(patch)) {
    if (value === null) delete result[member]
    else result[member] = mergePatch(result[member], value)
  }
  return result
}

/** A date of death makes a chart that of somebody deceased, and a status that isn't given is what it was. */
export function withStatus<D extends Demographics>(demographics: D, current: Demographics['status'] = 'active'): D {
  return { ...demographics, status: demographics.deathDate ? 'deceased' : (demographics.status ?? current) }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isList = (value: unknown): value is unknown[] => Array.isArray(value)

export interface Difference {
  /** Dotted, e.g. `addresses.0.city`. */
  path: string
  before: unknown
  after: unknown
}

/** Where two values differ. Lists of objects are compared place by place while they are as long as each other, else as a whole. */
export function differences(before: unknown, after: unknown, path = ''): Difference[] {
  if (isDeepStrictEqual(before, after)) return []
  const isWalked =
    isList(before) && isList(after)
      ? before.length === after.length && [...before, ...after].every(isObject)
      : isObject(before) && isObject(after)
  if (!isWalked) return [{ path, before: before ?? null, after: after ?? null }]
  const [from, to] = [before, after] as Record<string, unknown>[]
  return Object.keys({ ...from, ...to }).flatMap((member) =>
    differences(from![member], to![member], path ? `${path}.${member}` : member),
  )
}

/** Where two versions of a chart differ, besides in being two. */
export const changesBetween = (before: Partial<Patient>, after: Patient): Difference[] =>
  differences({ ...before, version: 0, updatedAt: '' }, { ...after, version: 0, updatedAt: '' })

/** Names of the fields that changed, e.g. `['telecom', 'addresses.city']`. */
export const fieldsOf = (changes: readonly Difference[]): string[] => [
  ...new Set(changes.map(({ path }) => path.replaceAll(/\.\d+(?=\.|$)/g, ''))),
]

/** What names are sorted by: without case and accents, each word behind a space, the family name first; no more than an index takes. */
export function searchName(name: HumanName): string {
  return ` ${foldName([name.family, ...name.given].join(' '))}`.slice(0, 500)
}

/** Letters that Unicode doesn't take apart, as people write them who don't have them. */
const plainLetters: Record<string, string> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
  '’': "'",
}

export function foldName(name: string): string {
  return name
    .normalize('NFD')
    .replaceAll(/[\p{M}\p{Cf}]/gu, '')
    .toLowerCase()
    .replaceAll(/[ßæœøłđðþı’]/g, (letter) => plainLetters[letter]!)
    .replaceAll(/[\s-]+/g, ' ')
    .trim()
}
