import { setTimeout as sleep } from 'node:timers/promises'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** A value, or one for each combination of labels. */
type Reading = number | null | readonly (readonly [labels: Record<string, string>, value: number])[]

/**
 * Numbers for Prometheus, of one app: nothing of them is global. A name says the unit, and `_total` where the number only
 * grows (https://prometheus.io/docs/practices/naming).
 */
export interface Metrics {
  /** @returns what adds to it */
  counter(name: string, help: string): (by?: number) => void
  /** A counter for each of a few values of a label, from 0. @returns what counts one */
  counters<V extends string>(name: string, help: string, label: string, values: readonly V[]): (value: V) => void
  /** @returns what adds a value to it */
  histogram(
    name: string,
    help: string,
    buckets: number[],
    ...labels: string[]
  ): (value: number, labels?: Record<string, string>) => void
  /**
   * Numbers that are read together, at each scrape. Those that are null, and all where the reading fails or takes longer
   * than two seconds, are left out of that scrape: none is better than an old one.
   * @param help by name
   */
  gauges<N extends string>(
    help: Record<N, string>,
    read: () => Record<N, Reading> | Promise<Record<N, Reading>>,
    ...labels: string[]
  ): void
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

/** Has the numbers of the process from the start: its version, CPU, memory, garbage, event loop. */
export function buildMetrics(service: string, version: string): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  new Gauge({ name: 'caregate_build_info', help: 'Always 1', labelNames: ['service', 'version'], registers })
    .labels(service, version)
    .set(1)
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
    counters(name, help, label, values) {
      const counter = new Counter({ name, help, labelNames: [label], registers })
      for (const value of values) counter.inc({ [label]: value }, 0)
      return (value) => counter.inc({ [label]: value })
    },
    histogram(name, help, buckets, ...labelNames) {
      const histogram = new Histogram({ name, help, buckets, labelNames, registers })
      return (value, labels = {}) => histogram.observe(labels, value)
    },
    gauges(help, read, ...labelNames) {
      const names = Object.keys(help) as (keyof typeof help)[]
      const own = names.map((name) => [name, new Gauge({ name, help: help[name], labelNames, registers })] as const)
      readings.push(async () => {
        const values = await attempt(async () => read())
        for (const [name, gauge] of own) {
          const value: Reading = values?.[name] ?? []
          // forgets the values of labels, and without any what there was
          gauge.reset()
          gauge.remove({})
          if (typeof value === 'number') gauge.set(value)
          else for (const [labels, one] of value) gauge.set(labels, one)
        }
      })
    },
    scrape: () => (scraping ??= collect().finally(() => (scraping = undefined))),
  }
}
