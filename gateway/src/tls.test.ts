import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { buildServer } from '@caregate/common/serve'
import { makeAuthority } from '@caregate/common/testing/authority'
import { listenForTest, quietLog, testToken } from '@caregate/common/testing/service'
import { trustAuthorities } from '@caregate/common/tls'
import { openTestGateway, sendRaw } from './testing.ts'

const folder = mkdtempSync(join(tmpdir(), 'caregate-gateway-tls-'))
const authority = makeAuthority(folder)
const ends: (() => Promise<unknown>)[] = []
/** What the log says of instances. */
const told: { message: unknown; 'service.target.name'?: string; error?: Error }[] = []
const log = Object.assign(Object.create(quietLog) as typeof quietLog, {
  warning: (message: unknown, fields: object) => told.push({ message, ...fields }),
  error: () => {},
})

beforeAll(() => trustAuthorities(authority.ca))
beforeEach(() => void (told.length = 0))
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A gateway before one instance of every service, whose certificate has these names. */
async function openGateway(names: string, days?: number) {
  const { cert, key } = authority.issue('instance', names, days)
  const options = { REQUEST_TIMEOUT_MS: 2000, TLS_CERT_FILE: cert, TLS_KEY_FILE: key }
  const stopping = new AbortController()
  const connections = new Set<unknown>()
  const server = buildServer(
    'patients',
    {
      request(req, res) {
        connections.add(req.socket)
        res.setHeader('Content-Type', 'application/json').end(JSON.stringify(req.headers.host))
      },
    },
    options,
    log,
    stopping.signal,
  )
  const instance = await listenForTest(server)
  const gateway = await openTestGateway({ upstream: instance.url.replace('http:', 'https:'), log })
  ends.push(gateway.close, instance.close, async () => stopping.abort())
  return { gateway, connections }
}

const token = testToken(['clinician'])
const auditor = testToken(['auditor'])

test('what passes through by either way is asked by TLS, whatever the address and the client’s Host', async () => {
  const { gateway, connections } = await openGateway('DNS:patients,DNS:audit')
  expect((await gateway.call('GET', '/api/v1/patients', { token })).status).toBe(200)
  for (const host of ['one.example', 'two.example', 'one.example']) {
    const lines = [
      'GET /api/v1/patients HTTP/1.1',
      `Host: ${host}`,
      `Authorization: Bearer ${token}`,
      'Connection: close',
    ]
    expect(await sendRaw(gateway.url, ...lines, '', '')).toMatch(`"${host}"`)
  }
  // a connection that is kept serves them all
  expect(connections.size).toBe(1)
  expect((await gateway.call('GET', '/api/v1/audit/stream', { token: auditor })).status).toBe(200)
})

test.each([
  ['another service’s', 'DNS:auth,IP:127.0.0.1', undefined, /Host: (patients|audit)\. is not in the cert/],
  ['an expired one', 'DNS:patients,DNS:audit', -1, /certificate has expired/],
] as const)(
  'an instance whose certificate is %s gets nothing, and the log says why',
  async (_what, names, days, why) => {
    const { gateway, connections } = await openGateway(names, days)
    for (const path of ['/api/v1/patients', '/api/v1/audit/stream']) {
      for (let n = 0; n < 3; n++)
        expect((await gateway.call('GET', path, { token: path.includes('audit') ? auditor : token })).status).toBe(502)
    }
    expect(connections.size).toBe(0)
    const lines = told.filter(({ message }) => message === 'an instance gives no answers')
    expect(lines.map((line) => line['service.target.name'])).toEqual(['patients', 'audit'])
    for (const { error } of lines) expect(error?.message).toMatch(why)
  },
)
