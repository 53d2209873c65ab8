import Joi from 'joi'
import type { Cursors } from '@caregate/common/cursor'
import type { Database } from '@caregate/common/database'
import { notFound } from '@caregate/common/errors'
import { route, type Route } from '@caregate/common/route'
import {
  idParams,
  nothing,
  pageAnswer,
  pageFields,
  textField,
  uuidField,
  type Page,
  type Schema,
} from '@caregate/common/validate'
import type { HoldRow } from '../database.ts'
import { deleteHold, listHolds, lockHolds, replaceHold } from '../holds.ts'

export interface HoldDeps {
  db: Pick<Database, 'manager' | 'transaction'>
  cursors: Cursors
}

const pageQuery: Schema<Page> = Joi.object(pageFields)
const holdBody: Schema<{ reason: string }> = Joi.object({ reason: textField(500).required() })
export const holdAnswer: Schema<unknown> = Joi.object({
  patientId: uuidField().required(),
  reason: Joi.string().required(),
  heldBy: Joi.object({ id: Joi.string().required(), name: Joi.string().allow(null).required() }).required(),
  createdAt: Joi.string().isoDate().required(),
})
const listName = 'GET /audit/holds'

const toHold = ({ patientId, reason, heldBy, heldByName, createdAt }: HoldRow) => ({
  patientId,
  reason,
  heldBy: { id: heldBy, name: heldByName },
  createdAt,
})

/** Legal holds: what is in the log about these patients stays beyond its retention. */
export function holdRoutes({ db, cursors }: HoldDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/audit/holds',
      summary: 'List legal holds',
      policy: ['auditor'],
      event: { type: 'audit.hold.read', action: 'R' },
      params: nothing,
      query: pageQuery,
      body: nothing,
      answer: { status: 200, description: 'A page of holds', schema: pageAnswer(holdAnswer) },
      errors: [],
      async handle(context) {
        const { rows, nextCursor } = await cursors.page(
          listName,
          context.query,
          (after: string | undefined, limit) => listHolds(db.manager, after, limit),
          ({ patientId }) => patientId,
        )
        context.about({ patientIds: rows.map(({ patientId }) => patientId) })
        return { body: { items: rows.map(toHold), nextCursor } }
      },
    }),
    route({
      method: 'put',
      path: '/audit/holds/{id}',
      summary: 'Hold all events about a patient beyond their retention, or change the reason',
      policy: ['auditor'],
      event: { type: 'audit.hold.created', action: 'C', subject: 'patient' },
      params: idParams,
      query: nothing,
      body: holdBody,
      answer: {
        status: 201,
        description: 'The new hold',
        schema: holdAnswer,
        others: { 200: 'There was a hold: it has this reason now' },
      },
      errors: [],
      async handle(context) {
        const { sub, name } = context.claims
        const given = {
          patientId: context.params.id,
          reason: context.body.reason,
          heldBy: sub,
          heldByName: name,
          createdAt: new Date(),
        }
        const { hold, isNew } = await db.transaction(async (tx) => {
          await lockHolds(tx)
          const done = await replaceHold(tx, given)
          await (done.isNew ? context.record(tx) : context.record(tx, { changed: ['reason'] }, 200))
          return done
        })
        return { status: isNew ? 201 : 200, body: toHold(hold) }
      },
    }),
    route({
      method: 'delete',
      path: '/audit/holds/{id}',
      summary: 'End a hold: what is older than its retention goes when retention is next applied',
      policy: ['auditor'],
      event: { type: 'audit.hold.deleted', action: 'D', subject: 'patient' },
      params: idParams,
      query: nothing,
      body: nothing,
      answer: { status: 204, description: 'Ended' },
      errors: ['not_found'],
      async handle(context) {
        await db.transaction(async (tx) => {
          await lockHolds(tx)
          if (!(await deleteHold(tx, context.params.id))) throw notFound('hold')
          await context.record(tx)
        })
        return {}
      },
    }),
  ]
}
