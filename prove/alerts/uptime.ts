/** What a monitor outside would say, by Debian's blackbox exporter with the shipped modules. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { installPackages } from '../../platform/backing/packages.ts'
import { freePort } from '../../platform/processes.ts'
import { quietProgress } from '../../platform/progress.ts'
import { ROOT } from '../../platform/state.ts'
import type { Supervisor } from '../../platform/supervisor.ts'

const program = '/usr/bin/prometheus-blackbox-exporter'
const asked = {
  caregate_health: '/health',
  caregate_keys: '/.well-known/jwks.json',
  caregate_checkpoint: '/api/v1/audit/checkpoint',
}

/** @returns asks everything. @returns the modules that say it is not as it should be */
export async function openUptime(supervisor: Supervisor, gateway: string): Promise<() => Promise<string[]>> {
  if (!existsSync(program))
    await installPackages(quietProgress, 'the blackbox exporter', ['prometheus-blackbox-exporter'])
  const address = `127.0.0.1:${await freePort()}`
  await supervisor.start({
    name: 'blackbox',
    command: [program, `--config.file=${join(ROOT, 'ops/prometheus/blackbox.yml')}`, `--web.listen-address=${address}`],
    cwd: ROOT,
    env: {},
    stopSignal: 'SIGTERM',
  })
  await supervisor.waitUntil('blackbox', async () => (await fetch(`http://${address}/-/healthy`)).ok, 30)
  return async () => {
    const failing = await Promise.all(
      Object.entries(asked).map(async ([module, path]) => {
        const target = encodeURIComponent(gateway + path)
        const answer = await fetch(`http://${address}/probe?module=${module}&target=${target}`)
        return /^probe_success 1$/m.test(await answer.text()) ? [] : module
      }),
    )
    return failing.flat()
  }
}
