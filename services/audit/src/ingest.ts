import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import { auditQueue, type Message } from '@caregate/common/broker'
import type { Logger } from '@caregate/common/logger'
import { requestContext } from '@caregate/common/request-context'
import type { Span } from '@caregate/common/spans'
import { tracer } from '@caregate/common/tracing'
import { receive, type Received } from './received.ts'
import type { Sequencer } from './sequencer.ts'

const prefetch = 2000
const batchSize = 1000
const retryMs = 500

/** Hears what becomes of messages. */
export interface IngestListener {
  /** In order. @param batch of one event at least @param added those of it that are new, as they are read back */
  stored(batch: readonly Received[], added: readonly Message[]): void
  /** It is no event. */
  rejected(): void
}

/** Not the message itself: what waits for the database is moved about by the garbage collector. */
type Delivered = Received & Pick<ConsumeMessage, 'fields'> & { traceparent?: string }

interface Ingest {
  /** On each new connection. */
  subscribe(model: ChannelModel): Promise<void>
  /** When the process has been told to stop: nothing is being stored any more, and what was is acknowledged. */
  settled(): Promise<void>
}

/**
 * Consumes the queue into the log: a batch is what came while the batch before was being stored. A message is
 * acknowledged once its event is committed. What can't be an event is rejected alone, to the dead letters; when the
 * database fails nothing is rejected, the batch waits and is tried again.
 */
export function buildIngest(
  sequencer: Pick<Sequencer, 'append'>,
  listener: IngestListener,
  log: Logger,
  signal: AbortSignal,
): Ingest {
  let working = Promise.resolve()

  function refuse(channel: Channel, message: ConsumeMessage, reason: string): void {
    const id = message.properties.messageId as unknown
    log.error('a message is not an event: it goes to the dead letters', {
      'event.reason': reason,
      'caregate.message.id': id,
    })
    channel.reject(message, false)
    listener.rejected()
  }

  function readMessage(channel: Channel, message: ConsumeMessage): Delivered | undefined {
    try {
      const { traceparent } = (message.properties.headers ?? {}) as { traceparent?: unknown }
      return Object.assign(receive(message.content), {
        fields: message.fields,
        ...(typeof traceparent === 'string' && { traceparent }),
      })
    } catch (error) {
      refuse(channel, message, (error as Error).message)
      return undefined
    }
  }

  /** @returns whether it is stored; not when the process or the channel ended before the database was back */
  async function store(batch: readonly Delivered[], open: () => boolean): Promise<boolean> {
    const spans = startStoring(batch)
    const append = () => sequencer.append(batch)
    while (open()) {
      try {
        const added = spans[0] ? await requestContext.run({ line: {}, span: spans[0] }, append) : await append()
        for (const span of spans) span.end()
        log.debug('events were stored', { 'caregate.events': added.length })
        listener.stored(batch, added)
        return true
      } catch (error) {
        log.warning('events could not be stored yet', { error })
        await sleep(retryMs)
      }
    }
    for (const span of spans) span.end({}, new Error('given up'))
    return false
  }

  async function subscribe(model: ChannelModel): Promise<void> {
    const channel = await model.createChannel()
    let closed = false
    const waiting: Delivered[] = []
    let storing = false
    const open = (): boolean => !closed && !signal.aborted
    channel.on('close', () => {
      closed = true
      // a channel that the broker closes leaves the connection up: closed, it recovers, and subscribes again
      if (!signal.aborted) void model.close().catch(() => {})
    })
    channel.on('error', (error: unknown) => log.warning('the consuming channel failed', { error }))

    async function storeWaiting(): Promise<void> {
      storing = true
      while (waiting.length && open()) {
        const batch = waiting.splice(0, batchSize)
        const stored = await store(batch, open)
        // all up to the last one, for what came before is settled; a closed channel gets them again, and they will be known
        if (stored && !closed) channel.ack(batch.at(-1) as Pick<ConsumeMessage, 'fields'> as ConsumeMessage, true)
      }
      storing = false
    }

    await channel.prefetch(prefetch)
    await channel.consume(auditQueue, (message) => {
      // the queue was deleted: the connection recovers, and declares it again
      if (!message) {
        closed = true
        return void channel.close().catch(() => {})
      }
      // read as it comes: meanwhile the database is busy with the batch before
      const received = readMessage(channel, message)
      if (received) waiting.push(received)
      if (received && !storing) working = storeWaiting()
    })
  }
  return { subscribe, settled: () => working }
}

/** In the trace of each event. What is done for all of a batch stands in that of the first, to which the others have a link. */
function startStoring(batch: readonly Delivered[]): Span[] {
  const spans: Span[] = []
  if (!tracer) return spans
  for (const { id, traceparent } of batch) {
    const attributes = {
      ...{ 'messaging.system': 'rabbitmq', 'messaging.operation.type': 'process', 'messaging.operation.name': 'store' },
      ...{ 'messaging.destination.name': auditQueue, 'messaging.message.id': id },
      'messaging.batch.message_count': batch.length,
    }
    if (traceparent)
      spans.push(tracer.start('consumer', `store ${auditQueue}`, attributes, traceparent, spans[0]?.traceparent))
  }
  return spans
}
