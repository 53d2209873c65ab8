import { X509Certificate } from 'node:crypto'
import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import type { ServerOptions } from 'node:http'
import { createServer, type Server } from 'node:https'
import { setDefaultCACertificates } from 'node:tls'
import type { Logger } from './logger.ts'

const checkMs = 1000

/** Calls `reload` when one of the files is another. By their paths: a secret of Kubernetes is exchanged by a symbolic link. */
function follow(files: readonly string[], reload: () => void, signal: AbortSignal): void {
  for (const file of files) watchFile(file, { interval: checkMs, persistent: false }, reload)
  signal.addEventListener('abort', () => files.forEach((file) => unwatchFile(file, reload)))
}

/**
 * A server of HTTPS. When one of the files changes, new connections get the new certificate; a pair that can't be used
 * changes nothing and is reported.
 * @param certFile PEM, the certificate first, then what leads to its root
 * @param keyFile PEM
 * @throws when the first pair can't be used
 */
export function openTlsServer(
  certFile: string,
  keyFile: string,
  settings: ServerOptions,
  log: Logger,
  signal: AbortSignal,
): Server {
  const files = { 'file.path': [certFile, keyFile] }
  const server = createServer({ ...settings, handshakeTimeout: 10_000 })
  function load(): void {
    const cert = readFileSync(certFile)
    server.setSecureContext({ cert, key: readFileSync(keyFile), minVersion: 'TLSv1.2' })
    const validTo = new X509Certificate(cert).validToDate.toISOString()
    log.info('the TLS certificate was read', { ...files, 'tls.server.not_after': validTo })
    if (Date.parse(validTo) < Date.now())
      log.error('the TLS certificate has expired', { ...files, 'tls.server.not_after': validTo })
  }
  try {
    load()
  } catch (error) {
    throw new Error(`TLS can’t be served with ${certFile} and ${keyFile}: ${(error as Error).message}`, {
      cause: error,
    })
  }
  function reload(): void {
    try {
      load()
    } catch (error) {
      // the two files are rarely written in one instant
      log.warning('the TLS certificate can’t be used: the former one stays', { ...files, error })
    }
  }
  follow([certFile, keyFile], reload, signal)
  return server
}

/**
 * From now on every new connection of this process trusts the authorities in the file and no others, unless it brings its own.
 * @param file PEM, one certificate or several
 * @throws naming the file, when there is none in it
 */
export function trustAuthorities(file: string): void {
  try {
    const found = readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g)
    if (!found) throw new Error('there is no certificate in it')
    setDefaultCACertificates(found)
  } catch (error) {
    throw new Error(`TLS_CA_FILE ${file} can’t be used: ${(error as Error).message}`, { cause: error })
  }
}

/** The same, and again whenever the file changes. What can't be used then changes nothing and is reported. */
export function followAuthorities(file: string, log: Logger, signal: AbortSignal): void {
  trustAuthorities(file)
  function reload(): void {
    try {
      trustAuthorities(file)
      log.info('the TLS authorities were read again', { 'file.path': file })
    } catch (error) {
      log.warning('the TLS authorities stay the former ones', { error })
    }
  }
  follow([file], reload, signal)
}
