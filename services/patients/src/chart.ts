import type { Claims } from '@caregate/common/auth'
import type { Database, Tx } from '@caregate/common/database'
import { AppError } from '@caregate/common/errors'
import { route, type Answer, type Context, type Facts, type Route } from '@caregate/common/route'
import { findBasis, isOpenByGrant, isOwnOnly, rolesFor, type ChartAction, type Standing } from './access.ts'
import { findSurvivor, getChart, isStill, lockCharts, type ChartRow } from './repository.ts'

/** What answers under a broken glass carry: the id of its grant. */
export const grantHeader = 'X-Break-Glass'

/** A chart that was opened, for somebody. */
export interface Chart {
  row: ChartRow
  /** Whether they are of its care team today. */
  member: boolean
  /** Whether the same person may do something else to it. */
  may(action: ChartAction): boolean
  /** Opens further charts for the same, in use or not. @throws {AppError} 403 where one of them doesn't open */
  openToo(ids: readonly string[]): Promise<void>
}

type OnChart<P, Q, B> = Omit<Route<P, Q, B>, 'policy' | 'access' | 'handle'> & {
  access: ChartAction
  /** Says so where charts that aren't in use any more are opened as well; elsewhere they are 410. */
  also?: readonly ('voided' | 'merged')[]
  /** Further charts that it changes. */
  changes?(context: Context<P, Q, B>): string[]
  /** Whose chart it is where the path's `{id}` is not a chart's; undefined where there is none. */
  chartOf?(context: Context<P, Q, B>): Promise<string | undefined>
  /** Nothing is read besides the chart itself. */
  alone?: boolean
}

/** How a chart is opened: no route with an `{id}` is made in another way, see `checkChartRoutes`. */
export interface ChartRoutes {
  read<P, Q, B>(
    definition: OnChart<P, Q, B> & { handle(context: Context<P, Q, B>, chart: Chart): Promise<Answer> },
  ): Route
  /** `handle` changes it in one transaction with the event, which it records; until then nobody else changes the chart. */
  change<P extends { id: string }, Q, B>(
    definition: OnChart<P, Q, B> & { handle(tx: Tx, context: Context<P, Q, B>, chart: Chart): Promise<Answer> },
  ): Route
}

function refusalOf({ roles }: Claims, { restricted, grantId }: Standing): AppError {
  if (grantId) return new AppError('forbidden', 'A broken glass is good for reading and treating alone.')
  if (restricted) return new AppError('restricted')
  return new AppError('forbidden', `None of your roles (${roles.join(', ')}) may do that to this chart.`)
}

/** Routes that open the chart first. */
const made = new WeakSet<Route>()

/** @throws when a route with an `{id}` was made by hand: nothing would have decided about the chart */
export function checkChartRoutes(routes: readonly Route[]): void {
  for (const definition of routes)
    if (/\{(id|itemId)\*?\}/.test(definition.path) && !made.has(definition))
      throw new Error(`${definition.method.toUpperCase()} ${definition.path} is not one of chart.ts`)
}

/** The chart that a request is about, which its event names. */
async function chartOf<P, Q, B>(
  context: Context<P, Q, B>,
  definition: Pick<OnChart<P, Q, B>, 'chartOf'>,
): Promise<string | undefined> {
  if (!definition.chartOf) return (context.params as { id: string }).id
  const id = await definition.chartOf(context)
  if (id !== undefined) context.about({ resource: { type: 'patient', id }, patientIds: [id] })
  return id
}

export function buildChartRoutes(db: Pick<Database, 'transaction' | 'manager'>): ChartRoutes {
  /** @throws {AppError} 403, 404, or 410 for a chart that was voided or merged */
  async function open(
    tx: Tx,
    context: Context<unknown, unknown, unknown>,
    id: string | undefined,
    { access, also = [] }: Pick<OnChart<never, never, never>, 'access' | 'also'>,
  ): Promise<Chart> {
    const { claims, about, mark } = context
    const { roles, sub, patientId } = claims
    // whose chart was merged opens the one that it is part of too
    const isOwn = async (own: string) => own === id || (await findSurvivor(tx, own)) === id
    const self = id !== undefined && patientId !== undefined && (await isOwn(patientId))
    // whether there is such a chart is nobody else's business
    if (!self && isOwnOnly(access, roles)) throw new AppError('forbidden', 'A patient may open their own chart only.')
    if (id === undefined) throw new AppError('not_found')
    const chart = await getChart(tx, id, sub)
    const { row } = chart
    if (row.mergedInto) about({ patientIds: [row.id, row.mergedInto] })
    // to whom the whole opens, its part does
    const whole = row.mergedInto ? await getChart(tx, (await findSurvivor(tx, row.id))!, sub) : chart
    const { member, grantId } = whole
    const standing: Standing = { restricted: whole.row.restricted, member, grantId, self }
    const basis = findBasis(access, roles, standing)
    if (!basis) throw refusalOf(claims, standing)
    about({ basis })
    if (basis === 'break-glass') {
      about({ breakGlass: { grantId: grantId! } })
      mark(grantHeader, grantId!)
    }
    if ((row.voided || whole.row.voided) && !also.includes('voided'))
      throw new AppError('gone', 'The chart was voided. POST /patients/{id}/restore brings it back.')
    if (row.mergedInto && !also.includes('merged'))
      throw new AppError('gone', 'The chart was merged into the one that `Location` names.', {
        headers: { Location: `/api/v1/patients/${row.mergedInto}` },
      })
    return {
      row,
      member,
      may: (action) => findBasis(action, roles, standing) !== undefined,
      async openToo(ids) {
        if (!ids.length) return
        about({ patientIds: [row.id, ...(row.mergedInto ? [row.mergedInto] : []), ...ids] })
        // whichever of them doesn't open, all of them are on record
        const opening = { ...context, about: ({ patientIds: _, ...more }: Facts) => about(more) }
        for (const other of ids) await open(tx, opening, other, { access, also: ['voided', 'merged'] })
      },
    }
  }

  const build = <P, Q, B>(definition: OnChart<P, Q, B>, handle: Route<P, Q, B>['handle']): Route => {
    const opening = route({
      ...definition,
      policy: rolesFor(definition.access),
      answer: {
        ...definition.answer,
        headers: {
          ...definition.answer.headers,
          ...(isOpenByGrant(definition.access) && {
            [grantHeader]: 'The grant, where a broken glass opened the chart',
          }),
        },
      },
      errors: [...new Set([...definition.errors, 'forbidden', 'restricted', 'not_found', 'gone'] as const)],
      handle,
    })
    made.add(opening)
    return opening
  }

  return {
    read: (definition) =>
      build(definition, async (context) => {
        const id = await chartOf(context, definition)
        for (;;) {
          const chart = await open(db.manager, context, id, definition)
          const answer = await definition.handle(context, chart)
          // what else was read is the chart's as it was opened: a merge in between would have brought another's in
          if (definition.alone || (await isStill(db.manager, chart.row))) return answer
        }
      }),
    change: (definition) =>
      build(definition, (context) =>
        db.transaction(async (tx) => {
          await lockCharts(tx, [context.params.id, ...(definition.changes?.(context) ?? [])])
          const chart = await open(tx, context, context.params.id, definition)
          return definition.handle(tx, context, chart)
        }),
      ),
  }
}
