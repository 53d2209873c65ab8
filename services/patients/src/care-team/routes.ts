import Joi from 'joi'
import { AppError, invalid } from '@caregate/common/errors'
import type { Route } from '@caregate/common/route'
import {
  dateField,
  idParams,
  nothing,
  pageAnswer,
  pageFields,
  textField,
  uuidField,
  type Page,
  type Schema,
} from '@caregate/common/validate'
import type { ChartRoutes } from '../chart.ts'
import type { Deps } from '../routes.ts'
import { addMember, findMembers, removeMember, type Member, type NewMember } from './repository.ts'

const memberFields = {
  userId: uuidField().required(),
  role: textField(60).required().description('What they are to the patient, in words'),
  from: dateField().description('The first day, in UTC; today unless said otherwise'),
  to: dateField().allow(null).default(null).description('The last day; null while it is open'),
}
const memberBody: Schema<NewMember> = Joi.object<NewMember>(memberFields).custom((value: Omit<NewMember, 'from'>) => {
  const member = { from: new Date().toISOString().slice(0, 10), ...value }
  if (member.to !== null && member.to < member.from) {
    throw invalid({ path: 'to', message: 'to must not be before from' })
  }
  return member
})
export const memberAnswer: Schema<Member> = Joi.object({
  ...memberFields,
  id: uuidField().required(),
  addedBy: uuidField().required(),
  addedAt: Joi.string().isoDate().required(),
})
const memberParams: Schema<{ id: string; memberId: string }> = Joi.object({
  id: uuidField().required(),
  memberId: uuidField().required(),
})
const listQuery: Schema<Page> = Joi.object(pageFields)

/** Who treats a patient, and so opens the chart when it is restricted. */
export function careTeamRoutes({ db, cursors }: Pick<Deps, 'db' | 'cursors'>, { read, change }: ChartRoutes): Route[] {
  return [
    read({
      method: 'get',
      path: '/patients/{id}/care-team',
      summary: 'List the care team of a chart',
      access: 'care-team.read',
      event: { type: 'patients.care-team.read', action: 'R', subject: 'patient' },
      params: idParams,
      query: listQuery,
      body: nothing,
      answer: { status: 200, description: 'A page of members', schema: pageAnswer(memberAnswer) },
      errors: [],
      async handle({ query }, { row: { id } }) {
        const { rows: items, nextCursor } = await cursors.page(
          `GET /patients/${id}/care-team`,
          query,
          (after: string | undefined, limit) => findMembers(db.manager, id, after, limit),
          (member) => member.id,
        )
        return { body: { items, nextCursor } }
      },
    }),
    change({
      method: 'post',
      path: '/patients/{id}/care-team',
      summary: 'Assign somebody else to the care team of a chart',
      access: 'care-team.change',
      event: { type: 'patients.care-team.created', action: 'C', subject: 'patient' },
      params: idParams,
      query: nothing,
      body: memberBody,
      answer: { status: 201, description: 'The member', schema: memberAnswer },
      errors: ['conflict'],
      async handle(tx, context, { row }) {
        const { body, claims } = context
        if (body.userId === claims.sub) throw new AppError('forbidden', 'Nobody assigns themself.')
        const member = await addMember(tx, row.id, body, claims.sub)
        await context.record(tx, { resource: { type: 'care-team', id: member.id } })
        return { body: member }
      },
    }),
    change({
      method: 'delete',
      path: '/patients/{id}/care-team/{memberId}',
      summary: 'Remove somebody from the care team of a chart, at once',
      access: 'care-team.change',
      event: { type: 'patients.care-team.deleted', action: 'D', subject: 'patient' },
      params: memberParams,
      query: nothing,
      body: nothing,
      answer: { status: 204, description: 'Removed; that they were of it stays on record' },
      errors: [],
      async handle(tx, context, { row }) {
        const { claims, params } = context
        context.about({ resource: { type: 'care-team', id: params.memberId } })
        await removeMember(tx, row.id, params.memberId, claims.sub)
        await context.record(tx)
        return {}
      },
    }),
  ]
}
