import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { buildServer } from './serve.ts'
import { quietLog } from './testing/service.ts'
import { until } from './testing/until.ts'

let folder: string
const file = (name: string) => join(folder, name)
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'caregate-tls-'))
  for (const name of ['first', 'second']) {
    const what = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1']
    const out = ['-subj', `/CN=${name}`, '-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)]
    execFileSync('openssl', [...what, ...out], { stdio: 'ignore' })
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Puts a certificate and a key where the server looks for them. */
function install(certificate: string, key: string): void {
  copyFileSync(file(`${certificate}.crt`), file('tls.crt'))
  copyFileSync(file(`${key}.key`), file('tls.key'))
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
