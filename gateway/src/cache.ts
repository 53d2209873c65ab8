import type { IncomingHttpHeaders } from 'node:http'
import { LRUCache } from 'lru-cache'
import type { Logger } from '@caregate/common/logger'
import type { Redis } from './redis.ts'

/** An answer with status 200 that is the same for everybody. */
export interface Kept {
  headers: IncomingHttpHeaders
  body: Buffer
  /** Milliseconds since the epoch. */
  storedAt: number
}

export interface Cache {
  /** @param key path and query string of a GET on a public route */
  find(key: string): Promise<Kept | undefined>
  keep(key: string, headers: IncomingHttpHeaders, body: Buffer): void
}

export const maxKeptBytes = 262_144

/**
 * For how many milliseconds an answer may be kept: 0 unless it says `Cache-Control: public, max-age=…` (RFC 9111) and
 * neither sets a cookie nor depends on other headers.
 */
export function keepMs(headers: IncomingHttpHeaders): number {
  const said = headers['cache-control']?.toLowerCase().split(/\s*,\s*/) ?? []
  if (!said.includes('public') || said.some((one) => /^(no-store|no-cache|private)/.test(one))) return 0
  if (headers['set-cookie'] || headers.vary) return 0
  const age = said.find((one) => /^s-maxage=\d+$/.test(one)) ?? said.find((one) => /^max-age=\d+$/.test(one))
  return Number(age?.split('=')[1] ?? 0) * 1000
}

/** Keeps public answers in memory, or in the Redis that several gateways share; while that is away, in memory. */
export function buildCache(log: Logger, redis?: Redis): Cache {
  const own = new LRUCache<string, Kept>({
    maxSize: 16 * 1024 * 1024,
    sizeCalculation: ({ body }) => body.length + 1000,
  })
  const nameOf = (key: string): string => `caregate:cache:${key}`
  const away = (error: unknown): undefined => void log.warning('the shared cache can’t be used', { error })

  return {
    async find(key) {
      if (!redis?.ready) return own.get(key)
      try {
        const text = await redis.send<string | null>('GET', nameOf(key))
        if (!text) return undefined
        const { body, ...kept } = JSON.parse(text) as Omit<Kept, 'body'> & { body: string }
        return { ...kept, body: Buffer.from(body, 'base64') }
      } catch (error) {
        return away(error)
      }
    },
    keep(key, headers, body) {
      const ttl = keepMs(headers)
      const kept: Kept = { headers, body, storedAt: Date.now() }
      if (!redis?.ready) return void own.set(key, kept, { ttl })
      const text = JSON.stringify({ ...kept, body: body.toString('base64') })
      redis.send('SET', nameOf(key), text, 'PX', String(ttl)).catch(away)
    },
  }
}
