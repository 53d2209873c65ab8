import Joi from 'joi'
import { invalid, type FieldError } from '@caregate/common/errors'
import { exactly, pastDateField, textField, uuidField, type Schema } from '@caregate/common/validate'
import { isSctid } from './sctid.ts'

/** What a chart has besides demographics. One kind is like the other. */
export type Kind = 'allergy' | 'condition'

/** FHIR's Coding: a term of a code system. */
export interface Code {
  system: string
  code: string
  display: string
}
/** What a client says of an allergy or a condition. Dates are `YYYY-MM-DD`; null is not known, or not yet. */
export interface NewItem {
  code: Code
  onset: string | null
  resolved: string | null
}
/** An allergy or a condition as clients read it. Times are UTC, ISO 8601. */
export interface Item extends NewItem {
  id: string
  version: number
  /** The user who recorded this version. */
  recordedBy: string
  createdAt: string
  updatedAt: string
}

// with the characters of RFC 3986; one way only to match, whatever comes
const absoluteUri = /^(https?:\/\/[\w[]|urn:[a-z0-9][a-z0-9-]{0,31}:)[\w.~:/?#[\]@!$&'()*+,;=%-]*$/i
const snomed = 'http://snomed.info/sct'

const day = pastDateField().allow(null).default(null)
export const itemFields = {
  code: Joi.object({
    system: exactly(textField(255))
      .pattern(absoluteUri, 'an absolute URI, http, https or urn')
      .default(snomed)
      .description('The code system; SNOMED CT unless said otherwise'),
    code: exactly(textField(64)).required(),
    display: textField(255).required().description('The term in words'),
  }).required(),
  onset: day.description('When it began'),
  resolved: day.description('When it ended'),
}

export const itemBody: Schema<NewItem> = Joi.object<NewItem>(itemFields).custom((item: NewItem) => {
  const { code, onset, resolved } = item
  if (code.system === snomed && !isSctid(code.code)) {
    throw invalid({ path: 'code.code', message: 'code.code is no SNOMED CT code: its check digit or length is wrong' })
  }
  if (onset !== null && resolved !== null && resolved < onset) {
    throw invalid({ path: 'resolved', message: 'resolved must not be before onset' })
  }
  return item
})

/** Nobody has anything before birth. @throws {AppError} 422 */
export function checkDates({ onset, resolved }: NewItem, birthDate: string): void {
  const errors: FieldError[] = Object.entries({ onset, resolved })
    .filter(([, date]) => date !== null && date < birthDate)
    .map(([path]) => ({ path, message: `${path} must not be before the birthDate of the chart` }))
  if (errors.length) throw invalid(...errors)
}

export const itemAnswer: Schema<Item> = Joi.object({
  ...itemFields,
  id: uuidField().required(),
  version: Joi.number().integer().min(1).required(),
  recordedBy: uuidField().required().description('The user who recorded this version'),
  createdAt: Joi.string().isoDate().required(),
  updatedAt: Joi.string().isoDate().required(),
})
