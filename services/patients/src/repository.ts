import { isDeepStrictEqual } from 'node:util'
import { newId, queryPrepared, type Tx } from '@caregate/common/database'
import { AppError, notFound } from '@caregate/common/errors'
import type { ChartAction } from './access.ts'
import type { PatientRow } from './database.ts'
import type { FieldKeys } from './field-keys.ts'
import { withMasks, type Identifier } from './identifiers.ts'
import { searchName, type Demographics, type Patient } from './patient.ts'
import { indexChart, indexing, indexValues } from './search/indexes.ts'

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

/** Conditions under which somebody, `userId`, is close to chart `p`. */
const isMember = (userId: string) =>
  `EXISTS (SELECT FROM care_team m WHERE m.patient_id = p.id AND m.user_id = ${userId} AND m.removed_at IS NULL
     AND (now() AT TIME ZONE 'UTC')::date BETWEEN m."from" AND coalesce(m."to", 'infinity'))`
const grantOf = (userId: string) =>
  `(SELECT g.id FROM break_glass_grants g WHERE g.patient_id = p.id AND g.clinician_id = ${userId} AND g.expires_at > now()
     ORDER BY g.expires_at DESC LIMIT 1)`
/** A broken glass opens the chart it was broken for, and shows it nowhere else. */
export const isVisible = (userId: string) => `(NOT p.restricted OR ${isMember(userId)})`

function columnsOf(keys: FieldKeys, id: string, { status, ...demographics }: Demographics) {
  return { status, demographics: { ...demographics, identifiers: keys.seal(id, demographics.identifiers) } }
}

const identifierRows = (keys: FieldKeys, identifiers: readonly Identifier[]): [string[], Buffer[], string[]] => {
  const indexes = keys.indexesOf(identifiers)
  return [indexes.map(({ system }) => system), indexes.map(({ index }) => index), indexes.map(({ key }) => key)]
}
/** @param n place of the first of `identifierRows` */
const insertIdentifiers = (n: number): string =>
  `INSERT INTO patient_identifiers (patient_id, system, index, key)
     SELECT $1, * FROM unnest($${n}::text[], $${n + 1}::bytea[], $${n + 2}::text[]) ON CONFLICT DO NOTHING`

/** Whoever changes a chart's identifiers holds the chart: nobody else does so at the same time. */
export async function indexIdentifiers(
  tx: Tx,
  keys: FieldKeys,
  patientId: string,
  identifiers: readonly Identifier[],
): Promise<void> {
  await tx.query(
    `WITH old AS (DELETE FROM patient_identifiers WHERE patient_id = $1 AND NOT index = ANY($3::bytea[])) ${insertIdentifiers(2)}`,
    [patientId, ...identifierRows(keys, identifiers)],
  )
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
  const sources = sourcesOf(demographics)
  if (!sources.length) return
  const columns = [sources.map(({ system }) => system), sources.map(({ value }) => value)]
  const claimed = await tx.query<unknown[]>(
    `INSERT INTO patient_sources (system, value, patient_id)
     SELECT *, $1 FROM unnest($2::text[], $3::text[]) ON CONFLICT DO NOTHING RETURNING 1`,
    [patientId, ...columns],
  )
  if (claimed.length === sources.length) return
  const [other] = await tx.query<{ system: string; id: string; visible: boolean }[]>(
    `SELECT s.system, p.id, $4 OR ${isVisible('$5')} AS visible
     FROM unnest($2::text[], $3::text[]) AS given(system, value) JOIN patient_sources s USING (system, value)
     JOIN patients p ON p.id = s.patient_id WHERE p.id <> $1 LIMIT 1`,
    [patientId, ...columns, by.everything, by.userId],
  )
  if (other)
    throw new AppError('already_exists', `There is a chart with this ${other.system} identifier.`, {
      headers: other.visible ? { Location: `/api/v1/patients/${other.id}` } : {},
      patientIds: [other.id],
    })
}

/** With all that it is found by: each statement would cost a turn to the database. */
const insertChart = {
  name: 'create a chart',
  text: `
    WITH identifiers AS (${insertIdentifiers(9)}), ${indexing(12)}
    INSERT INTO patients (id, mrn, version, status, restricted, demographics, search_name, birth_date, created_at, updated_at,
      changed_by_id, changed_by_name)
    VALUES ($1, new_mrn(), 1, $2, $3, $4, $5, $6, now(), now(), $7, $8)
    RETURNING mrn, created_at AS "createdAt"`,
}

export async function createPatient(
  tx: Tx,
  keys: FieldKeys,
  demographics: Demographics,
  restricted: boolean,
  by: Editor,
): Promise<ChartRow> {
  const id = newId()
  await claimSources(tx, id, demographics, by)
  const columns = columnsOf(keys, id, demographics)
  const [made] = await queryPrepared<Pick<ChartRow, 'mrn' | 'createdAt'>>(tx, insertChart, [
    id,
    columns.status,
    restricted,
    columns.demographics,
    searchName(demographics.name),
    demographics.birthDate,
    by.userId,
    by.name,
    ...identifierRows(keys, demographics.identifiers),
    ...indexValues(demographics),
  ])
  const { mrn, createdAt } = made!
  return {
    id,
    mrn,
    version: 1,
    voided: false,
    voidReason: null,
    restricted,
    createdAt,
    updatedAt: createdAt,
    ...columns,
  }
}

export const chartColumns = `p.id, p.mrn, p.version, p.status, p.voided, p.void_reason AS "voidReason", p.restricted, p.demographics,
  p.created_at AS "createdAt", p.updated_at AS "updatedAt"`

const openChart = {
  name: 'open a chart',
  text: `SELECT ${chartColumns}, ${isMember('$2')} AS member, ${grantOf('$2')} AS "grantId" FROM patients p WHERE p.id = $1`,
}

const lockChart = { name: 'lock a chart', text: 'SELECT FROM patients WHERE id = $1 FOR UPDATE' }

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
  if (lock) await queryPrepared(tx, lockChart, [id])
  const [found] = await queryPrepared<ChartRow & { member: boolean; grantId: string | null }>(tx, openChart, [
    id,
    userId,
  ])
  if (!found) throw notFound('patient')
  const { member, grantId, ...row } = found
  return { row, member, grantId }
}

type Change = Partial<Pick<PatientRow, 'status' | 'demographics' | 'voided' | 'voidReason' | 'restricted'>>

const updateChart = {
  name: 'change a chart',
  text: `UPDATE patients SET version = version + 1, updated_at = clock_timestamp(), status = $3, demographics = $4, voided = $5,
      void_reason = $6, restricted = $7, search_name = $8, birth_date = $9, changed_by_id = $10, changed_by_name = $11
    WHERE id = $1 AND version = $2 RETURNING version, updated_at AS "updatedAt"`,
}

/** The next version of a chart. @throws {AppError} 412 when `row` isn't the newest any more */
async function changeRow(tx: Tx, row: ChartRow, change: Change, by: Editor): Promise<ChartRow> {
  const next = { ...row, ...change }
  const { status, demographics, voided, voidReason, restricted } = next
  const [made] = await queryPrepared<Pick<ChartRow, 'version' | 'updatedAt'>>(tx, updateChart, [
    row.id,
    row.version,
    status,
    demographics,
    voided,
    voidReason,
    restricted,
    searchName(demographics.name),
    demographics.birthDate,
    by.userId,
    by.name,
  ])
  if (!made) throw new AppError('stale')
  return { ...next, ...made }
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
  await indexChart(tx, row.id, row.demographics, demographics)
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
