import Joi from 'joi'
import { AppError, invalid } from '@caregate/common/errors'
import { textField, uuidField, validate, type Schema } from '@caregate/common/validate'
import { checkDates, itemBody, type Kind, type NewItem } from '../clinical/item.ts'
import { fromFhirItem, fromFhirPatient, kindOfResource, patientOfResource } from '../fhir/from-fhir.ts'
import { withoutMasks, type Identifier } from '../identifiers.ts'
import { listLimits, withStatus } from '../patient.ts'
import { patientBody, type PatientBody } from '../schemas.ts'
import { fromItemRow, fromPatientRow, type File, type Row } from './synthea.ts'

/** An allergy or a condition, of either kind. */
export interface KindItem {
  kind: Kind
  item: NewItem
}
/** What a row is to become: a chart with what it brings along, or an item of a chart that is there. */
export type Entry =
  | { sources: Identifier[]; chart: PatientBody; items: KindItem[] }
  /** Of the chart with this source id. */
  | ({ source: Identifier } & KindItem)

type Unread = Record<string, unknown>

/** What of a chart and of an item is the platform's own: an export has it, and elsewhere it is another. */
const own = Joi.any().strip()
const ownTimes = { version: own, createdAt: own, updatedAt: own }
const chartLine = (patientBody as Schema<object>).keys({ id: uuidField(), mrn: own, ...ownTimes }) as Schema<
  PatientBody & { id?: string }
>
const itemLine = (itemBody as Schema<object>).keys({ id: own, recordedBy: own, ...ownTimes }) as Schema<NewItem>

/** @throws {AppError} 422 with paths below `path` */
function within<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof AppError) || !error.extras.errors) throw error
    throw invalid(
      ...error.extras.errors.map((one) => ({ path: `${path}.${one.path}`, message: `${path}.${one.message}` })),
    )
  }
}

function readItems(kind: Kind, name: string, items: unknown, birthDate: string): KindItem[] {
  if (!Array.isArray(items)) throw invalid({ path: name, message: `${name} must be an array` })
  return items.map((one, at) =>
    within(`${name}.${at}`, () => {
      const item = validate(itemLine, one, false)
      checkDates(item, birthDate)
      return { kind, item }
    }),
  )
}

/** @param idSystem under which an `id` of the row is a source id, where it has no other */
function readChart({ allergies = [], conditions = [], ...rest }: Unread, idSystem: string): Entry {
  const { id, ...chart } = validate(chartLine, rest, false)
  withoutMasks(chart.identifiers, [], [])
  const isSource = ({ system }: Identifier) => system.startsWith('source:')
  if (id && !chart.identifiers.some(isSource))
    chart.identifiers = [{ system: idSystem, value: id }, ...chart.identifiers]
  if (chart.identifiers.length > listLimits.identifiers)
    throw invalid({
      path: 'identifiers',
      message: `identifiers must contain at most ${listLimits.identifiers} items, the id of the row among them`,
    })
  const sources = chart.identifiers.filter(isSource)
  if (!sources.length)
    throw invalid({
      path: 'identifiers',
      message:
        'identifiers must have one of a source, source:<name>, or the row an id: without one it would be made again by each import',
    })
  const items = [
    ...readItems('allergy', 'allergies', allergies, chart.birthDate),
    ...readItems('condition', 'conditions', conditions, chart.birthDate),
  ]
  return { sources, chart: withStatus(chart), items }
}

/** As the identifier of a chart that it is. */
const itemPatient: Schema<{ patient: string }> = Joi.object({
  patient: textField(100)
    .required()
    .messages({ 'string.empty': '{{#label}} must refer to a patient by its id in the source' }),
})

function readItem(kind: Kind, system: string, reference: string, item: unknown): Entry {
  const { patient } = validate(itemPatient, { patient: reference }, false)
  return { kind, source: { system, value: patient }, item: validate(itemLine, item, false) }
}

/** A line of NDJSON: a chart as POST takes it and exports have it, or a FHIR resource. @throws {AppError} 422 */
export function readEntry(row: Unread, source: string | undefined): Entry {
  const { resourceType } = row
  if (resourceType === undefined) return readChart(row, `source:${source ?? 'caregate'}`)
  const system = `source:${source ?? 'fhir'}`
  const kind = kindOfResource(resourceType)
  if (kind) return readItem(kind, system, patientOfResource(row), fromFhirItem(row))
  if (resourceType !== 'Patient')
    throw invalid({ path: 'resourceType', message: 'resourceType must be Patient, AllergyIntolerance or Condition' })
  const { identifiers, ...chart } = fromFhirPatient(row)
  const all = [...(row.id === undefined ? [] : [{ system, value: row.id }]), ...(identifiers as Unread[])]
  return readChart({ ...chart, identifiers: all }, system)
}

/** A row of one of Synthea's files. @throws {AppError} 422 */
export function readSynthea(row: Row, file: File, source = 'synthea'): Entry {
  if (file === 'patients') return readChart(fromPatientRow(row, source), '')
  return readItem(file === 'allergies' ? 'allergy' : 'condition', `source:${source}`, row.PATIENT!, fromItemRow(row))
}
