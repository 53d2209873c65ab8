import { newId, type Tx } from '@caregate/common/database'
import { notFound } from '@caregate/common/errors'
import { grantEntity, type GrantRow } from '../database.ts'

export type NewGrant = Pick<GrantRow, 'patientId' | 'clinicianId' | 'clinicianName' | 'reason'>

/** By the clock of the database, by which it ends too. */
export async function createGrant(
  tx: Tx,
  { patientId, clinicianId, clinicianName, reason }: NewGrant,
  minutes: number,
): Promise<Pick<GrantRow, 'id' | 'expiresAt'>> {
  const [grant] = await tx.query<Pick<GrantRow, 'id' | 'expiresAt'>[]>(
    `INSERT INTO break_glass_grants (id, patient_id, clinician_id, clinician_name, reason, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, now(), now() + make_interval(mins => $6)) RETURNING id, expires_at AS "expiresAt"`,
    [newId(), patientId, clinicianId, clinicianName, reason, minutes],
  )
  return grant!
}

/** @throws {AppError} 404 */
export async function getGrant(tx: Tx, id: string): Promise<GrantRow> {
  const grant = await tx.findOneBy(grantEntity, { id })
  if (!grant) throw notFound('grant')
  return grant
}
