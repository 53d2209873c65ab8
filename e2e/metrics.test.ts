import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { samplesOf } from '@caregate/common/testing/samples'
import { until } from '@caregate/common/testing/until'
import { freePort } from '../platform/processes.ts'
import { DEFAULT_PORTS, PROCESSES, type ProcessName } from '../platform/services.ts'
import { ROOT } from '../platform/state.ts'
import { openTestPlatform } from './platform.ts'
import { openPrometheus } from './prometheus.ts'

let platform: Awaited<ReturnType<typeof openTestPlatform>>
beforeAll(async () => {
  platform = await openTestPlatform({ env: { REDIS_URL: `redis://127.0.0.1:${await freePort()}` } })
}, 120_000)
afterAll(() => platform.close())

const addressOf = (name: ProcessName): string =>
  name === 'gateway' ? platform.info.metrics : platform.info.services[name]!.url
const scrape = async (name: ProcessName): Promise<string> => (await fetch(`${addressOf(name)}/metrics`)).text()

describe('docs/metrics.md has', () => {
  /** Name, type and labels of each metric of a process, as it says them. */
  function served(text: string): string[] {
    const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => ({ name: name!, type }))
    const samples = [...samplesOf(text).keys()]
    return types.map(({ name, type }) => {
      const own = samples.find((sample) => new RegExp(`^${name}(_bucket)?(\\{|$)`).test(sample))
      const labels = [...(own ?? '').matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le')
      return [name, type, ...labels].join(' ')
    })
  }
  /** The same as the page says it. */
  function described(process: string): string[] {
    const rows = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8').matchAll(
      /^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \|/gm,
    )
    return [...rows].flatMap(([, name, of, type, labels]) => {
      const processes = of === 'all' ? PROCESSES : of === 'services' ? ['auth', 'patients', 'audit'] : [of]
      const words = [...labels!.matchAll(/`(\w+)`(?!=)/g)].map(([, label]) => label)
      return processes.includes(process) ? [[name, type, ...words].join(' ')] : []
    })
  }

  test.each(PROCESSES)('every metric of %s, and no other', async (name) => {
    expect(described(name).sort()).toEqual(served(await scrape(name)).sort())
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
  await until(async () => (await targets()).every(({ health }) => health !== 'unknown'), 30)
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
  expect(await query('max by (service) (caregate_build_info)')).toEqual({ gateway: 1, auth: 1, patients: 1, audit: 1 })
  expect(await query('caregate_auth_sign_ins_total{outcome="success"} > 1')).not.toEqual({})
  expect(await query('sum(caregate_gateway_limiter_shared)')).toEqual({ '': 1 })
  expect(await query('max(caregate_gateway_revocations_age_seconds) < 10')).not.toEqual({})
  expect(await query('max(caregate_gateway_discovery_age_seconds) < 60')).not.toEqual({})
  expect(await query('min by (job) (caregate_broker_connected)')).toEqual({
    gateway: 1,
    auth: 1,
    patients: 1,
    audit: 1,
  })
}, 60_000)

test.each(['local.yml', 'prometheus.yml'])('Prometheus takes ops/prometheus/%s as it is', (file) => {
  execFileSync('promtool', ['check', 'config', join(ROOT, 'ops/prometheus', file)], { stdio: 'pipe' })
})
