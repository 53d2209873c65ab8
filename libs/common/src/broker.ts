import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { setImmediate as immediate } from 'node:timers/promises'
import { connect, credentials, type ChannelModel, type ConfirmChannel, type RecoveringChannelModel } from 'amqplib'
import type { Logger } from './logger.ts'
import type { Span } from './spans.ts'
import { tracer } from './tracing.ts'

export const auditExchange = 'audit.events'
export const auditQueue = 'audit.store'
/** What was stored, once more, for whoever likes to watch it by AMQP. */
export const streamExchange = 'audit.stream'
const deadLetterExchange = 'audit.dead'
export const deadLetterQueue = 'audit.dead-letters'
export const revocationExchange = 'auth.revocations'

export interface Message {
  id: string
  type: string
  body: string
  /** W3C Trace Context of the request that it tells of, where that is traced. */
  traceparent?: string | null
}

export interface Broker {
  readonly connected: boolean
  /**
   * Publishes to the audit exchange, persistently.
   * @throws unless the broker has confirmed every message and returned none, within 10 s
   */
  publish(messages: readonly Message[]): Promise<void>
  /**
   * Publishes to an exchange whose listeners may be absent, persistently.
   * @returns those that nobody gets
   * @throws unless the broker has confirmed every message within 10 s
   */
  announce(messages: readonly Message[], exchange: string): Promise<readonly Message[]>
  /** Publishes to a fanout exchange whose listeners may be absent. */
  broadcast(exchange: string, body: string): void
  /**
   * How many messages wait in a queue, without those that a consumer has but hasn't acknowledged yet.
   * @throws while the broker is away, or where there is no such queue
   */
  depth(queue: string): Promise<number>
  close(): Promise<void>
}

const confirmTimeoutMs = 10_000
/** Of `net.Socket`: what a connection takes before it says to wait, a batch of events mostly. */
const buffering = { highWaterMark: 1_048_576 }

// whatever comes back to a queue, from a consumer that crashed or a reader that only looked, counts against all that it
// had: a low limit, as RabbitMQ 4 has one by default, would throw messages away
const deliveryLimit = { 'x-delivery-limit': 1_000_000 }

/** What there is at the broker, for those who prepare one: names of exchanges by type, queues, and who feeds them. */
export const topology = {
  exchanges: {
    [auditExchange]: 'topic',
    [streamExchange]: 'topic',
    [deadLetterExchange]: 'fanout',
    [revocationExchange]: 'fanout',
  },
  queues: {
    [deadLetterQueue]: { 'x-queue-type': 'quorum', ...deliveryLimit },
    [auditQueue]: {
      'x-queue-type': 'quorum',
      'x-single-active-consumer': true,
      'x-dead-letter-exchange': deadLetterExchange,
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
      ...deliveryLimit,
    },
  },
  bindings: [
    { queue: deadLetterQueue, exchange: deadLetterExchange, key: '' },
    { queue: auditQueue, exchange: auditExchange, key: '#' },
  ],
} as const

/**
 * @returns whether the queue has the limit: one that was declared by an earlier version stays as it is, without. Whom the
 * broker lets declare nothing finds the queue that was prepared for it, which has
 */
export async function declareDeadLetters(model: Pick<ChannelModel, 'createChannel'>): Promise<boolean> {
  const channel = await model.createChannel()
  // the refused call says so as well
  channel.on('error', () => {})
  try {
    await channel.assertQueue(deadLetterQueue, { durable: true, arguments: topology.queues[deadLetterQueue] })
    await channel.close()
    return true
  } catch (error) {
    const { code } = error as { code?: number }
    if (code !== preconditionFailed && code !== accessRefused) throw error
    return code === accessRefused
  }
}
const preconditionFailed = 406
const accessRefused = 403

/**
 * Publishers and the consumer declare the same, so it doesn't matter who starts first. Whom the broker lets declare
 * nothing finds what was prepared for it.
 */
async function declareTopology(model: ChannelModel): Promise<void> {
  const channel = await model.createChannel()
  // the refused call says so as well
  channel.on('error', () => {})
  try {
    for (const [exchange, type] of Object.entries(topology.exchanges))
      await channel.assertExchange(exchange, type, { durable: true })
    await declareDeadLetters(model)
    await channel.assertQueue(auditQueue, { durable: true, arguments: topology.queues[auditQueue] })
    for (const { queue, exchange, key } of topology.bindings) await channel.bindQueue(queue, exchange, key)
    await channel.close()
  } catch (error) {
    if ((error as { code?: number }).code !== accessRefused) throw error
  }
}

/** Below the request, which may be long over: what waits in an outbox is published when it can be. */
const startPublishing = ({ id, type, traceparent }: Message, exchange: string): Span | undefined =>
  traceparent
    ? tracer?.start(
        'producer',
        `publish ${exchange}`,
        {
          ...{ 'messaging.system': 'rabbitmq', 'messaging.operation.type': 'send' },
          ...{ 'messaging.operation.name': 'publish', 'messaging.destination.name': exchange },
          ...{ 'messaging.rabbitmq.destination.routing_key': type, 'messaging.message.id': id },
        },
        traceparent,
      )
    : undefined

/**
 * Connects in the background and again after every loss; `subscribe` runs on each new connection.
 * Returns at once: a process serves while the broker is away.
 * @param amqpUrl what gives it is asked for user and password at each new connection
 */
export async function openBroker(
  amqpUrl: string | (() => string),
  log: Logger,
  subscribe?: (model: ChannelModel) => Promise<void>,
): Promise<Broker> {
  let channel: ConfirmChannel | undefined
  let socket: Duplex | undefined
  const returned = new Set<string>()
  let closing = false

  const setup = async (model: ChannelModel): Promise<void> => {
    const opened = await model.createConfirmChannel()
    opened.on('error', (error: unknown) => log.warning('the publishing channel failed', { error }))
    opened.on('return', ({ fields, properties }: { fields: { exchange: string }; properties: { messageId: string } }) =>
      returned.add(`${fields.exchange} ${properties.messageId}`),
    )
    opened.on('close', () => {
      if (channel === opened) channel = undefined
      // a channel that the broker closes leaves the connection up: closed, it recovers, with a new channel
      if (!closing) void model.close().catch(() => {})
    })
    await declareTopology(model)
    await subscribe?.(model)
    // none of its types tell of it; without it a batch is only slower
    socket = (model as ChannelModel & { connection: { stream?: Duplex } }).connection.stream
    channel = opened
  }

  const current = typeof amqpUrl === 'string' ? () => amqpUrl : amqpUrl
  const signIn = {
    mechanism: 'PLAIN',
    response() {
      const { username, password } = new URL(current())
      return credentials
        .plain(decodeURIComponent(username || 'guest'), decodeURIComponent(password || 'guest'))
        .response()
    },
  }
  const model: RecoveringChannelModel = await connect(current(), {
    timeout: 5000,
    ...buffering,
    credentials: signIn,
    recovery: { initialDelay: 200, maxDelay: 2000, waitForConnect: false, setup },
  })
  model.on('error', (error: unknown) => log.warning('the broker connection failed', { error }))
  let told = false
  model.on('connect-failed', (error: unknown) => {
    if (!told) log.warning('the broker can’t be reached', { 'service.target.address': new URL(current()).host, error })
    told = true
  })
  model.on('connect', () => {
    told = false
    log.info('connected to the broker')
  })
  model.on('disconnect', () => log.warning('the broker is away'))

  /** Writes what is published by now in one turn to the system, where the library would take one a message. */
  async function writeTogether(connection: Duplex | undefined): Promise<void> {
    connection?.cork()
    // the library passes its frames on in the next turn of the event loop
    await immediate()
    await immediate()
    connection?.uncork()
  }

  /** @returns those that the exchange had no queue for */
  async function send(exchange: string, messages: readonly Message[]): Promise<Message[]> {
    if (!messages.length) return []
    if (!channel) throw new Error('the broker is away')
    const open = channel
    const spans: Span[] = []
    const done = new AbortController()
    const timer = setTimeout(() => done.abort(), confirmTimeoutMs)
    const closed = once(open, 'close', { signal: done.signal }).then(() =>
      Promise.reject(new Error('the channel closed before it confirmed')),
    )
    const confirmed = new Promise<void>((resolve, reject) => {
      let left = messages.length
      const confirm = (error: unknown): void => {
        if (error) reject(error)
        else if (!--left) resolve()
      }
      for (const message of messages) {
        const { id, type, body } = message
        const span = startPublishing(message, exchange)
        if (span) spans.push(span)
        const headers = span && { traceparent: span.traceparent }
        const options = { persistent: true, mandatory: true, messageId: id, contentType: 'application/json', headers }
        open.publish(exchange, type, Buffer.from(body), options, confirm)
      }
      void writeTogether(socket)
    })
    try {
      await Promise.race([confirmed, closed])
      for (const span of spans) span.end()
    } catch (error) {
      for (const span of spans) span.end({}, error)
      throw error
    } finally {
      clearTimeout(timer)
      done.abort()
    }
    // a message is returned before it is confirmed
    return messages.filter(({ id }) => returned.delete(`${exchange} ${id}`))
  }

  return {
    get connected() {
      return channel !== undefined
    },
    async publish(messages) {
      const lost = await send(auditExchange, messages)
      if (lost.length) throw new Error(`${lost.length} messages could not be routed to a queue`)
    },
    announce: (messages, exchange) => send(exchange, messages),
    broadcast(exchange, body) {
      channel?.publish(exchange, '', Buffer.from(body), { contentType: 'application/json' })
    },
    async depth(queue) {
      if (!channel) throw new Error('the broker is away')
      // of its own: a queue that isn't there closes the channel
      const asking = await model.createChannel()
      asking.on('error', () => {})
      const { messageCount } = await asking.checkQueue(queue)
      await asking.close()
      return messageCount
    },
    async close() {
      closing = true
      channel = undefined
      await model.close()
    },
  }
}
