import type { Tx } from '@caregate/common/database'
import { MoreThan } from 'typeorm'
import { holdEntity, type HoldRow } from './database.ts'

/** Waits for whoever changes holds, or applies retention by them, and keeps others from it until the transaction ends. */
export async function lockHolds(tx: Tx): Promise<void> {
  await tx.query(`SET LOCAL lock_timeout = '2s'`)
  await tx.query('LOCK TABLE legal_holds IN SHARE ROW EXCLUSIVE MODE')
}

/** Pages by patient. */
export const listHolds = (tx: Tx, after: string | undefined, limit: number): Promise<HoldRow[]> =>
  tx.find(holdEntity, {
    where: after === undefined ? {} : { patientId: MoreThan(after) },
    order: { patientId: 'ASC' },
    take: limit,
  })

/** @returns the hold, and whether there was none before */
export async function replaceHold(tx: Tx, hold: HoldRow): Promise<{ hold: HoldRow; isNew: boolean }> {
  const before = await tx.findOneBy(holdEntity, { patientId: hold.patientId })
  // no rights to update: whoever could do that could turn one patient's hold into another's
  if (before) await tx.delete(holdEntity, { patientId: hold.patientId })
  const kept = { ...hold, createdAt: before?.createdAt ?? hold.createdAt }
  await tx.insert(holdEntity, kept)
  return { hold: kept, isNew: !before }
}

/** @returns whether there was one */
export async function deleteHold(tx: Tx, patientId: string): Promise<boolean> {
  return Boolean((await tx.delete(holdEntity, { patientId })).affected)
}
