/** A Prometheus with the shipped rules, in a hurry: it asks every three seconds, and their durations are shorter. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { openPrometheus } from '../../platform/monitoring/prometheus.ts'
import { hurry, readRules } from '../../platform/monitoring/rules.ts'
import { makeFolder, ROOT } from '../../platform/state.ts'
import type { Supervisor } from '../../platform/supervisor.ts'

export interface Alert {
  labels: { alertname: string; severity: string }
  annotations: { summary: string; runbook_url: string }
  state: 'pending' | 'firing'
}

/**
 * @param targets of each job
 * @param factor so many times shorter is every duration of the rules
 */
export async function openHurried(
  folder: string,
  supervisor: Supervisor,
  targets: Record<string, string[]>,
  factor: number,
) {
  const config = {
    // a process takes up to two seconds to find out that it can't reach its database
    global: { scrape_interval: '3s', scrape_timeout: '3s', evaluation_interval: '1s' },
    rule_files: ['rules.yml'],
    scrape_configs: Object.entries(targets).map(([job_name, own]) => ({
      job_name,
      static_configs: [{ targets: own }],
    })),
  }
  // where Prometheus's user may read, wherever the checkout is
  const assets = makeFolder(join(folder, 'assets'))
  cpSync(join(ROOT, 'docs/runbooks'), join(assets, 'runbooks'), { recursive: true })
  const rules = { 'rules.yml': stringify(hurry(readRules(), factor)) }
  const { ask } = await openPrometheus(supervisor, folder, stringify(config), rules, [`--web.user-assets=${assets}`])
  return {
    /** @returns the values that are numbers */
    async query(expr: string): Promise<number[]> {
      const { result } = await ask<{ result: { value: [number, string] }[] }>(`query?query=${encodeURIComponent(expr)}`)
      return result.map(({ value }) => Number(value[1])).filter((value) => !Number.isNaN(value))
    },
    alerts: async () => (await ask<{ alerts: Alert[] }>('alerts')).alerts,
  }
}
