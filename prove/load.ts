/** What the proofs share: a steady load on a platform, and the trace of that load. */
import { Agent, request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { NewUser } from '../platform/accounts.ts'
import { PlatformError } from '../platform/errors.ts'
import { buildAsk, settle } from './people.ts'

/** A platform that is under load, however it runs. */
export interface Stage {
  /** Ports of all gateways that run, whether they are ready or not. */
  gateways: ReadonlySet<number>
  addUser(email: string, roles: string[]): Promise<NewUser | undefined>
  /** How many events the log has of each request of the load, by its id. */
  countEvents(): Promise<Map<string, number>>
}

/** What stands behind the proof's name. */
export function readAmount(fallback: number): number {
  const amount = Number(process.argv[2] ?? fallback)
  if (amount > 0) return amount
  throw new PlatformError('How often, or for how many minutes, is a number above 0.')
}

export async function isReady(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(1000) })
    await answer.arrayBuffer()
    return answer.ok
  } catch {
    return false
  }
}

interface Chart {
  id: string
  version: number
}

/** Somebody who may do all that the load does, and charts to do it to. */
async function prepare(stage: Pick<Stage, 'gateways' | 'addUser'>, load: number) {
  const ask = buildAsk(`http://127.0.0.1:${[...stage.gateways][0]}`)
  const { email, oneTimePassword } = (await stage.addUser(`prover-${load}@caregate.local`, ['clinician', 'auditor']))!
  const { accessToken: token } = (await settle(ask, email, oneTimePassword)).tokens
  const charts: Chart[] = []
  for (let n = 0; n < 200; n++)
    charts.push(await ask<Chart>(201, 'POST', '/api/v1/patients?force=true', person(n), token))
  return { token, charts }
}

export const person = (n: number) => ({
  name: { given: ['Ada'], family: `Proof ${n}` },
  birthDate: '1975-12-10',
  sex: 'female',
})

export interface Sample {
  /** Of the request, and so of its event. */
  id: string
  what: string
  /** When it was due, by the clock of `performance.now()`; `ms` counts from there. */
  at: number
  ms: number
  /** 0 where no answer came. */
  status: number
  problem: string
  /** Whether a refusal says when to try again. */
  retryAfter: boolean
}

export const failed = ({ status }: Sample): boolean => status < 200 || status > 299

let loads = 0

/** Sends so many requests a second, however long their answers take, to the gateways that were ready a moment ago. */
export async function startLoad(stage: Pick<Stage, 'gateways' | 'addUser'>, rate: number) {
  const load = ++loads
  const idOf = (n: number) => `prove-load-${load}-${n}`
  const { token, charts } = await prepare(stage, load)
  const ids = charts.map(({ id }) => id)
  const agents = new Map<number, Agent>()
  const samples: Sample[] = []
  const inFlight = new Set<Promise<void>>()
  let ready = [...stage.gateways]
  let on = true
  let resting: Promise<unknown> = Promise.resolve()

  async function watchGateways(): Promise<void> {
    for (; on; await sleep(200)) {
      const running = [...stage.gateways]
      const answers = await Promise.all(running.map(isReady))
      ready = running.filter((_port, index) => answers[index])
    }
  }

  function send(n: number, method: string, path: string, headers: Record<string, string> = {}, body?: object) {
    const port = ready[n % ready.length]
    if (port === undefined) return Promise.reject(new Error('no gateway is ready'))
    if (!agents.has(port)) agents.set(port, new Agent({ keepAlive: true }))
    const json = body && JSON.stringify(body)
    if (json) Object.assign(headers, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) })
    Object.assign(headers, { authorization: `Bearer ${token}`, 'x-request-id': idOf(n) })
    return new Promise<IncomingMessage>((resolve, reject) => {
      const options = { port, agent: agents.get(port), method, path: `/api/v1${path}`, headers, timeout: 30_000 }
      const sent = request(options, resolve).on('error', reject)
      sent.on('timeout', () => sent.destroy(new Error('no answer'))).end(json)
    })
  }

  async function change(n: number): Promise<IncomingMessage> {
    // out of the list meanwhile, and for good if it fails: its version wouldn't be known
    const chart = charts.shift()!
    const phone = { telecom: [{ system: 'phone', value: `555 ${n}`, use: 'home' }] }
    const answer = await send(n, 'PATCH', `/patients/${chart.id}`, { 'if-match': `"${chart.version}"` }, phone)
    if (answer.statusCode === 200) charts.push({ ...chart, version: chart.version + 1 })
    // nobody was there to be asked
    else if (answer.statusCode === 503) charts.push(chart)
    return answer
  }

  /** Of twenty requests ten read a chart, seven read something else and three write. */
  const kinds: [share: number, what: string, ask: (n: number) => Promise<IncomingMessage>][] = [
    [10, 'GET a chart', (n) => send(n, 'GET', `/patients/${ids[n % ids.length]}`)],
    [3, 'GET /auth/me', (n) => send(n, 'GET', '/auth/me')],
    [2, 'GET /patients', (n) => send(n, 'GET', '/patients?limit=20')],
    [2, 'GET /audit/events', (n) => send(n, 'GET', '/audit/events?limit=20')],
    [2, 'PATCH a chart', change],
    [1, 'POST /patients', (n) => send(n, 'POST', '/patients?force=true', {}, person(n))],
  ]
  const mix = kinds.flatMap(([share, ...kind]) => Array<typeof kind>(share).fill(kind))

  async function sample(n: number, at: number): Promise<void> {
    // 7 and 20 have no common divisor: the kinds take turns
    const [what, ask] = mix[(n * 7) % mix.length]!
    let [status, problem, retryAfter] = [0, '', false]
    try {
      const answer = await ask(n)
      const body = await text(answer)
      status = answer.statusCode!
      if (status > 299) problem = body
      retryAfter = answer.headers['retry-after'] !== undefined
    } catch (error) {
      status = 0
      problem = String(error)
    }
    samples.push({ id: idOf(n), what, at, ms: performance.now() - at, status, problem, retryAfter })
  }

  async function pace(): Promise<void> {
    let from = performance.now()
    for (let n = 0; on; await sleep(2)) {
      const rested = performance.now()
      await resting
      from += performance.now() - rested
      for (; from + (n * 1000) / rate <= performance.now(); n++) {
        const one = sample(n, from + (n * 1000) / rate).then(() => void inFlight.delete(one))
        inFlight.add(one)
      }
    }
  }

  const work = [watchGateways(), pace()]
  return {
    samples,
    /** Sends nothing, once everything is answered, until `work` is done. */
    async rest<T>(work: () => Promise<T>): Promise<T> {
      const { promise, resolve } = Promise.withResolvers<void>()
      resting = promise
      try {
        await Promise.all(inFlight)
        return await work()
      } finally {
        resolve()
      }
    },
    async stop(): Promise<void> {
      on = false
      await Promise.all(work)
      await Promise.all(inFlight)
      for (const agent of agents.values()) agent.destroy()
    },
  }
}

export const eventsByRequest = `SELECT request_id AS id, count(*)::int AS events FROM events WHERE request_id LIKE 'prove-load-%' GROUP BY 1`

/** Waits until the log has an event of every sample, a minute at most. @returns how many have none, and how many several */
export async function checkTrace(stage: Pick<Stage, 'countEvents'>, samples: Sample[]) {
  for (const deadline = Date.now() + 60_000; ; await sleep(1000)) {
    const events = await stage.countEvents()
    const missing = samples.filter(({ id }) => !events.has(id))
    const several = samples.filter(({ id }) => events.get(id)! > 1)
    if (!missing.length || Date.now() > deadline) return { missing, several }
  }
}

/** What is to be said of the requests that were due between two moments. */
export function summarise(all: Sample[], from = 0, to = Infinity) {
  const samples = all.filter(({ at }) => at >= from && at < to)
  const sorted = samples.map(({ ms }) => ms).sort((a, b) => a - b)
  const at = (share: number) => (sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(1)
  const errors = samples.filter(({ status }) => status === 0).length
  const refused = samples.filter(failed).length - errors
  return { requests: samples.length, refused, errors, p50: at(0.5), p99: at(0.99), max: at(1) }
}

export function printRow(...cells: (string | number)[]): void {
  console.log(cells.map((cell, index) => (index ? String(cell).padStart(10) : String(cell).padEnd(24))).join(''))
}

/** The verdict: every claim, and the first requests that speak against them. */
export function conclude(claims: Record<string, boolean>, offenders: Sample[]): void {
  console.log()
  for (const [claim, holds] of Object.entries(claims)) console.log(`${holds ? '✓' : '✗'} ${claim}`)
  for (const { id, what, at, ms, status, problem } of offenders.slice(0, 10))
    console.log(`  ${id} ${what} at ${(at / 1000).toFixed(2)} s: ${status} after ${ms.toFixed(0)} ms ${problem}`)
  if (!Object.values(claims).every(Boolean)) process.exitCode = 1
}
