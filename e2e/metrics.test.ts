import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { SERVICES } from '@caregate/common/services'
import { samplesOf } from '@caregate/common/testing/samples'
import { until } from '@caregate/common/testing/until'
import { freePort } from '../platform/processes.ts'
import { DEFAULT_PORTS, PROCESSES, type ProcessName } from '../platform/services.ts'
import { ROOT } from '../platform/state.ts'
import { openTestPlatform } from './platform.ts'
import { openPrometheus } from '../platform/monitoring/prometheus.ts'

let platform: Awaited<ReturnType<typeof openTestPlatform>>
beforeAll(async () => {
  platform = await openTestPlatform({ env: { REDIS_URL: `redis://127.0.0.1:${await freePort()}` } })
}, 120_000)
afterAll(() => platform.close())

const addressOf = (name: ProcessName): string =>
  name === 'gateway' ? platform.info.metrics : platform.info.services[name]!.url
const scrape = async (name: ProcessName): Promise<string> => (await fetch(`${addressOf(name)}/metrics`)).text()

describe('docs/metrics.md has', () => {
  /** Types and labels of a process's metrics by name, as it serves them; of one that has no value yet the labels are unknown. */
  function served(text: string): Map<string, string> {
    const samples = [...samplesOf(text).keys()]
    const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)]
    return new Map(
      types.map(([, name, type]) => {
        const own = samples.find((sample) => new RegExp(`^${name}(_bucket)?(\\{|$)`).test(sample))
        const labels = [...(own ?? '?').matchAll(/(\w+)=|\?/g)].map(([all, label = all]) => label)
        return [name!, [type, ...labels.filter((label) => label !== 'le')].join(' ')]
      }),
    )
  }
  /** The same as the page says it. */
  function described(process: string): Map<string, string> {
    const page = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8')
    const rows = [...page.matchAll(/^\| `(\w+)` \| (.*?) \| (.*?) \|(.*?)\|/gm)]
    const groups: Record<string, readonly string[]> = { all: PROCESSES, services: SERVICES }
    return new Map(
      rows
        .filter(([, , of]) => (groups[of!] ?? [of]).includes(process))
        .map(([, name, , type, labels]) => [name!, [type, ...labels!.matchAll(/\w+/g)].join(' ')]),
    )
  }

  test.each(PROCESSES)('every metric of %s, and no other', async (name) => {
    const [now, page] = [served(await scrape(name)), described(name)]
    for (const [metric, is] of now) if (is.endsWith('?')) now.set(metric, page.get(metric) ?? is)
    expect(Object.fromEntries(page)).toEqual(Object.fromEntries(now))
  })
})

test('Debian’s Prometheus scrapes the whole platform by the configuration for npm start', async () => {
  let config = readFileSync(join(ROOT, 'ops/prometheus/local.yml'), 'utf8').replace('15s', '1s')
  for (const name of PROCESSES) {
    const shipped = `127.0.0.1:${name === 'gateway' ? DEFAULT_PORTS.metrics : DEFAULT_PORTS[name]}`
    expect(config).toContain(`job_name: ${name}\n    static_configs: [{ targets: ['${shipped}'] }]`)
    config = config.replace(shipped, new URL(addressOf(name)).host)
  }
  const { ask } = await openPrometheus(platform.supervisor, platform.folder, config)
  interface Target {
    labels: { job: string; instance: string }
    health: string
    lastError: string
  }
  const targets = async () => (await ask<{ activeTargets: Target[] }>('targets')).activeTargets
  await until(async () => {
    const known = (await targets()).filter(({ health }) => health !== 'unknown')
    return known.length === PROCESSES.length
  }, 30)
  const found = (await targets()).map(({ labels, health, lastError }) => [
    labels.job,
    labels.instance,
    health,
    lastError,
  ])
  expect(found.sort()).toEqual(PROCESSES.map((name) => [name, new URL(addressOf(name)).host, 'up', '']).sort())

  const query = async (promql: string) => {
    const { result } = await ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
      `query?query=${encodeURIComponent(promql)}`,
    )
    return Object.fromEntries(result.map(({ metric, value }) => [Object.values(metric).join(' '), Number(value[1])]))
  }
  // signing in was all that there was so far
  await until(
    async () => Object.keys(await query('sum by (job) (http_server_request_duration_seconds_count)')).length >= 2,
  )
  const oneEach = Object.fromEntries(PROCESSES.map((name) => [name, 1]))
  expect(await query('max by (service) (caregate_build_info)')).toEqual(oneEach)
  expect(await query('caregate_auth_sign_ins_total{outcome="success"} > 1')).not.toEqual({})
  expect(await query('sum(caregate_gateway_limiter_shared)')).toEqual({ '': 1 })
  expect(await query('max(caregate_gateway_revocations_age_seconds) < 10')).not.toEqual({})
  expect(await query('max(caregate_gateway_discovery_age_seconds) < 60')).not.toEqual({})
  expect(await query('min by (job) (caregate_broker_connected)')).toEqual(oneEach)
}, 60_000)

test.each(['local.yml', 'prometheus.yml'])('Prometheus takes ops/prometheus/%s as it is', (file) => {
  execFileSync('/usr/bin/promtool', ['check', 'config', join(ROOT, 'ops/prometheus', file)], { stdio: 'pipe' })
})
