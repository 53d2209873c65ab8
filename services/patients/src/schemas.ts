import Joi from 'joi'
import { pageFields, pastDateField, textField, uuidField, type Page, type Schema } from '@caregate/common/validate'
import { demographicsPatch, newDemographics, type Demographics, type PatientStatus } from './patient.ts'

const statuses = ['active', 'inactive', 'deceased', 'voided', 'merged'] as const satisfies PatientStatus[]
export type PatientBody = Demographics & { restricted?: boolean }
/** What POST and PUT take. */
export const patientBody = (newDemographics as Schema<PatientBody>).keys({
  restricted: Joi.boolean().description('Whether its care team alone opens it, others by break-glass'),
})
/** What PATCH takes: JSON Merge Patch. */
export const patientPatch: Schema<object> = demographicsPatch.keys({ restricted: Joi.boolean() })
export const reasonBody: Schema<{ reason: string }> = Joi.object({ reason: textField(500).required() })
export const createQuery: Schema<{ force: boolean }> = Joi.object({
  force: Joi.boolean().default(false).description('Create it even if it looks like a duplicate'),
})
export const listQuery: Schema<Page & { status?: PatientStatus }> = Joi.object({
  ...pageFields,
  status: Joi.string().valid(...statuses),
})
interface SearchBody extends Page {
  q?: string
  mrn?: string
  birthDate?: string
  phone?: string
  identifier?: string
  status?: PatientStatus
}
export const searchBody: Schema<SearchBody> = Joi.object({
  q: textField(100).description(
    'Names or their beginnings, in any order; case, accents and one wrong letter a word do not matter',
  ),
  mrn: textField(20),
  birthDate: pastDateField(),
  phone: textField(40).pattern(/\d{4}/, 'a phone number'),
  identifier: textField(100).description(
    'The value of an identifier of any system, in full; only letters and digits count, but `source:*` exactly',
  ),
  status: Joi.string().valid(...statuses),
  ...pageFields,
})

export const patientAnswer = (newDemographics as Schema<object>).keys({
  id: uuidField().required(),
  mrn: Joi.string().required(),
  version: Joi.number().integer().min(1).required(),
  status: Joi.string()
    .valid(...statuses)
    .required(),
  restricted: Joi.boolean().required(),
  createdAt: Joi.string().isoDate().required(),
  updatedAt: Joi.string().isoDate().required(),
})

/** What is found: a chart, or no more than that there is one. */
export const foundAnswer: Schema<object> = Joi.alternatives(
  patientAnswer,
  Joi.object({
    id: uuidField().required(),
    mrn: Joi.string().required(),
    restricted: Joi.boolean().valid(true).required(),
  }).description('A restricted chart, found by its MRN alone by somebody who may not open it'),
) as unknown as Schema<object>
