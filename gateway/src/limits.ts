import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { MemoryStore, type ClientRateLimitInfo, type Store } from 'express-rate-limit'
import { RedisStore, type RedisReply } from 'rate-limit-redis'
import { AppError } from '@caregate/common/errors'
import { localsOf, type Answer } from '@caregate/common/http'
import type { Logger } from '@caregate/common/logger'
import type { GatewayConfig } from './config.ts'
import type { Redis } from './redis.ts'

/** Counts a request; @throws {AppError} 429 when it is one too many. Sets the headers of IETF draft 8. */
export type Limit = (res: Answer, key: string) => Promise<void>

export interface Limits {
  /** Of an address, for whoever isn't signed in. */
  address: Limit
  /** Of an address, where passwords and refresh tokens are tried. */
  credentials: Limit
  /** Of a signed-in user. */
  user: Limit
}

const windowMs = 60_000

export function buildLimits(
  config: Pick<
    GatewayConfig,
    | 'RATE_LIMIT_PER_MINUTE'
    | 'RATE_LIMIT_CREDENTIALS_PER_MINUTE'
    | 'RATE_LIMIT_PER_MINUTE_SIGNED_IN'
    | 'RATE_LIMIT_NETWORKS'
  >,
  limited: (limit: keyof Limits) => void,
  log: Logger,
  redis?: Redis,
): Limits {
  const allowanceOf = readNetworks(config.RATE_LIMIT_NETWORKS)
  const ofNetwork = (limit: number) => (ip: string) => allowanceOf(ip) ?? limit
  const build = (name: keyof Limits, limitOf: (ip: string) => number): Limit => {
    const own = new MemoryStore()
    own.init({ windowMs } as never)
    let shared: Store | undefined
    async function count(key: string): Promise<ClientRateLimitInfo> {
      if (!redis?.ready) return own.increment(key)
      shared ??= openShared(name, redis)
      try {
        return await shared.increment(key)
      } catch (error) {
        log.warning('the shared counters are away: this gateway counts by itself', { error })
        return own.increment(key)
      }
    }
    return async (res, key) => {
      const { head, ip } = localsOf(res)
      const limit = limitOf(ip)
      const { totalHits, resetTime } = await count(key)
      const seconds = Math.max(0, Math.ceil((resetTime!.getTime() - Date.now()) / 1000))
      head.push('RateLimit-Policy', `"${name}"; q=${limit}; w=${windowMs / 1000}`)
      head.push('RateLimit', `"${name}"; r=${Math.max(0, limit - totalHits)}; t=${seconds}`)
      if (totalHits <= limit) return
      limited(name)
      throw new AppError('rate_limited', undefined, { headers: { 'Retry-After': String(seconds) } })
    }
  }
  return {
    address: build('address', ofNetwork(config.RATE_LIMIT_PER_MINUTE)),
    credentials: build('credentials', ofNetwork(config.RATE_LIMIT_CREDENTIALS_PER_MINUTE)),
    user: build('user', () => config.RATE_LIMIT_PER_MINUTE_SIGNED_IN),
  }
}

/** Counters that several gateways share. */
function openShared(name: string, redis: Redis): Store {
  const sendCommand = (...command: string[]) => redis.send<RedisReply>(...command)
  const store = new RedisStore({ sendCommand, prefix: `caregate:limit:${name}:` })
  // nobody waits for its scripts to be loaded ahead; what fails here is done again with the next request
  store.init({ windowMs } as never).catch(() => {})
  return store
}

/** `10.1.0.0/16=6000`: each address of that network may do so much a minute. The first that fits decides. */
function readNetworks(list: readonly string[]): (ip: string) => number | undefined {
  const networks = list.map((entry) => {
    const [, address = '', bits, limit] = /^(.+)\/(\d+)=(\d+)$/.exec(entry) ?? []
    const range = new BlockList()
    range.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6')
    return { range, limit: Number(limit) }
  })
  return (ip) => networks.find(({ range }) => range.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4'))?.limit
}
