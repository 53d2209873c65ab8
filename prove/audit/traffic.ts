/** Clients at full speed, and what each of their requests must have left in the log. */
import { Agent, request } from 'node:http'
import { randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Problem } from '@caregate/common/errors'
import type { Service } from '@caregate/common/services'
import type { ReadEvent } from '../../services/audit/src/repository.ts'
import { buildChance } from '../chance.ts'
import { person } from '../load.ts'
import type { AuditStage, Tokens } from './stage.ts'

/** A request, and what is known of it. */
export interface Sent {
  id: string
  what: string
  service: Service
  method: string
  /** As the service's event must name it. */
  route: string
  /** As the edge's must. */
  edgeRoute: string
  /** Where it came from: what the edge refuses is counted by address. */
  ip: string
  /** Whether nothing else the edge refuses came from that address. */
  alone: boolean
  /** When the answer was there, by the clock of `performance.now()`. */
  at: number
  /** 0 where no answer came. */
  status: number
  code: string
  /** Who answered: `either` where that can't be told. */
  by: Service | 'gateway' | 'either' | 'nobody'
  /** Charts that the answer disclosed, changed or refused. */
  patientIds: string[]
}

interface Plan {
  what: string
  service: Service
  method: string
  path: string
  route: string
  token?: string | undefined
  headers?: Record<string, string>
  body?: object
  /** The edge will refuse it. */
  denied?: boolean
  patientIds?: string[]
  /** What an answer tells besides. @returns the charts it disclosed */
  read?(status: number, body: unknown): string[] | undefined
}
interface Chart {
  id: string
  version: number
}

/** Charts that a page of the log discloses; what a reading of the log named is not named again. */
const chartsOf = (events: readonly ReadEvent[]): string[] => [
  ...new Set(events.flatMap(({ type, patientIds }) => (type === 'audit.event.read' ? [] : patientIds))),
]

/** After a failure, in milliseconds. */
const pause = 100

/** @param seed of what is asked, and in which order */
export function startTraffic({ info }: Pick<AuditStage, 'info'>, tokens: Tokens, clients: number, seed: number) {
  const port = Number(new URL(info.gateway).port)
  const sent: Sent[] = []
  const shared: string[] = []
  let acknowledged = 0
  let addresses = 0
  let on = true

  /** An address of this machine's own that nobody had before. */
  const newAddress = () => {
    const n = (addresses += 1)
    return `127.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
  }

  function ask(plan: Plan, id: string, localAddress: string, agent: Agent | false) {
    const json = plan.body && JSON.stringify(plan.body)
    const headers = {
      'x-request-id': id,
      ...(plan.token && { authorization: `Bearer ${plan.token}` }),
      ...(json && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }),
      ...plan.headers,
    }
    const options = { port, host: '127.0.0.1', localAddress, agent, method: plan.method, headers, timeout: 60_000 }
    return new Promise<{ status: number; body: string }>((resolve, reject) => {
      const asked = request({ ...options, path: `/api/v1${plan.path}` }, (answer) => {
        text(answer).then((body) => resolve({ status: answer.statusCode!, body }), reject)
      })
      asked.on('error', reject).on('timeout', () => asked.destroy(new Error('no answer')))
      asked.end(json)
    })
  }

  async function client(n: number): Promise<void> {
    const { int, pick, chance } = buildChance(seed, n)
    const own = newAddress()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const charts: Chart[] = []
    const anyChart = () => pick(shared)
    const { clinician, nurse, auditor } = tokens
    const onChart = { service: 'patients', route: '/patients/{id}', token: clinician } as const
    const listed = (_status: number, body: unknown) => (body as { items: Chart[] }).items.map(({ id }) => id)

    function create(): Plan {
      return {
        ...{ what: 'create', service: 'patients', method: 'POST', path: '/patients?force=true', route: '/patients' },
        ...{ token: chance(0.5) ? clinician : nurse, body: person(int(1000)) },
        read(status, body) {
          if (status !== 201) return
          const { id, version } = body as Chart
          charts.push({ id, version })
          if (shared.length < 5000) shared.push(id)
          return [id]
        },
      }
    }
    function read(): Plan {
      const chart = chance(0.5) ? pick(charts) : undefined
      const id = chart?.id ?? anyChart()
      const known = chart && chance(0.5) && { headers: { 'if-none-match': `"${chart.version}"` } }
      return { ...onChart, what: 'read', method: 'GET', path: `/patients/${id}`, patientIds: [id], ...known }
    }
    function patch(): Plan {
      // out of the list meanwhile, and for good if it fails: its version wouldn't be known
      const [chart] = charts.splice(int(charts.length), 1) as [Chart]
      const phone = { system: 'phone', value: `555 ${int(10_000)}`, use: 'home' }
      return {
        ...{ ...onChart, what: 'patch', method: 'PATCH', path: `/patients/${chart.id}`, patientIds: [chart.id] },
        headers: { 'if-match': `"${chart.version}"` },
        body: { telecom: [phone] },
        read: (status) => {
          if (status === 200) charts.push({ ...chart, version: chart.version + 1 })
          return undefined
        },
      }
    }
    const search = (): Plan => ({
      ...{ what: 'search', service: 'patients', method: 'POST', path: '/patients/search', route: '/patients/search' },
      ...{ token: nurse, body: { q: `Proof ${1 + int(9)}`, limit: 20 }, read: listed },
    })
    const list = (): Plan => ({
      ...{ what: 'list', service: 'patients', method: 'GET', path: '/patients?limit=20', route: '/patients' },
      ...{ token: nurse, read: listed },
    })
    const stale = (): Plan => {
      const id = anyChart()
      const body = { telecom: [] }
      return { ...onChart, what: 'stale', method: 'PATCH', path: `/patients/${id}`, patientIds: [id], body }
    }
    const absent = (): Plan => {
      const id = randomUUID()
      return { ...onChart, what: 'not there', method: 'GET', path: `/patients/${id}`, patientIds: [id] }
    }
    function forbidden(): Plan {
      const id = anyChart()
      const [path, route] = [`/patients/${id}/void`, '/patients/{id}/void']
      const what = { ...onChart, what: 'forbidden', method: 'POST', path, route }
      return { ...what, token: nurse, body: { reason: 'none' }, patientIds: [id] }
    }
    const invalid = (): Plan => ({ ...create(), what: 'invalid', body: { name: {} } })
    const me = (): Plan => ({
      ...{ what: 'who am I', service: 'auth', method: 'GET', path: '/auth/me', route: '/auth/me', token: nurse },
    })
    const events = (): Plan => ({
      ...{ what: 'events', service: 'audit', method: 'GET', path: '/audit/events?limit=5', route: '/audit/events' },
      token: auditor,
      read: (_status, body) => chartsOf((body as { items: ReadEvent[] }).items),
    })
    const anonymous = (): Plan => ({ ...read(), what: 'no token', token: undefined, denied: true })
    const nowhere = (): Plan => ({ ...me(), what: 'no such path', path: '/nowhere', denied: true })

    const kinds: [share: number, plan: () => Plan][] = [
      [34, read],
      [14, patch],
      [12, create],
      [10, search],
      [4, list],
      [4, stale],
      [4, absent],
      [4, forbidden],
      [2, invalid],
      [3, me],
      [4, events],
      [3, anonymous],
      [2, nowhere],
    ]
    const mix = kinds.flatMap(([share, plan]) => Array<typeof plan>(share).fill(plan))
    for (let turn = 0; on; turn++) {
      const plan = (charts.length < 5 ? create : pick(mix))()
      const id = `prove-${n}-${turn}`
      const ip = plan.denied ? newAddress() : own
      const known = { id, what: plan.what, service: plan.service, method: plan.method, ip, alone: !!plan.denied }
      const answer = await ask(plan, id, ip, plan.denied ? false : agent).catch(() => ({ status: 0, body: '' }))
      const { status } = answer
      const body = answer.body.startsWith('{') ? (JSON.parse(answer.body) as Partial<Problem>) : {}
      const code = status > 399 ? (body.code ?? '') : ''
      const by = status ? answeredBy(plan.service, status, body) : 'nobody'
      const disclosed = status > 0 && status < 400 ? plan.read?.(status, body) : undefined
      const edgeRoute = code === 'not_found' ? 'unknown' : `/api/v1/${plan.service}/*`
      const patientIds = disclosed ?? plan.patientIds ?? []
      sent.push({ ...known, route: plan.route, edgeRoute, at: performance.now(), status, code, by, patientIds })
      if (status > 0 && status < 500) acknowledged += 1
      else await sleep(pause)
    }
    agent.destroy()
  }

  const work = Array.from({ length: clients }, (_, n) => client(n))
  return {
    sent,
    acknowledged: () => acknowledged,
    async stop(): Promise<void> {
      on = false
      await Promise.all(work)
    },
  }
}

/** What the edge answers by itself, told from what a service answers. */
function answeredBy(service: Service, status: number, { code, detail = '' }: Partial<Problem>): Sent['by'] {
  if (status === 401 || status === 502 || status === 504) return 'gateway'
  if (code === 'not_found' && detail === 'There is no such path.') return 'gateway'
  if (code !== 'unavailable' || /^(The database|Others) /.test(detail)) return service
  return /^The \w+ service is away/.test(detail) ? 'gateway' : 'either'
}
