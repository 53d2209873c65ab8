import Joi from 'joi'
import type { Tx } from '@caregate/common/database'
import { AppError, invalid, notFound } from '@caregate/common/errors'
import { etagHeader, expectedVersion, withEtag } from '@caregate/common/etag'
import type { Context, Route } from '@caregate/common/route'
import { idParams, nothing, uuidField, type Schema } from '@caregate/common/validate'
import type { ChartRoutes } from '../chart.ts'
import { chartAt, getVersion } from '../history/repository.ts'
import { changesBetween, fieldsOf } from '../patient.ts'
import { changePatient, contentOf, findChart, toPatient, viewPatient, type ChartRow } from '../repository.ts'
import { editorOf, type Deps } from '../routes.ts'
import { patientAnswer } from '../schemas.ts'
import { mergedDemographics } from './merged.ts'
import { countRecorded, findLastMerge, follow, goBack, keepMerge, wouldOpen } from './repository.ts'

interface SourceBody {
  sourceId: string
  sourceVersion: number
}
const sourceId = uuidField().required()
const sourceVersion = Joi.number().integer().min(1).max(999_999_999)
const mergeBody: Schema<SourceBody> = Joi.object({
  sourceId: sourceId.description('The chart that becomes part of this one'),
  sourceVersion: sourceVersion.required().description('The version of it that was read'),
})
const unmergeBody: Schema<Omit<SourceBody, 'sourceVersion'> & Partial<SourceBody>> = Joi.object({
  sourceId: sourceId.description('The chart that was merged into this one'),
  sourceVersion: sourceVersion.description('The version of it that was read'),
})

type Merging = Context<{ id: string }, unknown, { sourceId: string; sourceVersion?: number }>

const shared = {
  method: 'post',
  access: 'merge.change',
  params: idParams,
  query: nothing,
  changes: ({ body }: Merging) => [body.sourceId],
  errors: ['stale', 'precondition_required', 'conflict'],
} as const
const answer = (description: string) =>
  ({ status: 200, description, schema: patientAnswer, headers: etagHeader }) as const

/** The other chart, which is locked too. @throws {AppError} 422, 412, 404 */
async function getSource(tx: Tx, context: Merging, target: ChartRow): Promise<ChartRow> {
  const { sourceId, sourceVersion } = context.body
  if (sourceId === target.id)
    throw invalid({ path: 'sourceId', message: 'sourceId must be the id of another chart than this one' })
  if (target.version !== expectedVersion(context.headers)) throw new AppError('stale')
  const source = await findChart(tx, sourceId)
  if (!source) throw notFound('chart as sourceId names')
  context.about({ patientIds: [target.id, sourceId] })
  if (sourceVersion !== undefined && source.version !== sourceVersion)
    throw new AppError('stale', '`sourceVersion` is another version than the current one: read that chart again.')
  return source
}

/** One person's two charts become one, and two again where that was wrong. */
export function mergeRoutes({ fieldKeys: keys }: Pick<Deps, 'fieldKeys'>, { change }: ChartRoutes): Route[] {
  const changed = (before: ChartRow, after: ChartRow) =>
    fieldsOf(changesBetween(toPatient(keys, before), toPatient(keys, after)))

  return [
    change({
      ...shared,
      path: '/patients/{id}/merge',
      summary: 'Merge another chart of the same person into this one',
      event: { type: 'patients.patient.merged', action: 'U', subject: 'patient' },
      body: mergeBody,
      answer: answer('This chart, with all that the other had'),
      async handle(tx, context, { row: target, may }) {
        const source = await getSource(tx, context, target)
        if (source.voided) throw new AppError('conflict', 'The chart that sourceId names was voided.')
        if (source.mergedInto) throw new AppError('conflict', 'The chart that sourceId names was merged already.')
        if (await wouldOpen(tx, [target.id, source.id]))
          throw new AppError(
            'conflict',
            'A restricted chart would open to somebody of the other one’s care team. Assign them to it or remove them first.',
          )
        const [editor, own, others] = [editorOf(context.claims), contentOf(keys, target), contentOf(keys, source)]
        const after = {
          ...own,
          restricted: own.restricted || others.restricted,
          demographics: mergedDemographics(own.demographics, others.demographics),
        }
        // first: a source id is one chart's
        const merged = await changePatient(tx, keys, source, { ...others, mergedInto: target.id }, editor, undefined)
        const event = context.takeEvent({ changed: changed(target, { ...target, ...after }) })
        const updated = await changePatient(tx, keys, target, after, editor, event, 1)
        const followed = await follow(tx, source.id, target.id)
        await keepMerge(tx, {
          ...{
            sourceId: source.id,
            sourceVersion: merged.version,
            targetId: target.id,
            targetVersion: updated.version,
          },
          ...followed,
          recorded: await countRecorded(tx, target.id),
        })
        return withEtag(viewPatient(keys, updated, may))
      },
    }),
    change({
      ...shared,
      path: '/patients/{id}/unmerge',
      summary: 'Undo the last merge into this chart, exactly, unless either chart was changed since',
      event: { type: 'patients.patient.unmerged', action: 'U', subject: 'patient' },
      body: unmergeBody,
      answer: answer('This chart, as it was before; the other one is a chart again'),
      async handle(tx, context, { row: target, may }) {
        const source = await getSource(tx, context, target)
        const merge = await findLastMerge(tx, target.id)
        if (!merge || source.mergedInto !== target.id)
          throw new AppError('conflict', 'The chart that sourceId names is not merged into this one.')
        if (merge.sourceId !== source.id)
          throw new AppError('conflict', 'Another chart was merged into this one since: undo that first.')

        const [[leftTarget, oldTarget], [leftSource, oldSource]] = [
          await versionsAround(tx, target, merge.targetVersion),
          await versionsAround(tx, source, merge.sourceVersion),
        ]
        const since = [...changed(leftTarget, target), ...changed(leftSource, source)]
        if (since.length) throw new AppError('conflict', `Changed since they were merged: ${since.join(', ')}.`)
        if ((await countRecorded(tx, target.id)) !== merge.recorded)
          throw new AppError('conflict', 'Allergies, conditions or the care team were changed since they were merged.')

        const editor = editorOf(context.claims)
        const event = context.takeEvent({ changed: changed(target, oldTarget) })
        const updated = await changePatient(tx, keys, target, contentOf(keys, oldTarget), editor, event, -1)
        await changePatient(tx, keys, source, contentOf(keys, oldSource), editor, undefined)
        await goBack(tx, merge)
        return withEtag(viewPatient(keys, updated, may))
      },
    }),
  ]
}

/** A chart as it was in a version, and in the one before. */
async function versionsAround(tx: Tx, chart: ChartRow, version: number): Promise<[ChartRow, ChartRow]> {
  const at = async (one: number) => chartAt(chart, await getVersion(tx, chart.id, one))
  return [await at(version), await at(version - 1)]
}
