import Joi from 'joi'
import type { Cursors } from '@caregate/common/cursor'
import type { Database } from '@caregate/common/database'
import type { Route } from '@caregate/common/route'
import { idParams, nothing, pageAnswer, pageFields, uuidField, type Page, type Schema } from '@caregate/common/validate'
import type { ChartRoutes } from '../chart.ts'
import type { VersionRow } from '../database.ts'
import type { FieldKeys } from '../field-keys.ts'
import { changesBetween, fieldsOf } from '../patient.ts'
import { toPatient, viewPatient, type ChartRow } from '../repository.ts'
import { patientAnswer } from '../schemas.ts'
import { chartAt, findLeft, findVersions, getVersion } from './repository.ts'

const versionField = () => Joi.number().integer().min(1).max(999_999_999)
const versionParams: Schema<{ id: string; version: number }> = Joi.object({
  id: uuidField().required(),
  version: versionField().required(),
})
const pageQuery: Schema<Page> = Joi.object(pageFields)
const diffQuery: Schema<{ from?: number }> = Joi.object({
  from: versionField().description('The version to compare with; the one before where it is left out'),
})
export const entryAnswer: Schema<unknown> = Joi.object({
  version: versionField().required(),
  at: Joi.string().isoDate().required(),
  by: Joi.object({ id: uuidField().required(), name: Joi.string().required() })
    .allow(null)
    .required()
    .description('Who made it; null where that was before history was kept'),
  change: Joi.string().valid('created', 'updated', 'voided', 'restored', 'merged', 'unmerged').required(),
  reason: Joi.string().allow(null).required().description('Of voiding and restoring'),
  changed: Joi.array().items(Joi.string()).required().description('The fields that differ from the version before'),
})
const diffAnswer: Schema<unknown> = Joi.object({
  from: versionField().allow(null).required().description('null: the chart did not exist'),
  to: versionField().required(),
  changes: Joi.array()
    .items(
      Joi.object({
        path: Joi.string().required().description('Dotted, as in `addresses.0.city`'),
        before: Joi.any().required(),
        after: Joi.any().required(),
      }),
    )
    .required(),
})

/** An entry of the list of versions. @param before the version before */
function entryOf(keys: FieldKeys, chart: ChartRow, row: VersionRow, before: VersionRow | undefined) {
  const { version, at, byId, byName, change, reason } = row
  const [then, now] = [before && toPatient(keys, chartAt(chart, before)), toPatient(keys, chartAt(chart, row))]
  const changed = then ? fieldsOf(changesBetween(then, now)) : []
  return { version, at: at.toISOString(), by: byId && { id: byId, name: byName }, change, reason, changed }
}

/** What stands under a dotted path. */
const valueAt = (path: string, within: unknown): unknown =>
  path.split('.').reduce((value, member) => (value as Record<string, unknown> | undefined)?.[member], within) ?? null

/** Every version of a chart: who may read the chart may read what it was, also once it is voided. */
export function historyRoutes(
  { db, cursors, fieldKeys: keys }: { db: Pick<Database, 'manager'>; cursors: Cursors; fieldKeys: FieldKeys },
  { read }: ChartRoutes,
): Route[] {
  const shared = {
    method: 'get',
    access: 'demographics.read',
    also: ['voided', 'merged'],
    event: { type: 'patients.patient.read', action: 'R', subject: 'patient' },
    body: nothing,
    errors: [],
  } as const

  return [
    read({
      ...shared,
      path: '/patients/{id}/history',
      summary: 'List the versions of a chart, newest first',
      params: idParams,
      query: pageQuery,
      answer: { status: 200, description: 'A page of versions', schema: pageAnswer(entryAnswer) },
      async handle({ query }, { row: chart }) {
        let found: VersionRow[] = []
        const { rows, nextCursor } = await cursors.page(
          `GET /patients/${chart.id}/history`,
          query,
          // one more: what changed in the last one is seen by the one before it
          async (before: number | undefined, limit) =>
            (found = await findVersions(db.manager, chart.id, before, limit + 1)).slice(0, limit),
          ({ version }) => version,
        )
        return { body: { items: rows.map((row, n) => entryOf(keys, chart, row, found[n + 1])), nextCursor } }
      },
    }),
    read({
      ...shared,
      path: '/patients/{id}/history/{version}',
      summary: 'Read a chart as it was',
      params: versionParams,
      query: nothing,
      answer: { status: 200, description: 'The chart in that version', schema: patientAnswer },
      async handle({ params: { version } }, { row, may, openToo }) {
        const then = chartAt(row, await getVersion(db.manager, row.id, version))
        await openToo(await findLeft(db.manager, row.id, version))
        return { body: viewPatient(keys, then, may) }
      },
    }),
    read({
      ...shared,
      path: '/patients/{id}/history/{version}/diff',
      summary: 'Compare two versions of a chart',
      params: versionParams,
      query: diffQuery,
      answer: { status: 200, description: 'Where they differ', schema: diffAnswer },
      async handle({ params: { version: to }, query }, { row, may, openToo }) {
        const from = query.from ?? (to > 1 ? to - 1 : null)
        const left = [to, ...(from === null ? [] : [from])].map((version) => findLeft(db.manager, row.id, version))
        await openToo([...new Set((await Promise.all(left)).flat())])
        const after = chartAt(row, await getVersion(db.manager, row.id, to))
        const before = from === null ? undefined : chartAt(row, await getVersion(db.manager, row.id, from))
        // masked ones may differ and look alike
        const differences = changesBetween(before ? toPatient(keys, before) : {}, toPatient(keys, after))
        const shown = [before && viewPatient(keys, before, may), viewPatient(keys, after, may)]
        const changes = differences.map(({ path }) => ({
          path,
          before: valueAt(path, shown[0]),
          after: valueAt(path, shown[1]),
        }))
        return { body: { from, to, changes } }
      },
    }),
  ]
}
