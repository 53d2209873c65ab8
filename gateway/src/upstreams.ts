import { randomInt } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import { errors } from 'undici'
import { AppError } from '@caregate/common/errors'
import type { Logger } from '@caregate/common/logger'
import { isReady, type Directory } from '@caregate/common/registry'
import type { Fields } from '@caregate/common/request-context'
import type { Service } from '@caregate/common/services'

/** One process of a service, and how it has been doing. */
export interface Instance {
  readonly service: Service
  readonly url: string
  inFlight: number
  /** Connection errors and 502–504 in a row. */
  failures: number
  ejected: boolean
}

export interface Upstreams {
  /** The less busy of two instances taken at random; undefined when there is none left besides those `tried`. */
  pick(service: Service, tried?: ReadonlySet<Instance>): Instance | undefined
  /** Those that discovery names and that may be asked, ejected ones too. */
  instances(service: Service): readonly Instance[]
  /** What came of a request; `error` where there was no answer. */
  report(instance: Instance, ok: boolean, error?: Error): void
}

const failuresToEject = 3
const probeMs = 1000

/** CIDRs and names to which requests may be sent: a registry that was tampered with must not lead them elsewhere. */
function buildAllowed(networks: readonly string[]): (url: string) => boolean {
  const ranges = new BlockList()
  const names = new Set<string>()
  for (const entry of networks) {
    const [address = '', bits] = entry.split('/')
    const family = isIP(address)
    if (!family) names.add(entry.toLowerCase())
    else ranges.addSubnet(address, Number(bits ?? (family === 4 ? 32 : 128)), family === 4 ? 'ipv4' : 'ipv6')
  }
  return (url) => {
    const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
    const family = isIP(host)
    return family ? ranges.check(host, family === 4 ? 'ipv4' : 'ipv6') : names.has(host)
  }
}

/**
 * Balances over the instances that the directory names. One that keeps failing is ejected at once, without waiting for
 * the registry, and comes back when a probe finds it ready; at most half of a service's instances are, so that a
 * failure they all share can't leave none.
 */
export function openUpstreams(
  directory: Directory,
  networks: readonly string[],
  ejected: (service: Service) => void,
  log: Logger,
  signal: AbortSignal,
): Upstreams {
  const allowed = buildAllowed(networks)
  const lists = new Map<Service, { urls: readonly string[]; instances: Instance[] }>()

  /** The instances as the directory has them now, with what is known of those that were there before. */
  function instancesOf(service: Service): Instance[] {
    const urls = directory.instances(service)
    const known = lists.get(service)
    if (known?.urls === urls) return known.instances
    const instances = urls.filter(allowed).map((url): Instance => {
      const before = known?.instances.find((instance) => instance.url === url)
      return before ?? { service, url, inFlight: 0, failures: 0, ejected: false }
    })
    const foreign = urls.filter((url) => !allowed(url))
    if (foreign.length)
      log.error('the registry names addresses that are not allowed', {
        'service.target.name': service,
        'service.target.address': foreign,
      })
    lists.set(service, { urls, instances })
    return instances
  }

  function eject(instance: Instance): void {
    const { service } = instance
    const instances = instancesOf(service)
    const out = instances.filter((other) => other.ejected).length
    if (instance.ejected || out + 1 > instances.length / 2) return
    instance.ejected = true
    ejected(service)
    log.warning('an instance is taken out of rotation', namesOf(instance))
    const timer = setInterval(() => void probe(), probeMs)
    const end = (): void => clearInterval(timer)
    signal.addEventListener('abort', end, { once: true })
    async function probe(): Promise<void> {
      const gone = !instancesOf(service).includes(instance)
      if (!gone && !(await isReady(service, instance.url).catch(() => false))) return
      end()
      signal.removeEventListener('abort', end)
      Object.assign(instance, { failures: 0, ejected: false })
      if (!gone) log.info('an instance is back in rotation', namesOf(instance))
    }
  }

  return {
    instances: instancesOf,
    pick(service, tried) {
      const instances = instancesOf(service)
      const usable = instances.filter((instance) => !instance.ejected && !tried?.has(instance))
      if (usable.length < 2) return usable[0]
      const first = randomInt(usable.length)
      const second = (first + 1 + randomInt(usable.length - 1)) % usable.length
      const [one, two] = [usable[first]!, usable[second]!]
      return two.inFlight < one.inFlight ? two : one
    },
    report(instance, ok, error) {
      instance.failures = ok ? 0 : instance.failures + 1
      if (error && instance.failures === failuresToEject)
        log.warning('an instance gives no answers', { ...namesOf(instance), error })
      if (instance.failures >= failuresToEject) eject(instance)
    },
  }
}

const namesOf = ({ service, url }: Instance): Fields => ({
  'service.target.name': service,
  'service.target.address': url,
})

export const unavailable = (service: Service): AppError =>
  new AppError('unavailable', `The ${service} service is away for the moment.`, { headers: { 'Retry-After': '1' } })

/** What a client is told of a `cause` of no answer. */
export function answerOf(cause: Error, service: Service): AppError {
  if (cause instanceof AppError) return cause
  // the last instance known of is still asked, since a registry that knows of none may be wrong
  if ((cause as NodeJS.ErrnoException).code === 'ECONNREFUSED') return unavailable(service)
  return new AppError(cause instanceof errors.ConnectTimeoutError ? 'gateway_timeout' : 'bad_gateway')
}
