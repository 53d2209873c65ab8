/** Who asks, and what is there to be named: learned from the answers, as clients learn it. */
import { roles, type Role } from '@caregate/common/auth'
import { newPassword } from '../../platform/client.ts'
import { buildAsk, logIn, settle } from '../people.ts'
import type { Operation } from '../operations.ts'

export interface Caller {
  role: Role | 'nobody'
  token?: string
  refreshToken?: string
  email?: string
  password?: string
}
type Params = Record<string, string>
interface Thing {
  params: Params
  version: number
}
const KEPT = 200

const aliases: Record<string, string> = {
  Patient: 'patients',
  AllergyIntolerance: 'allergies',
  Condition: 'conditions',
  AuditEvent: 'events',
  holds: 'patients',
}

/** What an id is of: of `/patients/{id}/allergies/{itemId}` the last is an allergy’s. */
export function kindOf(path: string): string {
  const parts = path.replace(/(\/_?history)?\/\{version\}.*$/, '').split('/')
  const kind = parts[parts.findLastIndex((part) => part.startsWith('{')) - 1] ?? ''
  return aliases[kind] ?? kind
}

/** @param admin who makes accounts, and whom no request names */
export async function openCallers(gateway: string, admin: { email: string; password: string }) {
  const ask = buildAsk(gateway)
  const steward = await settle(ask, admin.email, admin.password)
  let [made, stewardToken] = [0, steward.tokens.accessToken]

  async function fill(caller: Caller): Promise<void> {
    if (caller.role === 'nobody') return
    const email = `caller-${(made += 1)}@prove.test`
    let account = { email, password: newPassword() }
    if (caller.role === 'patient') {
      await ask(201, 'POST', '/api/v1/auth/register', { ...account, fullName: 'A Patient' })
    } else {
      const body = { email, fullName: `A ${caller.role}`, roles: [caller.role] }
      const make = () => ask<{ oneTimePassword: string }>(201, 'POST', '/api/v1/auth/users', body, stewardToken)
      const { oneTimePassword } = await make().catch(async () => {
        stewardToken = (await logIn(ask, steward.account)).accessToken
        return make()
      })
      account = (await settle(ask, email, oneTimePassword)).account
    }
    const { accessToken, refreshToken } = await logIn(ask, account)
    Object.assign(caller, { ...account, token: accessToken, refreshToken })
  }

  const callers: Caller[] = [...roles, ...roles, 'nobody' as const].map((role) => ({ role }))
  for (const caller of callers) await fill(caller)
  const renewals = new Map<Caller, Promise<void>>()
  return {
    of(n: number, may: boolean, allowed: readonly string[]): Caller {
      const some = callers.filter(({ role }) => !may || allowed.includes(role) || !allowed.length)
      return some[n % some.length]!
    },
    /** Somebody new in the place of one whose session or account has ended by what they asked for. */
    async renew(caller: Caller): Promise<void> {
      const one = renewals.get(caller) ?? fill(caller).finally(() => renewals.delete(caller))
      renewals.set(caller, one)
      await one
    },
    made: () => made,
  }
}

export function buildPool(operations: readonly Operation[]) {
  const things = new Map<string, Thing[]>()
  const secrets = { clientId: 'none', clientSecret: 'none' }
  /** The placeholder in which the id of what is made at this path goes. */
  const idOf = new Map(
    operations.flatMap(({ path }) => {
      const [, list, name] = /^(.*)\/\{(\w+)\}$/.exec(path) ?? []
      return list === undefined || name === 'version' ? [] : [[list, name!] as const]
    }),
  )
  function add(kind: string, thing: Thing): void {
    const list = things.get(kind) ?? []
    things.set(kind, list)
    const at = list.findIndex(({ params }) => JSON.stringify(params) === JSON.stringify(thing.params))
    if (at >= 0) list[at] = thing
    else if (list.push(thing) > KEPT) list.shift()
  }
  const at = (kind: string, n: number): Thing | undefined => {
    const list = things.get(kind) ?? []
    return list[n % list.length]
  }

  return {
    add,
    /** What a good answer says of ids and versions. @param params as they were sent */
    learn({ path, method }: Operation, params: Params, body: unknown): void {
      const { items, ...one } = body as { items?: unknown[] } & Record<string, unknown>
      Object.assign(secrets, typeof one.clientSecret === 'string' ? one : {})
      // lists show who asks, too: of accounts those alone are changed that were made for it
      if (items && path.endsWith('/users')) return
      const target = method === 'POST' || items ? path : path.replace(/\/\{\w+\}$/, '')
      for (const each of items ?? [one]) {
        const { id, grantId, version = 1 } = each as { id?: string; grantId?: string; version?: number }
        if (grantId) add('break-glass', { params: { grantId }, version: 1 })
        const name = idOf.get(target)
        if (id && name) add(kindOf(`${target}/{${name}}`), { params: { ...params, [name]: id }, version })
        else if (id && path.startsWith('/api/v1/patients/{id}/')) add('patients', { params: { id }, version })
      }
    },
    /** Puts what is there in the place of `@@…@@`. */
    resolver(kind: string, n: number, caller: Caller) {
      const thing = at(kind, n)
      const unknown = '0190a000-0000-7000-8000-000000000000'
      const values: Record<string, string | undefined> = {
        ...secrets,
        ...thing?.params,
        version: String(thing?.version ?? 1),
        email: caller.email,
        password: caller.password,
        refreshToken: caller.refreshToken,
      }
      return (text: string) =>
        text.replaceAll(/@@(\w+)(\+1)?@@/g, (_all, name: string, next?: string) => {
          const other = at(name, n + (next ? 1 : 0))?.params
          return values[name] ?? other?.id ?? Object.values(other ?? {})[0] ?? unknown
        })
    },
  }
}
