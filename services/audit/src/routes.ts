import Joi from 'joi'
import { route, type Route } from '@caregate/common/route'
import type { Cursors } from '@caregate/common/cursor'
import type { Database } from '@caregate/common/database'
import { invalid } from '@caregate/common/errors'
import { eventTypes } from '@caregate/common/events'
import { idParams, nothing, pageAnswer, pageFields, uuidField, type Page, type Schema } from '@caregate/common/validate'
import { findEvents, getEvent, toStoredEvent, type EventFilter } from './repository.ts'

export interface Deps {
  db: Pick<Database, 'query' | 'manager'>
  cursors: Cursors
}

type EventQuery = EventFilter & Page & { afterSequence?: number }
/** What Postgres has a date for, and a text without control characters. */
const moment = (): Joi.DateSchema => Joi.date().iso().min('1900-01-01').max('9999-12-31')
const plain = (max: number): Joi.StringSchema =>
  Joi.string()
    .max(max)
    .pattern(/^\P{C}+$/u, 'printable characters')
const eventQuery: Schema<EventQuery> = Joi.object({
  from: moment().description('Occurred at or after'),
  to: moment().description('Occurred before'),
  actorId: plain(100).description('Who did it'),
  patientId: uuidField().description('Whose chart it was'),
  action: Joi.string().valid('C', 'R', 'U', 'D', 'E').description('Create, read, update, delete, execute'),
  outcome: Joi.string().valid('success', 'denied', 'failure'),
  type: Joi.string().valid(...eventTypes),
  method: plain(10).uppercase(),
  path: plain(1000).description('The whole path, without the query string'),
  ip: plain(45),
  requestId: plain(128),
  afterSequence: Joi.number().integer().min(0).description('Events after this one, oldest first'),
  ...pageFields,
})

const optionalText = Joi.string().allow(null).required()
const eventAnswer: Schema<unknown> = Joi.object({
  v: Joi.number().valid(1).required(),
  id: uuidField().required(),
  sequence: Joi.number().integer().min(1).required().description('Order of storage, without gaps'),
  storedAt: Joi.string().isoDate().required(),
  occurredAt: Joi.string().isoDate().required(),
  type: Joi.string().required(),
  service: Joi.string().required(),
  actor: Joi.object({
    id: optionalText,
    name: optionalText,
    roles: Joi.array().items(Joi.string()).required(),
    sessionId: optionalText,
  }).required(),
  action: Joi.string().required(),
  outcome: Joi.string().required(),
  code: optionalText,
  basis: optionalText,
  breakGlass: Joi.object({ grantId: uuidField().required() }).allow(null).required(),
  resource: Joi.object({ type: Joi.string().required(), id: Joi.string().required() }).allow(null).required(),
  patientIds: Joi.array().items(uuidField()).required(),
  changed: Joi.array().items(Joi.string()).required(),
  count: Joi.number().integer().min(1).required(),
  threats: Joi.array().items(Joi.string()),
  request: Joi.object({
    id: Joi.string().required(),
    method: Joi.string().required(),
    route: Joi.string().required(),
    path: Joi.string().required(),
    status: Joi.number().integer().required(),
    ip: Joi.string().allow('').required(),
    userAgent: optionalText,
  }).required(),
}).unknown()
const listName = 'GET /audit/events'

export function auditRoutes({ db, cursors }: Deps): Route[] {
  return [
    route({
      method: 'get',
      path: '/audit/events',
      summary: 'Search the audit log, newest first; with afterSequence, oldest first',
      policy: ['auditor'],
      event: { type: 'audit.event.read', action: 'R' },
      params: nothing,
      query: eventQuery,
      body: nothing,
      answer: { status: 200, description: 'A page of events', schema: pageAnswer(eventAnswer) },
      errors: [],
      async handle(context) {
        const { limit, cursor, afterSequence, ...filter } = context.query
        if (cursor !== undefined && afterSequence !== undefined) {
          throw invalid({
            path: 'cursor',
            message: 'cursor and afterSequence exclude each other: go on with the last sequence',
          })
        }
        if (filter.patientId) context.about({ patientIds: [filter.patientId] })
        const { rows, nextCursor } = await cursors.page(
          listName,
          { limit, cursor },
          (before: number | undefined, most) => findEvents(db.manager, filter, { before, after: afterSequence }, most),
          ({ sequence }) => Number(sequence),
        )
        // who follows the log goes on with the last sequence
        return { body: { items: rows.map(toStoredEvent), nextCursor: afterSequence === undefined ? nextCursor : null } }
      },
    }),
    route({
      method: 'get',
      path: '/audit/events/{id}',
      summary: 'Read an event',
      policy: ['auditor'],
      event: { type: 'audit.event.read', action: 'R', subject: 'event' },
      params: idParams,
      query: nothing,
      body: nothing,
      answer: { status: 200, description: 'The event', schema: eventAnswer },
      errors: ['not_found'],
      handle: async (context) => ({ body: toStoredEvent(await getEvent(db.manager, context.params.id)) }),
    }),
  ]
}
