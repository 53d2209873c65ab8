import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { askInstance } from './registry.ts'
import { buildServer } from './serve.ts'
import { makeAuthority } from './testing/authority.ts'
import { quietLog } from './testing/service.ts'
import { until } from './testing/until.ts'
import { followAuthorities, trustAuthorities } from './tls.ts'

const folder = mkdtempSync(join(tmpdir(), 'caregate-tls-'))
const authority = makeAuthority(folder)
const stranger = makeAuthority(folder, 'stranger')
const options = {
  REQUEST_TIMEOUT_MS: 1000,
  TLS_CERT_FILE: join(folder, 'tls.crt'),
  TLS_KEY_FILE: join(folder, 'tls.key'),
}
const request = (_req: unknown, res: { end(text: string): void }) => res.end('served')
const told: string[] = []
const tell = (message: unknown) => void told.push(String(message))
const log = { ...quietLog, warning: tell, error: tell, info: tell } as unknown as typeof quietLog
const stopping = new AbortController()
let server: ReturnType<typeof buildServer>
let port: number

beforeAll(async () => {
  authority.issue('tls', 'DNS:first')
  server = buildServer('gateway', { request }, options, log, stopping.signal)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
beforeEach(() => {
  told.length = 0
  trustAuthorities(authority.ca)
})
afterAll(async () => {
  stopping.abort()
  await new Promise((resolve) => server.close(resolve).closeAllConnections())
  rmSync(folder, { recursive: true })
})

function open(servername = 'first'): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', servername })
  return new Promise((resolve, reject) => socket.once('secureConnect', () => resolve(socket)).once('error', reject))
}
const opens = (servername?: string): Promise<boolean> =>
  open(servername).then(
    (socket) => !!socket.destroy(),
    () => false,
  )

/** Puts a certificate where the server looks for it, and waits until it is served. */
async function serveWith(issuer: typeof authority, names: string, days?: number): Promise<void> {
  told.length = 0
  issuer.issue('tls', names, days)
  await until(() => told.includes('the TLS certificate was read'))
}

test('a certificate that changes is served to new connections; one that does not fit its key changes nothing', async () => {
  const kept = await open()
  const key = readFileSync(options.TLS_KEY_FILE)
  authority.issue('another', 'DNS:first')
  writeFileSync(options.TLS_KEY_FILE, readFileSync(join(folder, 'another.key')))
  await until(() => told.includes('the TLS certificate can’t be used: the former one stays'))
  expect(await opens()).toBe(true)
  writeFileSync(options.TLS_KEY_FILE, key)
  await serveWith(authority, 'DNS:second')
  expect([await opens('first'), await opens('second')]).toEqual([false, true])
  kept.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  let answer = ''
  for await (const chunk of kept) answer += String(chunk)
  expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*served$/)
})

test('a pair that can not be used at the start is refused by the names of its files', () => {
  const bad = { ...options, TLS_CERT_FILE: join(folder, 'bad.crt') }
  writeFileSync(bad.TLS_CERT_FILE, 'no certificate')
  const start = () => buildServer('gateway', { request }, bad, log, stopping.signal)
  expect(start).toThrow(`TLS can’t be served with ${bad.TLS_CERT_FILE} and ${bad.TLS_KEY_FILE}: `)
})

test('the file of authorities is followed, and one without a certificate changes nothing', async () => {
  const file = join(folder, 'trusted.crt')
  const [own, strange] = [readFileSync(authority.ca, 'utf8'), readFileSync(stranger.ca, 'utf8')]
  writeFileSync(file, own)
  followAuthorities(file, log, stopping.signal)
  await serveWith(authority, 'DNS:first')
  expect(await opens()).toBe(true)
  // as it is done: first both are trusted, then the other issues, then the former isn't trusted any more
  writeFileSync(file, own + strange)
  await until(() => told.includes('the TLS authorities were read again'))
  expect(await opens()).toBe(true)
  await serveWith(stranger, 'DNS:first')
  expect(await opens()).toBe(true)
  writeFileSync(file, '')
  await until(() => told.includes('the TLS authorities stay the former ones'))
  expect(await opens()).toBe(true)
  writeFileSync(file, own)
  await until(() => told.includes('the TLS authorities were read again'))
  expect(await opens()).toBe(false)
  writeFileSync(file, 'nothing')
  expect(() => trustAuthorities(file)).toThrow(`TLS_CA_FILE ${file} can’t be used: there is no certificate in it`)
})

test('an instance is asked only with the certificate of its service, good and from who is trusted', async () => {
  const ask = () => askInstance('patients', `https://127.0.0.1:${port}/health/ready`, 2000)
  await serveWith(authority, 'DNS:patients')
  expect(await ask()).toEqual({ status: 200, body: 'served' })
  // the address alone says nothing of who is there
  await serveWith(authority, 'DNS:audit,IP:127.0.0.1')
  await expect(ask()).rejects.toThrow(/Host: patients\. is not in the cert's altnames: DNS:audit/)
  await serveWith(authority, 'DNS:patients', -1)
  expect(told).toContain('the TLS certificate has expired')
  await expect(ask()).rejects.toThrow('certificate has expired')
  await serveWith(stranger, 'DNS:patients')
  await expect(ask()).rejects.toThrow(/self-signed certificate|unable to verify|local issuer/)
  trustAuthorities(stranger.ca)
  expect((await ask()).status).toBe(200)
})
