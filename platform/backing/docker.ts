import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import type { ChildSpec } from '../supervisor.ts'

const run = promisify(execFile)

export const IMAGES = {
  postgres: 'postgres:17',
  rabbitmq: 'rabbitmq:4-management',
  consul: 'hashicorp/consul:1.21',
  redis: 'redis:8',
} as const

export async function dockerAnswers(): Promise<boolean> {
  try {
    await run('docker', ['info', '--format', '{{.ID}}'], { timeout: 3_000 })
    return true
  } catch {
    return false
  }
}

/** Whether all images are here or can be pulled. */
export async function pullImages(images: string[]): Promise<boolean> {
  const pulls = images.map(async (image) => {
    await run('docker', ['image', 'inspect', image]).catch(() => run('docker', ['pull', '--quiet', image]))
  })
  const outcomes = await Promise.allSettled(pulls)
  return outcomes.every((outcome) => outcome.status === 'fulfilled')
}

/** The prefix of the containers and volumes that belong to one data folder. */
export function dockerPrefix(folder: string): string {
  return `caregate-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`
}

/** A container as a foreground child: it ends with the command, and the command with it. */
export function containerSpec(
  folder: string,
  service: keyof typeof IMAGES,
  options: {
    /** Flags of `docker run`. Secrets go into `env`, which `-e NAME` passes on without showing them. */
    flags: string[]
    env?: Record<string, string>
    args?: string[]
    stopSignal: NodeJS.Signals
  },
): ChildSpec {
  const container = `${dockerPrefix(folder)}-${service}`
  const { flags, env = {}, args = [], stopSignal } = options
  const names = Object.keys(env).flatMap((name) => ['-e', name])
  return {
    name: service,
    command: ['docker', 'run', '--rm', '--name', container, ...flags, ...names, IMAGES[service], ...args],
    cwd: folder,
    env: { ...process.env, ...env },
    stopSignal,
    container,
  }
}

/** The processes of running containers, as this machine sees them; none where the engine runs in a machine of its own. */
export async function containerPids(containers: string[]): Promise<number[]> {
  if (containers.length === 0) return []
  const { stdout } = await run('docker', ['inspect', '--format', '{{.State.Pid}}', ...containers])
  return stdout
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0)
}

/** Removes what Docker keeps of a data folder. */
export async function removeVolumes(folder: string): Promise<void> {
  const named = `name=^/?${dockerPrefix(folder)}-`
  const list = async (...command: string[]) => {
    const { stdout } = await run('docker', [...command, '--quiet', '--filter', named])
    return stdout.split('\n').filter(Boolean)
  }
  // A container that ended may still be about to be removed.
  const containers = await list('ps', '--all')
  if (containers.length > 0) await run('docker', ['rm', '--force', '--volumes', ...containers])
  const volumes = await list('volume', 'ls')
  if (volumes.length > 0) await run('docker', ['volume', 'rm', ...volumes])
}
