import { setTimeout as sleep } from 'node:timers/promises'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Outbox } from './outbox.ts'

/**
 * Numbers for Prometheus, of one app: nothing of them is global. A name says the unit, and `_total` where the number only
 * grows (https://prometheus.io/docs/practices/naming).
 */
export interface Metrics {
  /** @returns what adds to it */
  counter(name: string, help: string): (by: number) => void
  /** @returns what adds a value to it */
  histogram(name: string, help: string, buckets: number[]): (value: number) => void
  /**
   * Numbers that are read together, at each scrape. Those that are null, and all where the reading fails or takes longer
   * than two seconds, are left out of that scrape: none is better than an old one.
   * @param help by name
   */
  gauges<N extends string>(help: Record<N, string>, read: () => Promise<Record<N, number | null>>): void
  /** The text exposition format, 0.0.4. Those who ask at the same time share an answer. */
  scrape(): Promise<string>
  readonly contentType: string
}

const patienceMs = 2000

/** Undefined where a reading fails, or takes longer than two seconds. */
export async function attempt<T>(read: () => Promise<T>): Promise<T | undefined> {
  const late = new AbortController()
  try {
    return await Promise.race([read(), sleep(patienceMs, undefined, late)])
  } catch {
    return undefined
  } finally {
    late.abort()
  }
}

/** Has the numbers of the process from the start: CPU, memory, garbage, event loop. */
export function buildMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const readings: (() => Promise<void>)[] = []
  let scraping: Promise<string> | undefined

  async function collect(): Promise<string> {
    await Promise.all(readings.map((read) => read()))
    return registry.metrics()
  }

  return {
    contentType: registry.contentType,
    counter(name, help) {
      const counter = new Counter({ name, help, registers })
      return (by) => counter.inc(by)
    },
    histogram(name, help, buckets) {
      const histogram = new Histogram({ name, help, buckets, registers })
      return (value) => histogram.observe(value)
    },
    gauges(help, read) {
      const names = Object.keys(help) as (keyof typeof help)[]
      const own = names.map((name) => [name, new Gauge({ name, help: help[name], registers })] as const)
      readings.push(async () => {
        const values = await attempt(read)
        for (const [name, gauge] of own) {
          const value = values?.[name] ?? null
          if (value === null) gauge.remove()
          else gauge.set(value)
        }
      })
    },
    scrape: () => (scraping ??= collect().finally(() => (scraping = undefined))),
  }
}

/** What waits in an outbox. */
export function measureOutbox(metrics: Metrics, outbox: Pick<Outbox, 'backlog'>): void {
  metrics.gauges(
    {
      caregate_outbox_rows: 'Events that wait in the outbox to be published, counted up to 100000',
      caregate_outbox_oldest_seconds: 'For how long the oldest of them has been waiting, 0 when there is none',
    },
    async () => {
      const { rows, oldestSeconds } = await outbox.backlog()
      return { caregate_outbox_rows: rows, caregate_outbox_oldest_seconds: oldestSeconds }
    },
  )
}
