/** A Compose project of its own beside others: other names, ports and addresses. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { NewUser } from '../../platform/accounts.ts'
import { freePort } from '../../platform/processes.ts'
import { ROOT } from '../../platform/state.ts'
import { eventsByRequest } from '../load.ts'
import { unlimited } from '../unlimited.ts'

const run = promisify(execFile)

/** @param net the first three numbers of its network */
export async function openCompose(name = 'caregate-prove', net = '172.30.81') {
  const ports = { gateway: await freePort(), second: await freePort() }
  const env: NodeJS.ProcessEnv = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('DOCKER_'))),
    ...unlimited,
    ACCESS_TOKEN_EXPIRE_MINUTES: '1440',
    COMPOSE_PROJECT_NAME: name,
    // the checkout's .env is of another platform
    COMPOSE_ENV_FILES: '/dev/null',
    CAREGATE_NET: net,
    GATEWAY_PORT: String(ports.gateway),
    GATEWAY_2_PORT: String(ports.second),
  }
  const gateways = new Set([ports.gateway])

  async function command(program: string, ...args: string[]): Promise<string> {
    try {
      return (await run(program, args, { cwd: ROOT, env, maxBuffer: 2 ** 27 })).stdout.trim()
    } catch (error) {
      const { stderr = '', message } = error as { stderr?: string; message: string }
      throw new Error(`${program} ${args.join(' ')}: ${stderr.trim().split('\n').slice(-5).join('\n') || message}`)
    }
  }
  const docker = (...args: string[]) => command('docker', ...args)
  const compose = (...args: string[]) => docker('compose', ...args)
  const containers = async (service: string) => (await compose('ps', '--quiet', service)).split('\n').filter(Boolean)
  const wipe = () => compose('--profile', '*', 'down', '--volumes', '--remove-orphans')

  // what a run that was killed has left
  await wipe()
  return {
    ports,
    gateways,
    compose,
    /** What the files of compose read; it may be changed in between. */
    env,
    removeVolume: (volume: string) => docker('volume', 'rm', `${name}_${volume}`),

    async addUser(email: string, roles: string[]): Promise<NewUser> {
      const add = ['npm', 'run', '--silent', 'user', '--', 'add', email, '--roles', roles.join(','), '--json']
      return JSON.parse(await compose('exec', '-T', 'auth', ...add)) as NewUser
    },

    async countEvents(): Promise<Map<string, number>> {
      const psql = ['psql', '-U', 'caregate_superuser', '-d', 'caregate_audit', '-AtF', ' ', '-c', eventsByRequest]
      const rows = (await compose('exec', '-T', 'postgres', ...psql)).split('\n').map((row) => row.split(' '))
      return new Map(rows.map(([id = '', events]) => [id, Number(events)]))
    },

    /** What a process must not do at the broker, by what comes of a try. */
    async tryBroker(service: string): Promise<Record<string, unknown>> {
      const probe = readFileSync(join(import.meta.dirname, 'broker-probe.mjs'), 'utf8')
      const printed = await compose('exec', '-T', service, 'node', '--input-type=module', '-e', probe)
      return JSON.parse(printed) as Record<string, unknown>
    },

    async witnessed(): Promise<number> {
      const lines = await compose('exec', '-T', 'witness', 'cat', '/data/checkpoints')
      return lines.split('\n').length
    },

    /** As it ends when nobody asked it to: `docker kill` counts as asking, and nothing would start it again. */
    async crash(service: string): Promise<void> {
      const [id] = await containers(service)
      const pid = await docker('inspect', '--format', '{{.State.Pid}}', id!)
      if (!readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(id!))
        throw new Error('the engine runs in a machine of its own: its processes can’t be killed from here')
      process.kill(Number(pid), 'SIGKILL')
    },

    async roll(service: string): Promise<void> {
      if (service === 'gateway') gateways.add(ports.second)
      await command(join(ROOT, 'ops/compose/roll'), service)
      gateways.delete(ports.second)
    },

    /** How many of the requests for a chart that `work` sends reach each of so many instances. */
    async shareOf(service: string, instances: number, work: () => Promise<void>): Promise<number[]> {
      const scaled = (n: number) =>
        compose('up', '--detach', '--wait', '--no-deps', '--no-recreate', '--scale', `${service}=${n}`, service)
      await scaled(instances)
      const from = new Date().toISOString()
      await work()
      const logs = await Promise.all((await containers(service)).map((id) => docker('logs', '--since', from, id)))
      await scaled(1)
      return logs.map((log) => log.split('\n').filter((line) => line.includes('/patients/{id} 200')).length)
    },

    async imageSizes(): Promise<string> {
      const images = (await compose('config', '--images')).split('\n').filter((image) => image.startsWith('caregate/'))
      const sizes = [...new Set(images)].sort().map(async (image) => {
        const bytes = Number(await docker('image', 'inspect', '--format', '{{.Size}}', image))
        return `${image} ${(bytes / 1e6).toFixed(0)} MB`
      })
      return (await Promise.all(sizes)).join(', ')
    },

    /** @returns what is left of it; what went wrong is left to be looked at */
    async close(well: boolean): Promise<string | undefined> {
      if (!well) {
        const logs = await compose('logs', '--no-color', '--tail', '30').catch(String)
        console.error(logs)
      }
      await wipe()
      const label = ['--quiet', '--filter', `label=com.docker.compose.project=${name}`]
      const lists = [
        ['ps', '--all'],
        ['volume', 'ls'],
        ['network', 'ls'],
      ].map((list) => docker(...list, ...label))
      return (await Promise.all(lists)).join(' ').trim()
    },
  }
}
