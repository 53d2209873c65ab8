import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { trustAuthorities } from '@caregate/common/tls'
import { PlatformError } from '../errors.ts'
import type { Progress } from '../progress.ts'
import { unprivilegedUser, type PlatformInfo, type Secrets } from '../state.ts'
import type { Supervisor } from '../supervisor.ts'
import { openConsul } from './consul.ts'
import type { BackingContext } from './context.ts'
import { dockerAnswers, IMAGES, pullImages } from './docker.ts'
import { openRabbitmq } from './rabbitmq.ts'
import { openRedis } from './redis.ts'

type Kind = BackingContext['kind']

interface Options {
  folder: string
  env: NodeJS.ProcessEnv
  secrets: Pick<Secrets, 'postgres' | 'rabbitmq' | 'rabbitmq_stream'>
  supervisor: Supervisor
  progress: Progress
  vhosts?: string[]
  disposable?: boolean
}

/** Decides how backing services run here. Once decided, it stays so: the data are there and nowhere else. */
export async function openBackingContext(options: Options): Promise<BackingContext> {
  const { folder, progress, env } = options
  if (env.TLS_CA_FILE) trustAuthorities(env.TLS_CA_FILE)
  const file = join(folder, 'backing')
  let kind = existsSync(file) ? (readFileSync(file, 'utf8') as Kind) : undefined
  if (kind === 'docker' && !(await dockerAnswers())) {
    throw new PlatformError('The data are in Docker volumes and no Docker engine answers: start it and try again.')
  }
  if (!kind) {
    kind = await chooseKind(env, progress)
    writeFileSync(file, kind)
  }
  return { vhosts: [], disposable: false, ...options, kind, user: unprivilegedUser() }
}

export async function chooseKind(env: NodeJS.ProcessEnv, progress: Progress): Promise<Kind> {
  if (!(await dockerAnswers())) return 'native'
  const { redis, ...always } = IMAGES
  const images = [...Object.values(always), ...(env.REDIS_URL ? [redis] : [])]
  if (await progress.step('pulling images', () => pullImages(images))) return 'docker'
  progress.note('The Docker engine answers but can not get its images: going on with native packages.')
  return 'native'
}

/** The broker, the registry and the shared counters; the database is opened by itself, for the migrations wait for it alone. */
export async function openMessaging(context: BackingContext): Promise<Omit<PlatformInfo['backing'], 'postgres'>> {
  const { progress } = context
  const [broker, consul, redis] = await Promise.all([
    progress.step('rabbitmq', () => openRabbitmq(context)),
    progress.step('consul', () => openConsul(context)),
    progress.step('redis', () => openRedis(context)),
  ])
  if (!consul) {
    progress.note(
      'WARNING: no Consul is to be had here. Going on with DISCOVERY=static: one instance of each service, at a fixed address.',
    )
  }
  return { ...broker, consul: consul ?? null, redis: redis ?? null }
}
