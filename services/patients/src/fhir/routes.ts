import Joi from 'joi'
import { staff } from '@caregate/common/auth'
import { AppError } from '@caregate/common/errors'
import { fhirBase, fhirJson } from '@caregate/common/fhir'
import { fhirId, fhirIdParams, formatQuery, resourceAnswer } from '@caregate/common/fhir-api'
import { route, type Route } from '@caregate/common/route'
import { nothing, type Schema } from '@caregate/common/validate'
import type { ChartRoutes } from '../chart.ts'
import { chartAt, findLeft, getVersion } from '../history/repository.ts'
import { viewPatient } from '../repository.ts'
import type { Deps } from '../routes.ts'
import { answerVersion, readAnswer } from './answer.ts'
import { buildCapabilityStatement } from './capability.ts'
import { itemRoutes } from './items.ts'
import { patientSearch } from './patient-search.ts'
import { toFhirPatient } from './to-fhir.ts'

const versionParams: Schema<{ id: string; version: number }> = Joi.object({
  id: fhirId(),
  version: Joi.number().integer().min(1).max(999_999_999).required(),
})

/** Charts as FHIR R4 has them: by the policies of the plain routes, and on record as those are. */
export function fhirRoutes(deps: Deps, charts: ChartRoutes): Route[] {
  const { db, fieldKeys: keys } = deps
  const { byGet, byPost, find } = patientSearch(deps)
  const search = {
    summary: 'Find charts',
    policy: staff,
    event: { type: 'patients.search.read', action: 'E' },
    params: nothing,
    errors: [],
    handle: find,
  } as const
  const ofChart = {
    method: 'get',
    root: true,
    access: 'demographics.read',
    event: { type: 'patients.patient.read', action: 'R', subject: 'patient' },
    query: formatQuery,
    body: nothing,
    answer: readAnswer('Patient'),
    errors: [],
  } as const

  return [
    route({
      method: 'get',
      root: true,
      path: `${fhirBase}/metadata`,
      summary: 'What there is',
      policy: 'public',
      event: null,
      params: nothing,
      query: formatQuery,
      body: nothing,
      answer: { status: 200, description: 'It', schema: resourceAnswer('CapabilityStatement'), type: fhirJson },
      errors: [],
      handle: async ({ origin }) => ({ body: buildCapabilityStatement(origin) }),
    }),
    route({ ...byGet, ...search }),
    route({ ...byPost, ...search }),
    charts.read({
      ...ofChart,
      path: `${fhirBase}/Patient/{id}`,
      summary: 'Read a chart',
      alone: true,
      also: ['merged'],
      params: fhirIdParams,
      async handle({ headers }, { row, may }) {
        return answerVersion(row, headers, () => toFhirPatient(viewPatient(keys, row, may)))
      },
    }),
    charts.read({
      ...ofChart,
      path: `${fhirBase}/Patient/{id}/_history/{version}`,
      summary: 'Read a chart as it was',
      also: ['voided', 'merged'],
      params: versionParams,
      async handle({ params, headers }, { row, may, openToo }) {
        await openToo(await findLeft(db.manager, row.id, params.version))
        const then = chartAt(row, await getVersion(db.manager, row.id, params.version))
        if (then.voided) throw new AppError('gone', 'In that version the chart was voided.')
        return answerVersion(then, headers, () => toFhirPatient(viewPatient(keys, then, may)))
      },
    }),
    ...itemRoutes(deps, charts),
  ]
}
