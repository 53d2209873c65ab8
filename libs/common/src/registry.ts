import { get as getPlain } from 'node:http'
import { get as getByTls } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import Consul from 'consul'
import type { Logger } from './logger.ts'

/** Which instances of a service may be sent requests, as base URLs. */
export interface Directory {
  /** Passing instances; empty when there is none. */
  instances(service: string): readonly string[]
  /** When the registry last answered for each service, by performance.now(); undefined before, and where there is none. */
  readonly heardAt?: number | undefined
}

interface ConsulCheck {
  Status: string
}
interface ConsulEntry {
  Service: { Address: string; Port: number; Meta?: { scheme?: string } }
  Checks: ConsulCheck[]
}

const checkMs = 1000
const reRegisterMs = 2000
/** A Consul that hangs must not keep a process from draining; the client's types don't know of time-outs. */
const inTime: object = { timeout: 2000 }

function buildConsul(address: string): Consul {
  const { protocol, hostname, port } = new URL(address.includes('://') ? address : `http://${address}`)
  const secure = protocol === 'https:'
  return new Consul({ host: hostname, port: Number(port || (secure ? 443 : 8500)), secure })
}

/**
 * Asks an instance of a service itself. One that is asked by TLS must have a certificate for the service's name, wherever
 * it was found.
 * @throws when there is no answer in time, or the certificate is another's
 */
export function askInstance(service: string, url: string, withinMs: number): Promise<{ status: number; body: string }> {
  const get = url.startsWith('https:') ? getByTls : getPlain
  return new Promise((resolve, reject) => {
    // a connection each time: it proves anew who is there
    const options = { servername: service, agent: false, signal: AbortSignal.timeout(withinMs) }
    const asking = get(url, options, (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode!, body }), reject)
    })
    asking.on('error', reject)
  })
}

/** Whether an instance says that it is ready. @throws as `askInstance` does */
export const isReady = async (service: string, url: string): Promise<boolean> =>
  (await askInstance(service, `${url}/health/ready`, checkMs)).status === 200

/**
 * Keeps an instance registered until `signal` aborts, then takes it out. A Consul that restarted empty is told again
 * within two seconds. Registering anew would reset the check, so it is done only when the entry is gone.
 */
export async function keepRegistered(
  instance: { service: string; address: string; port: number; scheme?: 'http' | 'https' },
  consulAddress: string,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const consul = buildConsul(consulAddress)
  const { service, address, port, scheme = 'http' } = instance
  const id = `${service}-${address}-${port}`
  let reachable = true
  let known = false
  while (!signal.aborted) {
    try {
      const registered = (await consul.agent.service.list({ ...inTime })) as Record<string, ConsulEntry['Service']>
      // one that was killed may have left an entry that says otherwise
      if (registered[id]?.Meta?.scheme !== scheme) {
        await consul.agent.service.register({
          id,
          ...inTime,
          name: service,
          address,
          port,
          meta: { scheme },
          check: {
            name: 'ready',
            http: `${scheme}://${address}:${port}/health/ready`,
            // the agent need not know our authorities: whom it believes to be ready must prove to the gateway who it is
            tlsskipverify: true,
            interval: `${checkMs}ms`,
            // one that is only busy stays; one that is dead refuses the connection at once
            timeout: '3s',
            deregistercriticalserviceafter: '1m',
            // a Consul that forgot it must not call it critical until its first check
            ...(known && { status: 'passing' }),
          },
        })
        known = true
        log.info('registered in Consul', { 'service.node.name': id })
      }
      reachable = true
    } catch (error) {
      if (reachable) log.warning('Consul is away', { 'service.target.address': consulAddress, error })
      reachable = false
    }
    await sleep(reRegisterMs, undefined, { signal }).catch(() => {})
  }
  await consul.agent.service
    .deregister({ id, ...inTime })
    .catch((error: unknown) => log.warning('could not deregister from Consul', { error }))
  consul.destroy()
}

/**
 * Watches services by blocking queries. While Consul is away or knows of none, what was known last holds.
 * @param tlsRequired leaves out those that don't speak it
 */
export function watchConsul(
  services: readonly string[],
  consulAddress: string,
  log: Logger,
  signal: AbortSignal,
  tlsRequired = false,
): Directory {
  const consul = buildConsul(consulAddress)
  const passing = new Map<string, readonly string[]>()
  const heard = new Map<string, number>()
  signal.addEventListener('abort', () => consul.destroy(), { once: true })

  function watch(service: string, failing = false): void {
    if (signal.aborted) return
    const watcher = consul.watch({
      async method(...asked: Parameters<typeof consul.health.service>): Promise<unknown> {
        const answer = await consul.health.service(...asked)
        heard.set(service, performance.now())
        return answer
      },
      options: { service, wait: '30s' },
    })
    const end = (): void => watcher.end()
    signal.addEventListener('abort', end, { once: true })
    watcher.on('change', (entries: ConsulEntry[]) => {
      failing = false
      if (!entries.length && passing.has(service)) return
      const healthy = entries.filter((entry) => entry.Checks.every((check) => check.Status === 'passing'))
      const urls = healthy.map(
        ({ Service: { Address, Port, Meta } }) => `${Meta?.scheme ?? 'http'}://${Address}:${Port}`,
      )
      const plain = tlsRequired ? urls.filter((url) => !url.startsWith('https:')) : []
      if (plain.length)
        log.error('instances without TLS are not used', {
          'service.target.name': service,
          'service.target.address': plain,
        })
      passing.set(
        service,
        // several servers may have registered one, and each checks it
        [...new Set(urls.filter((url) => !plain.includes(url)))],
      )
      log.info('instances changed', { 'service.target.name': service, 'service.target.address': passing.get(service) })
    })
    watcher.on('error', (error: unknown) => {
      if (!failing) log.warning('the Consul watch failed', { 'service.target.name': service, error })
      failing = true
      // a Consul that restarted counts from the beginning: asked for what comes after the old index, it would keep silent
      watcher.end()
    })
    watcher.on('end', () => {
      signal.removeEventListener('abort', end)
      void sleep(checkMs).then(() => watch(service, failing))
    })
  }
  for (const service of services) watch(service)
  return {
    instances: (service) => passing.get(service) ?? [],
    get heardAt() {
      return heard.size < services.length ? undefined : Math.min(...heard.values())
    },
  }
}

/** `DISCOVERY=static`: a fixed list, each instance probed once a second. `SERVICES` is `auth=http://…,patients=http://…`. */
export function watchStatic(list: readonly string[], log: Logger, signal: AbortSignal): Directory {
  const entries = list.map(
    (entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)] as const,
  )
  const healthy = new Set<string>()
  async function probe(service: string, url: string): Promise<void> {
    let failing = false
    while (!signal.aborted) {
      const ready = await isReady(service, url).catch((error: unknown) => {
        if (!failing)
          log.warning('an instance can’t be asked', {
            'service.target.name': service,
            'service.target.address': url,
            error,
          })
        failing = true
        return false
      })
      if (ready) {
        healthy.add(url)
        failing = false
      } else healthy.delete(url)
      await sleep(checkMs, undefined, { signal }).catch(() => {})
    }
  }
  for (const [service, url] of entries) void probe(service, url)
  return {
    instances: (service) => entries.filter(([name, url]) => name === service && healthy.has(url)).map(([, url]) => url),
  }
}
