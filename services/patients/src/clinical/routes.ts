import Joi from 'joi'
import { AppError } from '@caregate/common/errors'
import { etagHeader, expectedVersion, withEtag } from '@caregate/common/etag'
import type { Route } from '@caregate/common/route'
import { idParams, nothing, pageAnswer, pageFields, uuidField, type Page, type Schema } from '@caregate/common/validate'
import type { ChartRoutes } from '../chart.ts'
import { differences, fieldsOf } from '../patient.ts'
import type { Deps } from '../routes.ts'
import { checkDates, itemAnswer, itemBody, type Item, type Kind } from './item.ts'
import { createItem, findItems, getItem, updateItem } from './repository.ts'

const itemParams: Schema<{ id: string; itemId: string }> = Joi.object({
  id: uuidField().required(),
  itemId: uuidField().required(),
})
const listQuery: Schema<Page> = Joi.object(pageFields)

/** What of an item a client writes. */
const writable = ({ code, onset, resolved }: Item) => ({ code, onset, resolved })

function routesOf(kind: Kind, name: string, { db, cursors }: Deps, { read, change }: ChartRoutes): Route[] {
  const path = `/patients/{id}/${name}`
  return [
    read({
      method: 'get',
      path,
      summary: `List the ${name} of a chart`,
      access: 'clinical.read',
      event: { type: `patients.${kind}.read`, action: 'R', subject: 'patient' },
      params: idParams,
      query: listQuery,
      body: nothing,
      answer: { status: 200, description: `A page of ${name}`, schema: pageAnswer(itemAnswer) },
      errors: [],
      async handle({ query }, { row }) {
        const { rows: items, nextCursor } = await cursors.page(
          `GET /patients/${row.id}/${name}`,
          query,
          (after: string | undefined, limit) => findItems(db.manager, { patientId: row.id, kind }, after, limit),
          ({ id }) => id,
        )
        return { body: { items, nextCursor } }
      },
    }),
    change({
      method: 'post',
      path,
      summary: `Record one of the ${name} of a chart`,
      access: 'clinical.change',
      event: { type: `patients.${kind}.created`, action: 'C', subject: 'patient' },
      params: idParams,
      query: nothing,
      body: itemBody,
      answer: {
        status: 201,
        description: `The ${kind}`,
        schema: itemAnswer,
        headers: { ...etagHeader, Location: 'Its path' },
      },
      errors: [],
      async handle(tx, context, { row }) {
        checkDates(context.body, row.demographics.birthDate)
        const item = await createItem(tx, { patientId: row.id, kind }, context.body, context.claims.sub)
        await context.record(tx, { resource: { type: kind, id: item.id } })
        return withEtag(item, { Location: `/api/v1/patients/${row.id}/${name}/${item.id}` })
      },
    }),
    change({
      method: 'put',
      path: `${path}/{itemId}`,
      summary: `Replace one of the ${name} of a chart; what it was is kept`,
      access: 'clinical.change',
      event: { type: `patients.${kind}.updated`, action: 'U', subject: 'patient' },
      params: itemParams,
      query: nothing,
      body: itemBody,
      answer: {
        status: 200,
        description: `The ${kind} in its new version`,
        schema: itemAnswer,
        headers: etagHeader,
      },
      errors: ['stale', 'precondition_required'],
      async handle(tx, context, { row }) {
        const { params, body, claims } = context
        const place = { patientId: row.id, kind }
        context.about({ resource: { type: kind, id: params.itemId } })
        const current = await getItem(tx, place, params.itemId)
        if (current.version !== expectedVersion(context.headers)) throw new AppError('stale')
        checkDates(body, row.demographics.birthDate)
        const updated = await updateItem(tx, place, current, body, claims.sub)
        await context.record(tx, { changed: fieldsOf(differences(writable(current), writable(updated))) })
        return withEtag(updated)
      },
    }),
  ]
}

/** What a patient can't bear, and what they have. */
export function clinicalRoutes(deps: Deps, charts: ChartRoutes): Route[] {
  return [...routesOf('allergy', 'allergies', deps, charts), ...routesOf('condition', 'conditions', deps, charts)]
}
