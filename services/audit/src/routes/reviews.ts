import { isDeepStrictEqual } from 'node:util'
import Joi from 'joi'
import type { Cursors } from '@caregate/common/cursor'
import type { Database } from '@caregate/common/database'
import { AppError, invalid } from '@caregate/common/errors'
import { etagHeader, expectedVersion, withEtag } from '@caregate/common/etag'
import { maxPatientIds } from '@caregate/common/events'
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
import type { ReviewState } from '../database.ts'
import { withinEvent } from '../disclosed.ts'
import type { StoredEvent } from '../log/entry.ts'
import { findEvent } from '../repository.ts'
import { nextStates, toReview } from '../review.ts'
import { createReview, decideReview, findReviews, getReview, type ReviewFilter } from '../reviews.ts'

export interface ReviewDeps {
  db: Pick<Database, 'transaction' | 'manager'>
  cursors: Cursors
}

const kindField = (): Joi.StringSchema => Joi.string().valid('denial', 'break-glass', 'manual')
const stateField = (): Joi.StringSchema => Joi.string().valid('open', 'justified', 'escalated')
const noteField = (): Joi.StringSchema => textField(2000)
const listQuery: Schema<ReviewFilter & Page> = Joi.object({ state: stateField(), kind: kindField(), ...pageFields })
const newBody: Schema<{ eventId: string; note?: string }> = Joi.object({
  eventId: uuidField().required(),
  note: noteField(),
})
const decisionBody: Schema<{ state: ReviewState; note: string }> = Joi.object({
  state: Joi.string().valid('justified', 'escalated').required(),
  note: noteField().required().description('Why'),
})
const text = (): Joi.StringSchema => Joi.string().required()
export const reviewAnswer: Schema<unknown> = Joi.object({
  id: uuidField().required(),
  kind: kindField().required(),
  state: stateField().required(),
  eventId: uuidField().required().description('The event that opened it'),
  lastEventId: uuidField().required().description('The last event that was counted'),
  sequence: Joi.number().integer().min(1).required().description('Of the event that opened it'),
  count: Joi.number().integer().min(1).required().description('How many it stands for'),
  actor: Joi.object({
    id: text().allow(null),
    name: text().allow(null),
    roles: Joi.array().items(Joi.string()).required(),
  }).required(),
  code: text().allow(null),
  route: text().allow(''),
  patientIds: Joi.array().items(uuidField()).required().description(`Up to ${maxPatientIds}`),
  note: text().allow(null),
  reviewedBy: Joi.object({ id: text(), name: text() }).allow(null).required(),
  createdAt: text().isoDate(),
  updatedAt: text().isoDate(),
  version: Joi.number().integer().min(1).required(),
})
const decidedFields = ['state', 'note', 'reviewedBy'] as const
const reviewList = 'GET /audit/reviews'

/** What auditors are to look at, and what they make of it. */
export function reviewRoutes({ db, cursors }: ReviewDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/audit/reviews',
      summary: 'List reviews, newest first: denials of who was signed in, and uses of break-glass',
      policy: ['auditor'],
      event: { type: 'audit.review.read', action: 'R' },
      params: nothing,
      query: listQuery,
      body: nothing,
      answer: {
        status: 200,
        description: `A page of reviews; of fewer than \`limit\` where they name more than ${maxPatientIds} charts`,
        schema: pageAnswer(reviewAnswer),
      },
      errors: [],
      async handle(context) {
        const { limit, cursor, ...filter } = context.query
        const { rows, nextCursor } = await cursors.page(
          reviewList,
          { limit, cursor },
          (before: string | undefined, most) => findReviews(db.manager, filter, before, most),
          ({ id }) => id,
        )
        const { shown, patientIds } = withinEvent(rows, (row) => row.patientIds)
        context.about({ patientIds })
        const cut = shown.length < rows.length ? cursors.encode(reviewList, shown.at(-1)!.id) : nextCursor
        return { body: { items: shown.map(toReview), nextCursor: cut } }
      },
    }),
    route({
      method: 'get',
      path: '/audit/reviews/{id}',
      summary: 'Read a review',
      policy: ['auditor'],
      event: { type: 'audit.review.read', action: 'R', subject: 'review' },
      params: idParams,
      query: nothing,
      body: nothing,
      answer: { status: 200, description: 'The review', schema: reviewAnswer, headers: etagHeader },
      errors: ['not_found'],
      async handle(context) {
        const review = toReview(await getReview(db.manager, context.params.id))
        context.about({ patientIds: review.patientIds })
        return withEtag(review)
      },
    }),
    route({
      method: 'post',
      path: '/audit/reviews',
      summary: 'Open a review of an event that no rule opened one of',
      policy: ['auditor'],
      event: { type: 'audit.review.created', action: 'C' },
      params: nothing,
      query: nothing,
      body: newBody,
      answer: {
        status: 201,
        description: 'The review',
        schema: reviewAnswer,
        headers: { ...etagHeader, Location: 'Its path' },
      },
      errors: ['already_exists', 'gone'],
      async handle(context) {
        const { eventId, note = null } = context.body
        const review = await db.transaction(async (tx) => {
          const found = await findEvent(tx, eventId)
          if (!found) throw invalid({ path: 'eventId', message: 'eventId must be of an event in the log' })
          const event = JSON.parse(found.entry) as StoredEvent
          const { id, patientIds } = await createReview(tx, event, Number(found.sequence), note)
          await context.record(tx, { resource: { type: 'review', id }, patientIds })
          return toReview(await getReview(tx, id))
        })
        return withEtag(review, { Location: `/api/v1/audit/reviews/${review.id}` })
      },
    }),
    route({
      method: 'patch',
      path: '/audit/reviews/{id}',
      summary: 'Decide a review: open ones are justified or escalated, escalated ones justified',
      policy: ['auditor'],
      event: { type: 'audit.review.updated', action: 'U', subject: 'review' },
      params: idParams,
      query: nothing,
      body: decisionBody,
      answer: { status: 200, description: 'The review in its new version', schema: reviewAnswer, headers: etagHeader },
      errors: ['not_found', 'stale', 'precondition_required', 'conflict'],
      async handle(context) {
        const { claims, body, params } = context
        const version = expectedVersion(context.headers)
        const review = await db.transaction(async (tx) => {
          const current = await getReview(tx, params.id)
          context.about({ patientIds: current.patientIds })
          if (current.version !== version) throw new AppError('stale')
          if (!nextStates[current.state].includes(body.state))
            throw new AppError('conflict', `The review is ${current.state}: it can’t become ${body.state}.`)
          const reviewer = { reviewedById: claims.sub, reviewedByName: claims.name }
          const before = toReview(current)
          const decided = toReview(await decideReview(tx, params.id, version, { ...body, ...reviewer }))
          const changed = decidedFields.filter((name) => !isDeepStrictEqual(before[name], decided[name]))
          await context.record(tx, { changed })
          return decided
        })
        return withEtag(review)
      },
    }),
  ]
}
