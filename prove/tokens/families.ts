import { byService, type Service } from '@caregate/common/services'
import { bad, buildAim, json, jsonType, noAuth, patients, type Aim, type Draft, type World } from '../edge/shot.ts'
import { tokens as edgeKinds } from '../edge/tokens.ts'
import { forgeAlgorithms } from './algorithms.ts'
import { forgeClaims } from './claims.ts'
import type { makeDead } from './dead.ts'
import { mutate } from './mutate.ts'
import type { PlatformKeys } from './platform-keys.ts'
import { forgeSpellings } from './spellings.ts'

type Call = readonly [method: string, target: string, body?: object]
type Made = readonly [name: string, make: (aim: Aim) => Draft]

const chart = { name: { given: ['Eve'], family: 'Forged' }, birthDate: '1990-12-10', sex: 'female' }
/** Of each service what reads and what writes, with bodies that would do. */
const calls: Record<Service, readonly Call[]> = {
  ...byService((service): Call[] => [['GET', `/api/v1/${service}`]]),
  auth: [
    ['GET', '/api/v1/auth/me'],
    ['PATCH', '/api/v1/auth/me', { fullName: 'Eve' }],
    ['GET', '/api/v1/auth/users'],
    ['POST', '/api/v1/auth/users', { email: 'eve@edge.test', fullName: 'Eve', roles: ['admin'] }],
    ['POST', '/api/v1/auth/keys/rotate'],
  ],
  patients: [
    ['GET', patients],
    ['POST', patients, chart],
    ['POST', `${patients}/search`, { family: 'Large' }],
    ['GET', `${patients}/export`],
  ],
  audit: [
    ['GET', '/api/v1/audit/events'],
    ['POST', '/api/v1/audit/events', {}],
    ['GET', '/api/v1/audit/stream'],
  ],
}
const allCalls = Object.values(calls).flat()

function buildDraft(aim: Aim, token: string, intended: readonly string[]): Draft {
  const [method, target, body] = aim.pick(allCalls)
  const headers = [`Authorization: Bearer ${token}`, ...(body ? [jsonType] : [])]
  return { bytes: aim.request({ method, target, headers, body: body ? json(body) : '' }), intended }
}

const ended = 'of a session that has ended'
/** Whether it is the gateway alone that refuses it. */
export const isGatewaysAlone = (name: string): boolean => name.includes('ended')

/** The same to a path of this service, which takes longer headers and has no words for what its parser refuses. */
export function redirect(aim: Aim, { bytes, intended }: Draft, service: Service): Draft {
  const [method, target] = aim.pick(calls[service])
  return {
    bytes: bytes.replace(/^\S+ \S+/, `${method} ${target}`),
    intended: intended.includes(noAuth) ? intended : [...intended, noAuth, '400 without a body', '431 without a body'],
  }
}

/** What the n-th forged token is, and how it is sent: listed ones, those of the edge's proof, and mutations in turn. */
export function buildForgeries(
  world: World,
  keys: PlatformKeys,
  dead: Awaited<ReturnType<typeof makeDead>>,
): (n: number) => Made {
  const families = {
    ...forgeAlgorithms(world, keys),
    ...forgeClaims(world, keys),
    ...forgeSpellings(world, dead.others),
    [ended]: dead.ended,
  }
  // the families mixed, so that a short run has something of each
  const listed = Object.entries(families)
    .flatMap(([name, tokens]) => tokens.map((token, n) => ({ name, token, at: n / tokens.length })))
    .sort((one, other) => one.at - other.at)
    .map(({ name, token }): Made => [name, (aim) => buildDraft(aim, token, [noAuth])])
  const probe = buildAim(0, 0, world)
  const fromEdge = Object.entries(edgeKinds)
    .filter(([, make]) => !make(probe).reaches)
    .map(([name, make]): Made => [`edge: ${name}`, make])
  const mutated: Made = ['mutations of good ones', (aim) => buildDraft(aim, mutate(aim), [noAuth, bad])]
  return (n) => {
    const turn = Math.floor(n / 4)
    if (n % 4 < 2) return listed[(turn * 2 + (n % 4)) % listed.length]!
    return n % 4 === 2 ? fromEdge[turn % fromEdge.length]! : mutated
  }
}
