import { nothing } from '@caregate/common/validate'
import { route, type Route } from '@caregate/common/route'
import { editorOf, type Deps } from '../routes.ts'
import { matchAnswer, matchBody } from '../schemas.ts'
import { findCandidates } from './repository.ts'

export function matchRoutes({ db, fieldKeys }: Pick<Deps, 'db' | 'fieldKeys'>): Route[] {
  return [
    route({
      method: 'post',
      path: '/patients/match',
      summary: 'Find charts that may be the same person’s, graded, each with its reasons',
      policy: ['registrar'],
      event: { type: 'patients.match.read', action: 'E' },
      params: nothing,
      query: nothing,
      body: matchBody,
      answer: { status: 200, description: 'The charts; none where nothing is like it', schema: matchAnswer },
      errors: [],
      async handle(context) {
        const { id, ...chart } = context.body
        const { candidates: items } = await findCandidates(
          db.manager,
          fieldKeys,
          editorOf(context.claims),
          true,
          chart,
          id,
        )
        context.about({ patientIds: items.map((one) => one.id), basis: 'role' })
        return { body: { items } }
      },
    }),
  ]
}
