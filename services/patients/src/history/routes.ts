import Joi from 'joi'
import type { Cursors } from '@caregate/common/cursor'
import type { Database } from '@caregate/common/database'
import type { Route } from '@caregate/common/route'
import { idParams, nothing, pageAnswer, pageFields, uuidField, type Page, type Schema } from '@caregate/common/validate'
import type { ChartRoutes } from '../chart.ts'
import type { VersionRow } from '../database.ts'
import { changesBetween, fieldsOf } from '../patient.ts'
import type { ChartRow } from '../repository.ts'
import { patientAnswer } from '../schemas.ts'
import { findVersions, getVersion, patientAt } from './repository.ts'

const versionField = () => Joi.number().integer().min(1).max(999_999_999)
const versionParams: Schema<{ id: string; version: number }> = Joi.object({
  id: uuidField().required(),
  version: versionField().required(),
})
const pageQuery: Schema<Page> = Joi.object(pageFields)
const diffQuery: Schema<{ from?: number }> = Joi.object({
  from: versionField().description('The version to compare with; the one before where it is left out'),
})
const entryAnswer: Schema<unknown> = Joi.object({
  version: versionField().required(),
  at: Joi.string().isoDate().required(),
  by: Joi.object({ id: uuidField().required(), name: Joi.string().required() })
    .allow(null)
    .required()
    .description('Who made it; null where that was before history was kept'),
  change: Joi.string().valid('created', 'updated', 'voided', 'restored').required(),
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
function entryOf(chart: ChartRow, row: VersionRow, before: VersionRow | undefined) {
  const { version, at, byId, byName, change, reason } = row
  const changed = before ? fieldsOf(changesBetween(patientAt(chart, before), patientAt(chart, row))) : []
  return { version, at: at.toISOString(), by: byId && { id: byId, name: byName }, change, reason, changed }
}

/** Every version of a chart: who may read the chart may read what it was, also once it is voided. */
export function historyRoutes(
  { db, cursors }: { db: Pick<Database, 'manager'>; cursors: Cursors },
  { read }: ChartRoutes,
): Route[] {
  const shared = {
    method: 'get',
    access: 'demographics.read',
    alsoVoided: true,
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
        return { body: { items: rows.map((row, n) => entryOf(chart, row, found[n + 1])), nextCursor } }
      },
    }),
    read({
      ...shared,
      path: '/patients/{id}/history/{version}',
      summary: 'Read a chart as it was',
      params: versionParams,
      query: nothing,
      answer: { status: 200, description: 'The chart in that version', schema: patientAnswer },
      async handle({ params }, { row }) {
        return { body: patientAt(row, await getVersion(db.manager, row.id, params.version)) }
      },
    }),
    read({
      ...shared,
      path: '/patients/{id}/history/{version}/diff',
      summary: 'Compare two versions of a chart',
      params: versionParams,
      query: diffQuery,
      answer: { status: 200, description: 'Where they differ', schema: diffAnswer },
      async handle({ params: { version: to }, query }, { row }) {
        const from = query.from ?? (to > 1 ? to - 1 : null)
        const after = patientAt(row, await getVersion(db.manager, row.id, to))
        const before = from === null ? {} : patientAt(row, await getVersion(db.manager, row.id, from))
        return { body: { from, to, changes: changesBetween(before, after) } }
      },
    }),
  ]
}
