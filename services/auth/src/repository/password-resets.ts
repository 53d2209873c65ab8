import { v7 as uuidv7 } from 'uuid'
import { LessThan, MoreThan } from 'typeorm'
import type { Tx } from '@caregate/common/database'
import { passwordResetEntity, type PasswordResetRow } from '../database.ts'

/**
 * Asks for a mail to whoever has this address; one statement, whether somebody has or not.
 * @param everySeconds nobody is mailed more often
 * @returns the user, if there is one to be mailed
 */
export async function requestReset(
  tx: Tx,
  email: string,
  { minutes, everySeconds }: { minutes: number; everySeconds: number },
): Promise<string | undefined> {
  const [row] = await tx.query<{ userId: string }[]>(
    `INSERT INTO password_resets (id, user_id, created_at, expires_at)
     SELECT $1, id, now(), now() + make_interval(mins => $3) FROM users u
     WHERE email = $2 AND NOT disabled AND NOT EXISTS (
       SELECT 1 FROM password_resets r WHERE r.user_id = u.id AND r.created_at > now() - make_interval(secs => $4))
     RETURNING user_id AS "userId"`,
    [uuidv7(), email, minutes, everySeconds],
  )
  return row?.userId
}

/** Takes a request that was not mailed yet; what another instance has in hand is left to that. */
export async function takeUnsentReset(tx: Tx): Promise<{ id: string; email: string; expiresAt: Date } | undefined> {
  const [row] = await tx.query<{ id: string; email: string; expiresAt: Date }[]>(
    `SELECT r.id, u.email, r.expires_at AS "expiresAt" FROM password_resets r JOIN users u ON u.id = r.user_id
     WHERE token_hash IS NULL AND expires_at > now() ORDER BY r.id LIMIT 1 FOR UPDATE OF r SKIP LOCKED`,
  )
  return row
}

export async function setResetToken(tx: Tx, id: string, tokenHash: string): Promise<void> {
  await tx.update(passwordResetEntity, { id }, { tokenHash })
}

/** Undefined when the token is none, spent or late. */
export async function findReset(tx: Tx, tokenHash: string): Promise<PasswordResetRow | undefined> {
  return (await tx.findOneBy(passwordResetEntity, { tokenHash, expiresAt: MoreThan(new Date()) })) ?? undefined
}

/** Uses a token up, and with it all that the user had. @returns the user; undefined when somebody was faster */
export async function spendReset(tx: Tx, tokenHash: string): Promise<string | undefined> {
  const found = await findReset(tx, tokenHash)
  if (!found || !(await tx.delete(passwordResetEntity, { tokenHash })).affected) return undefined
  await tx.delete(passwordResetEntity, { userId: found.userId })
  return found.userId
}

export async function deleteOldResets(tx: Tx): Promise<void> {
  await tx.delete(passwordResetEntity, { expiresAt: LessThan(new Date()) })
}
