import { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChannelModel } from 'amqplib'
import { revocationExchange } from '@caregate/common/broker'
import type { Logger } from '@caregate/common/logger'
import { askInstance, type Directory } from '@caregate/common/registry'

interface Revocation {
  sessionId: string
  /** Until then an access token of the session could be good by its dates. */
  expiresAt: string
}

export interface Revocations {
  has(sessionId: string): boolean
  /** Calls `end` when the session ends, at once if it has. @returns forgets it */
  whenEnded(sessionId: string, end: () => void): () => void
  /** Whether auth's list was read since the start. */
  readonly loaded: boolean
  /** When auth last answered, by performance.now(). */
  readonly heardAt: number | undefined
  /** Listens on a new connection to the broker. */
  subscribe(model: ChannelModel): Promise<void>
}

const pollMs = 1000
/** A session may have been committed a little after the time that it says. */
const overlapMs = 60_000

/**
 * Ended sessions: told by auth through the broker at once, and asked for each second in case it could not, whichever
 * side of the broker is away.
 */
export function watchRevocations(directory: Directory, log: Logger, signal: AbortSignal): Revocations {
  const revoked = new Map<string, number>()
  let since: Date | undefined
  let heardAt: number | undefined
  /** One event a session that something waits for. */
  const endings = new EventEmitter().setMaxListeners(0)
  function add({ sessionId, expiresAt }: Revocation): void {
    revoked.set(sessionId, Date.parse(expiresAt))
    endings.emit(sessionId)
  }

  async function read(): Promise<void> {
    const [auth] = directory.instances('auth')
    if (!auth) return
    const query = since ? `?since=${since.toISOString()}` : ''
    const { status, body } = await askInstance('auth', `${auth}/internal/revocations${query}`, 2000)
    if (status !== 200) throw new Error(`auth answered ${status}`)
    const { items, until } = JSON.parse(body) as { items: Revocation[]; until: string }
    items.forEach(add)
    since = new Date(Date.parse(until) - overlapMs)
    heardAt = performance.now()
  }

  async function poll(): Promise<void> {
    while (!signal.aborted) {
      await read().catch((error: unknown) => log.warning('the list of ended sessions can’t be read', { error }))
      for (const [sessionId, until] of revoked) if (until < Date.now()) revoked.delete(sessionId)
      await sleep(since ? pollMs : 100, undefined, { signal }).catch(() => {})
    }
  }
  void poll()

  return {
    has: (sessionId) => revoked.has(sessionId),
    whenEnded(sessionId, end) {
      if (revoked.has(sessionId)) end()
      endings.once(sessionId, end)
      return () => void endings.off(sessionId, end)
    },
    get loaded() {
      return since !== undefined
    },
    get heardAt() {
      return heardAt
    },
    async subscribe(model) {
      const channel = await model.createChannel()
      channel.on('error', (error: unknown) => log.warning('the revocation channel failed', { error }))
      const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true })
      await channel.bindQueue(queue, revocationExchange, '')
      await channel.consume(
        queue,
        (message) => message && add(JSON.parse(message.content.toString('utf8')) as Revocation),
        { noAck: true },
      )
    },
  }
}
