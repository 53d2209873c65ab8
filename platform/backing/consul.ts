import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { PlatformError } from '../errors.ts'
import { freePort } from '../processes.ts'
import { serviceFolder, type BackingContext } from './context.ts'
import { containerSpec, IMAGES } from './docker.ts'
import { unpackProgram } from './packages.ts'

const run = promisify(execFile)

/** Opens the registry and answers its URL; undefined where no Consul is to be had. */
export async function openConsul(context: BackingContext): Promise<string | undefined> {
  const given = context.env.CONSUL_HTTP_ADDR
  if (given) {
    const url = given.includes('://') ? given : `http://${given}`
    if (await checkConsul(url).catch(() => false)) return url
    throw new PlatformError(`CONSUL_HTTP_ADDR: ${given} doesn't answer as a Consul agent with a leader.`)
  }
  const port = await freePort()
  if (context.kind === 'docker') await startContainer(context, port)
  else {
    // Debian 11 is the last release that has it
    const program = onPath('consul') ?? (await unpackProgram(context.progress, 'consul', 'bullseye'))
    if (!program) return undefined
    await context.supervisor.start({
      name: 'consul',
      command: [program, 'agent', ...(await agentFlags(port, [program], context.tls))],
      cwd: serviceFolder(context, 'consul'),
      env: { PATH: process.env.PATH },
      stopSignal: 'SIGTERM',
      user: context.user,
    })
  }
  const url = `${context.tls ? 'https' : 'http'}://127.0.0.1:${port}`
  await context.supervisor.waitUntil('consul', () => checkConsul(url), 60)
  return url
}

async function startContainer({ folder, supervisor }: BackingContext, port: number): Promise<void> {
  await supervisor.start(
    containerSpec(folder, 'consul', {
      // The agent's health checks go to the services, which listen on this machine's loopback.
      flags: ['--network', 'host'],
      args: ['agent', ...(await agentFlags(port))],
      stopSignal: 'SIGTERM',
    }),
  )
}

const CONTAINER = ['docker', 'run', '--rm', IMAGES.consul]

/** For an agent that keeps nothing: the services register themselves again. */
export async function agentFlags(port: number, program = CONTAINER, tls?: BackingContext['tls']): Promise<string[]> {
  const modern = await isModern(program)
  const others = { server: await freePort(), 'serf-lan': await freePort(), 'serf-wan': -1, dns: -1, grpc: -1 }
  return [
    ...['-dev', '-node', 'caregate', '-bind', '127.0.0.1', '-client', '127.0.0.1', '-log-level', 'warn'],
    ...(tls ? byTls(port, tls) : ['-http-port', String(port)]),
    ...[...Object.entries(others).flatMap(([name, at]) => [`-${name}-port`, String(at)])],
    ...['-hcl', 'disable_update_check = true', ...(modern ? ['-hcl', 'ports { grpc_tls = -1 }'] : [])],
  ]
}

const byTls = (port: number, { cert, key }: NonNullable<BackingContext['tls']>): string[] => [
  ...['-http-port', '-1', '-https-port', String(port)],
  ...['-hcl', `cert_file = "${cert}"`, '-hcl', `key_file = "${key}"`],
]

/** From 1.14 on there is one port more, which would collide with another agent's. */
async function isModern([command = '', ...args]: string[]): Promise<boolean> {
  const { stdout } = await run(command, [...args, 'version'])
  const [, major, minor] = /v(\d+)\.(\d+)/.exec(stdout) ?? []
  return Number(major) > 1 || Number(minor) >= 14
}

function onPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** Whether the agent answers and its cluster has a leader. */
export async function checkConsul(url: string): Promise<boolean> {
  const get = (path: string) => fetch(`${url}${path}`, { signal: AbortSignal.timeout(3_000) })
  const [leader, self] = await Promise.all([get('/v1/status/leader'), get('/v1/agent/self')])
  return self.ok && leader.ok && (await leader.json()) !== ''
}
