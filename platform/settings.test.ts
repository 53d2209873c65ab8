import { expect, test } from '@jest/globals'
import { ConfigError, loadConfig, type Keys } from '@caregate/common/config'
import { keys as gateway } from '../gateway/src/config.ts'
import { keys as audit, retainKeys } from '../services/audit/src/config.ts'
import { keys as auth } from '../services/auth/src/config.ts'
import { keys as patients, rotateKeys } from '../services/patients/src/config.ts'

/** What is secret, or has a secret in it. */
const secrets = {
  gateway: ['AMQP_URL'],
  auth: ['AMQP_URL', 'CURSOR_KEY', 'DATABASE_URL', 'SECRET_KEY'],
  patients: ['AMQP_URL', 'CURSOR_KEY', 'DATABASE_URL', 'FIELD_KEY'],
  audit: ['AMQP_URL', 'AUDIT_SIGNING_KEY', 'CURSOR_KEY', 'DATABASE_URL'],
  rotate: ['DATABASE_OWNER_URL', 'FIELD_KEY'],
  retain: ['DATABASE_OWNER_URL'],
}
const schemas: Record<keyof typeof secrets, Keys> = {
  gateway,
  auth,
  patients,
  audit,
  rotate: rotateKeys,
  retain: retainKeys,
}
const processes = Object.entries(schemas) as [keyof typeof secrets, Keys][]

/** The keys that a configuration is refused for. */
function refused(keys: Keys, env: NodeJS.ProcessEnv): string[] {
  try {
    loadConfig(keys, env)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [...error.message.matchAll(/^ {2}([A-Z_]+)/gm)].map(([, name]) => name!)
  }
}

test.each(processes)('%s: in production every secret is asked for, and with HS256 the shared key too', (name, keys) => {
  const asked = refused(keys, { NODE_ENV: 'production' })
  expect(asked).toEqual(expect.arrayContaining(secrets[name]))
  if ('ALGORITHM' in keys) expect(refused(keys, { NODE_ENV: 'production', ALGORITHM: 'HS256' })).toContain('SECRET_KEY')
})

test.each(processes)('%s: nothing that could be a secret has a default, anywhere', (_name, keys) => {
  const suspicious = Object.keys(keys).filter((name) => /KEY|SECRET|PASSWORD|TOKEN|_URL/.test(name))
  const withDefault = suspicious.filter(
    (name) => 'default' in ((keys[name]!.describe() as { flags?: object }).flags ?? {}),
  )
  // how often, how long; no secrets
  expect(withDefault.filter((name) => !/_(DAYS|SECONDS|MINUTES)$/.test(name))).toEqual([])
})

test('in production the broker wants a user of its own: RabbitMQ’s guest is known to everybody', () => {
  const asked = (AMQP_URL: string, NODE_ENV = 'production') =>
    refused(gateway, { AMQP_URL, NODE_ENV }).includes('AMQP_URL')
  for (const url of ['amqp://mq', 'amqps://mq/vhost', 'amqp://guest:guest@mq', 'amqp://someone@mq'])
    expect([url, asked(url)]).toEqual([url, true])
  expect([asked('amqps://caregate:a-password@mq'), asked('amqp://mq', 'development')]).toEqual([false, false])
})

test('TLS_REQUIRED names everything that would be plain', () => {
  const plain = {
    TLS_REQUIRED: 'true',
    AMQP_URL: 'amqp://u:p@mq',
    REDIS_URL: 'redis://redis',
    CONSUL_HTTP_ADDR: 'http://consul:8500',
    JWKS_URL: 'http://auth/jwks',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
  }
  expect(refused(gateway, plain).sort()).toEqual([
    'AMQP_URL',
    'CONSUL_HTTP_ADDR',
    'JWKS_URL',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'REDIS_URL',
    'TLS_CERT_FILE',
  ])
  const encrypted = {
    ...plain,
    AMQP_URL: 'amqps://u:p@mq',
    REDIS_URL: 'rediss://redis',
    CONSUL_HTTP_ADDR: 'https://consul:8501',
    JWKS_URL: 'https://auth/jwks',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4318',
    TLS_CERT_FILE: '/tls.crt',
    TLS_KEY_FILE: '/tls.key',
  }
  expect(refused(gateway, encrypted)).toEqual([])
  // the list alone counts where it is used
  const fixed = { ...encrypted, DISCOVERY: 'static', CONSUL_HTTP_ADDR: 'http://consul:8500' }
  expect(refused(gateway, { ...fixed, SERVICES: 'auth=https://a,audit=http://b' })).toEqual(['SERVICES'])
  expect(refused(gateway, { ...fixed, SERVICES: 'auth=https://a,audit=https://b' })).toEqual([])
})
