import { setTimeout as sleep } from 'node:timers/promises'
import { createClient, type RedisArgument } from 'redis'
import type { Logger } from '@caregate/common/logger'

/** What several gateways share: counters and public answers. Nothing depends on its being there. */
export interface Redis {
  /** False while it can't be reached. */
  readonly ready: boolean
  /** @throws when there is no answer within 200 ms; then it is left alone for a second */
  send<Reply>(...command: RedisArgument[]): Promise<Reply>
  close(): void
}

const commandMs = 200
const pauseMs = 1000

export function openRedis(url: string, log: Logger): Redis {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    socket: { connectTimeout: 2000, reconnectStrategy: (tries) => Math.min(100 * 2 ** tries, 2000) },
  })
  let pausedUntil = 0
  let told = false
  client.on('ready', () => {
    told = false
    log.info('connected to Redis')
  })
  client.on('error', (error: unknown) => {
    if (!told) log.warning('Redis is away', { 'service.target.address': new URL(url).host, error })
    told = true
  })
  void client.connect().catch(() => {})

  return {
    get ready() {
      return client.isReady && Date.now() >= pausedUntil
    },
    async send<Reply>(...command: RedisArgument[]) {
      const late = new AbortController()
      const tooLate = sleep(commandMs, undefined, { signal: late.signal }).then(() => {
        throw new Error(`Redis did not answer within ${commandMs} ms`)
      })
      try {
        return (await Promise.race([client.sendCommand(command), tooLate])) as Reply
      } catch (error) {
        pausedUntil = Date.now() + pauseMs
        throw error
      } finally {
        late.abort()
        tooLate.catch(() => {})
      }
    },
    close: () => client.destroy(),
  }
}
