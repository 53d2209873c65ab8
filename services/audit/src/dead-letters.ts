import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type Channel, type ConsumeMessage } from 'amqplib'
import { deadLetterQueue, declareDeadLetters, openBroker, type Broker, type Message } from '@caregate/common/broker'
import { commandConfig } from '@caregate/common/command'
import { processKeys } from '@caregate/common/config'
import { parseEvent } from '@caregate/common/events'
import { buildLogger } from '@caregate/common/logger'

const usage = `Usage: caregate-audit dead-letters list | show ID | replay [ID…]
AMQP_URL says where the broker is.`

/** A message that the log refused when it came. */
interface Letter {
  id: string
  /** Why it still is no event, in one line. */
  reason?: string
  event?: Message
}

/** What is held in memory at a time. */
const batchSize = 1000
/** What is looked at in all: with more than 32 consumers RabbitMQ 3.10 gives their messages back in any order. */
const mostBatches = 30
/** What is published together. */
const atOnce = 100
const silenceMs = 1000

/** What a terminal shows as it is, on one line. */
const printable = (text: string): string => text.replaceAll(/\p{C}/gu, '\ufffd')

/** The message's id, or where a stranger sent it without one, what its bytes are. */
const idOf = ({ properties, content }: ConsumeMessage): string =>
  printable(String(properties.messageId ?? `sha256:${createHash('sha256').update(content).digest('hex').slice(0, 16)}`))

/** Keeps no content but that of an event, which is small. */
function readLetter(message: ConsumeMessage): Letter {
  const id = idOf(message)
  try {
    const { id: eventId, type } = parseEvent(message.content.toString())
    return { id, event: { id: eventId, type, body: message.content.toString('utf8') } }
  } catch (error) {
    return { id, reason: printable((error as Error).message) }
  }
}

function diedAt({ properties }: ConsumeMessage): string {
  const [death] = (properties.headers?.['x-death'] ?? []) as { time?: { value: number } }[]
  return death?.time ? new Date(death.time.value * 1000).toISOString() : 'unknown'
}

/** Up to `most` of the dead letters that nobody has taken, and fewer when no more come. */
async function takeBatch<T>(channel: Channel, consumerTag: string, most: number, read: Read<T>): Promise<T[]> {
  const batch: T[] = []
  const full = Promise.withResolvers<void>()
  const take = (message: ConsumeMessage | null): void => {
    if (message && batch.length < most) batch.push(read(message))
    if (!message || batch.length === most) full.resolve()
  }
  await channel.consume(deadLetterQueue, take, { consumerTag })
  for (let before = -1; batch.length < most && batch.length > before;) {
    before = batch.length
    await Promise.race([full.promise, sleep(silenceMs, undefined, { ref: false })])
  }
  await channel.cancel(consumerTag)
  return batch
}
type Read<T> = (message: ConsumeMessage) => T
const tagOf = (batch: number): string => `dead-letters-${String(batch).padStart(2, '0')}`

/**
 * What `read` makes of the dead letters that there are, in their order, a few at a time. What isn't acknowledged is back in
 * its place when the channel closes: a quorum queue takes a consumer's messages back in order, and consumers by their tags;
 * those of basic.get and of basic.nack in any.
 */
async function* arriving<T>(channel: Channel, read: Read<T>): AsyncGenerator<T[]> {
  // what dies from here on is left for the next time: it may be what was replayed
  let { messageCount: left } = await channel.checkQueue(deadLetterQueue)
  await channel.prefetch(batchSize)
  for (let n = 0; left > 0 && n < mostBatches; n++) {
    const batch = await takeBatch(channel, tagOf(n), Math.min(left, batchSize), read)
    // somebody else is looking at them
    if (!batch.length) break
    left -= batch.length
    while (batch.length) yield batch.splice(0, atOnce)
  }
  if (left) console.error(`${left} more were not looked at`)
}

/**
 * Waits until acknowledgements have arrived: the broker keeps those of a quorum queue back when they are many, and forgets
 * them when the channel closes. It has none left when it has answered what changes the queue, such as another consumer.
 */
async function settle(channel: Channel): Promise<void> {
  await channel.prefetch(1)
  await channel.consume(deadLetterQueue, () => {}, { consumerTag: tagOf(mostBatches) })
}

async function list(channel: Channel): Promise<number> {
  const line = (message: ConsumeMessage): string => {
    const { id, reason = 'is an event now' } = readLetter(message)
    const type = printable(message.fields.routingKey)
    return [id, type, diedAt(message), `${message.content.length} bytes`, reason].join('\t')
  }
  let listed = 0
  for await (const lines of arriving(channel, line)) {
    listed += lines.length
    console.log(lines.join('\n'))
  }
  console.error(`dead letters: ${listed}`)
  return 0
}

async function show(channel: Channel, wanted: string): Promise<number> {
  let shown = 0
  const body = (message: ConsumeMessage): Buffer | undefined => (idOf(message) === wanted ? message.content : undefined)
  for await (const bodies of arriving(channel, body))
    for (const content of bodies) {
      if (!content) continue
      shown++
      console.log(process.stdout.isTTY ? printable(content.toString()) : content.toString())
    }
  if (!shown) console.error(`there is no dead letter ${wanted}`)
  return shown ? 0 : 1
}

async function replay(channel: Channel, broker: Broker, ids: readonly string[]): Promise<number> {
  const missing = new Set(ids)
  let replayed = 0
  let staying = 0
  for await (const letters of arriving(channel, (message) => ({
    ...readLetter(message),
    receipt: receiptOf(message),
  }))) {
    const wanted = letters.filter(({ id }) => !ids.length || ids.includes(id))
    for (const { id, reason } of wanted) {
      missing.delete(id)
      if (reason !== undefined) console.error(`${id} stays: ${reason}`)
    }
    const events = wanted.flatMap(({ event, receipt }) => (event ? { event, receipt } : []))
    if (events.length) await broker.publish(events.map(({ event }) => event))
    // who is killed before this has published them, and they are dead letters still: the log drops a second one by its id
    for (const { receipt } of events) channel.ack(receipt)
    replayed += events.length
    staying += wanted.length - events.length
  }
  await settle(channel)
  for (const id of missing) console.error(`there is no dead letter ${id}`)
  console.log(`${replayed} replayed, ${staying} refused`)
  return staying || missing.size ? 1 : 0
}

/** What it takes to acknowledge a message, without its content. */
const receiptOf = (message: ConsumeMessage): ConsumeMessage => ({ ...message, content: Buffer.alloc(0) })

async function openPublisher(url: string): Promise<Broker> {
  const broker = await openBroker(url, buildLogger('dead-letters', 'ERROR', 'text'))
  for (const deadline = Date.now() + 10_000; !broker.connected; await sleep(20)) {
    if (Date.now() < deadline) continue
    await broker.close()
    throw new Error('the broker can’t be published to')
  }
  return broker
}

/**
 * The command for what the log refused: shows it, and publishes again what has become an event, say by an update of this
 * service. @returns the exit code: 1 when a message that was asked for stays, or isn't there
 * @throws when the broker can't be reached or the arguments make no sense
 */
export async function deadLetters([command, ...ids]: string[]): Promise<number> {
  const isKnown =
    command === 'replay' || (command === 'list' && !ids.length) || (command === 'show' && ids.length === 1)
  if (!isKnown) throw new Error(usage)
  const { AMQP_URL } = commandConfig({ AMQP_URL: processKeys.AMQP_URL })
  const model = await connect(AMQP_URL, { timeout: 5000 }).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`the broker can’t be reached: ${error.message || error.code}`)
  })
  // what is under way fails by itself
  model.on('error', () => {})
  try {
    const isLimited = await declareDeadLetters(model)
    if (!isLimited && Number.parseInt(model.connection.serverProperties.version, 10) >= 4)
      console.error(
        `${deadLetterQueue} has no delivery limit of its own: see docs/audit.md, Dead letters, before you go on`,
      )
    const channel = await model.createChannel()
    channel.on('error', () => {})
    if (command === 'list') return await list(channel)
    if (command === 'show') return await show(channel, ids[0]!)
    const broker = await openPublisher(AMQP_URL)
    return await replay(channel, broker, ids).finally(() => broker.close())
  } finally {
    await model.close()
  }
}
