import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditEvent } from '@caregate/common/events'
import type { Service } from '@caregate/common/services'
import type { Ask } from '../people.ts'
import { headerOf, problemOf } from './raw.ts'
import type { Passed } from './relay.ts'
import { host, hostSuffix, jwks, origin, type RawAnswer, type World } from './shot.ts'

const leaks =
  /node_modules|node:internal|\.ts:\d|\.js:\d|\n\s+at |\bSELECT\b|\bINSERT INTO\b|\bUPDATE \w+ SET\b|QueryFailed|SQLSTATE|relation "|syntax error at|postgres|amqp|ECONN|EPIPE|127\.0\.0\.1|\/work\/|\/tmp\/|TypeError|SyntaxError|RangeError|\$2[aby]\$/i
const once = ['content-length', 'content-type', 'transfer-encoding', 'x-request-id', 'x-process-time', 'cache-control']

/** What is wrong with an answer, whatever it was an answer to. */
export function judgeAnswer(answer: RawAnswer, head = false): string[] {
  const { status, headers, body } = answer
  const wrong: string[] = []
  const id = headerOf(answer, 'x-request-id')
  if (status >= 500) wrong.push(`a ${status}`)
  if (!id) wrong.push('no X-Request-Id')
  for (const name of once) if (headers.filter(([own]) => own === name).length > 1) wrong.push(`${name} twice`)
  if (headers.some(([name]) => name === 'x-powered-by' || name === 'server')) wrong.push('it says what it runs on')
  const allowed = headerOf(answer, 'access-control-allow-origin')
  if (allowed !== undefined && allowed !== origin) wrong.push(`pages of ${allowed} may read it`)
  if (status < 400 || head) return wrong
  const problem = problemOf(answer)
  if (!problem) wrong.push('an error that is no problem')
  else {
    if (problem.requestId !== id) wrong.push('requestId is not X-Request-Id')
    if (problem.status !== status) wrong.push('its status is another one')
  }
  const leak = leaks.exec(`${headers.map((pair) => pair.join(': ')).join('\n')}\n${body.toString('utf8')}`)
  if (leak) wrong.push(`it tells ${JSON.stringify(leak[0])}`)
  return wrong
}

const isOf = (service: Service, path: string): boolean =>
  (service === 'auth' && path === jwks) || `${path}/`.startsWith(`/api/v1/${service}/`)
const publicPaths = [jwks, ...['login', 'register', 'refresh'].map((name) => `/api/v1/auth/${name}`)]
const streams = /^\/api\/v1\/(patients\/(import|export)|audit\/(export|stream))$/
const crooked = /\/\/|[\\;]|\/\.{1,2}(\/|$)|%(2f|5c|2e|25|3b|[01][0-9a-f]|7f)/i
const oneHop = [
  'te',
  'trailer',
  'expect',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'forwarded',
  'x-real-ip',
]
const told = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-user-id', 'x-user-roles']
const ownRequest = /^(\/health\/ready|\/internal\/revocations(\?since=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)?)$/

/** What is wrong with a request that a client caused, as a service got it. */
function judgePassed({ service, method, target, headers }: Passed, { owners }: World): string[] {
  const wrong: string[] = []
  const all = (name: string): string[] => headers.filter(([own]) => own === name).map(([, value]) => value)
  const [path = ''] = target.split('?', 1)
  if (!isOf(service, path)) wrong.push('no path of this service')
  if (crooked.test(path)) wrong.push('a crooked path')
  if (method === 'OPTIONS' || method === 'CONNECT') wrong.push('a method that the edge answers')

  const doubled = headers.map(([name]) => name).filter((name, n, names) => names.indexOf(name) !== n)
  if (doubled.length) wrong.push(`${[...new Set(doubled)].join(', ')} twice`)
  for (const [name] of headers) {
    if (oneHop.includes(name)) wrong.push(`${name} is for one hop or for nobody`)
    if (/^x-(user|forwarded)-/.test(name) && !told.includes(name)) wrong.push(`${name} is the client's word`)
    if (['transfer-encoding', 'upgrade'].includes(name) && !streams.test(path))
      wrong.push(`${name} where nothing streams`)
  }
  if (all('x-forwarded-for').join() !== '127.0.0.1') wrong.push(`X-Forwarded-For: ${all('x-forwarded-for').join()}`)
  if (all('x-forwarded-proto').join() !== 'http') wrong.push(`X-Forwarded-Proto: ${all('x-forwarded-proto').join()}`)
  const name = (all('x-forwarded-host')[0] ?? '').replace(/:\d+$/, '').toLowerCase()
  if (name !== host && name !== '127.0.0.1' && !(name.endsWith(hostSuffix) && /^[a-z0-9.-]+$/.test(name)))
    wrong.push(`X-Forwarded-Host: ${name}`)

  const owner = owners.get(/^bearer +(\S+) *$/i.exec(all('authorization').join())?.[1] ?? '')
  const isPublic = publicPaths.includes(path)
  if (!isPublic && !owner) wrong.push('no token that is good')
  if (all('x-user-id').join() !== (isPublic ? '' : owner)) wrong.push('X-User-Id is not whose token it is')
  if (isPublic !== (all('x-user-roles').length === 0)) wrong.push('X-User-Roles where there is nobody, or none')
  return wrong
}

export interface PassedVerdict {
  offenders: { what: string[]; request: Passed; kind: string | undefined }[]
  /** The ids by which services know the requests that clients caused. */
  forwarded: Set<string>
  /** Those of which there has to be an event. */
  traced: Set<string>
}

/** @param reaches the ids that may come, and of what */
export function judgeAllPassed(
  passed: readonly Passed[],
  reaches: ReadonlyMap<string, string>,
  world: World,
): PassedVerdict {
  const verdict: PassedVerdict = { offenders: [], forwarded: new Set(), traced: new Set() }
  const seen = new Set<string>()
  // what the gateway asks for itself, it asks on connections of its own
  const isOwn = ({ method, target, headers }: Passed) =>
    method === 'GET' &&
    ownRequest.test(target) &&
    !headers.some(([name]) => name === 'x-request-id' || name === 'authorization')
  for (const [, group] of Map.groupBy(passed, ({ service, connection }) => `${service} ${connection}`)) {
    if (group.every(isOwn)) continue
    for (const request of group) {
      const valueOf = (name: string) => request.headers.find(([own]) => own === name)?.[1] ?? ''
      const known = [valueOf('x-request-id'), valueOf('user-agent').replace('edge/', '')].filter((id) =>
        reaches.has(id),
      )
      const [id] = known
      const what = request.fault ? [request.fault] : judgePassed(request, world)
      if (!id) what.push('nobody may have sent it')
      else if (seen.has(id)) what.push('it came twice')
      else if (known.some((other) => other !== id)) what.push('it is of two requests')
      if (id) seen.add(id)
      if (what.length) verdict.offenders.push({ what, request, kind: id && reaches.get(id) })
      if (request.fault) continue
      verdict.forwarded.add(valueOf('x-request-id'))
      if (!request.target.startsWith(jwks)) verdict.traced.add(valueOf('x-request-id'))
    }
  }
  return verdict
}

/** Codes that the parser's refusals may have been recorded by: it knows less of them. */
const unread = ['bad_request', 'headers_too_large', 'request_timeout', 'too_large']
const recordedAs = (code: string): string => (unread.includes(code) ? 'bad_request' : code)

async function readEvents(ask: Ask, token: string, after: number): Promise<(AuditEvent & { sequence: number })[]> {
  const events: (AuditEvent & { sequence: number })[] = []
  for (let last = after; ;) {
    const path = `/api/v1/audit/events?limit=200&afterSequence=${last}`
    const page = await ask<{ items: typeof events; nextCursor: string | null }>(200, 'GET', path, undefined, token)
    const { items, nextCursor } = page
    events.push(...items)
    if (nextCursor === null) return events
    last = items.at(-1)!.sequence
  }
}

export const lastSequence = async (ask: Ask, token: string): Promise<number> =>
  (await ask<{ items: { sequence: number }[] }>(200, 'GET', '/api/v1/audit/events?limit=1', undefined, token)).items[0]
    ?.sequence ?? 0

/**
 * Waits until the log has what must be in it, for half a minute.
 * @param refused how often the edge answered with each code
 * @param handled ids of requests that a service answered
 */
export async function judgeLog(
  ask: Ask,
  token: string,
  after: number,
  refused: ReadonlyMap<string, number>,
  handled: ReadonlySet<string>,
) {
  const wanted = new Map<string, number>()
  for (const [code, count] of refused) wanted.set(recordedAs(code), (wanted.get(recordedAs(code)) ?? 0) + count)
  for (let tries = 0; ; tries++) {
    const events = await readEvents(ask, token, after)
    const denied = new Map<string, number>()
    for (const { type, code, count } of events)
      if (type === 'gateway.request.denied') denied.set(recordedAs(code!), (denied.get(recordedAs(code!)) ?? 0) + count)
    const ids = new Set(events.filter(({ service }) => service !== 'gateway').map(({ request }) => request.id))
    const missing = [...wanted].filter(([code, count]) => (denied.get(code) ?? 0) < count)
    const untraced = [...handled].filter((id) => !ids.has(id))
    if (tries === 60 || (!missing.length && !untraced.length)) {
      const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((one, other) => one + other, 0)
      return {
        denied: sum(denied),
        refused: sum(wanted),
        missing: missing.map(([code, count]) => `${code}: ${denied.get(code) ?? 0} of ${count}`),
        untraced,
      }
    }
    await sleep(500)
  }
}
