import { IsNull, LessThan, MoreThan, Not } from 'typeorm'
import { newId, type Tx } from '@caregate/common/database'
import { sessionEntity, type SessionRow } from '../database.ts'

export type NewSession = Pick<SessionRow, 'userId' | 'expiresAt' | 'ip' | 'userAgent'>

export async function createSession(tx: Tx, details: NewSession): Promise<SessionRow> {
  const now = new Date()
  const row: SessionRow = {
    ...details,
    id: newId(),
    generation: 1,
    rotatedAt: now,
    createdAt: now,
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

/** Sessions that are not over, the newest first. */
export async function listSessions(
  tx: Tx,
  userId: string,
  usedSince: Date,
  before: string | undefined,
  limit: number,
): Promise<SessionRow[]> {
  return tx.find(sessionEntity, {
    where: {
      userId,
      endedAt: IsNull(),
      expiresAt: MoreThan(new Date()),
      rotatedAt: MoreThan(usedSince),
      ...(before ? { id: LessThan(before) } : {}),
    },
    order: { id: 'DESC' },
    take: limit,
  })
}

/** Of a service account: what its tokens have in common, until it is changed. Undefined when there is none yet. */
export async function useLiveSession(tx: Tx, userId: string): Promise<string | undefined> {
  const found = await tx.findOneBy(sessionEntity, { userId, endedAt: IsNull(), expiresAt: MoreThan(new Date()) })
  if (found) await tx.update(sessionEntity, { id: found.id }, { rotatedAt: new Date() })
  return found?.id
}

export interface Which {
  only?: string
  except?: string
}

/** Ends a user's sessions: one, all but one, or all. @returns the ids of those that were alive */
export async function endSessions(tx: Tx, userId: string, which: Which = {}): Promise<string[]> {
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

/** Forgets what has been over since `before`. */
export async function deleteOldSessions(tx: Tx, before: Date, unusedSince: Date): Promise<void> {
  await tx.delete(sessionEntity, [
    { endedAt: LessThan(before) },
    { expiresAt: LessThan(before) },
    { rotatedAt: LessThan(unusedSince) },
  ])
}
