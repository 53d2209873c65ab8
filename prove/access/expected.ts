/** What must come of each request: the policy as one reads it, not as the service computes it. */
import { roles as allRoles, type Role } from '@caregate/common/auth'
import type { Basis } from '@caregate/common/events'
import type { OpenApi } from '@caregate/common/openapi'
import { policy, type ChartAction } from '../../services/patients/src/access.ts'
import type { Caller, Place, Plan, Plans, Relation, Rights } from './shape.ts'

export interface Operation {
  key: string
  method: string
  path: string
  service: string
  roles: readonly Role[] | 'anyone' | 'signed-in'
  rights: Rights | undefined
  plan: Plan
}

/** @throws when the document has an operation for which there is no valid request, or a line that the policy lacks */
export function operationsOf(paths: OpenApi['paths'], plans: Plans): Operation[] {
  const served = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const key = `${method.toUpperCase()} ${path}`
      const roles = operation['x-roles'] as Role[]
      const access = operation['x-access'] as ChartAction | undefined
      if (access && !(access in policy)) throw new Error(`${key}: the policy has no line ${access}`)
      const planned = Object.keys(plans).filter((name) => name === key || name.startsWith(`${key} `))
      if (!planned.length) throw new Error(`${key}: there is no valid request for it`)
      return planned.map((name): Operation => {
        const plan = plans[name]!
        return {
          key: name,
          method: method.toUpperCase(),
          path,
          service: (operation.tags as string[])[0]!,
          roles: operation.security ? 'anyone' : roles.length === allRoles.length ? 'signed-in' : roles,
          rights: access ? policy[access] : plan.rights,
          plan,
        }
      })
    }),
  )
  const order = Object.keys(plans)
  return served.sort((a, b) => order.indexOf(a.key) - order.indexOf(b.key))
}

export interface Expected {
  answers: string[]
  /** Undefined where there is no chart. */
  basis?: Basis | null
  /** Whether there is such a chart must not be seen. */
  blind?: true
}

export function expectedOf({ roles, rights, plan }: Operation, caller: Caller, place: Place): Expected {
  const { answers } = plan
  const allowed = typeof answers === 'function' ? [answers(place)] : [answers].flat()
  const refused = (answer: string): Expected => ({ answers: [answer], ...(rights ? { basis: null } : {}) })
  if (roles === 'anyone') return { answers: allowed }
  if (caller.kind === 'none') return refused('401 unauthorized')
  if (caller.kind !== 'whole' && caller.kind !== plan.scope)
    return refused(caller.kind === 'totp' ? '403 totp_enrolment_required' : '403 password_change_required')
  if (roles !== 'signed-in' && !caller.roles.some((role) => roles.includes(role)))
    return { ...refused('403 forbidden'), ...(rights ? { blind: true } : {}) }
  if (!rights) return { answers: allowed }

  const nearestOf = (line: Rights): Relation | undefined => {
    const near: Record<Relation, boolean> = {
      self: place.own === true,
      'care-team': place.close === 'care-team',
      any: true,
      open: !place.restricted,
      'break-glass': place.close === 'break-glass',
    }
    const has = (relation: Relation) => caller.roles.some((role) => line[role]?.includes(relation))
    return (Object.keys(near) as Relation[]).find((relation) => near[relation] && has(relation))
  }
  const seesOthers = caller.roles.some((role) => rights[role]?.some((relation) => relation !== 'self'))
  if (!place.own && !seesOthers) return { ...refused('403 forbidden'), blind: true }
  if (place.missing && !plan.rights) return refused('404 not_found')
  const nearest = nearestOf(rights)
  // whose glass is broken already needs no hint to break it
  if (!nearest) return refused(place.restricted && place.close !== 'break-glass' ? '403 restricted' : '403 forbidden')
  const basis = nearest === 'any' || nearest === 'open' ? 'role' : nearest
  if (place.voided && !plan.alsoVoided && !plan.rights) return { answers: ['410 gone'], basis }
  if (plan.also && !nearestOf(policy[plan.also])) return { answers: ['403 forbidden'], basis }
  return { answers: allowed, basis }
}
