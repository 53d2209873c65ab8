import type { Tx } from '@caregate/common/database'
import { notFound } from '@caregate/common/errors'
import { versionEntity, type VersionRow } from '../database.ts'
import type { ChartRow } from '../repository.ts'

/** A chart as it was in a version. */
export function chartAt({ id, mrn, createdAt }: ChartRow, row: VersionRow): ChartRow {
  const { version, status, voided, restricted, mergedInto, demographics, at: updatedAt, reason: voidReason } = row
  return { id, mrn, createdAt, version, status, voided, restricted, mergedInto, demographics, updatedAt, voidReason }
}

/** Versions before `before`, newest first. */
export async function findVersions(
  tx: Tx,
  patientId: string,
  before: number | undefined,
  limit: number,
): Promise<VersionRow[]> {
  const select = tx.createQueryBuilder(versionEntity, 'v').where({ patientId })
  if (before !== undefined) select.andWhere('v.version < :before', { before })
  return select.orderBy('v.version', 'DESC').limit(limit).getMany()
}

/** Charts that were part of a chart in a version of it, and aren't any more: what it says of them is theirs. */
export async function findLeft(tx: Tx, patientId: string, version: number): Promise<string[]> {
  const rows = await tx.query<{ id: string }[]>(
    `SELECT DISTINCT m.source_id AS id FROM patient_merges m JOIN patients p ON p.id = m.source_id
     WHERE m.target_id = $1 AND m.target_version <= $2 AND p.merged_into IS DISTINCT FROM m.target_id
       AND EXISTS (SELECT FROM patient_versions v WHERE v.patient_id = $1 AND v.version > $2 AND v.change = 'unmerged')`,
    [patientId, version],
  )
  return rows.map(({ id }) => id)
}

/** @throws {AppError} 404 */
export async function getVersion(tx: Tx, patientId: string, version: number): Promise<VersionRow> {
  const row = await tx.findOneBy(versionEntity, { patientId, version })
  if (!row) throw notFound('version')
  return row
}
