import { setTimeout as sleep } from 'node:timers/promises'
import Consul from 'consul'
import type { Logger } from './logger.ts'

/** Which instances of a service may be sent requests, as base URLs. */
export interface Directory {
  /** Passing instances; empty when there is none. */
  instances(service: string): readonly string[]
}

interface ConsulCheck {
  Status: string
}
interface ConsulEntry {
  Service: { Address: string; Port: number }
  Checks: ConsulCheck[]
}

const checkMs = 1000
const reRegisterMs = 2000
/** A Consul that hangs must not keep a process from draining; the client's types don't know of time-outs. */
const inTime: object = { timeout: 2000 }

function connectConsul(address: string): Consul {
  const { protocol, hostname, port } = new URL(address.includes('://') ? address : `http://${address}`)
  return new Consul({ host: hostname, port: Number(port || 8500), secure: protocol === 'https:' })
}

/**
 * Keeps an instance registered until `signal` aborts, then takes it out. A Consul that restarted empty is told again
 * within two seconds. Registering anew would reset the check, so it is done only when the entry is gone.
 */
export async function keepRegistered(
  instance: { service: string; address: string; port: number },
  consulAddress: string,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const consul = connectConsul(consulAddress)
  const { service, address, port } = instance
  const id = `${service}-${address}-${port}`
  let reachable = true
  let known = false
  while (!signal.aborted) {
    try {
      const registered = await consul.agent.service.list({ ...inTime })
      if (!registered[id]) {
        await consul.agent.service.register({
          id,
          ...inTime,
          name: service,
          address,
          port,
          check: {
            name: 'ready',
            http: `http://${address}:${port}/health/ready`,
            interval: `${checkMs}ms`,
            // one that is only busy stays; one that is dead refuses the connection at once
            timeout: '3s',
            deregistercriticalserviceafter: '1m',
            // a Consul that forgot it must not call it critical until its first check
            ...(known && { status: 'passing' }),
          },
        })
        known = true
        log.info('registered in Consul', { id })
      }
      reachable = true
    } catch (error) {
      if (reachable) log.warning('Consul is away', { error })
      reachable = false
    }
    await sleep(reRegisterMs, undefined, { signal }).catch(() => {})
  }
  await consul.agent.service
    .deregister({ id, ...inTime })
    .catch((error: unknown) => log.warning('could not deregister from Consul', { error }))
  consul.destroy()
}

/** Watches services by blocking queries. While Consul is away or knows of none, what was known last holds. */
export function watchConsul(
  services: readonly string[],
  consulAddress: string,
  log: Logger,
  signal: AbortSignal,
): Directory {
  const consul = connectConsul(consulAddress)
  const passing = new Map<string, readonly string[]>()
  signal.addEventListener('abort', () => consul.destroy(), { once: true })

  function watch(service: string): void {
    if (signal.aborted) return
    const watcher = consul.watch({
      method: consul.health.service,
      options: { service, wait: '30s' },
    })
    const end = (): void => watcher.end()
    signal.addEventListener('abort', end, { once: true })
    watcher.on('change', (entries: ConsulEntry[]) => {
      if (!entries.length && passing.has(service)) return
      const healthy = entries.filter((entry) => entry.Checks.every((check) => check.Status === 'passing'))
      passing.set(
        service,
        healthy.map(({ Service }) => `http://${Service.Address}:${Service.Port}`),
      )
      log.info('instances changed', { service, instances: passing.get(service) })
    })
    watcher.on('error', (error: unknown) => {
      log.debug('the Consul watch failed', { service, error })
      // a Consul that restarted counts from the beginning: asked for what comes after the old index, it would keep silent
      watcher.end()
    })
    watcher.on('end', () => {
      signal.removeEventListener('abort', end)
      void sleep(checkMs).then(() => watch(service))
    })
  }
  services.forEach(watch)
  return { instances: (service) => passing.get(service) ?? [] }
}

/** `DISCOVERY=static`: a fixed list, each instance probed once a second. `SERVICES` is `auth=http://…,patients=http://…`. */
export function watchStatic(list: readonly string[], signal: AbortSignal): Directory {
  const entries = list.map(
    (entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)] as const,
  )
  const healthy = new Set<string>()
  async function probe(url: string): Promise<void> {
    while (!signal.aborted) {
      const ready = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(checkMs) }).then(
        async (answer) => (await answer.arrayBuffer(), answer.ok),
        () => false,
      )
      if (ready) healthy.add(url)
      else healthy.delete(url)
      await sleep(checkMs, undefined, { signal }).catch(() => {})
    }
  }
  for (const [, url] of entries) void probe(url)
  return {
    instances: (service) => entries.filter(([name, url]) => name === service && healthy.has(url)).map(([, url]) => url),
  }
}
