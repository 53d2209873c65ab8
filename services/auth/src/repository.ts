import { v7 as uuidv7 } from 'uuid'
import { IsNull, MoreThan, Not } from 'typeorm'
import type { Role } from '@caregate/common/auth'
import type { Tx } from '@caregate/common/database'
import { AppError, notFound } from '@caregate/common/errors'
import { sessionEntity, userEntity, type SessionRow, type UserRow } from './database.ts'

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

export function toUser({ id, email, fullName, roles, patientId, disabled, createdAt }: UserRow): User {
  return { id, email, fullName, roles, patientId, disabled, totpEnabled: false, createdAt: createdAt.toISOString() }
}

export type NewUser = Pick<UserRow, 'email' | 'fullName' | 'roles' | 'passwordHash' | 'oneTimeUntil'>

/** @throws {AppError} 409 for an e-mail that has an account, also one being made right now */
export async function createUser(tx: Tx, details: NewUser): Promise<UserRow> {
  const row: UserRow = { ...details, id: uuidv7(), patientId: null, disabled: false, createdAt: new Date() }
  const inserted = await tx
    .createQueryBuilder()
    .insert()
    .into(userEntity)
    .values(row)
    .orIgnore()
    .returning('id')
    .execute()
  if (!(inserted.raw as unknown[]).length) throw new AppError('conflict', 'There is an account with this e-mail.')
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

/** Users by id, i.e. in the order in which they were made. */
export async function listUsers(tx: Tx, after: string | undefined, limit: number): Promise<UserRow[]> {
  return tx.find(userEntity, { where: after ? { id: MoreThan(after) } : {}, order: { id: 'ASC' }, take: limit })
}

export async function updateUser(tx: Tx, id: string, change: Partial<Omit<UserRow, 'id'>>): Promise<UserRow> {
  await tx.update(userEntity, { id }, change)
  return getUser(tx, id)
}

export async function createSession(tx: Tx, userId: string, expiresAt: Date): Promise<SessionRow> {
  const now = new Date()
  const row: SessionRow = {
    id: uuidv7(),
    userId,
    generation: 1,
    rotatedAt: now,
    createdAt: now,
    expiresAt,
    endedAt: null,
  }
  await tx.insert(sessionEntity, row)
  return row
}

/** Locks the row: parallel refreshes of one session take turns. */
export async function lockSession(tx: Tx, id: string): Promise<SessionRow | null> {
  return tx.findOne(sessionEntity, { where: { id }, lock: { mode: 'pessimistic_write' } })
}

export async function rotateSession(tx: Tx, session: SessionRow): Promise<number> {
  const generation = session.generation + 1
  await tx.update(sessionEntity, { id: session.id }, { generation, rotatedAt: new Date() })
  return generation
}

/** Ends a user's sessions: one, all but one, or all. @returns the ids of those that were alive */
export async function endSessions(
  tx: Tx,
  userId: string,
  which: { only?: string; except?: string } = {},
): Promise<string[]> {
  const ended = await tx
    .createQueryBuilder()
    .update(sessionEntity)
    .set({ endedAt: new Date() })
    .where({
      userId,
      endedAt: IsNull(),
      ...(which.only ? { id: which.only } : which.except ? { id: Not(which.except) } : {}),
    })
    .returning('id')
    .execute()
  return (ended.raw as { id: string }[]).map(({ id }) => id)
}

/** Sessions that ended after `since`: their access tokens may still be good by their dates. */
export async function findEndedSessions(tx: Tx, since: Date): Promise<SessionRow[]> {
  return tx.find(sessionEntity, { where: { endedAt: MoreThan(since) }, order: { endedAt: 'ASC' } })
}
