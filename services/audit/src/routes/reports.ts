import Joi from 'joi'
import type { Cursors } from '@caregate/common/cursor'
import type { Database } from '@caregate/common/database'
import { AppError } from '@caregate/common/errors'
import type { Outcome } from '@caregate/common/events'
import { route, type Route } from '@caregate/common/route'
import { idParams, nothing, pageAnswer, pageFields, uuidField, type Page, type Schema } from '@caregate/common/validate'
import { bucketLength, fillBuckets, spanOf } from '../activity.ts'
import type { EventRow } from '../database.ts'
import type { StoredEvent } from '../log/entry.ts'
import { countEvents } from '../reports.ts'
import type { EventFilter } from '../repository.ts'
import { filterFields } from '../schemas.ts'
import { findPage, type Position } from '../search.ts'

export interface ReportDeps {
  db: Pick<Database, 'manager'>
  cursors: Cursors
}

const activityQuery: Schema<EventFilter> = Joi.object(filterFields)
const countField = (): Joi.NumberSchema => Joi.number().integer().min(0).required()
export const activityAnswer: Schema<unknown> = Joi.object({
  bucketSeconds: Joi.number().integer().min(1).required(),
  buckets: Joi.array()
    .items(
      Joi.object({
        start: Joi.string().isoDate().required(),
        success: countField(),
        denied: countField(),
        failure: countField(),
      }),
    )
    .required(),
})

const { from, to, outcome } = filterFields
const accessQuery: Schema<Page & { from?: Date; to?: Date; outcome: Outcome }> = Joi.object({
  from,
  to,
  outcome: outcome.default('success').description('Only those; `denied` are those that were kept out'),
  ...pageFields,
})
const text = (): Joi.StringSchema => Joi.string().required()
const optionalText = (): Joi.StringSchema => text().allow(null)
export const accessAnswer: Schema<unknown> = Joi.object({
  eventId: uuidField().required(),
  sequence: Joi.number().integer().min(1).required(),
  occurredAt: text().isoDate(),
  type: text(),
  action: text().valid('C', 'R', 'U', 'D', 'E'),
  outcome: text().valid('success', 'denied', 'failure'),
  actor: Joi.object({
    id: optionalText().description('For a patient null where it is another one'),
    name: optionalText().description('Of staff'),
    roles: Joi.array().items(Joi.string()).required(),
  }).required(),
  basis: optionalText().description('By what right'),
  breakGlass: Joi.object({ grantId: uuidField().required() }).allow(null).required(),
  changed: Joi.array().items(Joi.string()).required().description('Names of fields'),
  count: Joi.number().integer().min(1).required(),
  ip: optionalText().description('Null for a patient'),
})
const accessList = 'GET /audit/patients/{id}/accesses'

const shown = [
  'sequence',
  'occurredAt',
  'type',
  'action',
  'outcome',
  'basis',
  'breakGlass',
  'changed',
  'count',
] as const

/** What of an event says who was at a chart. Patients aren't told where staff work, nor which other patient was refused. */
function toAccess({ entry }: EventRow, isAuditor: boolean, reader: string) {
  const event = JSON.parse(entry) as StoredEvent
  const { id, name, roles } = event.actor
  const isOther = roles.includes('patient') && id !== reader
  return {
    eventId: event.id,
    ...Object.fromEntries(shown.map((member) => [member, event[member]])),
    actor: { id: isAuditor || !isOther ? id : null, name, roles },
    ip: isAuditor ? event.request.ip : null,
  }
}

/** What the log says of a time, and of a chart. */
export function reportRoutes({ db, cursors }: ReportDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/audit/activity',
      summary: 'How many events there were over a time, by outcome: the last 24 hours unless said otherwise',
      policy: ['auditor'],
      event: { type: 'audit.activity.read', action: 'R' },
      params: nothing,
      query: activityQuery,
      body: nothing,
      answer: {
        status: 200,
        description: 'Up to 200 buckets of equal length (a few more where `from` lies within one), without a gap',
        schema: activityAnswer,
      },
      errors: [],
      async handle(context) {
        const { patientId } = context.query
        if (patientId) context.about({ patientIds: [patientId] })
        const span = spanOf(context.query)
        const bucketSeconds = bucketLength(span)
        const counts = await countEvents(db.manager, { ...context.query, ...span }, bucketSeconds)
        return { body: { bucketSeconds, buckets: fillBuckets(span, bucketSeconds, counts) } }
      },
    }),
    route({
      method: 'get',
      path: '/audit/patients/{id}/accesses',
      summary: 'Who was at a chart, when and by what right, newest first; patients see it of their own chart',
      policy: ['auditor', 'patient'],
      event: { type: 'audit.access.read', action: 'R', subject: 'patient' },
      params: idParams,
      query: accessQuery,
      body: nothing,
      answer: { status: 200, description: 'A page of accesses', schema: pageAnswer(accessAnswer) },
      errors: [],
      async handle(context) {
        const { claims, params, query } = context
        const isAuditor = claims.roles.includes('auditor')
        if (!isAuditor && claims.patientId !== params.id)
          throw new AppError('forbidden', 'A patient may see who was at their own chart only.')
        context.about({ basis: isAuditor ? 'role' : 'self' })
        const { limit, cursor, ...filter } = query
        const position = cursor === undefined ? {} : cursors.decode<Position>(accessList, cursor)
        const accesses: EventFilter = { ...filter, patientId: params.id, isAccess: true }
        const { rows, next } = await findPage(db.manager, accesses, position, limit)
        const nextCursor = next ? cursors.encode(accessList, next) : null
        return { body: { items: rows.map((row) => toAccess(row, isAuditor, claims.sub)), nextCursor } }
      },
    }),
  ]
}
