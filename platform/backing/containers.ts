import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../processes.ts'
import { agentFlags, checkConsul } from './consul.ts'
import { definitions } from './definitions.ts'
import { IMAGES, pullImages } from './docker.ts'
import { checkPostgres } from './postgres.ts'
import { checkRabbitmq } from './rabbitmq.ts'

/** Backing services of a test run in containers, which testcontainers removes however the run ends. */
export async function openTestContainers(vhosts: string[]) {
  // Its reaper needs an image of its own; without it the containers are removed by close() alone.
  if (!(await pullImages(['testcontainers/ryuk:0.14.0']))) process.env.TESTCONTAINERS_RYUK_DISABLED = 'true'
  const { GenericContainer } = await import('testcontainers')
  const password = randomBytes(12).toString('hex')
  const consulPort = await freePort()

  const [postgres, rabbitmq, consul, redis] = await Promise.all([
    new GenericContainer(IMAGES.postgres)
      .withEnvironment({ POSTGRES_PASSWORD: password })
      .withCommand(['postgres', '-c', 'fsync=off', '-c', 'max_connections=200'])
      .withExposedPorts(5432)
      .start(),
    new GenericContainer(IMAGES.rabbitmq)
      .withCopyContentToContainer([
        {
          target: '/etc/rabbitmq/definitions.json',
          content: definitions({ caregate: password, stream: password }, vhosts),
        },
        {
          target: '/etc/rabbitmq/conf.d/20-caregate.conf',
          content: 'load_definitions = /etc/rabbitmq/definitions.json\n',
        },
      ])
      .withExposedPorts(5672)
      .start(),
    new GenericContainer(IMAGES.consul)
      .withNetworkMode('host')
      .withCommand(['agent', ...(await agentFlags(consulPort))])
      .start(),
    new GenericContainer(IMAGES.redis).withExposedPorts(6379).start(),
  ])
  const urls = {
    postgres: `postgresql://postgres:${password}@127.0.0.1:${postgres.getMappedPort(5432)}/postgres`,
    amqp: `amqp://caregate:${password}@127.0.0.1:${rabbitmq.getMappedPort(5672)}`,
    consul: `http://127.0.0.1:${consulPort}`,
    redis: `redis://127.0.0.1:${redis.getMappedPort(6379)}`,
  }
  await Promise.all([
    until(() => checkPostgres(urls.postgres)),
    until(() => checkRabbitmq(urls.amqp)),
    until(() => checkConsul(urls.consul)),
  ])
  const close = async () => {
    await Promise.all([postgres, rabbitmq, consul, redis].map((container) => container.stop()))
  }
  return { ...urls, close }
}

async function until(check: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; await sleep(100)) {
    const outcome = await check().catch((error: Error) => error)
    if (outcome === true) return
    if (Date.now() > deadline) throw outcome || new Error('a container is not ready after 60 s')
  }
}
