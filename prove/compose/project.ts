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

/**
 * @param net the first three numbers of its network
 * @param files what is laid over docker-compose.yml
 */
export async function openCompose(name = 'caregate-prove', net = '172.30.81', files: string[] = []) {
  const ports = { gateway: await freePort(), second: await freePort() }
  const env: NodeJS.ProcessEnv = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('DOCKER_'))),
    ...unlimited,
    ACCESS_TOKEN_EXPIRE_MINUTES: '1440',
    COMPOSE_PROJECT_NAME: name,
    COMPOSE_FILE: ['docker-compose.yml', ...files].join(':'),
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
  /** Asks a service's database as its superuser. @returns lines of values, apart by a space */
  const query = (service: string, sql: string) =>
    compose('exec', '-T', 'postgres', 'psql', '-Ucaregate_superuser', `-dcaregate_${service}`, '-AtF ', '-c', sql)
  const wipe = () => compose('--profile', '*', 'down', '--volumes', '--remove-orphans')

  // what a run that was killed has left
  await wipe()
  return {
    ports,
    gateways,
    compose,
    query,
    /** What the files of compose read; it may be changed in between. */
    env,
    removeVolume: (volume: string) => docker('volume', 'rm', `${name}_${volume}`),

    async addUser(email: string, roles: string[]): Promise<NewUser> {
      const add = ['npm', 'run', '--silent', 'user', '--', 'add', email, '--roles', roles.join(','), '--json']
      return JSON.parse(await compose('exec', '-T', 'auth', ...add)) as NewUser
    },

    async countEvents(): Promise<Map<string, number>> {
      const rows = (await query('audit', eventsByRequest)).split('\n').map((row) => row.split(' '))
      return new Map(rows.map(([id = '', events]) => [id, Number(events)]))
    },

    /** Runs a script of this folder in the container of a service. @returns what it printed */
    async probe<T>(service: string, script: string, ...args: string[]): Promise<T> {
      const probe = readFileSync(join(import.meta.dirname, script), 'utf8')
      return JSON.parse(await compose('exec', '-T', service, 'node', '--input-type=module', '-e', probe, ...args)) as T
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

    /** @returns what its migrations said */
    async roll(service: string): Promise<string> {
      if (service === 'gateway') gateways.add(ports.second)
      const said = await command(join(ROOT, 'ops/compose/roll'), service)
      gateways.delete(ports.second)
      return said
    },

    /** Builds the release after a service's own: the same code, with newer tables. @returns its version */
    async buildNext(service: string): Promise<string> {
      const next = join(import.meta.dirname, 'next-release')
      const release = `caregate/${service}:1.0.0`
      await docker('build', '--build-arg', `RELEASE=${release}`, '-t', `caregate/${service}:next`, next)
      return 'next'
    },

    async imageOf(service: string): Promise<string> {
      const [id] = await containers(service)
      return docker('inspect', '--format', '{{.Config.Image}}', id!)
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
