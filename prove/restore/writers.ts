/** Clients that write charts at full speed, and know what became of each. */
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { person } from '../load.ts'

interface Chart {
  id: string
  version: number
}

/** A version of a chart that somebody asked for. */
export interface Write {
  /** Of the request, and so of its event. */
  requestId: string
  chartId: string
  version: number
  /** By this machine's clock, in milliseconds. */
  askedAt: number
  answeredAt: number
  /** Of the chart as it was answered. */
  hash: string
}

export const hashOf = (chart: unknown): string => createHash('sha256').update(JSON.stringify(chart)).digest('hex')

/** Each has charts of its own, so that nobody else changes them. */
export function startWriters(gateway: string, token: string, clients: number) {
  const writes: Write[] = []
  let on = true

  async function send(method: string, path: string, body: object, etag?: number): Promise<Chart | undefined> {
    const requestId = randomUUID()
    const askedAt = Date.now()
    const answer = await fetch(`${gateway}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'x-request-id': requestId,
        ...(etag && { 'if-match': `"${etag}"` }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    })
    const text = await answer.text()
    if (!answer.ok) return undefined
    const chart = JSON.parse(text) as Chart
    const { id: chartId, version } = chart
    writes.push({ requestId, chartId, version, askedAt, answeredAt: Date.now(), hash: hashOf(chart) })
    return chart
  }

  async function client(): Promise<void> {
    const own: Chart[] = []
    for (let n = 0; on; n++) {
      // a new chart, then three changes of older ones; what failed in between may have been done, so it is left alone
      const [old] = n % 4 ? own.splice(n % own.length, 1) : []
      const change = { telecom: [{ system: 'phone', value: `555 ${n}`, use: 'home' }] }
      const written = await (
        old
          ? send('PATCH', `/patients/${old.id}`, change, old.version)
          : send('POST', '/patients?force=true', person(n))
      ).catch(() => undefined)
      if (written) own.push({ id: written.id, version: written.version })
      else await sleep(100)
    }
  }

  const work = Array.from({ length: clients }, client)
  return {
    writes,
    async stop(): Promise<void> {
      on = false
      await Promise.all(work)
    },
  }
}
