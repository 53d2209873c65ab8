import type { FhirResource } from 'fhir/r4.js'
import Joi from 'joi'
import { invalid } from '@caregate/common/errors'
import { fhirBase } from '@caregate/common/fhir'
import { buildSearch, fhirId, firstPage, formatQuery, patientReference } from '@caregate/common/fhir-api'
import type { Context, Route } from '@caregate/common/route'
import { nothing, textField, type Schema } from '@caregate/common/validate'
import type { ChartRoutes } from '../chart.ts'
import type { Item, Kind } from '../clinical/item.ts'
import { findItem, findItems, getItem } from '../clinical/repository.ts'
import type { Deps } from '../routes.ts'
import { answerVersion, readAnswer } from './answer.ts'
import { toFhirAllergy, toFhirCondition } from './to-fhir.ts'

interface Asked {
  patient?: string
  subject?: string
  code?: string
}
const itemParams: Schema<{ itemId: string }> = Joi.object({ itemId: fhirId() })
const fields = { patient: patientReference(), code: textField(400) }

/** @throws {AppError} 422 where none is named, or two are */
function chartOf({ patient, subject = patient }: Asked): string {
  if (subject === undefined) throw invalid({ path: 'patient', message: 'patient is required' })
  if (patient !== undefined && patient !== subject)
    throw invalid({ path: 'subject', message: 'subject and patient name the same' })
  return subject
}

/** Whether an item has a code: `system|code`, `code` of any system, or `system|` with any code. */
function hasCode({ code: { system, code } }: Item, token: string | undefined): boolean {
  if (token === undefined) return true
  const bar = token.indexOf('|')
  if (bar < 0) return code === token
  return system === token.slice(0, bar) && [code, ''].includes(token.slice(bar + 1))
}

/** What is the same for allergies and conditions. */
function routesOf(
  kind: Kind,
  { byGet, byPost, ...search }: ReturnType<typeof buildSearch<Asked, string>>,
  toFhir: (patientId: string, item: Item) => FhirResource,
  { db }: Deps,
  { read }: ChartRoutes,
): Route[] {
  const event = { type: `patients.${kind}.read`, action: 'R' } as const
  const shared = { access: 'clinical.read', errors: [] } as const
  const searching = {
    ...shared,
    summary: `Find what a chart has of the kind ${kind}`,
    event: { ...event, subject: 'patient' },
    params: nothing,
    chartOf: async (context: Context<unknown, unknown, unknown>) => chartOf(search.read(context).filter),
    async handle(context: Context<unknown, unknown, unknown>, { row }: { row: { id: string } }) {
      const asked = search.read(context)
      const place = { patientId: row.id, kind }
      const found = await findItems(db.manager, place, asked.after, asked.limit + 1)
      const { rows, next } = firstPage(found, asked.limit, ({ id }) => id)
      const shown = rows.filter((item) => hasCode(item, asked.filter.code)).map((item) => toFhir(row.id, item))
      return { body: search.bundle(context, asked, shown, next) }
    },
  } as const
  return [
    read({ ...byGet, ...searching }),
    read({ ...byPost, ...searching }),
    read({
      ...shared,
      method: 'get',
      root: true,
      path: `${byGet.path}/{itemId}`,
      summary: `Read something of the kind ${kind}`,
      event,
      params: itemParams,
      query: formatQuery,
      body: nothing,
      answer: { ...readAnswer(byGet.path.slice(fhirBase.length + 1)), others: {} },
      chartOf: async ({ params }) => (await findItem(db.manager, kind, params.itemId))?.patientId,
      async handle({ params: { itemId: id }, about }, { row }) {
        about({ resource: { type: kind, id } })
        const item = await getItem(db.manager, { patientId: row.id, kind }, id)
        // never 304: a merge gives the same version to another chart
        return answerVersion(item, {}, () => toFhir(row.id, item))
      },
    }),
  ]
}

/** AllergyIntolerance and Condition: always of one chart, which is opened as ever. */
export function itemRoutes(deps: Deps, charts: ChartRoutes): Route[] {
  const { cursors } = deps
  const allergies = buildSearch<Asked, string, 'AllergyIntolerance'>('AllergyIntolerance', fields, cursors)
  const conditions = buildSearch<Asked, string, 'Condition'>(
    'Condition',
    { ...fields, subject: patientReference() },
    cursors,
  )
  return [
    ...routesOf('allergy', allergies, toFhirAllergy, deps, charts),
    ...routesOf('condition', conditions, toFhirCondition, deps, charts),
  ]
}
