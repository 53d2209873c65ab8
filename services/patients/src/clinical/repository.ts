import { newId, type Tx } from '@caregate/common/database'
import { notFound } from '@caregate/common/errors'
import { itemEntity, type ItemRow } from '../database.ts'
import type { Item, Kind, NewItem } from './item.ts'

/** Where an item belongs. */
export interface Place {
  patientId: string
  kind: Kind
}

const toItem = (row: ItemRow): Item => ({
  id: row.id,
  code: { system: row.system, code: row.code, display: row.display },
  onset: row.onset,
  resolved: row.resolved,
  recordedBy: row.recordedBy,
  version: row.version,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

/** Every version is a row of its own, and stays. */
async function insert(
  tx: Tx,
  place: Place,
  { code, onset, resolved }: NewItem,
  more: Pick<ItemRow, 'id' | 'version' | 'recordedBy' | 'createdAt' | 'updatedAt'>,
): Promise<Item> {
  const row: ItemRow = { ...place, ...code, onset, resolved, ...more }
  await tx.insert(itemEntity, row)
  return toItem(row)
}

/** Into a locked chart. */
export function createItem(tx: Tx, place: Place, item: NewItem, recordedBy: string): Promise<Item> {
  const now = new Date()
  return insert(tx, place, item, { id: newId(), version: 1, recordedBy, createdAt: now, updatedAt: now })
}

/** The newest version. @throws {AppError} 404, also for an item of another chart or kind */
export async function getItem(tx: Tx, place: Place, id: string): Promise<Item> {
  const row = await tx.findOne(itemEntity, { where: { ...place, id }, order: { version: 'DESC' } })
  if (!row) throw notFound(place.kind)
  return toItem(row)
}

/** The newest version, and whose chart it belongs to. Undefined where there is none of that kind. */
export async function findItem(tx: Tx, kind: Kind, id: string): Promise<{ patientId: string; item: Item } | undefined> {
  const row = await tx.findOne(itemEntity, { where: { kind, id }, order: { version: 'DESC' } })
  return row ? { patientId: row.patientId, item: toItem(row) } : undefined
}

/** The version after `current`, in a locked chart. */
export function updateItem(tx: Tx, place: Place, current: Item, item: NewItem, recordedBy: string): Promise<Item> {
  const { id, version, createdAt } = current
  const times = { createdAt: new Date(createdAt), updatedAt: new Date() }
  return insert(tx, place, item, { id, version: version + 1, recordedBy, ...times })
}

/** Those of several charts: the newest version of each, in the order in which they were recorded first. */
export async function findItemsOf(tx: Tx, patientIds: readonly string[]): Promise<(Item & Place)[]> {
  const rows = await tx
    .createQueryBuilder(itemEntity, 'i')
    .distinctOn(['i.id'])
    .where('i.patientId = ANY(:patientIds)', { patientIds })
    .orderBy('i.id')
    .addOrderBy('i.version', 'DESC')
    .getMany()
  return rows.map((row) => ({ ...toItem(row), patientId: row.patientId, kind: row.kind }))
}

/** The newest version of each, in the order in which they were recorded first. */
export async function findItems(
  tx: Tx,
  { patientId, kind }: Place,
  after: string | undefined,
  limit: number,
): Promise<Item[]> {
  const select = tx
    .createQueryBuilder(itemEntity, 'i')
    .distinctOn(['i.id'])
    .where('i.patientId = :patientId AND i.kind = :kind', { patientId, kind })
  if (after !== undefined) select.andWhere('i.id > :after', { after })
  const rows = await select.orderBy('i.id').addOrderBy('i.version', 'DESC').limit(limit).getMany()
  return rows.map(toItem)
}
