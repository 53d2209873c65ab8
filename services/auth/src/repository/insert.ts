import type { EntitySchema, ObjectLiteral } from 'typeorm'
import type { Tx } from '@caregate/common/database'

/** @returns false where another row has a value that must be unique, also one being inserted right now */
export async function insertUnlessTaken<Row extends ObjectLiteral>(
  tx: Tx,
  entity: EntitySchema<Row>,
  row: Row,
): Promise<boolean> {
  const inserted = await tx.createQueryBuilder().insert().into(entity).values(row).orIgnore().returning('id').execute()
  return (inserted.raw as unknown[]).length > 0
}
