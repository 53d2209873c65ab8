import { route, type Answer, type Context, type Route } from '@caregate/common/route'
import { staff, type Claims } from '@caregate/common/auth'
import type { Cursors } from '@caregate/common/cursor'
import { newId, type Database, type Tx } from '@caregate/common/database'
import { AppError } from '@caregate/common/errors'
import { etagHeader, etagOf, expectedVersion, isKnown, withEtag } from '@caregate/common/etag'
import { idParams, nothing, pageAnswer, validate, type Page } from '@caregate/common/validate'
import { findBasis, type ChartAction, type Standing } from './access.ts'
import type { Chart, ChartRoutes } from './chart.ts'
import type { FieldKeys } from './field-keys.ts'
import { withoutMasks } from './identifiers.ts'
import { changesBetween, fieldsOf, mergePatch, withStatus, type Patient } from './patient.ts'
import {
  changePatient,
  contentOf,
  createPatient,
  toPatient,
  viewPatient,
  type ChartRow,
  type Editor,
} from './repository.ts'
import { createUnlessKnown } from './match/repository.ts'
import { askedWords } from './search/names.ts'
import {
  findPatients,
  findRestricted,
  isByName,
  type Hidden,
  type PatientFilter,
  type Position,
} from './search/repository.ts'
import {
  createQuery,
  foundAnswer,
  listQuery,
  patientAnswer,
  patientBody,
  patientPatch,
  reasonBody,
  searchBody,
  type PatientBody,
} from './schemas.ts'

export interface Deps {
  db: Pick<Database, 'transaction' | 'query' | 'manager'>
  cursors: Cursors
  fieldKeys: FieldKeys
}

/** Somebody who is nothing to a chart but what their roles make them. */
const stranger: Standing = { restricted: true, member: false, grantId: null, self: false }

export const editorOf = (claims: Claims): Editor => ({
  userId: claims.sub,
  name: claims.name,
  everything: mayAnywhere(claims)('demographics.read'),
})

const mayNotRestrict = () =>
  new AppError('forbidden', 'A registrar restricts a chart or opens it, or a clinician of its care team.')

/** What they may do to every chart. */
const mayAnywhere =
  ({ roles }: Claims) =>
  (action: ChartAction): boolean =>
    findBasis(action, roles, stranger) !== undefined

/** What somebody is shown of the charts that a filter found for them, which goes on record. */
export async function showFound(
  tx: Tx,
  keys: FieldKeys,
  context: Pick<Context<unknown, unknown, unknown>, 'claims' | 'about'>,
  filter: PatientFilter,
  rows: readonly ChartRow[],
): Promise<(Patient | Hidden)[]> {
  const may = mayAnywhere(context.claims)
  const found: (Patient | Hidden)[] = rows.map((row) => viewPatient(keys, row, may))
  // more criteria would tell more than that there is a chart
  const { mrn, words, ...more } = filter
  if (!found.length && mrn !== undefined && !words?.length && Object.values(more).every((one) => one === undefined)) {
    const hidden = await findRestricted(tx, mrn)
    if (hidden) found.push(hidden)
  }
  context.about({ patientIds: found.map(({ id }) => id), basis: 'role' })
  return found
}

export function patientRoutes({ db, cursors, fieldKeys: keys }: Deps, { read, change }: ChartRoutes): Route[] {
  async function page(context: Context<unknown, unknown, unknown>, list: string, filter: PatientFilter, query: Page) {
    const viewer = editorOf(context.claims)
    const { rows, nextCursor } = await cursors.page(
      isByName(filter) ? `${list} by name` : list,
      query,
      (after: Position | undefined, limit) => findPatients(db.manager, keys, viewer, filter, after, limit),
      ({ position }) => position,
    )
    return { body: { items: await showFound(db.manager, keys, context, filter, rows), nextCursor } }
  }

  async function update(
    tx: Tx,
    context: Context<{ id: string }, unknown, unknown>,
    { row, may }: Chart,
    next: (current: Patient) => PatientBody,
  ): Promise<Answer> {
    if (row.version !== expectedVersion(context.headers)) throw new AppError('stale')
    const [current, shown] = [toPatient(keys, row), viewPatient(keys, row, may)]
    const { restricted = row.restricted, status, ...given } = next(shown)
    if (restricted !== row.restricted && !may('restriction.change')) throw mayNotRestrict()
    const identifiers = withoutMasks(given.identifiers, shown.identifiers, current.identifiers)
    const demographics = { ...given, identifiers }
    const changed = fieldsOf(changesBetween(current, { ...current, ...demographics, status, restricted }))
    const event = context.takeEvent({ changed })
    const content = { ...contentOf(keys, row), status, restricted, demographics }
    const updated = await changePatient(tx, keys, row, content, editorOf(context.claims), event)
    return withEtag(viewPatient(keys, updated, may))
  }

  async function setUse(
    tx: Tx,
    context: Context<{ id: string }, unknown, { reason: string }>,
    { row, may }: Chart,
    voided: boolean,
  ): Promise<Answer> {
    const event = context.takeEvent({ changed: ['status'] })
    const content = { ...contentOf(keys, row), voided, voidReason: context.body.reason }
    const updated = await changePatient(tx, keys, row, content, editorOf(context.claims), event)
    return withEtag(viewPatient(keys, updated, may))
  }

  return [
    route({
      method: 'post',
      path: '/patients',
      summary: 'Create a chart, unless there is one that is almost certainly the same person’s',
      policy: staff,
      event: { type: 'patients.patient.created', action: 'C' },
      params: nothing,
      query: createQuery,
      body: patientBody,
      answer: {
        status: 201,
        description: 'The chart',
        schema: patientAnswer,
        headers: { ...etagHeader, Location: 'Its path' },
      },
      errors: ['already_exists', 'possible_duplicate'],
      async handle(context) {
        const { restricted = false, ...demographics } = context.body
        if (restricted && !findBasis('restriction.change', context.claims.roles, stranger)) throw mayNotRestrict()
        withoutMasks(demographics.identifiers, [], [])
        const id = newId()
        const event = context.takeEvent({ resource: { type: 'patient', id }, patientIds: [id], basis: 'role' })
        const [editor, may] = [editorOf(context.claims), mayAnywhere(context.claims)]
        const chart = [id, withStatus(demographics), restricted, editor, event] as const
        const row = context.query.force
          ? (await createPatient(db.manager, keys, ...chart))!
          : await createUnlessKnown(db.manager, keys, may('government-ids.read'), ...chart)
        const patient = viewPatient(keys, row, may)
        return withEtag(patient, { Location: `/api/v1/patients/${id}` })
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
      summary: 'Find charts by name, MRN, date of birth, phone or an identifier',
      policy: staff,
      event: { type: 'patients.search.read', action: 'E' },
      params: nothing,
      query: nothing,
      body: searchBody,
      answer: { status: 200, description: 'A page of charts', schema: pageAnswer(foundAnswer) },
      errors: [],
      handle(context) {
        const { q, limit, cursor, ...filter } = context.body
        return page(context, 'POST /patients/search', { ...filter, words: askedWords({ q }) }, { limit, cursor })
      },
    }),
    read({
      method: 'get',
      path: '/patients/{id}',
      summary: 'Read a chart',
      alone: true,
      access: 'demographics.read',
      event: { type: 'patients.patient.read', action: 'R', subject: 'patient' },
      params: idParams,
      query: nothing,
      body: nothing,
      also: ['merged'],
      answer: {
        status: 200,
        description: 'The chart; one that was merged has the status `merged` and says in `mergedInto` where it is now',
        schema: patientAnswer,
        headers: etagHeader,
        others: { 304: 'It is the version that `If-None-Match` names' },
      },
      errors: [],
      async handle({ headers }, { row, may }) {
        if (isKnown(row, headers)) return { status: 304, headers: { ETag: etagOf(row) } }
        return withEtag(viewPatient(keys, row, may))
      },
    }),
    change({
      method: 'put',
      path: '/patients/{id}',
      summary: 'Replace a chart',
      access: 'demographics.change',
      event: { type: 'patients.patient.updated', action: 'U', subject: 'patient' },
      params: idParams,
      query: nothing,
      body: patientBody,
      answer: { status: 200, description: 'The chart in its new version', schema: patientAnswer, headers: etagHeader },
      errors: ['stale', 'precondition_required', 'already_exists'],
      handle: (tx, context, chart) => update(tx, context, chart, () => withStatus(context.body, chart.row.status)),
    }),
    change({
      method: 'patch',
      path: '/patients/{id}',
      summary: 'Change parts of a chart (JSON Merge Patch)',
      access: 'demographics.change',
      event: { type: 'patients.patient.updated', action: 'U', subject: 'patient' },
      params: idParams,
      query: nothing,
      body: patientPatch,
      bodyType: 'application/merge-patch+json',
      answer: { status: 200, description: 'The chart in its new version', schema: patientAnswer, headers: etagHeader },
      errors: ['stale', 'precondition_required', 'already_exists'],
      handle: (tx, context, chart) =>
        update(tx, context, chart, ({ id, mrn, version, createdAt, updatedAt, ...writable }) =>
          withStatus(validate(patientBody, mergePatch(writable, context.body), false)),
        ),
    }),
    change({
      method: 'post',
      path: '/patients/{id}/void',
      summary: 'Take a chart out of use',
      access: 'use.change',
      event: { type: 'patients.patient.voided', action: 'U', subject: 'patient' },
      params: idParams,
      query: nothing,
      body: reasonBody,
      answer: { status: 200, description: 'The chart, voided', schema: patientAnswer, headers: etagHeader },
      errors: [],
      handle: (tx, context, chart) => setUse(tx, context, chart, true),
    }),
    change({
      method: 'post',
      path: '/patients/{id}/restore',
      summary: 'Bring a voided chart back',
      access: 'use.change',
      also: ['voided'],
      event: { type: 'patients.patient.restored', action: 'U', subject: 'patient' },
      params: idParams,
      query: nothing,
      body: reasonBody,
      answer: { status: 200, description: 'The chart', schema: patientAnswer, headers: etagHeader },
      errors: ['conflict'],
      handle(tx, context, chart) {
        if (!chart.row.voided) throw new AppError('conflict', 'The chart is not voided.')
        return setUse(tx, context, chart, false)
      },
    }),
  ]
}
