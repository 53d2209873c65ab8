import Joi from 'joi'
import { AppError } from '@caregate/common/errors'
import type { Metrics } from '@caregate/common/metrics'
import { route, type Route } from '@caregate/common/route'
import { idParams, nothing, textField, uuidField, type Schema } from '@caregate/common/validate'
import { grantHeader, type ChartRoutes } from '../chart.ts'
import type { PatientsConfig } from '../config.ts'
import type { Deps } from '../routes.ts'
import { createGrant, getGrant } from './repository.ts'

export interface BreakGlassDeps {
  db: Pick<Deps['db'], 'manager'>
  config: Pick<PatientsConfig, 'BREAK_GLASS_MINUTES'>
  metrics: Pick<Metrics, 'counter'>
}

const reasonBody: Schema<{ reason: string }> = Joi.object({
  reason: textField(500).min(10).required().description('Why; an auditor reads it'),
})
const grantFields = { grantId: uuidField().required(), expiresAt: Joi.string().isoDate().required() }
const grantParams: Schema<{ grantId: string }> = Joi.object({ grantId: uuidField().required() })
const grantAnswer: Schema<unknown> = Joi.object({
  ...grantFields,
  patientId: uuidField().required(),
  clinicianId: uuidField().required(),
  clinicianName: Joi.string().required(),
  reason: Joi.string().required(),
  createdAt: Joi.string().isoDate().required(),
})

/** How a clinician who isn't of the care team opens a restricted chart, for a while and on the record. */
export function breakGlassRoutes({ db, config, metrics }: BreakGlassDeps, { change }: ChartRoutes): Route[] {
  const granted = metrics.counter('caregate_patients_break_glass_total', 'Times that the glass of a chart was broken')
  return [
    change({
      method: 'post',
      path: '/patients/{id}/break-glass',
      summary: 'Break the glass of a restricted chart, to read and treat',
      access: 'break-glass.request',
      event: { type: 'patients.break-glass.created', action: 'C', subject: 'patient' },
      params: idParams,
      query: nothing,
      body: reasonBody,
      answer: {
        status: 201,
        description: 'The grant: until then the chart opens to this clinician',
        schema: Joi.object(grantFields),
        headers: { [grantHeader]: 'Its id' },
      },
      errors: ['conflict'],
      async handle(tx, context, { row, member }) {
        if (!row.restricted || member) throw new AppError('conflict', 'The chart opens to you without it.')
        const { sub: clinicianId, name: clinicianName } = context.claims
        const { id: grantId, expiresAt } = await createGrant(
          tx,
          { patientId: row.id, clinicianId, clinicianName, reason: context.body.reason },
          config.BREAK_GLASS_MINUTES,
        )
        // the reason is not in the event: it may say what the patient has
        await context.record(tx, { breakGlass: { grantId } })
        granted()
        return { body: { grantId, expiresAt }, headers: { [grantHeader]: grantId } }
      },
    }),
    route({
      method: 'get',
      path: '/patients/break-glass/{grantId}',
      summary: 'Read who broke the glass of which chart, and why',
      policy: ['auditor'],
      event: { type: 'patients.break-glass.read', action: 'R' },
      params: grantParams,
      query: nothing,
      body: nothing,
      answer: { status: 200, description: 'The grant', schema: grantAnswer },
      errors: ['not_found'],
      async handle(context) {
        const { grantId } = context.params
        context.about({ resource: { type: 'break-glass', id: grantId }, basis: 'role' })
        const { id, ...grant } = await getGrant(db.manager, grantId)
        context.about({ patientIds: [grant.patientId] })
        return { body: { grantId: id, ...grant } }
      },
    }),
  ]
}
