import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serviceFolder } from '../backing/context.ts'
import { installPackages } from '../backing/packages.ts'
import { freePort } from '../processes.ts'
import { quietProgress } from '../progress.ts'
import { unprivilegedUser } from '../state.ts'
import type { Supervisor } from '../supervisor.ts'

const server = '/usr/bin/prometheus'

/**
 * Debian's Prometheus, which scrapes as a configuration says until the supervisor closes.
 * @param others further files that the configuration names, by name
 */
export async function openPrometheus(
  supervisor: Supervisor,
  folder: string,
  config: string,
  others: Record<string, string> = {},
  flags: readonly string[] = [],
) {
  if (!existsSync(server)) await installPackages(quietProgress, 'Prometheus', ['prometheus'])
  const user = unprivilegedUser()
  const own = serviceFolder({ folder, user }, 'prometheus')
  const files = { ...others, 'prometheus.yml': config }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(own, name), text)
  const address = `127.0.0.1:${await freePort()}`
  await supervisor.start({
    name: 'prometheus',
    command: [
      server,
      `--config.file=${join(own, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(own, 'data')}`,
      `--web.listen-address=${address}`,
      `--web.external-url=http://${address}`,
      ...flags,
    ],
    cwd: own,
    env: { PATH: process.env.PATH },
    stopSignal: 'SIGTERM',
    user,
  })
  /** Prometheus's HTTP API. @throws what it says is wrong */
  async function ask<Data>(path: string): Promise<Data> {
    const answer = (await (await fetch(`http://${address}/api/v1/${path}`)).json()) as { data: Data; error?: string }
    if (answer.error) throw new Error(answer.error)
    return answer.data
  }
  await supervisor.waitUntil('prometheus', async () => (await fetch(`http://${address}/-/ready`)).ok, 30)
  return { ask }
}
