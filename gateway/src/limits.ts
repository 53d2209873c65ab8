import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ipKeyGenerator, MemoryStore, type ClientRateLimitInfo, type Store } from 'express-rate-limit'
import { RedisStore, type RedisReply } from 'rate-limit-redis'
import { createClient } from 'redis'
import { AppError } from '@caregate/common/errors'
import { localsOf, type Answer } from '@caregate/common/http'
import type { Logger } from '@caregate/common/logger'
import type { GatewayConfig } from './config.ts'

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

/** Counters that several gateways share. */
export interface Counters {
  /** Undefined while they can't be reached. */
  store(name: string): Store | undefined
  readonly ready: boolean
  close(): Promise<void>
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
  log: Logger,
  counters?: Counters,
): Limits {
  const allowanceOf = readNetworks(config.RATE_LIMIT_NETWORKS)
  const ofNetwork = (limit: number) => (ip: string) => allowanceOf(ip) ?? limit
  const build = (name: string, limitOf: (ip: string) => number): Limit => {
    const own = new MemoryStore()
    own.init({ windowMs } as never)
    let shared: Store | undefined
    async function count(key: string): Promise<ClientRateLimitInfo> {
      shared ??= counters?.store(name)
      if (!shared || !counters?.ready) return own.increment(key)
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
      if (totalHits > limit)
        throw new AppError('rate_limited', undefined, { headers: { 'Retry-After': String(seconds) } })
    }
  }
  return {
    address: build('address', ofNetwork(config.RATE_LIMIT_PER_MINUTE)),
    credentials: build('credentials', ofNetwork(config.RATE_LIMIT_CREDENTIALS_PER_MINUTE)),
    user: build('user', () => config.RATE_LIMIT_PER_MINUTE_SIGNED_IN),
  }
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

/** An IPv6 client has a whole network to itself: its /56 counts as one. */
export const addressKey = (ip: string): string => ipKeyGenerator(ip, 56)

const commandMs = 200
const pauseMs = 1000

/** Counters in Redis. While it is away, or doesn't answer in time, it is left alone for a second at a time. */
export function openCounters(redisUrl: string, log: Logger): Counters {
  const client = createClient({
    url: redisUrl,
    disableOfflineQueue: true,
    socket: { connectTimeout: 2000, reconnectStrategy: (tries) => Math.min(100 * 2 ** tries, 2000) },
  })
  let pausedUntil = 0
  client.on('ready', () => log.info('connected to Redis'))
  client.on('error', (error: unknown) => log.debug('Redis is away', { error }))
  void client.connect().catch(() => {})

  async function send(...command: string[]): Promise<RedisReply> {
    const late = new AbortController()
    const tooLate = sleep(commandMs, undefined, { signal: late.signal }).then(() => {
      throw new Error(`Redis did not answer within ${commandMs} ms`)
    })
    try {
      return await Promise.race([client.sendCommand<RedisReply>(command), tooLate])
    } catch (error) {
      pausedUntil = Date.now() + pauseMs
      throw error
    } finally {
      late.abort()
      tooLate.catch(() => {})
    }
  }
  return {
    store(name) {
      if (!client.isReady) return undefined
      const store = new RedisStore({ sendCommand: send, prefix: `caregate:limit:${name}:` })
      // nobody waits for its scripts to be loaded ahead; what fails here is done again with the next request
      store.init({ windowMs } as never).catch(() => {})
      return store
    },
    get ready() {
      return client.isReady && Date.now() >= pausedUntil
    },
    async close() {
      client.destroy()
    },
  }
}
