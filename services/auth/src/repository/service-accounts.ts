import { MoreThan } from 'typeorm'
import type { Role } from '@caregate/common/auth'
import { newId, type Tx } from '@caregate/common/database'
import { AppError, notFound } from '@caregate/common/errors'
import { serviceAccountEntity, type ServiceAccountRow } from '../database.ts'
import { insertUnlessTaken } from './insert.ts'

/** A service account as an admin reads it. */
export interface ServiceAccount {
  /** Also its `clientId`. */
  id: string
  name: string
  roles: Role[]
  createdAt: string
  rotatedAt: string
}

export function toServiceAccount({ id, name, roles, createdAt, rotatedAt }: ServiceAccountRow): ServiceAccount {
  return { id, name, roles, createdAt: createdAt.toISOString(), rotatedAt: rotatedAt.toISOString() }
}

/** @throws {AppError} 409 for a name that is taken */
export async function createServiceAccount(
  tx: Tx,
  details: Pick<ServiceAccountRow, 'name' | 'roles' | 'secretHash'>,
): Promise<ServiceAccountRow> {
  const now = new Date()
  const row: ServiceAccountRow = { ...details, id: newId(), createdAt: now, rotatedAt: now }
  if (!(await insertUnlessTaken(tx, serviceAccountEntity, row)))
    throw new AppError('conflict', 'There is a service account of this name.')
  return row
}

export async function findServiceAccount(tx: Tx, id: string): Promise<ServiceAccountRow | null> {
  return tx.findOneBy(serviceAccountEntity, { id })
}

/** Locks the row until the transaction ends. @throws {AppError} 404 */
export async function lockServiceAccount(tx: Tx, id: string): Promise<ServiceAccountRow> {
  const row = await tx.findOne(serviceAccountEntity, { where: { id }, lock: { mode: 'pessimistic_write' } })
  if (!row) throw notFound('service account')
  return row
}

export async function listServiceAccounts(
  tx: Tx,
  after: string | undefined,
  limit: number,
): Promise<ServiceAccountRow[]> {
  const where = after ? { id: MoreThan(after) } : {}
  return tx.find(serviceAccountEntity, { where, order: { id: 'ASC' }, take: limit })
}

export async function replaceSecret(tx: Tx, row: ServiceAccountRow, secretHash: string): Promise<ServiceAccountRow> {
  const change = { secretHash, rotatedAt: new Date() }
  await tx.update(serviceAccountEntity, { id: row.id }, change)
  return { ...row, ...change }
}

export async function deleteServiceAccount(tx: Tx, id: string): Promise<void> {
  await tx.delete(serviceAccountEntity, { id })
}
