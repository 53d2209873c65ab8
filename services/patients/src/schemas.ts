import Joi from 'joi'
import { pageFields, pastDateField, textField, uuidField, type Page, type Schema } from '@caregate/common/validate'
import { gradesInOrder } from './match/compare.ts'
import { demographicsPatch, newDemographics, type Demographics, type PatientStatus } from './patient.ts'

export const statuses = ['active', 'inactive', 'deceased', 'voided', 'merged'] as const satisfies PatientStatus[]
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

/** A chart to look for: as one would create it, or as it was read. */
export const matchBody = (patientBody as Schema<object>)
  .keys({
    id: uuidField().description('Of a chart that was read: it is not looked for itself'),
    mrn: Joi.string(),
    version: Joi.number(),
    createdAt: Joi.string(),
    updatedAt: Joi.string(),
  })
  .description('A chart as it would be created, or as it was read') as Schema<PatientBody & { id?: string }>
/** How far a chart is one person's with another. */
export const matchAnswer: Schema<object> = Joi.object({
  items: Joi.array()
    .items(
      Joi.object({
        id: uuidField().required(),
        score: Joi.number().min(0).max(1).required().description('How likely it is one person'),
        grade: Joi.string()
          .valid(...gradesInOrder)
          .required(),
        reasons: Joi.array()
          .items(
            Joi.object({
              field: Joi.string().required(),
              found: Joi.string().required().description('How the two stand to each other in it'),
              weight: Joi.number().required().description('Bits for one person, negative for two'),
            }),
          )
          .required()
          .description('What the score is made of, without any value'),
      }),
    )
    .required()
    .description('The likeliest first, 20 at most'),
})

export const patientAnswer = (newDemographics as Schema<object>).keys({
  id: uuidField().required(),
  mrn: Joi.string().required(),
  version: Joi.number().integer().min(1).required(),
  status: Joi.string()
    .valid(...statuses)
    .required(),
  restricted: Joi.boolean().required(),
  mergedInto: uuidField().description('Of a merged chart: the one that it is part of now, which may be merged itself'),
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
