import { isDeepStrictEqual } from 'node:util'
import { queryPrepared, type Tx } from '@caregate/common/database'
import { AppError, notFound } from '@caregate/common/errors'
import type { AuditEvent } from '@caregate/common/events'
import { eventValues, recording } from '@caregate/common/outbox'
import type { ChartAction } from './access.ts'
import type { PatientRow, TurnRow } from './database.ts'
import type { FieldKeys } from './field-keys.ts'
import { withMasks, type Identifier } from './identifiers.ts'
import { searchName, type Demographics, type Patient } from './patient.ts'
import { indexing, indexValues } from './search/indexes.ts'

/** A chart without what only lists need. */
export type ChartRow = Omit<PatientRow, 'searchName' | 'birthDate' | 'merges' | 'changedById' | 'changedByName'>

/** With everything in it. */
export function toPatient(keys: FieldKeys, row: ChartRow): Patient {
  const { id, mrn, version, demographics: d } = row
  return {
    id,
    mrn,
    version,
    status: row.voided ? 'voided' : row.mergedInto ? 'merged' : row.status,
    restricted: row.restricted,
    ...(row.mergedInto && { mergedInto: row.mergedInto }),
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

/**
 * The id of a chart, or of the one that it is part of since it was merged, and that one again.
 * @param one condition that one chart meets
 */
export const survivorOf = (one: string) =>
  `(WITH RECURSIVE way AS (SELECT id, merged_into FROM patients WHERE ${one}
     UNION ALL SELECT next.id, next.merged_into FROM way JOIN patients next ON next.id = way.merged_into)
   SELECT id FROM way WHERE merged_into IS NULL)`

/** Undefined where there is no such chart. */
export async function findSurvivor(tx: Tx, id: string): Promise<string | undefined> {
  const [found] = await tx.query<{ id: string }[]>(`SELECT ${survivorOf('id = $1')} AS id`, [id])
  return found!.id ?? undefined
}

/** Conditions under which somebody, `userId`, is close to chart `p`. */
export const isMember = (userId: string) =>
  `EXISTS (SELECT FROM care_team m WHERE m.patient_id = p.id AND m.user_id = ${userId} AND m.removed_at IS NULL
     AND (now() AT TIME ZONE 'UTC')::date BETWEEN m."from" AND coalesce(m."to", 'infinity'))`
const grantOf = (userId: string) =>
  `(SELECT g.id FROM break_glass_grants g WHERE g.patient_id = p.id AND g.clinician_id = ${userId} AND g.expires_at > now()
     ORDER BY g.expires_at DESC LIMIT 1)`
/** A broken glass opens the chart it was broken for, and shows it nowhere else. */
export const isVisible = (userId: string) => `(NOT p.restricted OR ${isMember(userId)})`

const identifierRows = (keys: FieldKeys, identifiers: readonly Identifier[]): unknown[][] => {
  const indexes = keys.indexesOf(identifiers)
  return [indexes.map(({ system }) => system), indexes.map(({ index }) => index), indexes.map(({ key }) => key)]
}
/**
 * Parts of a `WITH` that make a chart be found by these identifiers and no others; where they are null, by those as before.
 * @param n place of the first of `identifierRows`
 */
const indexingIdentifiers = (n: number): string => `
  old_identifiers AS (DELETE FROM patient_identifiers i USING chart
    WHERE i.patient_id = chart.id AND NOT i.index = ANY($${n + 1}::bytea[])),
  identifiers AS (INSERT INTO patient_identifiers (patient_id, system, index, key)
    SELECT chart.id, new.* FROM chart, unnest($${n}::text[], $${n + 1}::bytea[], $${n + 2}::text[]) AS new ON CONFLICT DO NOTHING)`

/** Whoever changes a chart's identifiers holds the chart: nobody else does so at the same time. */
export async function indexIdentifiers(
  tx: Tx,
  keys: FieldKeys,
  patientId: string,
  identifiers: readonly Identifier[],
): Promise<void> {
  await tx.query(`WITH chart AS (SELECT $1::uuid AS id), ${indexingIdentifiers(2)} SELECT`, [
    patientId,
    ...identifierRows(keys, identifiers),
  ])
}

/** @throws when identifiers are indexed, and so sealed, under a FIELD_KEY that isn't known */
export async function checkFieldKeys(tx: Pick<Tx, 'query'>, keys: FieldKeys): Promise<void> {
  const others = await tx.query<unknown[]>('SELECT FROM patient_identifiers WHERE NOT key = ANY($1) LIMIT 1', [
    keys.ids,
  ])
  if (others.length) throw new Error('Identifiers in the database were sealed under another FIELD_KEY.')
}

const sourcesOf = (identifiers: readonly Identifier[] = []): Identifier[] =>
  identifiers
    .filter(({ system }) => system.startsWith('source:'))
    // in one order for everybody: two charts that claim the same ones don't wait for each other in a circle
    .sort((a, b) => (`${a.system} ${a.value}` < `${b.system} ${b.value}` ? -1 : 1))

const columnsOfSources = (sources: readonly Identifier[]) => [
  sources.map(({ system }) => system),
  sources.map(({ value }) => value),
]

/**
 * @param patientId the chart that may have them
 * @throws {AppError} 409 `already_exists` when another chart has one of the source ids; it says where that is to whom may know
 */
export async function checkSources(
  tx: Tx,
  patientId: string,
  identifiers: readonly Identifier[],
  by: Editor,
): Promise<void> {
  const sources = sourcesOf(identifiers)
  if (!sources.length) return
  const [other] = await tx.query<{ system: string; id: string; visible: boolean }[]>(
    `SELECT s.system, p.id, $4 OR ${isVisible('$5')} AS visible
     FROM unnest($2::text[], $3::text[]) AS given(system, value) JOIN patient_sources s USING (system, value)
     JOIN patients p ON p.id = s.patient_id WHERE p.id <> $1 LIMIT 1`,
    [patientId, ...columnsOfSources(sources), by.everything, by.userId],
  )
  if (!other) return
  throw new AppError('already_exists', `There is a chart with this ${other.system} identifier.`, {
    headers: other.visible ? { Location: `/api/v1/patients/${other.id}` } : {},
    patientIds: [other.id],
  })
}

/** What a version is of, with identifiers as people write them. */
export type Content = Pick<PatientRow, 'status' | 'voided' | 'voidReason' | 'restricted' | 'mergedInto'> & {
  demographics: Omit<Demographics, 'status'>
}

export const contentOf = (
  keys: FieldKeys,
  { id, status, voided, voidReason, restricted, mergedInto, demographics }: ChartRow,
): Content => ({
  ...{ status, voided, voidReason, restricted, mergedInto },
  demographics: { ...demographics, identifiers: keys.open(id, demographics.identifiers) },
})

/** By what it is found; what was merged is by nothing any more, but the chart that it is part of is. */
const foundBy = (content: Content | undefined) => (content?.mergedInto ? undefined : content?.demographics)

/** Of `patients`, in the order of the values of `write`. */
const written = [
  ...['status', 'voided', 'void_reason', 'restricted', 'merged_into', 'demographics', 'search_name', 'birth_date'],
  ...['changed_by_id', 'changed_by_name'],
]
const made = 'RETURNING id, mrn, version, created_at AS "createdAt", updated_at AS "updatedAt"'
/** Place of the first value after `written`. */
const rest = written.length + 3

/** The change with all that comes with it, in one statement: each further one would be a turn to the database. */
const writing = (name: string, parts: string) => ({
  name,
  text: `
    WITH ${parts},
      old_sources AS (DELETE FROM patient_sources s USING chart
        WHERE s.patient_id = chart.id AND (s.system, s.value) IN (SELECT * FROM unnest($${rest}::text[], $${rest + 1}::text[]))),
      sources AS (INSERT INTO patient_sources (system, value, patient_id)
        SELECT new.*, chart.id FROM chart, unnest($${rest + 2}::text[], $${rest + 3}::text[]) AS new),
      ${indexingIdentifiers(rest + 4)},
      ${indexing(rest + 7)},
      ${recording('chart', rest + 15)}
    SELECT * FROM chart`,
})
/** @param from where there is one row if it may be made */
const creating = (from = '') =>
  `chart AS (INSERT INTO patients (id, version, mrn, created_at, updated_at, ${written.join(', ')})
   SELECT $1, $2, new_mrn(), now(), now(), ${written.map((_column, n) => `$${n + 3}`).join(', ')} ${from} ${made})`
const creation = writing('create a chart', creating())
const creationInTurn = writing(
  'create a chart in turn',
  `turn AS (INSERT INTO creation_turns AS t (key, turn) VALUES ($${rest + 19}, 1)
     ON CONFLICT (key) DO UPDATE SET turn = t.turn + 1 WHERE t.turn = $${rest + 20} RETURNING key),
   ${creating('FROM turn')}`,
)
const change = writing(
  'change a chart',
  `chart AS (UPDATE patients SET version = version + 1, updated_at = clock_timestamp(), merges = merges + $${rest + 19},
     ${written.map((column, n) => `${column} = $${n + 3}`).join(', ')} WHERE id = $1 AND version = $2 ${made})`,
)

/** How often a chart had been created under a key when one looked for charts like a new one. */
export type Turn = TurnRow

/**
 * Writes a chart, or its next version: with all by which it is found, and the event that tells of it.
 * @param from the id of a new one
 * @param more the turn of a new one, or how many charts more are merged into it
 * @returns undefined when somebody else has made the next version, or took the turn
 * @throws {AppError} 409 `already_exists` when another chart has one of its source ids, also one that was written just now
 */
async function write(
  tx: Tx,
  keys: FieldKeys,
  from: ChartRow | string,
  after: Content,
  by: Editor,
  event: AuditEvent | undefined,
  more: Turn | number | undefined,
): Promise<ChartRow | undefined> {
  const [id, row] = typeof from === 'string' ? [from] : [from.id, from]
  const before = row && contentOf(keys, row)
  const { status, voided, voidReason, restricted, mergedInto, demographics } = after
  const { identifiers } = demographics
  const [old, found] = [foundBy(before), foundBy(after)]
  const isSame = isDeepStrictEqual(old?.identifiers, found?.identifiers)
  const [had, has] = [sourcesOf(old?.identifiers), sourcesOf(found?.identifiers)]
  const less = (some: Identifier[], others: Identifier[]) =>
    columnsOfSources(some.filter((one) => !others.some((other) => isDeepStrictEqual(one, other))))
  const isSealed = row && isDeepStrictEqual(before?.demographics.identifiers, identifiers)
  const stored = { ...demographics, identifiers: isSealed ? row.demographics.identifiers : keys.seal(id, identifiers) }
  const values = [
    ...[id, row?.version ?? 1, status, voided, voidReason, restricted, mergedInto],
    ...[stored, searchName(demographics.name), demographics.birthDate, by.userId, by.name],
    ...less(had, has),
    ...less(has, had),
    ...(isSame ? [null, null, null] : identifierRows(keys, found?.identifiers ?? [])),
    ...indexValues(old, found),
    ...eventValues(event),
    ...(typeof more === 'object' ? [more.key, more.turn] : row ? [more ?? 0] : []),
  ]
  if (row && !isSame) await checkSources(tx, id, has, by)
  const statement = row ? change : more === undefined ? creation : creationInTurn
  try {
    type Made = Pick<ChartRow, 'id' | 'mrn' | 'version' | 'createdAt' | 'updatedAt'>
    const [chart] = await queryPrepared<Made>(tx, statement, values)
    return chart && { ...chart, status, voided, voidReason, restricted, mergedInto, demographics: stored }
  } catch (error) {
    // claimed since it was looked for; where this was part of a transaction, that one can't look any more
    if ((error as { table?: string }).table === 'patient_sources')
      await checkSources(tx.dataSource.manager, id, has, by)
    throw error
  }
}

/**
 * @param id of the new chart, and of the event
 * @param turn undefined where it is made whatever else is there
 * @returns undefined when another was created under that key since
 */
export async function createPatient(
  tx: Tx,
  keys: FieldKeys,
  id: string,
  { status, ...demographics }: Demographics,
  restricted: boolean,
  by: Editor,
  event: AuditEvent,
  turn?: Turn,
): Promise<ChartRow | undefined> {
  const content = { status, voided: false, voidReason: null, restricted, mergedInto: null, demographics }
  return write(tx, keys, id, content, by, event, turn)
}

/**
 * The next version of a chart.
 * @param event undefined where that of another chart tells of this one too
 * @param merges how many charts more are merged into it
 * @throws {AppError} 412 when somebody else has made the next version; see `write` for more
 */
export async function changePatient(
  tx: Tx,
  keys: FieldKeys,
  row: ChartRow,
  after: Content,
  by: Editor,
  event: AuditEvent | undefined,
  merges = 0,
): Promise<ChartRow> {
  const changed = await write(tx, keys, row, after, by, event, merges)
  if (!changed) throw new AppError('stale')
  return changed
}

export const chartColumns = `p.id, p.mrn, p.version, p.status, p.voided, p.void_reason AS "voidReason", p.restricted, p.merged_into AS "mergedInto", p.demographics,
  p.created_at AS "createdAt", p.updated_at AS "updatedAt"`

const openChart = {
  name: 'open a chart',
  text: `SELECT ${chartColumns}, ${isMember('$2')} AS member, ${grantOf('$2')} AS "grantId" FROM patients p WHERE p.id = $1`,
}

const lockAll = { name: 'lock charts', text: 'SELECT FROM patients WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE' }

/**
 * Nobody else changes these until the transaction ends. In a statement of its own, before they are read: who waited must see
 * what was changed meanwhile. All of them at once, in one order for everybody.
 */
export const lockCharts = (tx: Tx, ids: readonly string[]) => queryPrepared(tx, lockAll, [ids])

const sameVersion = { name: 'is still that version', text: 'SELECT FROM patients WHERE id = $1 AND version = $2' }

/** Whether a chart wasn't changed since it was read. */
export const isStill = async (tx: Tx, { id, version }: Pick<ChartRow, 'id' | 'version'>): Promise<boolean> =>
  (await queryPrepared(tx, sameVersion, [id, version])).length > 0

export async function findChart(tx: Tx, id: string): Promise<ChartRow | undefined> {
  const [row] = await tx.query<ChartRow[]>(`SELECT ${chartColumns} FROM patients p WHERE p.id = $1`, [id])
  return row
}

/**
 * A chart, and what user `userId` is to it.
 * @throws {AppError} 404
 */
export async function getChart(
  tx: Tx,
  id: string,
  userId: string,
): Promise<{ row: ChartRow; member: boolean; grantId: string | null }> {
  const [found] = await queryPrepared<ChartRow & { member: boolean; grantId: string | null }>(tx, openChart, [
    id,
    userId,
  ])
  if (!found) throw notFound('patient')
  const { member, grantId, ...row } = found
  return { row, member, grantId }
}
