import { ArrayContains, ILike, IsNull, MoreThan, Not } from 'typeorm'
import type { Role } from '@caregate/common/auth'
import { newId, type Tx } from '@caregate/common/database'
import { AppError, notFound } from '@caregate/common/errors'
import type { Seal } from '@caregate/common/seal'
import { userEntity, type UserRow } from '../database.ts'
import { insertUnlessTaken } from './insert.ts'

/** A user as clients read it. */
export interface User {
  id: string
  email: string
  fullName: string
  roles: Role[]
  patientId: string | null
  disabled: boolean
  totpEnabled: boolean
  createdAt: string
}

export function toUser(row: UserRow): User {
  const { id, email, fullName, roles, patientId, disabled, totpEnabled, createdAt } = row
  return { id, email, fullName, roles, patientId, disabled, totpEnabled, createdAt: createdAt.toISOString() }
}

export type NewUser = Pick<UserRow, 'email' | 'fullName' | 'roles' | 'passwordHash' | 'oneTimeUntil'>

/** What an account without a second factor has of it. */
export const noTotp = { totpSealed: null, totpEnabled: false, totpStep: 0, recoveryHashes: [] as string[] }

/** @throws {AppError} 409 for an e-mail that has an account, also one being made right now */
export async function createUser(tx: Tx, details: NewUser): Promise<UserRow> {
  const row: UserRow = {
    ...details,
    ...noTotp,
    id: newId(),
    patientId: null,
    disabled: false,
    createdAt: new Date(),
  }
  if (!(await insertUnlessTaken(tx, userEntity, row)))
    throw new AppError('conflict', 'There is an account with this e-mail.')
  return row
}

export async function findUserByEmail(tx: Tx, email: string): Promise<UserRow | null> {
  return tx.findOneBy(userEntity, { email })
}

/** @throws {AppError} 404 */
export async function getUser(tx: Tx, id: string): Promise<UserRow> {
  const user = await tx.findOneBy(userEntity, { id })
  if (!user) throw notFound('user')
  return user
}

/** Locks the row until the transaction ends. @throws {AppError} 404 */
export async function lockUser(tx: Tx, id: string): Promise<UserRow> {
  const user = await tx.findOne(userEntity, { where: { id }, lock: { mode: 'pessimistic_write' } })
  if (!user) throw notFound('user')
  return user
}

export interface UserFilter {
  email?: string
  /** Part of a name or an e-mail. */
  q?: string
  role?: Role
  disabled?: boolean
}

/** Users by id, i.e. in the order in which they were made. */
export async function listUsers(
  tx: Tx,
  { q, role, ...exact }: UserFilter,
  after: string | undefined,
  limit: number,
): Promise<UserRow[]> {
  const common = {
    ...exact,
    ...(role ? { roles: ArrayContains([role]) } : {}),
    ...(after ? { id: MoreThan(after) } : {}),
  }
  const like = q && ILike(`%${q.replaceAll(/[%_\\]/g, '\\$&')}%`)
  const where = like
    ? [
        { ...common, fullName: like },
        { email: like, ...common },
      ]
    : common
  return tx.find(userEntity, { where, order: { id: 'ASC' }, take: limit })
}

export async function updateUser(tx: Tx, id: string, change: Partial<Omit<UserRow, 'id'>>): Promise<UserRow> {
  // of nothing typeorm makes no statement
  if (Object.keys(change).length) await tx.update(userEntity, { id }, change)
  return getUser(tx, id)
}

/** Whether somebody else could still administer. Who asks takes turns: of two admins who leave at once, one stays. */
export async function hasOtherAdmin(tx: Tx, id: string): Promise<boolean> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('caregate last admin'))`)
  const found = await tx.query<unknown[]>(
    `SELECT 1 FROM users WHERE 'admin' = ANY(roles) AND NOT disabled AND id <> $1 LIMIT 1`,
    [id],
  )
  return found.length > 0
}

/** @throws {AppError} 409 when another account has this chart */
export async function linkPatient(tx: Tx, id: string, patientId: string): Promise<UserRow> {
  // of two who link it at once one after the other
  await tx.query('SELECT pg_advisory_xact_lock(hashtext($1))', [patientId])
  const linked = await tx.findOneBy(userEntity, { patientId })
  if (linked && linked.id !== id) throw new AppError('conflict', 'Another account is linked to this chart.')
  return updateUser(tx, id, { patientId })
}

/** What the seal of a second factor is bound to. */
export const totpName = ({ id }: Pick<UserRow, 'id'>): string => `totp ${id}`

/** Seals every second factor under the current SECRET_KEY. */
export async function renewTotpSeals(tx: Tx, seal: Seal): Promise<void> {
  const batch = 500
  for (let after: string | undefined; ;) {
    const where = { totpSealed: Not(IsNull()), ...(after ? { id: MoreThan(after) } : {}) }
    const rows = await tx.find(userEntity, { where, order: { id: 'ASC' }, take: batch })
    for (const row of rows) {
      const renewed = seal.renew(totpName(row), row.totpSealed!)
      // unless the user has enrolled another meanwhile
      if (renewed) await tx.update(userEntity, { id: row.id, totpSealed: row.totpSealed! }, { totpSealed: renewed })
    }
    if (rows.length < batch) return
    after = rows.at(-1)!.id
  }
}
