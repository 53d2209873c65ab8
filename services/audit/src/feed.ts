import { EventEmitter, once } from 'node:events'
import { streamExchange, type Broker, type Message } from '@caregate/common/broker'
import type { Database } from '@caregate/common/database'
import type { Logger } from '@caregate/common/logger'
import { openWorker } from '@caregate/common/worker'
import { getHead } from './repository.ts'

/** Tells those who follow the log that it has grown. */
export interface Feed {
  /** What this process has stored, in order: it is published to `audit.stream` too. */
  stored(events: readonly Message[]): void
  /** The log's size, when it is larger than that, when so many milliseconds are over or when the process is stopped. */
  grownFrom(size: number, withinMs: number): Promise<number>
  close(): Promise<void>
}

/** Another process may be the one that stores. */
const pollMs = 250
const publishedAtOnce = 500
const unheardMs = 1000
const retryMs = 1000
/** A dashboard that misses events reads them by `afterSequence`: better than to keep any number of them in memory. */
const mostWaiting = 10_000

export function openFeed(
  db: Pick<Database, 'manager'>,
  broker: Pick<Broker, 'connected' | 'announce'>,
  log: Logger,
  signal: AbortSignal,
): Feed {
  const followers = new EventEmitter().setMaxListeners(0)
  let size = 0
  signal.addEventListener('abort', () => followers.emit('grown'))
  const watch = openWorker(
    pollMs,
    async () => {
      if (!followers.listenerCount('grown')) return false
      size = (await getHead(db.manager)).size
      followers.emit('grown')
      return false
    },
    (error) => log.warning('the head of the log could not be read', { error }),
  )

  const waiting: Message[] = []
  /** Types that no queue is bound for, and until when that is taken for granted: publishing costs half of what storing does. */
  const unheard = new Map<string, number>()
  const publish = openWorker(
    retryMs,
    async () => {
      if (!broker.connected) return false
      const now = Date.now()
      const batch = waiting.splice(0, publishedAtOnce).filter(({ type }) => (unheard.get(type) ?? 0) <= now)
      try {
        const lost = batch.length ? await broker.announce(batch, streamExchange) : []
        for (const { type } of lost) unheard.set(type, Date.now() + unheardMs)
      } catch (error) {
        waiting.unshift(...batch)
        throw error
      }
      return waiting.length > 0
    },
    (error) => log.warning('stored events could not be published to the stream', { error }),
  )

  return {
    stored(events) {
      if (!events.length) return
      watch.wake()
      waiting.push(...events)
      if (waiting.length > mostWaiting) {
        log.warning('the broker is too slow for the stream: events are left out of it', {
          'caregate.events': waiting.length,
        })
        waiting.length = 0
      }
      publish.wake()
    },
    async grownFrom(known, withinMs) {
      const late = AbortSignal.timeout(withinMs)
      const grown = () => once(followers, 'grown', { signal: late }).catch(() => {})
      const first = grown()
      watch.wake()
      await first
      while (size <= known && !late.aborted && !signal.aborted) await grown()
      return Math.max(size, known)
    },
    async close() {
      await publish.close()
      await watch.close()
    },
  }
}
