import { isDeepStrictEqual } from 'node:util'
import { v7 as uuidv7 } from 'uuid'
import { insertRow, queryPrepared, type Tx } from '@caregate/common/database'
import { AppError, notFound } from '@caregate/common/errors'
import type { ChartAction } from './access.ts'
import { identifierEntity, patientEntity, type PatientRow } from './database.ts'
import type { FieldKeys } from './field-keys.ts'
import { withMasks, type Identifier } from './identifiers.ts'
import { formatMrn } from './mrn.ts'
import { searchName, type Demographics, type Patient } from './patient.ts'
import { indexChart, reindexChart } from './search/indexes.ts'

/** A chart without what only lists need. */
export type ChartRow = Omit<PatientRow, 'searchName' | 'birthDate' | 'changedById' | 'changedByName'>

/** With everything in it. */
export function toPatient(keys: FieldKeys, row: ChartRow): Patient {
  const { id, mrn, version, demographics: d } = row
  return {
    id,
    mrn,
    version,
    status: row.voided ? 'voided' : row.status,
    restricted: row.restricted,
    name: d.name,
    otherNames: d.otherNames,
    birthDate: d.birthDate,
    deathDate: d.deathDate,
    sex: d.sex,
    identifiers: keys.open(id, d.identifiers),
    telecom: d.telecom,
    addresses: d.addresses,
    contacts: d.contacts,
    language: d.language,
    maritalStatus: d.maritalStatus,
    race: d.race,
    ethnicity: d.ethnicity,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

/** As it is shown to somebody. @param may whether they may do something to it */
export function viewPatient(keys: FieldKeys, row: ChartRow, may: (action: ChartAction) => boolean): Patient {
  const patient = toPatient(keys, row)
  return may('government-ids.read') ? patient : withMasks(patient)
}

/** Who looks for charts: `everything` when restricted ones are theirs to see as well. */
export interface Viewer {
  userId: string
  everything: boolean
}

/** Who changes a chart. */
export interface Editor extends Viewer {
  name: string
}
const changedBy = ({ userId, name }: Editor) => ({ changedById: userId, changedByName: name })

/** Conditions under which somebody, `userId`, is close to chart `p`. */
const isMember = (userId: string) =>
  `EXISTS (SELECT FROM care_team m WHERE m.patient_id = p.id AND m.user_id = ${userId} AND m.removed_at IS NULL
     AND (now() AT TIME ZONE 'UTC')::date BETWEEN m."from" AND coalesce(m."to", 'infinity'))`
const grantOf = (userId: string) =>
  `(SELECT g.id FROM break_glass_grants g WHERE g.patient_id = p.id AND g.clinician_id = ${userId} AND g.expires_at > now()
     ORDER BY g.expires_at DESC LIMIT 1)`
/** A broken glass opens the chart it was broken for, and shows it nowhere else. */
export const isVisible = (userId: string) => `(NOT p.restricted OR ${isMember(userId)})`

function columnsOf(
  keys: FieldKeys,
  id: string,
  { status, ...demographics }: Demographics,
): Pick<PatientRow, 'status' | 'demographics' | 'searchName' | 'birthDate'> {
  const { name, birthDate, identifiers } = demographics
  const stored = { ...demographics, identifiers: keys.seal(id, identifiers) }
  return { status, demographics: stored, searchName: searchName(name), birthDate }
}

/** Whoever changes a chart's identifiers holds the chart: nobody else does so at the same time. */
export async function indexIdentifiers(
  tx: Tx,
  keys: FieldKeys,
  patientId: string,
  identifiers: readonly Identifier[],
): Promise<void> {
  const indexes = keys.indexesOf(identifiers)
  await tx.query('DELETE FROM patient_identifiers WHERE patient_id = $1 AND NOT index = ANY($2)', [
    patientId,
    indexes.map(({ index }) => index),
  ])
  const rows = indexes.map((one) => ({ patientId, ...one }))
  await tx.createQueryBuilder().insert().into(identifierEntity).values(rows).orIgnore().execute()
}

/** @throws when identifiers are indexed, and so sealed, under a FIELD_KEY that isn't known */
export async function checkFieldKeys(tx: Pick<Tx, 'query'>, keys: FieldKeys): Promise<void> {
  const others = await tx.query<unknown[]>('SELECT FROM patient_identifiers WHERE NOT key = ANY($1) LIMIT 1', [
    keys.ids,
  ])
  if (others.length) throw new Error('Identifiers in the database were sealed under another FIELD_KEY.')
}

const sourcesOf = (demographics: Demographics): Identifier[] =>
  demographics.identifiers
    .filter(({ system }) => system.startsWith('source:'))
    // in one order for everybody: two charts that claim the same ones don't wait for each other in a circle
    .sort((a, b) => (`${a.system} ${a.value}` < `${b.system} ${b.value}` ? -1 : 1))

/**
 * @throws {AppError} 409 `already_exists` when another chart has one of the source ids, also one being created right now;
 *   it says where that is to whom may know
 */
async function claimSources(tx: Tx, patientId: string, demographics: Demographics, by: Editor): Promise<void> {
  for (const { system, value } of sourcesOf(demographics)) {
    const claimed = await tx.query<unknown[]>(
      'INSERT INTO patient_sources (system, value, patient_id) VALUES ($1, $2, $3) ON CONFLICT (system, value) DO NOTHING RETURNING 1',
      [system, value, patientId],
    )
    if (claimed.length) continue
    const [owner] = await tx.query<{ id: string; visible: boolean }[]>(
      `SELECT p.id, $3 OR ${isVisible('$4')} AS visible FROM patient_sources s JOIN patients p ON p.id = s.patient_id
       WHERE s.system = $1 AND s.value = $2`,
      [system, value, by.everything, by.userId],
    )
    if (owner!.id !== patientId) {
      throw new AppError('already_exists', `There is a chart with this ${system} identifier.`, {
        headers: owner!.visible ? { Location: `/api/v1/patients/${owner!.id}` } : {},
        patientIds: [owner!.id],
      })
    }
  }
}

export async function createPatient(
  tx: Tx,
  keys: FieldKeys,
  demographics: Demographics,
  restricted: boolean,
  by: Editor,
): Promise<ChartRow> {
  const id = uuidv7()
  await claimSources(tx, id, demographics, by)
  const [next] = await tx.query<{ value: string }[]>(`SELECT nextval('patients_mrn') AS value`)
  const now = new Date()
  const row: PatientRow = {
    id,
    mrn: formatMrn(BigInt(next!.value)),
    version: 1,
    voided: false,
    voidReason: null,
    restricted,
    createdAt: now,
    updatedAt: now,
    ...changedBy(by),
    ...columnsOf(keys, id, demographics),
  }
  await insertRow(tx, patientEntity, row)
  if (demographics.identifiers.length) await indexIdentifiers(tx, keys, id, demographics.identifiers)
  await indexChart(tx, id, demographics)
  return row
}

export const chartColumns = `p.id, p.mrn, p.version, p.status, p.voided, p.void_reason AS "voidReason", p.restricted, p.demographics,
  p.created_at AS "createdAt", p.updated_at AS "updatedAt"`

const openChart = {
  name: 'open a chart',
  text: `SELECT ${chartColumns}, ${isMember('$2')} AS member, ${grantOf('$2')} AS "grantId" FROM patients p WHERE p.id = $1`,
}

/**
 * A chart, and what user `userId` is to it.
 * @param lock whether nobody else may change it until the transaction ends
 * @throws {AppError} 404
 */
export async function getChart(
  tx: Tx,
  id: string,
  userId: string,
  lock: boolean,
): Promise<{ row: ChartRow; member: boolean; grantId: string | null }> {
  // in a statement of its own: who waited for the lock must see who was removed meanwhile
  if (lock) await tx.query('SELECT FROM patients WHERE id = $1 FOR UPDATE', [id])
  const [found] = await queryPrepared<ChartRow & { member: boolean; grantId: string | null }>(tx, openChart, [
    id,
    userId,
  ])
  if (!found) throw notFound('patient')
  const { member, grantId, ...row } = found
  return { row, member, grantId }
}

type Change = Partial<
  Pick<PatientRow, 'status' | 'demographics' | 'searchName' | 'birthDate' | 'voided' | 'voidReason' | 'restricted'>
>

/** The next version of a chart. @throws {AppError} 412 when `row` isn't the newest any more */
async function changeRow(tx: Tx, row: ChartRow, change: Change, by: Editor): Promise<ChartRow> {
  const next = { ...change, ...changedBy(by), version: row.version + 1, updatedAt: new Date() }
  const { affected } = await tx.update(patientEntity, { id: row.id, version: row.version }, next)
  if (affected !== 1) throw new AppError('stale')
  return { ...row, ...next }
}

export async function updatePatient(
  tx: Tx,
  keys: FieldKeys,
  row: ChartRow,
  demographics: Demographics,
  restricted: boolean,
  by: Editor,
): Promise<ChartRow> {
  const updated = await changeRow(tx, row, { ...columnsOf(keys, row.id, demographics), restricted }, by)
  await reindexChart(tx, row.id, row.demographics, demographics)
  if (isDeepStrictEqual(keys.open(row.id, row.demographics.identifiers), demographics.identifiers)) return updated
  const kept = sourcesOf(demographics).map(({ system, value }) => `${system} ${value}`)
  await tx.query(`DELETE FROM patient_sources WHERE patient_id = $1 AND NOT (system || ' ' || value = ANY($2))`, [
    row.id,
    kept,
  ])
  await claimSources(tx, row.id, demographics, by)
  await indexIdentifiers(tx, keys, row.id, demographics.identifiers)
  return updated
}

export async function setVoided(tx: Tx, row: ChartRow, voided: boolean, reason: string, by: Editor): Promise<ChartRow> {
  return changeRow(tx, row, { voided, voidReason: reason }, by)
}
