import type { Tx } from '@caregate/common/database'
import { signingKeyEntity } from '../database.ts'

/** One instance at a time makes and forgets keys. */
export async function lockKeys(tx: Tx): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('caregate signing keys'))`)
}

/** @returns whether it was there */
export async function deleteKey(tx: Tx, kid: string): Promise<boolean> {
  return ((await tx.delete(signingKeyEntity, { kid })).affected ?? 0) > 0
}
