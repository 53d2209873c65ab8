import { chownSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'amqplib'
import { PlatformError } from '../errors.ts'
import { freePort } from '../processes.ts'
import { serviceFolder, type BackingContext } from './context.ts'
import { definitions } from './definitions.ts'
import { containerSpec, dockerPrefix } from './docker.ts'
import { installPackages } from './packages.ts'

const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server'

/** Opens the broker and answers the URLs of its virtual host `/`: of the services, and of who only reads the stream. */
export async function openRabbitmq(context: BackingContext): Promise<{ amqp: string; stream: string | null }> {
  const given = context.env.AMQP_URL
  if (given) {
    await checkRabbitmq(given).catch((error: Error) => {
      throw new PlatformError(
        `AMQP_URL: ${URL.parse(given)?.host} doesn't answer as a RabbitMQ server (${error.message}).`,
      )
    })
    return { amqp: given, stream: null }
  }
  const port = await freePort()
  if (context.kind === 'docker') await startContainer(context, port)
  else await startNative(context, port)
  const scheme = context.tls ? 'amqps' : 'amqp'
  const urlOf = (user: string, password: string) => `${scheme}://${user}:${password}@127.0.0.1:${port}`
  const amqp = urlOf('caregate', context.secrets.rabbitmq)
  await context.supervisor.waitUntil('rabbitmq', () => checkRabbitmq(amqp), 90)
  return { amqp, stream: urlOf('stream', context.secrets.rabbitmq_stream) }
}

const passwordsOf = ({ secrets }: BackingContext) => ({ caregate: secrets.rabbitmq, stream: secrets.rabbitmq_stream })

async function startContainer(context: BackingContext, port: number): Promise<void> {
  const { folder, supervisor } = context
  const volume = `${dockerPrefix(folder)}-rabbitmq:/var/lib/rabbitmq`
  const own = serviceFolder(context, 'rabbitmq')
  // the container's user reads them; there are hashes of passwords in them
  const write = (name: string, text: string) => {
    const file = join(own, name)
    // an image may have made it its own user's
    rmSync(file, { force: true })
    writeFileSync(file, text, { mode: 0o644 })
  }
  write('definitions.json', definitions(passwordsOf(context), context.vhosts))
  write('caregate.conf', 'load_definitions = /etc/rabbitmq/definitions.json\n')
  const mount = (file: string, at: string) => ['-v', `${join(own, file)}:/etc/rabbitmq/${at}`]
  await supervisor.start(
    containerSpec(folder, 'rabbitmq', {
      // The node's name, and with it the folder of its data, is made of the host's.
      flags: [
        ...['--hostname', 'caregate', '-p', `127.0.0.1:${port}:5672`, '-v', volume],
        ...mount('definitions.json', 'definitions.json'),
        ...mount('caregate.conf', 'conf.d/20-caregate.conf'),
      ],
      stopSignal: 'SIGTERM',
    }),
  )
}

async function startNative(context: BackingContext, port: number): Promise<void> {
  if (!existsSync(SERVER)) await installPackages(context.progress, 'RabbitMQ', ['rabbitmq-server'], 'AMQP_URL')
  const folder = serviceFolder(context, 'rabbitmq')
  const write = (name: string, text: string) => {
    const file = join(folder, name)
    writeFileSync(file, text, { mode: 0o600 })
    if (context.user) chownSync(file, context.user.uid, context.user.gid)
    return file
  }
  const loaded = write('definitions.json', definitions(passwordsOf(context), context.vhosts))
  const { tls } = context
  const listener = tls
    ? ['listeners.tcp = none', `listeners.ssl.default = 127.0.0.1:${port}`]
    : [`listeners.tcp.default = 127.0.0.1:${port}`]
  const config = [
    ...listener,
    ...(tls ? [`ssl_options.certfile = ${tls.cert}`, `ssl_options.keyfile = ${tls.key}`] : []),
    `load_definitions = ${loaded}`,
    'log.file = false',
    'log.console = true',
    'log.console.level = warning',
  ]
  const portMapper = String(await freePort())
  const shared = {
    PATH: process.env.PATH,
    HOME: folder,
    LANG: 'C.UTF-8',
    ERL_EPMD_PORT: portMapper,
    ERL_EPMD_ADDRESS: '127.0.0.1',
  }
  const common = { cwd: folder, stopSignal: 'SIGTERM' as const, user: context.user }
  await context.supervisor.start({
    ...common,
    // Erlang would start its port mapper as a daemon of its own, which outlives everything.
    name: 'epmd',
    command: ['epmd', '-port', portMapper, '-address', '127.0.0.1'],
    env: shared,
  })
  await context.supervisor.start({
    ...common,
    name: 'rabbitmq',
    command: [SERVER],
    env: {
      ...shared,
      // Makes the start script become the server instead of staying on as its parent.
      RUNNING_UNDER_SYSTEMD: 'true',
      RABBITMQ_NODENAME: 'caregate@localhost',
      RABBITMQ_DIST_PORT: String(await freePort()),
      RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_LOG: '-color',
      RABBITMQ_ENABLED_PLUGINS_FILE: write('enabled_plugins', '[].\n'),
      RABBITMQ_CONFIG_FILE: write('rabbitmq.conf', `${config.join('\n')}\n`),
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1} +sbwt none',
    },
  })
}

/** Opens a connection and closes it again. */
export async function checkRabbitmq(url: string): Promise<true> {
  const connection = await connect(url, { timeout: 5_000 })
  connection.on('error', () => {})
  await connection.close()
  return true
}
