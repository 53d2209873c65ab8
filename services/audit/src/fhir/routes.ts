import Joi from 'joi'
import { invalid } from '@caregate/common/errors'
import { eventTypes } from '@caregate/common/events'
import { fhirBase, fhirJson } from '@caregate/common/fhir'
import {
  buildSearch,
  dateRange,
  fhirIdParams,
  formatQuery,
  patientReference,
  resourceAnswer,
  type Range,
} from '@caregate/common/fhir-api'
import { route, type Context, type Route } from '@caregate/common/route'
import { nothing } from '@caregate/common/validate'
import { getEvent, readEvents, type EventFilter } from '../repository.ts'
import { readPage, type EventDeps } from '../routes/events.ts'
import { filterFields } from '../schemas.ts'
import type { Position } from '../search.ts'
import { eventTypeSystem, outcomes, toFhirAuditEvent } from './to-fhir.ts'

interface Asked {
  date?: Range
  agent?: string
  patient?: string
  entity?: string
  action?: string
  outcome?: string
  subtype?: string
}
const fields = {
  date: dateRange({ times: true }),
  agent: filterFields.actorId,
  patient: patientReference(),
  entity: patientReference(),
  action: filterFields.action,
  outcome: Joi.string().valid(...Object.values(outcomes)),
  subtype: Joi.string()
    .replace(`${eventTypeSystem}|`, '')
    .valid(...eventTypes),
}

/** @throws {AppError} 422 where two charts are named: no search is for both */
function filterOf({ date, agent, patient, entity = patient, action, outcome, subtype }: Asked): EventFilter {
  if (patient !== undefined && patient !== entity)
    throw invalid({ path: 'entity', message: 'entity and patient name the same chart' })
  const found = Object.entries(outcomes).find(([, code]) => code === outcome)
  return {
    ...(date?.from && { from: new Date(date.from) }),
    ...(date?.before && { to: new Date(date.before) }),
    ...(agent && { actorId: agent }),
    ...(entity && { patientId: entity }),
    ...(action && { action }),
    ...(found && { outcome: found[0] }),
    ...(subtype && { type: subtype }),
  }
}

/** The log as FHIR R4 has it: who may read it does, and reading it is on record, as by the plain routes. */
export function fhirRoutes({ db, cursors }: EventDeps): Route[] {
  const search = buildSearch<Asked, Position, 'AuditEvent'>('AuditEvent', fields, cursors)
  const shared = { policy: ['auditor'], event: { type: 'audit.event.read', action: 'R' } } as const
  const searching = {
    ...shared,
    summary: 'Search the audit log, newest first',
    params: nothing,
    errors: [],
    async handle(context: Context<unknown, unknown, unknown>) {
      const asked = search.read(context)
      const position = asked.after ?? {}
      const { shown, next } = await readPage(db.manager, context, filterOf(asked.filter), position, asked.limit)
      return { body: search.bundle(context, asked, shown.map(toFhirAuditEvent), next) }
    },
  } as const
  return [
    route({ ...search.byGet, ...searching }),
    route({ ...search.byPost, ...searching }),
    route({
      ...shared,
      method: 'get',
      root: true,
      path: `${fhirBase}/AuditEvent/{id}`,
      summary: 'Read an event',
      event: { ...shared.event, subject: 'event' },
      params: fhirIdParams,
      query: formatQuery,
      body: nothing,
      answer: { status: 200, description: 'The event', schema: resourceAnswer('AuditEvent'), type: fhirJson },
      errors: ['not_found', 'gone'],
      async handle(context) {
        const [event] = await readEvents(db.manager, [await getEvent(db.manager, context.params.id)])
        context.about({ patientIds: event!.patientIds })
        return { body: toFhirAuditEvent(event!) }
      },
    }),
  ]
}
