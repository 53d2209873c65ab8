import { setTimeout as sleep } from 'node:timers/promises'
import type { ChannelModel } from 'amqplib'
import { revocationExchange, type Broker } from '@caregate/common/broker'
import type { Logger } from '@caregate/common/logger'
import type { Directory } from '@caregate/common/registry'

interface Revocation {
  sessionId: string
  /** Until then an access token of the session could be good by its dates. */
  expiresAt: string
}

export interface Revocations {
  has(sessionId: string): boolean
  /** Whether auth's list was read since the start. */
  readonly loaded: boolean
  /** Listens on a new connection to the broker. */
  subscribe(model: ChannelModel): Promise<void>
}

const pollMs = 1000
/** With the broker there, reading the list again only makes up for a message that auth died before sending. */
const idlePollMs = 10_000

/** Ended sessions: told by auth through the broker; while that is away, asked for each second. */
export function watchRevocations(
  directory: Directory,
  broker: Pick<Broker, 'connected'>,
  log: Logger,
  signal: AbortSignal,
): Revocations {
  const revoked = new Map<string, number>()
  let loaded = false
  /** Something may have been told while nobody listened here. */
  let missed = true
  const add = ({ sessionId, expiresAt }: Revocation): void => void revoked.set(sessionId, Date.parse(expiresAt))

  async function read(): Promise<void> {
    const [auth] = directory.instances('auth')
    if (!auth) return
    const answer = await fetch(`${auth}/internal/revocations`, { signal: AbortSignal.timeout(2000) })
    if (!answer.ok) throw new Error(`auth answered ${answer.status}`)
    const { items } = (await answer.json()) as { items: Revocation[] }
    items.forEach(add)
    loaded = true
  }

  async function poll(): Promise<void> {
    let readAt = 0
    while (!signal.aborted) {
      if (missed || !loaded || !broker.connected || Date.now() - readAt > idlePollMs) {
        missed = false
        await read().then(
          () => (readAt = Date.now()),
          (error: unknown) => {
            missed = true
            log.warning('the list of ended sessions can’t be read', { error })
          },
        )
      }
      for (const [sessionId, until] of revoked) if (until < Date.now()) revoked.delete(sessionId)
      await sleep(loaded ? pollMs : 100, undefined, { signal }).catch(() => {})
    }
  }
  void poll()

  return {
    has: (sessionId) => revoked.has(sessionId),
    get loaded() {
      return loaded
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
      missed = true
    },
  }
}
