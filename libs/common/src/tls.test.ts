import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, expect, test } from '@jest/globals'
import { buildServer } from './serve.ts'
import { certificates } from './testing/certificates.ts'
import { quietLog } from './testing/service.ts'
import { until } from './testing/until.ts'

const folder = mkdtempSync(join(tmpdir(), 'caregate-tls-'))
const file = (name: string) => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true }))

/** Puts a certificate and a key where the server looks for them. */
function install(certificate: keyof typeof certificates, key: keyof typeof certificates): void {
  writeFileSync(file('tls.crt'), certificates[certificate].certificate)
  writeFileSync(file('tls.key'), certificates[key].key)
}

test('a certificate that changes is served to new connections; one that does not fit its key changes nothing', async () => {
  install('first', 'first')
  const options = { REQUEST_TIMEOUT_MS: 1000, TLS_CERT_FILE: file('tls.crt'), TLS_KEY_FILE: file('tls.key') }
  const stopping = new AbortController()
  const warnings: unknown[] = []
  const log = { ...quietLog, warning: (message: unknown) => warnings.push(message) } as unknown as typeof quietLog
  const request = (_req: unknown, res: { end(text: string): void }) => res.end('served')
  const server = buildServer('gateway', { request }, options, log, stopping.signal)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const open = () => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    return new Promise<typeof socket>((resolve, reject) =>
      socket.once('secureConnect', () => resolve(socket)).once('error', reject),
    )
  }
  const nameNow = async () => {
    const socket = await open()
    const { CN } = socket.getPeerCertificate().subject
    socket.destroy()
    return CN
  }

  expect(await nameNow()).toBe('first')
  const kept = await open()
  install('first', 'second')
  await until(() => warnings.length > 0)
  expect(await nameNow()).toBe('first')
  install('second', 'second')
  await until(async () => (await nameNow()) === 'second')
  kept.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  let answer = ''
  for await (const chunk of kept) answer += String(chunk)
  expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*served$/)

  writeFileSync(file('tls.crt'), 'no certificate')
  expect(() => buildServer('gateway', { request }, options, log, stopping.signal)).toThrow()
  stopping.abort()
  await new Promise((resolve) => server.close(resolve))
})
