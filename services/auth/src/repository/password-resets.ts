import { randomUUIDv7 } from 'node:crypto'
import { LessThan, MoreThan } from 'typeorm'
import type { Tx } from '@caregate/common/database'
import { passwordResetEntity, type PasswordResetRow } from '../database.ts'

/**
 * Asks for a mail to whoever has this address; the same statements, whether somebody has or not.
 * @param everySeconds nobody is mailed more often
 * @returns the user, if there is one to be mailed
 */
export async function requestReset(
  tx: Tx,
  email: string,
  { minutes, everySeconds }: { minutes: number; everySeconds: number },
): Promise<string | undefined> {
  // of those who ask at once one after another, to see each other
  await tx.query('SELECT pg_advisory_xact_lock(hashtext($1))', [email])
  const [row] = await tx.query<{ userId: string }[]>(
    `INSERT INTO password_resets (id, user_id, created_at, expires_at)
     SELECT $1, id, now(), now() + make_interval(mins => $3) FROM users u
     WHERE email = $2 AND NOT disabled AND NOT EXISTS (
       SELECT 1 FROM password_resets r WHERE r.user_id = u.id AND r.created_at > now() - make_interval(secs => $4))
     RETURNING user_id AS "userId"`,
    [randomUUIDv7(), email, minutes, everySeconds],
  )
  return row?.userId
}

/**
 * Takes a request to mail it now. One whose mail failed, or whose instance died over it, is taken again a minute later,
 * so that it is in nobody's way.
 */
export async function takeReset(
  tx: Tx,
  tokenHash: string,
): Promise<{ id: string; email: string; expiresAt: Date } | undefined> {
  const [rows] = await tx.query<[{ id: string; email: string; expiresAt: Date }[], number]>(
    `UPDATE password_resets r SET taken_at = now(), token_hash = $1 FROM users u
     WHERE u.id = r.user_id AND r.id = (
       SELECT id FROM password_resets WHERE sent_at IS NULL AND expires_at > now()
         AND coalesce(taken_at, to_timestamp(0)) < now() - interval '1 minute'
       ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING r.id, u.email, r.expires_at AS "expiresAt"`,
    [tokenHash],
  )
  return rows[0]
}

export async function finishReset(tx: Tx, id: string): Promise<void> {
  await tx.update(passwordResetEntity, { id }, { sentAt: new Date() })
}

/** Whoever holds a token of this user must not choose the password any more. */
export async function deleteResets(tx: Tx, userId: string): Promise<void> {
  await tx.delete(passwordResetEntity, { userId })
}

/** Undefined when the token is none, spent or late. */
export async function findReset(tx: Tx, tokenHash: string): Promise<PasswordResetRow | undefined> {
  return (await tx.findOneBy(passwordResetEntity, { tokenHash, expiresAt: MoreThan(new Date()) })) ?? undefined
}

/** Uses a token up, and with it all that the user had. @returns the user; undefined when somebody was faster */
export async function spendReset(tx: Tx, tokenHash: string): Promise<string | undefined> {
  const found = await findReset(tx, tokenHash)
  if (!found || !(await tx.delete(passwordResetEntity, { tokenHash })).affected) return undefined
  await deleteResets(tx, found.userId)
  return found.userId
}

export async function deleteOldResets(tx: Tx): Promise<void> {
  await tx.delete(passwordResetEntity, { expiresAt: LessThan(new Date()) })
}
