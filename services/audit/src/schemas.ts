import Joi from 'joi'
import { eventTypes } from '@caregate/common/events'
import { printableField, uuidField, type Schema } from '@caregate/common/validate'

/** What Postgres has a date for. */
const moment = (): Joi.DateSchema => Joi.date().iso().min('1900-01-01').max('9999-12-31')
/** What events can be searched for: the members of an EventFilter. */
export const filterFields = {
  from: moment().description('Occurred at or after'),
  to: moment().description('Occurred before'),
  actorId: printableField(100).description('Who did it'),
  patientId: uuidField().description('Whose chart it was'),
  action: Joi.string().valid('C', 'R', 'U', 'D', 'E').description('Create, read, update, delete, execute'),
  outcome: Joi.string().valid('success', 'denied', 'failure'),
  type: Joi.string().valid(...eventTypes),
  method: printableField(10).uppercase(),
  path: printableField(1000).description('The whole path, without the query string'),
  ip: printableField(45),
  requestId: printableField(128),
}

const optionalText = Joi.string().allow(null).required()
/** An event as it is read back. */
export const eventAnswer: Schema<unknown> = Joi.object({
  v: Joi.number().valid(1).required(),
  id: uuidField().required(),
  sequence: Joi.number().integer().min(1).required().description('Order of storage, without gaps'),
  storedAt: Joi.string().isoDate().required(),
  leafHash: Joi.string().base64().required().description('RFC 6962 hash of all but this member, in RFC 8785 form'),
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
