import type { Service } from '@caregate/common/services'
import { jsonType, patients, type Aim, type Draft, type RoleName, type World } from '../edge/shot.ts'

type Reads = readonly [service: Service, method: string, target: string]
const me: Reads = ['auth', 'GET', '/api/v1/auth/me']
const reads: Record<RoleName, readonly Reads[]> = {
  admin: [me, ['auth', 'GET', '/api/v1/auth/users?limit=1']],
  clinician: [me, ['patients', 'GET', `${patients}?limit=1`]],
  nurse: [me, ['patients', 'GET', `${patients}?limit=1`]],
  registrar: [me, ['patients', 'GET', `${patients}?limit=1`]],
  auditor: [me, ['audit', 'GET', '/api/v1/audit/events?limit=1']],
  patient: [me],
}
const guarded: readonly Reads[] = [
  me,
  ['auth', 'GET', '/api/v1/auth/users'],
  ['auth', 'POST', '/api/v1/auth/logout'],
  ['patients', 'GET', patients],
  ['patients', 'POST', patients],
  ['audit', 'GET', '/api/v1/audit/events'],
]

/** Tokens that are good, where they are, and those that are good for little, where they are not. */
export function buildControl({ forge, tokens, oneTimeToken }: World, ofClient: string) {
  const scoped = {
    password_change_required: [oneTimeToken, forge.own({ claims: { scope: 'password' } })],
    totp_enrolment_required: [forge.own({ claims: { scope: 'totp' } })],
  }
  const { sub } = forge.claims as { sub: string }
  const subOf = (token: string) =>
    (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString('utf8')) as { sub: string }).sub

  function draw(aim: Aim): { name: string; service: Service; draft: Draft } {
    const kind = aim.int(5)
    if (kind === 0) {
      const code = aim.pick(Object.keys(scoped) as (keyof typeof scoped)[])
      const [service, method, target] = aim.pick(guarded)
      const bytes = aim.request({ method, target, token: aim.pick(scoped[code]) })
      return { name: 'good for something else alone', service, draft: { bytes, intended: [`403 ${code}`] } }
    }
    const role = aim.pick(Object.keys(reads) as RoleName[])
    const [service, method, target] = kind === 1 ? reads.auditor[1]! : aim.pick(reads[role])
    const token = kind === 1 ? ofClient : tokens[role]
    const bytes = aim.request({ method, target, token, headers: [jsonType] })
    const name = kind === 1 ? "a service account's" : 'good'
    return { name, service, draft: { bytes, intended: ['200'] } }
  }
  return {
    draw,
    /** Whose they are, besides those of the world. */
    owners: new Map([
      ...Object.values(scoped)
        .flat()
        .map((token) => [token, token === oneTimeToken ? subOf(token) : sub] as const),
      [ofClient, subOf(ofClient)] as const,
    ]),
  }
}
