import { IsNull, MoreThan } from 'typeorm'
import { newId, type Tx } from '@caregate/common/database'
import { AppError, notFound } from '@caregate/common/errors'
import { memberEntity, type MemberRow } from '../database.ts'

/** What a client says of a member. Dates are `YYYY-MM-DD`, both days included, in UTC. */
export type NewMember = Pick<MemberRow, 'userId' | 'role' | 'from' | 'to'>
/** A member as clients read it. */
export interface Member extends NewMember {
  id: string
  addedBy: string
  addedAt: string
}

const toMember = ({ id, userId, role, from, to, addedBy, addedAt }: MemberRow): Member => ({
  id,
  userId,
  role,
  from,
  to,
  addedBy,
  addedAt: addedAt.toISOString(),
})

/** In the order in which they were added, whenever it is that they treat; without those who were removed. */
export async function findMembers(
  tx: Tx,
  patientId: string,
  after: string | undefined,
  limit: number,
): Promise<Member[]> {
  const rows = await tx.find(memberEntity, {
    where: { patientId, removedAt: IsNull(), ...(after === undefined ? {} : { id: MoreThan(after) }) },
    order: { id: 'ASC' },
    take: limit,
  })
  return rows.map(toMember)
}

/** Of a locked chart. @throws {AppError} 409 when the user is a member on one of these days already */
export async function addMember(tx: Tx, patientId: string, member: NewMember, addedBy: string): Promise<Member> {
  const { userId, from, to } = member
  const same = await tx.query<unknown[]>(
    `SELECT 1 FROM care_team WHERE patient_id = $1 AND user_id = $2 AND removed_at IS NULL
       AND daterange("from", "to", '[]') && daterange($3, $4, '[]')`,
    [patientId, userId, from, to],
  )
  if (same.length) throw new AppError('conflict', 'The user is of the care team already on one of these days.')
  const row = { ...member, id: newId(), patientId, addedBy, addedAt: new Date(), removedBy: null, removedAt: null }
  await tx.insert(memberEntity, row)
  return toMember(row)
}

/** From now on; the row stays. @throws {AppError} 404, also for one who was removed before */
export async function removeMember(tx: Tx, patientId: string, id: string, removedBy: string): Promise<void> {
  const { affected } = await tx.update(
    memberEntity,
    { id, patientId, removedAt: IsNull() },
    { removedBy, removedAt: new Date() },
  )
  if (affected !== 1) throw notFound('member of the care team')
}
