import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { SERVICES } from '@caregate/common/services'
import { PROCESSES, settingsOf } from '../platform/services.ts'
import { ROOT } from '../platform/state.ts'

interface Container {
  image: string
  build?: { args: { SERVICE: string; VERSION: string } }
  environment?: Record<string, string | null>
  volumes?: string[]
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  user?: string
  command?: string[]
  restart?: string
}
const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')
const { services } = parse(text, { merge: true, maxAliasCount: -1 }) as { services: Record<string, Container> }
const ours = Object.entries(services).filter(([, { image }]) => image.startsWith('caregate/'))

/** They follow from what an image is, and from there being a Consul; TLS is docker-compose.tls.yml's, and of traces a few will do. */
const fixed =
  /^((METRICS_)?PORT|LISTEN_ADDRESS|DISCOVERY|SERVICES|TLS_.*|OTEL_(.*_(TRACES_ENDPOINT|PROTOCOL|CERTIFICATE)|SERVICE_NAME|BSP_.*|SDK_DISABLED))$/

test.each(PROCESSES)('%s can be given every setting that it takes', async (name) => {
  const keys = await settingsOf(name)
  const names = Object.keys(services[name]!.environment!)
  const settings = Object.keys(keys).filter((key) => !fixed.test(key))
  expect(settings.filter((key) => !names.includes(key) && !names.includes(`${key}_FILE`))).toEqual([])
  const unknown = names.map((key) => key.replace(/_FILE$/, '')).filter((key) => !(key in keys))
  // what only some have to know is empty for the others
  expect(unknown.filter((key) => !['JWKS_URL', 'SECRET_KEY', 'SECRET_KEY_PREVIOUS'].includes(key))).toEqual([])
})

test('an image is called by the version that its package has', () => {
  for (const [name, { image }] of ours) {
    const [, service, version] = /^caregate\/(\w+):\$\{[A-Z]+_VERSION:-(.+)\}$/.exec(image)!
    const elsewhere: Record<string, string> = { gateway: 'gateway', platform: 'platform', backup: 'ops/backup' }
    const folder = elsewhere[service!] ?? `services/${service}`
    const manifest = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as { version: string }
    expect([name, version]).toEqual([name, manifest.version])
  }
})

test('containers of ours write nowhere but to /tmp and their volumes, and may do nothing special', () => {
  for (const [name, container] of ours) {
    const { read_only, cap_drop, security_opt, user, restart } = container
    const may = { read_only, cap_drop, security_opt }
    expect([name, may]).toEqual([
      name,
      { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] },
    ])
    // those that prepare volumes are root, and gone when the others come
    expect([name, user ?? 'node']).toEqual([name, restart === 'no' && user ? 'root' : 'node'])
  }
})

test('what is secret reaches those who need it: a process sees files of its own alone', () => {
  for (const name of PROCESSES) {
    const container = services[name]!
    expect(container.volumes).toEqual([`${name}-secrets:/secrets:ro`])
    for (const key of ['SECRET_KEY', 'DATABASE_URL', 'DATABASE_OWNER_URL', 'AMQP_URL', 'CURSOR_KEY', 'FIELD_KEY'])
      expect(container.environment).not.toHaveProperty(key)
  }
})

describe('by TLS', () => {
  const read = (file: string) => parse(readFileSync(join(ROOT, file), 'utf8'), { merge: true }) as object
  const { services: laidOver } = read('docker-compose.tls.yml') as { services: Record<string, Container> }

  test('whoever asks a database, and every process, trusts the authority of the platform and asks nobody plainly', () => {
    const asking = ours.filter(([, { environment = {} }]) => /DATABASE_|AMQP_/.test(Object.keys(environment).join()))
    const names = asking.map(([name]) => name).filter((name) => !['secrets', 'databases'].includes(name))
    // of each service its process, migrations and backup; two gateways, and two jobs
    expect(names).toHaveLength(3 * SERVICES.length + 4)
    for (const name of names)
      expect([name, laidOver[name]!.environment]).toEqual([
        name,
        expect.objectContaining({ TLS_REQUIRED: 'true', TLS_CA_FILE: '/secrets/ca.crt' }),
      ])
    for (const name of PROCESSES) expect(laidOver[name]!.environment).toHaveProperty('TLS_CERT_FILE')
  })

  test('servers keep what they are told without it', () => {
    for (const name of ['postgres', 'consul'])
      expect(laidOver[name]!.command).toEqual(expect.arrayContaining(services[name]!.command!))
  })

  test('Prometheus asks the same places', () => {
    interface Scraping {
      scrape_configs: { job_name: string; scheme?: string; tls_config?: object }[]
    }
    const jobs = (read('ops/prometheus/prometheus.tls.yml') as Scraping).scrape_configs
    const plain = jobs.map(({ scheme, tls_config, ...job }) => {
      expect([scheme, tls_config]).toEqual(['https', { ca_file: '/secrets/ca.crt', server_name: job.job_name }])
      return job
    })
    expect(plain).toEqual((read('ops/prometheus/prometheus.yml') as Scraping).scrape_configs)
  })
})
