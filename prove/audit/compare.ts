/** Whether the log has what clients were answered: by request, and for what the edge counts together by its kind. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { StoredEvent } from '../../services/audit/src/log/entry.ts'
import type { Sent } from './traffic.ts'

/** What is known of when the edge could not keep its word (docs/limits.md). By the clock of `performance.now()`. */
export interface Away {
  gatewayKills: number[]
  broker: { from: number; to: number }[]
}

/** For as long the edge holds repeats back: a minute, and until that is noticed. */
const windowMs = 62_000
/** In which what was published is surely confirmed, unless the broker is away. */
const confirmMs = 2000

interface Facts {
  service: string
  method: string
  route: string
  status: number
  patientIds: string
}
const sorted = (ids: readonly string[]): string => ids.toSorted().join(' ')

/** The events of an export. @param prefix of the ids of requests to be compared */
export async function readEvents(file: string, prefix: string) {
  const ofRequest = new Map<string, Facts[]>()
  /** How many refusals of a kind the edge has counted. */
  const refused = new Map<string, number>()
  const ids = new Set<string>()
  const services: Record<string, number> = {}
  let [size, gaps, repeatedIds] = [0, 0, 0]
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const event = JSON.parse(line) as StoredEvent
    if (event.sequence === undefined) continue
    if (event.sequence !== (size += 1)) gaps += 1
    if (ids.has(event.id)) repeatedIds += 1
    ids.add(event.id)
    services[event.service] = (services[event.service] ?? 0) + 1
    const { service, request, patientIds, code, count } = event
    if (!request.id.startsWith(prefix)) continue
    const { id, method, route, status, ip } = request
    if (service === 'gateway') {
      const kind = `${ip} ${code} ${route}`
      refused.set(kind, (refused.get(kind) ?? 0) + count)
    }
    const known = ofRequest.get(id) ?? []
    ofRequest.set(id, [...known, { service, method, route, status, patientIds: sorted(patientIds) }])
  }
  return { ofRequest, refused, services, size, gaps, repeatedIds }
}

export interface Verdict {
  lost: string[]
  doubled: string[]
  /** Of an answer that disclosed or changed a chart there is no event. */
  unrecordedPhi: string[]
  /** There is an event, and it says something else. */
  different: string[]
  /** Refusals of the edge that went with its process, as docs/limits.md says. */
  excepted: number
  /** Answered with a failure, and yet there is an event of what had been done before. */
  doneThough: number
  /** Cut off before an answer, with an event. */
  unanswered: number
}

export function compare(
  sent: readonly Sent[],
  { ofRequest, refused }: Pick<Awaited<ReturnType<typeof readEvents>>, 'ofRequest' | 'refused'>,
  away: Away,
): Verdict {
  const verdict: Verdict = {
    lost: [],
    doubled: [],
    unrecordedPhi: [],
    different: [],
    excepted: 0,
    doneThough: 0,
    unanswered: 0,
  }
  const describe = ({ id, what, status, code, by, at }: Sent, events: readonly Facts[]) =>
    `${id} (${what}, ${status} ${code} by ${by} at ${(at / 1000).toFixed(1)} s): ${JSON.stringify(events)}`

  function judge(one: Sent): void {
    const events = ofRequest.get(one.id) ?? []
    const { service, status, by } = one
    const own = events.filter((event) => event.service === service)
    const say = (list: string[]) => void list.push(describe(one, events))
    if (events.some((event) => event.service !== service && event.service !== 'gateway')) say(verdict.different)
    if (by === service && status < 500) {
      if (!own.length) say(verdict.lost)
      if (!own.length && service === 'patients' && status < 400) say(verdict.unrecordedPhi)
      if (events.length > 1) say(verdict.doubled)
      const expected = sorted(one.patientIds)
      if (own.some((event) => event.status !== status || isOther(event, one) || event.patientIds !== expected))
        say(verdict.different)
    } else if (by === 'gateway' && status < 500) {
      if (own.length) say(verdict.different)
    } else {
      // what was done and what was answered may differ: an event of each at most
      if (new Set(own.map((event) => event.status)).size < own.length) say(verdict.doubled)
      const done = own.filter((event) => event.status < 500)
      if (done.length > 1 || (by === 'nobody' && own.length > 1)) say(verdict.doubled)
      if (own.some((event) => isOther(event, one))) say(verdict.different)
      if (by === 'nobody') verdict.unanswered += own.length
      else verdict.doneThough += done.length
    }
  }
  sent.forEach(judge)
  const known = new Set(sent.map(({ id }) => id))
  for (const [id, events] of ofRequest)
    if (!known.has(id)) verdict.different.push(`${id} was never asked: ${JSON.stringify(events)}`)

  /** Whether the edge was killed with this still in its memory. */
  const wentWithEdge = ({ at }: Sent, withinMs: number): boolean =>
    away.gatewayKills.some(
      (kill) => kill >= at && (kill - at <= withinMs || away.broker.some(({ from, to }) => from <= kill && to >= at)),
    )
  const isMaybe = ({ by }: Sent) => by === 'either' || by === 'nobody'
  const kindOf = ({ ip, code, edgeRoute }: Sent) => `${ip} ${code} ${edgeRoute}`
  const edge = sent.filter(({ by }) => by === 'gateway')
  const maybe = Map.groupBy(sent.filter(isMaybe), ({ ip }) => ip)
  for (const [kind, same] of Map.groupBy(edge, kindOf)) {
    const found = refused.get(kind) ?? 0
    const [{ ip, alone }] = same as [Sent]
    const excused = same.filter((one) => wentWithEdge(one, alone ? confirmMs : windowMs)).length
    const missing = same.length - found
    if (missing > excused) verdict.lost.push(...same.map((one) => describe(one, ofRequest.get(one.id) ?? [])))
    else if (missing > 0) verdict.excepted += missing
    if (-missing > (maybe.get(ip)?.length ?? 0))
      verdict.doubled.push(`${kind}: ${same.length} answered, ${found} counted`)
    refused.delete(kind)
  }
  for (const [kind, found] of refused)
    if (found > (maybe.get(kind.split(' ', 1)[0]!)?.length ?? 0))
      verdict.different.push(`${kind}: none answered, ${found} counted`)
  return verdict
}

const isOther = ({ method, route }: Facts, sent: Sent): boolean => method !== sent.method || route !== sent.route
