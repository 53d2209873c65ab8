import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serviceFolder } from '../platform/backing/context.ts'
import { installPackages } from '../platform/backing/packages.ts'
import { freePort } from '../platform/processes.ts'
import { quietProgress } from '../platform/progress.ts'
import { unprivilegedUser } from '../platform/state.ts'
import type { Supervisor } from '../platform/supervisor.ts'

const server = '/usr/bin/prometheus'

/** Debian's Prometheus, which scrapes as a configuration says until the supervisor closes. */
export async function openPrometheus(supervisor: Supervisor, folder: string, config: string) {
  if (!existsSync(server)) await installPackages(quietProgress, 'Prometheus', ['prometheus'])
  const user = unprivilegedUser()
  const own = serviceFolder({ folder, user }, 'prometheus')
  const file = join(own, 'prometheus.yml')
  writeFileSync(file, config)
  const address = `127.0.0.1:${await freePort()}`
  await supervisor.start({
    name: 'prometheus',
    command: [
      server,
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(own, 'data')}`,
      `--web.listen-address=${address}`,
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
