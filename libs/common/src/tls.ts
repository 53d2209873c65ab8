import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import type { ServerOptions } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Logger } from './logger.ts'

const checkMs = 1000

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
  const read = () => ({ cert: readFileSync(certFile), key: readFileSync(keyFile), minVersion: 'TLSv1.2' as const })
  const server = createServer({ ...settings, ...read(), handshakeTimeout: 10_000 })
  function reload(): void {
    try {
      server.setSecureContext(read())
      log.info('the TLS certificate was read again')
    } catch (error) {
      // the two files are rarely written in one instant
      log.warning('the TLS certificate can’t be used: the former one stays', { error })
    }
  }
  // by its path, since a secret of Kubernetes is exchanged by a symbolic link
  for (const file of [certFile, keyFile]) watchFile(file, { interval: checkMs, persistent: false }, reload)
  signal.addEventListener('abort', () => [certFile, keyFile].forEach((file) => unwatchFile(file, reload)))
  return server
}
