import { route, type Context, type Route } from '@caregate/common/route'
import { staff, type Claims } from '@caregate/common/auth'
import type { Cursors } from '@caregate/common/cursor'
import type { Database } from '@caregate/common/database'
import { AppError } from '@caregate/common/errors'
import { etagHeader, etagOf, expectedVersion, withEtag } from '@caregate/common/etag'
import { idParams, nothing, pageAnswer, validate, type Page } from '@caregate/common/validate'
import {
  changedFields,
  demographicsPatch,
  foldName,
  mergePatch,
  newDemographics,
  withStatus,
  type Demographics,
  type Patient,
} from './patient.ts'
import {
  createPatient,
  findPatients,
  getPatient,
  getPatientRow,
  setVoided,
  toPatient,
  updatePatient,
  type PatientFilter,
  type Position,
} from './repository.ts'
import { createQuery, listQuery, patientAnswer, reasonBody, searchBody } from './schemas.ts'

export interface Deps {
  db: Pick<Database, 'transaction' | 'query' | 'manager'>
  cursors: Cursors
}

/** Staff open every chart by their role, a patient their own. */
function basisOf(claims: Claims, patientId: string): 'role' | 'self' {
  if (claims.roles.some((role) => (staff as readonly string[]).includes(role))) return 'role'
  if (claims.patientId === patientId) return 'self'
  throw new AppError('forbidden', 'A patient may open their own chart only.')
}

export function patientRoutes({ db, cursors }: Deps): Route[] {
  async function page(context: Context<unknown, unknown, unknown>, list: string, filter: PatientFilter, query: Page) {
    const { rows, nextCursor } = await cursors.page(
      list,
      query,
      (after: Position | undefined, limit) => findPatients(db.manager, filter, after, limit),
      ({ searchName: name, id }) => ({ name, id }),
    )
    context.about({ patientIds: rows.map(({ id }) => id), basis: 'role' })
    return { body: { items: rows.map(toPatient), nextCursor } }
  }

  async function change(context: Context<{ id: string }, unknown, unknown>, next: (current: Patient) => Demographics) {
    const { id } = context.params
    const version = expectedVersion(context.headers)
    const patient = await db.transaction(async (tx) => {
      const current = await getPatient(tx, id)
      if (current.version !== version) throw new AppError('stale')
      const demographics = next(current)
      const updated = await updatePatient(tx, id, version, demographics)
      const changed = changedFields(
        { ...current, version: 0, updatedAt: '' },
        { ...updated, version: 0, updatedAt: '' },
      )
      await context.record(tx, { changed, basis: 'role' })
      return updated
    })
    return withEtag(patient)
  }

  return [
    route({
      method: 'post',
      path: '/patients',
      summary: 'Create a chart',
      policy: staff,
      event: { type: 'patients.patient.created', action: 'C' },
      params: nothing,
      query: createQuery,
      body: newDemographics,
      answer: {
        status: 201,
        description: 'The chart',
        schema: patientAnswer,
        headers: { ...etagHeader, Location: 'Its path' },
      },
      errors: ['already_exists'],
      async handle(context) {
        const patient = await db.transaction(async (tx) => {
          const created = await createPatient(tx, withStatus(context.body))
          await context.record(tx, {
            resource: { type: 'patient', id: created.id },
            patientIds: [created.id],
            basis: 'role',
          })
          return created
        })
        return withEtag(patient, { Location: `/api/v1/patients/${patient.id}` })
      },
    }),
    route({
      method: 'get',
      path: '/patients',
      summary: 'List charts by name',
      policy: staff,
      event: { type: 'patients.search.read', action: 'E' },
      params: nothing,
      query: listQuery,
      body: nothing,
      answer: { status: 200, description: 'A page of charts', schema: pageAnswer(patientAnswer) },
      errors: [],
      handle: (context) => page(context, 'GET /patients', { status: context.query.status }, context.query),
    }),
    route({
      method: 'post',
      path: '/patients/search',
      summary: 'Find charts by name, MRN or date of birth',
      policy: staff,
      event: { type: 'patients.search.read', action: 'E' },
      params: nothing,
      query: nothing,
      body: searchBody,
      answer: { status: 200, description: 'A page of charts', schema: pageAnswer(patientAnswer) },
      errors: [],
      handle(context) {
        const { q, limit, cursor, ...filter } = context.body
        return page(
          context,
          'POST /patients/search',
          { ...filter, words: q ? foldName(q).split(' ') : [] },
          { limit, cursor },
        )
      },
    }),
    route({
      method: 'get',
      path: '/patients/{id}',
      summary: 'Read a chart',
      policy: [...staff, 'patient'],
      event: { type: 'patients.patient.read', action: 'R', subject: 'patient' },
      params: idParams,
      query: nothing,
      body: nothing,
      answer: {
        status: 200,
        description: 'The chart',
        schema: patientAnswer,
        headers: etagHeader,
        others: { 304: 'It is the version that `If-None-Match` names' },
      },
      errors: ['forbidden', 'not_found', 'gone'],
      async handle(context) {
        context.about({ basis: basisOf(context.claims, context.params.id) })
        const patient = await getPatient(db.manager, context.params.id)
        const known = context.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
        if (known?.includes(etagOf(patient))) return { status: 304, headers: { ETag: etagOf(patient) } }
        return withEtag(patient)
      },
    }),
    route({
      method: 'put',
      path: '/patients/{id}',
      summary: 'Replace a chart',
      policy: staff,
      event: { type: 'patients.patient.updated', action: 'U', subject: 'patient' },
      params: idParams,
      query: nothing,
      body: newDemographics,
      answer: { status: 200, description: 'The chart in its new version', schema: patientAnswer, headers: etagHeader },
      errors: ['not_found', 'gone', 'stale', 'precondition_required', 'already_exists'],
      handle: (context) =>
        change(context, (current) => withStatus(context.body, current.status as Demographics['status'])),
    }),
    route({
      method: 'patch',
      path: '/patients/{id}',
      summary: 'Change parts of a chart (JSON Merge Patch)',
      policy: staff,
      event: { type: 'patients.patient.updated', action: 'U', subject: 'patient' },
      params: idParams,
      query: nothing,
      body: demographicsPatch,
      bodyType: 'application/merge-patch+json',
      answer: { status: 200, description: 'The chart in its new version', schema: patientAnswer, headers: etagHeader },
      errors: ['not_found', 'gone', 'stale', 'precondition_required', 'already_exists'],
      handle: (context) =>
        change(context, (current) => {
          const { id, mrn, version, restricted, createdAt, updatedAt, ...demographics } = current
          return withStatus(validate(newDemographics, mergePatch(demographics, context.body), false))
        }),
    }),
    route({
      method: 'post',
      path: '/patients/{id}/void',
      summary: 'Take a chart out of use',
      policy: ['clinician'],
      event: { type: 'patients.patient.voided', action: 'U', subject: 'patient' },
      params: idParams,
      query: nothing,
      body: reasonBody,
      answer: { status: 200, description: 'The chart, voided', schema: patientAnswer, headers: etagHeader },
      errors: ['stale', 'not_found', 'gone'],
      async handle(context) {
        const patient = await db.transaction(async (tx) => {
          const row = await getPatientRow(tx, context.params.id)
          if (row.voided) throw new AppError('gone')
          const voided = await setVoided(tx, row, true, context.body.reason)
          await context.record(tx, { changed: ['status'], basis: 'role' })
          return voided
        })
        return withEtag(patient)
      },
    }),
    route({
      method: 'post',
      path: '/patients/{id}/restore',
      summary: 'Bring a voided chart back',
      policy: ['clinician'],
      event: { type: 'patients.patient.restored', action: 'U', subject: 'patient' },
      params: idParams,
      query: nothing,
      body: reasonBody,
      answer: { status: 200, description: 'The chart', schema: patientAnswer, headers: etagHeader },
      errors: ['stale', 'not_found', 'conflict'],
      async handle(context) {
        const patient = await db.transaction(async (tx) => {
          const row = await getPatientRow(tx, context.params.id)
          if (!row.voided) throw new AppError('conflict', 'The chart is not voided.')
          const restored = await setVoided(tx, row, false, context.body.reason)
          await context.record(tx, { changed: ['status'], basis: 'role' })
          return restored
        })
        return withEtag(patient)
      },
    }),
  ]
}
