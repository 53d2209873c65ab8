import type { Tx } from '@caregate/common/database'
import { mergeEntity, type MergeRow } from '../database.ts'

type Followed = Pick<MergeRow, 'items' | 'members' | 'grants'>

/** How much was ever recorded in a chart besides its own versions. It only grows, and nothing is recorded without it growing. */
export async function countRecorded(tx: Tx, id: string): Promise<number> {
  const [count] = await tx.query<{ recorded: number }[]>(
    `SELECT ((SELECT count(*) FROM clinical_items WHERE patient_id = $1) +
       (SELECT count(*) + count(removed_at) FROM care_team WHERE patient_id = $1))::int AS recorded`,
    [id],
  )
  return count!.recorded
}

/**
 * Whether somebody whom one of two charts opens to, of its care team or by break-glass, now or later, is kept out by the other,
 * which is restricted.
 */
export async function wouldOpen(tx: Tx, ids: readonly [string, string]): Promise<boolean> {
  const found = await tx.query<unknown[]>(
    `WITH opening AS (
       SELECT patient_id, user_id, tstzrange(now(), NULL) *
         tstzrange("from"::timestamp AT TIME ZONE 'UTC', ("to" + 1)::timestamp AT TIME ZONE 'UTC') AS span
       FROM care_team WHERE patient_id = ANY($1::uuid[]) AND removed_at IS NULL
       UNION ALL
       SELECT patient_id, clinician_id, tstzrange(now(), expires_at)
       FROM break_glass_grants WHERE patient_id = ANY($1::uuid[]) AND expires_at > now())
     SELECT FROM opening one JOIN patients p ON p.id = ANY($1::uuid[]) AND p.id <> one.patient_id
     WHERE p.restricted AND NOT isempty(one.span) AND NOT EXISTS
       (SELECT FROM opening o WHERE o.patient_id = p.id AND o.user_id = one.user_id AND o.span @> one.span) LIMIT 1`,
    [ids],
  )
  return found.length > 0
}

/** All that is recorded in one chart follows to another. */
export async function follow(tx: Tx, from: string, to: string): Promise<Followed> {
  const [followed] = await tx.query<Followed[]>(
    `WITH items AS (UPDATE clinical_items SET patient_id = $2 WHERE patient_id = $1 RETURNING id),
       members AS (UPDATE care_team SET patient_id = $2 WHERE patient_id = $1 RETURNING id),
       grants AS (UPDATE break_glass_grants SET patient_id = $2 WHERE patient_id = $1 RETURNING id)
     SELECT ARRAY(SELECT DISTINCT id FROM items) AS items, ARRAY(SELECT id FROM members) AS members, ARRAY(SELECT id FROM grants) AS grants`,
    [from, to],
  )
  return followed!
}

/** And what had followed goes back. */
export async function goBack(tx: Tx, { sourceId, items, members, grants }: MergeRow): Promise<void> {
  await tx.query(
    `WITH items AS (UPDATE clinical_items SET patient_id = $1 WHERE id = ANY($2::uuid[])),
       members AS (UPDATE care_team SET patient_id = $1 WHERE id = ANY($3::uuid[]))
     UPDATE break_glass_grants SET patient_id = $1 WHERE id = ANY($4::uuid[])`,
    [sourceId, items, members, grants],
  )
}

export async function keepMerge(tx: Tx, merge: MergeRow): Promise<void> {
  await tx.insert(mergeEntity, merge)
}

/** The last merge into a chart that was not undone. */
export async function findLastMerge(tx: Tx, targetId: string): Promise<MergeRow | null> {
  return tx
    .createQueryBuilder(mergeEntity, 'm')
    .where({ targetId })
    .andWhere('m.targetId = (SELECT merged_into FROM patients WHERE id = m.sourceId)')
    .orderBy('m.targetVersion', 'DESC')
    .limit(1)
    .getOne()
}
