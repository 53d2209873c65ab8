import type { Role } from '@caregate/common/auth'
import type { Basis } from '@caregate/common/events'

/** What may make a chart somebody's to open; `any` asks for nothing beyond the role, `open` for a chart that isn't restricted. */
type Relation = 'any' | 'open' | 'care-team' | 'break-glass' | 'self'

const treating = ['open', 'care-team', 'break-glass'] as const
const nursing = ['open', 'care-team'] as const

/**
 * The one table of who may do what to which part of a chart: role by role, and by which relation to the chart.
 * What isn't in it is refused. Creating, listing and searching have no chart yet: staff may, and see what they may read.
 */
export const policy = {
  'demographics.read': { clinician: treating, nurse: nursing, registrar: ['any'], patient: ['self'] },
  'demographics.change': { clinician: treating, nurse: nursing, registrar: ['any'] },
  /** Identifiers that a government gave, in full; everybody else sees the last digits. */
  'government-ids.read': { registrar: ['any'], patient: ['self'] },
  'clinical.read': { clinician: treating, nurse: nursing, patient: ['self'] },
  'clinical.change': { clinician: treating, nurse: nursing },
  'care-team.read': { clinician: treating, registrar: ['any'] },
  'care-team.change': { clinician: ['open', 'care-team'], registrar: ['any'] },
  'restriction.change': { clinician: ['care-team'], registrar: ['any'] },
  'use.change': { clinician: ['open', 'care-team'] },
  /** Merging it with another chart, and undoing that. */
  'merge.change': { registrar: ['any'] },
  'break-glass.request': { clinician: ['any'] },
  /** With allergies and conditions, as the source has them; also of charts that are there. */
  'chart.import': { registrar: ['any'] },
  'demographics.export': { clinician: ['care-team'], registrar: ['any'] },
  'clinical.export': { clinician: ['care-team'] },
} as const satisfies Record<string, Partial<Record<Role, readonly Relation[]>>>

export type ChartAction = keyof typeof policy

const cellsOf = (action: ChartAction): Partial<Record<Role, readonly Relation[]>> => policy[action]

export const rolesFor = (action: ChartAction): Role[] => Object.keys(policy[action]) as Role[]

/** Whether breaking the glass of a chart is enough for that. */
export const isOpenByGrant = (action: ChartAction): boolean =>
  Object.values(cellsOf(action)).some((relations) => relations.includes('break-glass'))

/** What somebody is to a chart. */
export interface Standing {
  restricted: boolean
  /** Of the care team, today. */
  member: boolean
  /** The grant by which the glass is broken at the moment. */
  grantId: string | null
  /** It is their own. */
  self: boolean
}

/** The closest relation counts: what a member of the care team does is done as one. */
const order = ['self', 'care-team', 'any', 'open', 'break-glass'] as const satisfies Relation[]

function holds(relation: Relation, { restricted, member, grantId, self }: Standing): boolean {
  switch (relation) {
    case 'any':
      return true
    case 'open':
      return !restricted
    case 'care-team':
      return member
    case 'break-glass':
      return grantId !== null
    case 'self':
      return self
  }
}

/** The right by which whoever has these roles may do that; undefined when they may not. */
export function findBasis(action: ChartAction, roles: readonly Role[], standing: Standing): Basis | undefined {
  const relations = new Set(roles.flatMap((role) => cellsOf(action)[role] ?? []))
  const relation = order.find((one) => relations.has(one) && holds(one, standing))
  return relation === 'any' || relation === 'open' ? 'role' : relation
}

/** Whether whoever has these roles may do that to their own chart at most: others' needn't be looked at. */
export function isOwnOnly(action: ChartAction, roles: readonly Role[]): boolean {
  return roles.flatMap((role) => cellsOf(action)[role] ?? []).every((relation) => relation === 'self')
}
