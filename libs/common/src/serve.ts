import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import type { Logger } from './logger.ts'
import { keepRegistered } from './registry.ts'
import type { Lifetime } from './run.ts'

export interface ServeOptions {
  PORT: number
  LISTEN_ADDRESS: string
  ADVERTISE_ADDRESS: string
  DISCOVERY: 'consul' | 'static'
  CONSUL_HTTP_ADDR: string
}

/**
 * Listens, with time-outs that cut slow clients and a keep-alive that outlives the gateway's pooled connections, and
 * keeps the instance registered. At the end: out of Consul, then what is in flight is finished, then closed.
 */
export async function serve(
  service: string,
  app: Express,
  options: ServeOptions,
  log: Logger,
  lifetime: Lifetime,
): Promise<void> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 }, app)
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.PORT, options.LISTEN_ADDRESS, resolve),
  )
  lifetime.add('the server', async () => {
    // a connection that is kept alive is idle, and closed, once what is in flight on it is answered
    const sweep = setInterval(() => server.closeIdleConnections(), 50)
    await new Promise((resolve) => server.close(resolve))
    clearInterval(sweep)
  })
  const { port } = server.address() as AddressInfo
  log.info('listening', { port })
  if (options.DISCOVERY !== 'consul') return
  const registration = keepRegistered(
    { service, address: options.ADVERTISE_ADDRESS, port },
    options.CONSUL_HTTP_ADDR,
    log,
    lifetime.signal,
  )
  lifetime.add('the registration', () => registration)
}
