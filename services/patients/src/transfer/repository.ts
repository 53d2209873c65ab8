import { newId, type Tx } from '@caregate/common/database'
import type { ItemRow } from '../database.ts'
import type { Identifier } from '../identifiers.ts'
import type { PatientStatus } from '../patient.ts'
import { chartColumns, isMember, survivorOf, type ChartRow, type Viewer } from '../repository.ts'
import type { KindItem } from './entry.ts'

export const keyOf = ({ system, value }: Identifier): string => `${system} ${value}`

/**
 * The charts that have these source ids, by `keyOf`. What is the id of a chart here is that one's, or that of the one that it
 * was merged into: what was exported comes back from whatever source.
 */
export async function findKnown(tx: Tx, sources: readonly Identifier[]): Promise<Map<string, string>> {
  const uuid = `CASE WHEN g.value ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN g.value::uuid END`
  const rows = await tx.query<(Identifier & { id: string })[]>(
    `WITH given AS (SELECT * FROM unnest($1::text[], $2::text[]) AS given(system, value))
     SELECT * FROM (SELECT g.system, g.value, ${survivorOf(`id = ${uuid}`)} AS id FROM given g) AS own WHERE id IS NOT NULL
     UNION ALL
     SELECT g.system, g.value, s.patient_id FROM given g JOIN patient_sources s USING (system, value)`,
    [sources.map(({ system }) => system), sources.map(({ value }) => value)],
  )
  return new Map(rows.map(({ id, ...source }) => [keyOf(source), id]))
}

export interface KnownChart {
  birthDate: string
  voided: boolean
  /** Ids of its items, by `itemKeyOf`. */
  items: Map<string, string>
}

/**
 * What an import takes for the same allergy or condition. Of the source's own it has no ids: Synthea's files have none. A
 * version of before counts too: what was corrected here doesn't come back.
 */
export const itemKeyOf = ({ kind, item: { code, onset } }: KindItem): string =>
  [kind, code.system, code.code, onset].join(' ')

/** Charts, which nobody else changes until the transaction ends; without those that were merged meanwhile. */
export async function lockCharts(tx: Tx, ids: readonly string[]): Promise<Map<string, KnownChart>> {
  if (!ids.length) return new Map()
  // in one order for everybody: two imports don't wait for each other in a circle
  const charts = await tx.query<{ id: string; birthDate: string; voided: boolean }[]>(
    `SELECT id, birth_date::text AS "birthDate", voided FROM patients
     WHERE id = ANY($1::uuid[]) AND merged_into IS NULL ORDER BY id FOR UPDATE`,
    [ids],
  )
  const known = new Map(charts.map(({ id, ...chart }) => [id, { ...chart, items: new Map<string, string>() }]))
  // once they are locked: who waited must see what was added meanwhile
  const items = await tx.query<Pick<ItemRow, 'id' | 'patientId' | 'kind' | 'system' | 'code' | 'onset'>[]>(
    'SELECT id, patient_id AS "patientId", kind, system, code, onset::text FROM clinical_items WHERE patient_id = ANY($1::uuid[])',
    [[...known.keys()]],
  )
  for (const { id, patientId, kind, system, code, onset } of items)
    known.get(patientId)!.items.set([kind, system, code, onset].join(' '), id)
  return known
}

/** @returns a row yet to be inserted */
export function toItemRow(patientId: string, { kind, item: { code, onset, resolved } }: KindItem, by: string): ItemRow {
  const now = new Date()
  return {
    id: newId(),
    version: 1,
    kind,
    patientId,
    ...code,
    onset,
    resolved,
    recordedBy: by,
    createdAt: now,
    updatedAt: now,
  }
}

export async function insertItems(tx: Tx, rows: readonly ItemRow[]): Promise<void> {
  if (!rows.length) return
  const of = (name: keyof ItemRow) => rows.map((row) => row[name])
  await tx.query(
    `INSERT INTO clinical_items (id, version, kind, patient_id, system, code, display, onset, resolved, recorded_by, created_at, updated_at)
     SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::date[], $9::date[], $10::uuid[], $11::timestamptz[], $12::timestamptz[])`,
    [
      ...[of('id'), of('version'), of('kind'), of('patientId'), of('system'), of('code'), of('display')],
      ...[of('onset'), of('resolved'), of('recordedBy'), of('createdAt'), of('updatedAt')],
    ],
  )
}

/** What is exported. */
export interface ExportFilter {
  status?: PatientStatus
  updatedSince?: Date
}

/** The next charts in the order of their ids, after those of the page before; what was merged leaves with the chart that it is part of. */
export async function findExported(
  tx: Tx,
  /** `clinical` when a change of allergies and conditions is theirs to know of, where they are of the care team. */
  viewer: Viewer & { clinical: boolean },
  { status, updatedSince }: ExportFilter,
  after: string,
  limit: number,
): Promise<(ChartRow & { member: boolean })[]> {
  return tx.query(
    `SELECT * FROM (SELECT ${chartColumns}, ${isMember('$1')} AS member FROM patients p
       WHERE p.id > $3 AND p.merged_into IS NULL AND p.voided = ($4::text IS NOT DISTINCT FROM 'voided') AND ($4 IS NULL OR $4 = 'voided' OR p.status = $4)) p
     WHERE ($2 OR p.member)
       AND ($5::timestamptz IS NULL OR p."updatedAt" >= $5 OR ($7 AND p.member AND EXISTS (
         SELECT FROM clinical_items i WHERE i.patient_id = p.id AND i.updated_at >= $5)))
     ORDER BY p.id LIMIT $6`,
    [viewer.userId, viewer.everything, after, status ?? null, updatedSince ?? null, limit, viewer.clinical],
  )
}
