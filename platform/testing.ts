import { randomBytes } from 'node:crypto'
import type { TestBacking } from '@caregate/common/testing/service'
import { openTestContainers } from './backing/containers.ts'
import { chooseKind, openMessaging } from './backing/open.ts'
import { openPostgres } from './backing/postgres.ts'
import { freePort } from './processes.ts'
import { quietProgress } from './progress.ts'
import { makeFolder, unprivilegedUser } from './state.ts'
import { openSupervisor } from './supervisor.ts'

export type OpenedBacking = TestBacking & { close(): Promise<void> }

const VHOSTS = ['w1', 'w2', 'w3', 'w4']

/** Real backing services with empty data for a test run; `folder` is a fresh one that every user can reach. */
export async function openTestBacking(folder: string): Promise<OpenedBacking> {
  const env = { REDIS_URL: `redis://127.0.0.1:${await freePort()}` }
  if ((await chooseKind(env, quietProgress)) === 'docker') {
    return { vhosts: VHOSTS, ...(await openTestContainers(VHOSTS)) }
  }
  const supervisor = openSupervisor({ folder: makeFolder(folder) })
  const close = () => supervisor.close({ force: true })
  const password = () => randomBytes(12).toString('hex')
  const secrets = { postgres: password(), rabbitmq: password(), rabbitmq_stream: password() }
  const common = { folder, env, secrets, supervisor, progress: quietProgress }
  const context = { ...common, kind: 'native' as const, user: unprivilegedUser(), vhosts: VHOSTS, disposable: true }
  try {
    const [postgres, { amqp, consul, redis }] = await Promise.all([openPostgres(context), openMessaging(context)])
    if (!consul || !redis) throw new Error('The tests need a Consul and a Redis.')
    return { postgres, amqp, vhosts: VHOSTS, consul, redis, close }
  } catch (error) {
    await close()
    throw error
  }
}
