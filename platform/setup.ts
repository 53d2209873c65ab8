/**
 * What a deployment in containers needs before its processes start, in two steps that may be repeated.
 * `setup.ts secrets`: keys and passwords, made once, are laid out as files, for each reader in a folder of its own.
 * `setup.ts databases`: databases and roles are made where they are missing.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandConfig } from '@caregate/common/command'
import { byService, SERVICES } from '@caregate/common/services'
import { definitions } from './backing/definitions.ts'
import { ensureSuperuser, serverUrl, SUPERUSER } from './backing/postgres.ts'
import { isLoopback } from './backing/context.ts'
import { PlatformError, runTool } from './errors.ts'
import { checkEnvironment, DEFAULT_PORTS, provisionServices, serviceDatabaseUrls } from './services.ts'
import { openSecrets, type Secrets } from './state.ts'

/** One volume each for those who read; `own` is nobody else's. */
const FOLDER = '/secrets'
/** What the user has set; the files that are named to the processes are those which are made here. */
const env: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries(process.env).filter(([key, value]) => value && !key.endsWith('_FILE')),
)
const ownServer = !env.DATABASE_URL || isLoopback(serverUrl(env.DATABASE_URL).hostname)

/** With `docker-compose.tls.yml`, whose certificates stand beside what is placed here. */
const tls = env.COMPOSE_TLS === 'true'
const ownUrl = {
  postgres: (password: string) =>
    `postgresql://${SUPERUSER}:${password}@postgres:5432/postgres${tls ? '?sslmode=verify-full' : ''}`,
  amqp: (user: string, password: string) =>
    tls ? `amqps://${user}:${password}@rabbitmq:5671` : `amqp://${user}:${password}@rabbitmq:5672`,
  redis: (password: string) => `${tls ? 'rediss' : 'redis'}://:${password}@redis:6379`,
}
const redisByTls = [
  'port 0',
  'tls-port 6379',
  'tls-cert-file /secrets/tls.crt',
  'tls-key-file /secrets/tls.key',
  'tls-ca-cert-file /secrets/ca.crt',
  'tls-auth-clients no',
]
const rabbitmqByTls = [
  'listeners.tcp = none',
  'listeners.ssl.default = 5671',
  ...['management.ssl.port = 15671', 'prometheus.ssl.port = 15691', 'prometheus.tcp.listener = none'],
  ...['ssl_options', 'management.ssl', 'prometheus.ssl'].flatMap((listener) => [
    `${listener}.certfile = /secrets/tls.crt`,
    `${listener}.keyfile = /secrets/tls.key`,
  ]),
]

const administrator = (secrets: Secrets): string =>
  ownServer ? ownUrl.postgres(secrets.postgres) : serverUrl(env.DATABASE_URL!).href

/** Readable by whoever sees the folder; in one step, since its reader may be reading it. */
function place(reader: string, files: Record<string, string | undefined>): void {
  for (const [name, value = ''] of Object.entries(files)) {
    const file = join(FOLDER, reader, name)
    writeFileSync(`${file}.new`, value, { mode: 0o444 })
    renameSync(`${file}.new`, file)
  }
}

async function layOut(secrets: Secrets): Promise<void> {
  await checkEnvironment({ env, secrets, ports: DEFAULT_PORTS })
  const admin = administrator(secrets)
  const { CURSOR_KEY, FIELD_KEY, SECRET_KEY, AUDIT_SIGNING_KEY } = { ...secrets, ...env }
  const holders = env.ALGORITHM === 'HS256' ? [...SERVICES, 'gateway'] : ['auth']
  for (const name of ['gateway', ...SERVICES] as const) {
    const holdsSecretKey = holders.includes(name)
    place(name, {
      AMQP_URL: env.AMQP_URL ?? ownUrl.amqp(name, secrets[`rabbitmq_${name}`]),
      SECRET_KEY: holdsSecretKey ? SECRET_KEY : undefined,
      SECRET_KEY_PREVIOUS: holdsSecretKey ? env.SECRET_KEY_PREVIOUS : undefined,
    })
  }
  for (const service of SERVICES) {
    const { DATABASE_URL, DATABASE_OWNER_URL } = serviceDatabaseUrls(admin, service, secrets)
    place(service, { DATABASE_URL, CURSOR_KEY })
    place('migrations', { [`${service}.app`]: DATABASE_URL, [`${service}.owner`]: DATABASE_OWNER_URL })
  }
  place('gateway', { REDIS_URL: env.REDIS_URL ?? ownUrl.redis(secrets.redis) })
  place('auth', { SMTP_URL: env.SMTP_URL })
  place('patients', { FIELD_KEY, FIELD_KEY_PREVIOUS: env.FIELD_KEY_PREVIOUS })
  place('audit', { AUDIT_SIGNING_KEY })
  place('witness', { 'key.pem': secrets.WITNESS_SIGNING_KEY })
  place('postgres', {
    password: secrets.postgres,
    'pg_hba.conf': 'local all all trust\nhostssl all all all scram-sha-256\n',
  })
  place('redis', {
    'redis.conf': [`requirepass ${secrets.redis}`, 'save ""', 'appendonly no', ...(tls ? redisByTls : [])].join('\n'),
  })
  place('rabbitmq', {
    'rabbitmq.conf': [
      'load_definitions = /secrets/definitions.json',
      'log.console.level = warning',
      ...(tls ? rabbitmqByTls : []),
    ].join('\n'),
    'definitions.json': definitions({
      gateway: secrets.rabbitmq_gateway,
      ...byService((service) => secrets[`rabbitmq_${service}`]),
      stream: secrets.rabbitmq_stream,
    }),
  })
}

async function makeDatabases(secrets: Secrets): Promise<void> {
  // trusts TLS_CA_FILE
  commandConfig({})
  const admin = administrator(secrets)
  if (ownServer && env.DATABASE_URL) await ensureSuperuser(admin, serverUrl(env.DATABASE_URL))
  await provisionServices(admin, secrets)
}

await runTool(async () => {
  const secrets = openSecrets(join(FOLDER, 'own'))
  const [step] = process.argv.slice(2)
  if (step === 'secrets') await layOut(secrets)
  else if (step === 'databases') await makeDatabases(secrets)
  else throw new PlatformError('Usage: setup.ts secrets|databases')
})
