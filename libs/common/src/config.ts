import { readFileSync } from 'node:fs'
import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import Joi from 'joi'
import { logLevels, type LogLevel } from './logger.ts'

/** A joi schema that remembers the type of the value it lets through. */
export type Key<T> = Joi.Schema & { readonly value?: T }
export type Keys = Record<string, Key<unknown>>
/** The parsed configuration: one member per key, under the name it has in the environment. */
export type Config<K extends Keys> = { readonly [N in keyof K]: K[N] extends Key<infer T> ? T : never }

export class ConfigError extends Error {}

/** Keys that stand in public tutorials; a token signed with one of them can be forged by anyone. */
const leakedSecrets = [
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  /^(.)\1+$/,
  /^(0123456789|1234567890|abcdefgh)/i,
  /change[-_ ]?me|your[-_ ](super[-_ ])?(secret|jwt)|secret[-_ ]?key[-_ ]?(here|for)|super[-_ ]?secret|replace[-_ ]?(me|this)|example[-_ ]?secret|keyboard cat/i,
]

function secretRules(value: string, helpers: Joi.CustomHelpers): string | Joi.ErrorReport {
  if (Buffer.byteLength(value) < 32) return helpers.message({ custom: '{{#label}} must be at least 32 bytes' })
  const leaked = leakedSecrets.some((known) => (typeof known === 'string' ? known === value : known.test(value)))
  return leaked
    ? helpers.message({ custom: '{{#label}} is publicly known; make one with: openssl rand -base64 48' })
    : value
}

const commaList = (value: string): string[] =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean)

const text = (fallback?: string): Key<string> =>
  fallback === undefined ? Joi.string().required() : Joi.string().default(fallback)
export const url = (...schemes: string[]): Key<string> => Joi.string().uri({ scheme: schemes }).required()
export const integer = (fallback: number, min: number, max: number): Key<number> =>
  Joi.number().integer().min(min).max(max).default(fallback)
const oneOf = <T extends string>(fallback: T, ...values: T[]): Key<T> =>
  Joi.string()
    .valid(...values)
    .default(fallback)
/** A comma list, e.g. `a, b` → `['a', 'b']`. */
export const list = (fallback: string): Key<string[]> => Joi.string().default(commaList(fallback)).custom(commaList)
/** At least 32 bytes that nobody has published; may come from a file named by `<KEY>_FILE`. */
export const secret = (): Key<string> => Joi.string().required().custom(secretRules)
/** While a secret is being changed: the old one, or before that the one to come. */
export const otherSecret = (): Key<string | undefined> => Joi.string().custom(secretRules)

/** An address or a name as it is; of a network (CIDR) the address that this machine has in it. */
function ownAddress(value: string, helpers: Joi.CustomHelpers): string | Joi.ErrorReport {
  const [network = '', bits] = value.split('/')
  if (bits === undefined) return value
  if (isIP(network) !== 4 || !/^([12]?\d|3[0-2])$/.test(bits))
    return helpers.message({ custom: '{{#label}} must be an address, a name or a network like 10.1.0.0/16' })
  const range = new BlockList()
  range.addSubnet(network, Number(bits))
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const found = own.find(({ address, family }) => family === 'IPv4' && range.check(address))
  return found?.address ?? helpers.message({ custom: '{{#label}}: this machine has no address in that network' })
}

/** Where the value of another key is read from, and read again while the process runs. */
const rereadFile = (): Key<string | undefined> => Joi.string()

/** How a process makes connections, and which. */
export const trustKeys = {
  /** PEM: the authorities that every connection of the process trusts, instead of the public ones. Read again when it changes. */
  TLS_CA_FILE: Joi.string() as Key<string | undefined>,
  /** Refuses to be configured with anything that would be asked, or served, without TLS. */
  TLS_REQUIRED: Joi.boolean().default(false) as Key<boolean>,
}

const samplers = [
  ...(['always_on', 'always_off', 'traceidratio'] as const),
  ...(['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const),
]
/** Where traces go and how many of them, by the names of OpenTelemetry; without an endpoint there are none. */
const traceKeys = {
  /** A collector's base, to which `/v1/traces` is appended, or the whole address. */
  OTEL_EXPORTER_OTLP_ENDPOINT: (url('http', 'https') as Joi.StringSchema).optional() as Key<string | undefined>,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: (url('http', 'https') as Joi.StringSchema).optional() as Key<string | undefined>,
  /** `name=value,…`: a key of whoever collects, say. */
  OTEL_EXPORTER_OTLP_HEADERS: Joi.string().default('') as Key<string>,
  /** The others are refused. */
  OTEL_EXPORTER_OTLP_PROTOCOL: oneOf('http/protobuf', 'http/protobuf'),
  /** PEM: whom the collector's certificate is from, where that isn't TLS_CA_FILE. */
  OTEL_EXPORTER_OTLP_CERTIFICATE: Joi.string() as Key<string | undefined>,
  OTEL_TRACES_SAMPLER: oneOf('parentbased_always_on', ...samplers),
  /** The share that a ratio keeps. */
  OTEL_TRACES_SAMPLER_ARG: Joi.number().min(0).max(1).default(1) as Key<number>,
  OTEL_SERVICE_NAME: Joi.string() as Key<string | undefined>,
  OTEL_RESOURCE_ATTRIBUTES: Joi.string() as Key<string | undefined>,
  /** How long spans are gathered before they are sent, in milliseconds. */
  OTEL_BSP_SCHEDULE_DELAY: integer(5000, 1, 600_000),
  OTEL_SDK_DISABLED: Joi.boolean().default(false) as Key<boolean>,
}
export type TraceConfig = Config<typeof traceKeys>

/** `NODE_ENV` decides how strict a process is; every process has it, its port and its log settings. */
export const processKeys = {
  NODE_ENV: oneOf('development', 'development', 'test', 'production'),
  /** In either case; CRITICAL is known from elsewhere and shows as much as ERROR. */
  LOG_LEVEL: Joi.string()
    .uppercase()
    .valid(...logLevels)
    .default('INFO') as Key<LogLevel>,
  LOG_FORMAT: oneOf(process.stdout.isTTY ? 'text' : 'json', 'text', 'json'),
  /** `::` is every interface, IPv4 too. */
  LISTEN_ADDRESS: text('::'),
  /** Where the others reach this process; where addresses are given out, the network in which it is. */
  ADVERTISE_ADDRESS: Joi.string().default('127.0.0.1').custom(ownAddress) as Key<string>,
  /** Without a user it is RabbitMQ's own, whose password everybody knows. */
  AMQP_URL: (url('amqp', 'amqps') as Joi.StringSchema).when('NODE_ENV', {
    is: 'production',
    then: Joi.string().custom((text: string, helpers) =>
      /^amqps?:\/\/(?!guest:guest@)[^/@]+:[^/@]+@/.test(text)
        ? text
        : helpers.message({ custom: '{{#label}} must have a user and a password, other than guest, in production' }),
    ),
  }) as Key<string>,
  AMQP_URL_FILE: rereadFile(),
  ...trustKeys,
  /** PEM files where it is asked by HTTPS: both or none. They are read again when they change. */
  TLS_CERT_FILE: Joi.string() as Key<string | undefined>,
  TLS_KEY_FILE: Joi.string().when('TLS_CERT_FILE', {
    is: Joi.exist(),
    then: Joi.required(),
    otherwise: Joi.forbidden(),
  }) as Key<string | undefined>,
  DISCOVERY: oneOf('consul', 'consul', 'static'),
  CONSUL_HTTP_ADDR: text('http://127.0.0.1:8500'),
  /** How long a process that was told to stop serves on, while the others learn that it goes. */
  DRAIN_GRACE_MS: integer(2000, 0, 60_000),
  REQUEST_TIMEOUT_MS: integer(10_000, 100, 600_000),
  ...traceKeys,
}

/** What it takes to check access tokens: the shared key with HS256, otherwise the address of auth's public keys. */
export const tokenKeys = {
  ALGORITHM: oneOf('ES256', 'ES256', 'RS256', 'HS256'),
  JWT_ISSUER: text('caregate'),
  JWT_AUDIENCE: text('caregate'),
  SECRET_KEY: Joi.string().custom(secretRules).when('ALGORITHM', { is: 'HS256', then: Joi.required() }) as Key<
    string | undefined
  >,
  SECRET_KEY_PREVIOUS: otherSecret(),
  JWKS_URL: Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .when('ALGORITHM', { is: 'HS256', otherwise: Joi.required() }) as Key<string | undefined>,
}

/** Of what Postgres's own clients read in a URL, the mode alone: to encrypt is to verify, by TLS_CA_FILE. */
export const postgresUrl = (): Key<string> =>
  Joi.string()
    .uri({ scheme: ['postgres', 'postgresql'] })
    .required()
    .custom((text: string, helpers) => {
      for (const [name, value] of new URL(text).searchParams) {
        if (name === 'sslmode' && !['disable', ...verified].includes(value))
          return helpers.message({ custom: '{{#label}} must have sslmode=verify-full, or disable' })
        if (/^(ssl(?!mode$)|uselibpqcompat$)/.test(name))
          return helpers.message({ custom: `{{#label}} must not have ${name}: sslmode=verify-full and TLS_CA_FILE do` })
      }
      return text
    })
const verified = ['require', 'verify-ca', 'verify-full']

/** Whether a database is asked by TLS; its certificate is verified then, and its name, whatever the mode is called. */
export const isTlsDatabase = (databaseUrl: string): boolean =>
  verified.includes(new URL(databaseUrl).searchParams.get('sslmode') ?? '')

export const databaseKeys = {
  DATABASE_URL: postgresUrl(),
  DATABASE_URL_FILE: rereadFile(),
  DB_POOL_MAX: integer(10, 2, 200),
  DB_STATEMENT_TIMEOUT_MS: integer(5000, 100, 600_000),
  /** Encrypts the cursors of paged lists; the same on all instances of a service. */
  CURSOR_KEY: secret(),
  /** CIDRs whose `X-Forwarded-For` is believed: the gateway's. */
  TRUSTED_PROXIES: (list('') as Joi.Schema).when('NODE_ENV', { is: 'production', then: Joi.required() }) as Key<
    string[]
  >,
}

/** How a value says that it is asked by TLS; without one of them it is not. */
const encrypted: Record<string, (value: string) => boolean> = {
  AMQP_URL: (value) => value.startsWith('amqps:'),
  REDIS_URL: (value) => value.startsWith('rediss:'),
  CONSUL_HTTP_ADDR: (value) => value.startsWith('https:'),
  JWKS_URL: (value) => value.startsWith('https:'),
  SERVICES: (value) => value.includes('=https:'),
  OTEL_EXPORTER_OTLP_ENDPOINT: (value) => value.startsWith('https:'),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: (value) => value.startsWith('https:'),
  DATABASE_URL: isTlsDatabase,
  DATABASE_OWNER_URL: isTlsDatabase,
}

/** Which of the settings make for connections without TLS. */
export function plainSettings(config: Readonly<Record<string, unknown>>): string[] {
  const unused = config.DISCOVERY === 'static' ? 'CONSUL_HTTP_ADDR' : 'SERVICES'
  const plain = Object.entries(encrypted).flatMap(([name, isEncrypted]) => {
    const values = name === unused ? [] : [config[name] ?? []].flat()
    return values.every((value) => isEncrypted(value as string)) ? [] : [name]
  })
  // a process that listens, without a certificate to do it with
  return 'LISTEN_ADDRESS' in config && !config.TLS_CERT_FILE ? [...plain, 'TLS_CERT_FILE'] : plain
}

/**
 * Parses the environment by one schema a process. A value may come from the file named by `<KEY>_FILE`; an empty one
 * counts as unset, wherever it stands. Keys that the schema does not name are ignored.
 * @throws {ConfigError} naming every bad key at once, never a value
 */
export function loadConfig<K extends Keys>(keys: K, env: NodeJS.ProcessEnv): Config<K> {
  const problems: string[] = []
  const given: Record<string, string> = {}
  for (const name of Object.keys(keys)) {
    const file = env[`${name}_FILE`]
    const followed = name.replace(/_FILE$/, '')
    // a value that stands in the environment is not the file's
    if (followed !== name && followed in keys && env[followed]) continue
    if (env[name]) given[name] = env[name]
    else if (file) {
      try {
        const value = readFileSync(file, 'utf8').trim()
        if (value) given[name] = value
      } catch (error) {
        problems.push(`${name}_FILE can't be read: ${(error as NodeJS.ErrnoException).code}`)
      }
    }
  }
  const options = { abortEarly: false, errors: { wrap: { label: false } } } as const
  const checked = Joi.object(keys).validate(given, options)
  for (const detail of checked.error?.details ?? []) {
    if (!problems.some((problem) => problem.startsWith(`${detail.path[0]}_FILE`))) problems.push(detail.message)
  }
  const settings = checked.value as Record<string, unknown>
  if (!problems.length && settings.TLS_REQUIRED)
    for (const name of plainSettings(settings)) problems.push(`${name} is without TLS, and TLS_REQUIRED is true`)
  if (problems.length) throw new ConfigError(`Configuration refused:\n${problems.map((p) => `  ${p}`).join('\n')}`)
  return settings as Config<K>
}
