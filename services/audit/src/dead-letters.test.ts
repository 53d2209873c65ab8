import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { connect, type ChannelModel, type ConfirmChannel } from 'amqplib'
import { auditQueue, deadLetterQueue, openBroker } from '@caregate/common/broker'
import { canonicalJson } from '@caregate/common/events'
import { quietLog, testAmqpUrl } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { anEvent } from './testing.ts'

let model: ChannelModel
let channel: ConfirmChannel

beforeAll(async () => {
  model = await connect(testAmqpUrl())
  channel = await model.createConfirmChannel()
})
beforeEach(async () => {
  for (const queue of [auditQueue, deadLetterQueue]) await channel.deleteQueue(queue)
  const declaring = await openBroker(testAmqpUrl(), quietLog)
  await until(() => declaring.connected)
  await declaring.close()
})
afterAll(() => model.close())

interface Outcome {
  code: number
  out: string
  err: string
}
/** `caregate-audit dead-letters …`, as an operator runs it. */
const run = (args: string[], AMQP_URL = testAmqpUrl()): Promise<Outcome> =>
  new Promise((resolve) => {
    const script = join(import.meta.dirname, 'cli.ts')
    const env = { ...process.env, AMQP_URL }
    execFile(process.execPath, [script, 'dead-letters', ...args], { env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    )
  })

/** Puts messages into the log's queue, and dead letters out of them as the log does. */
async function die(...messages: { body: string; id?: string }[]): Promise<void> {
  const before = await depth(deadLetterQueue)
  for (const { body, id } of messages) {
    const options = { persistent: true, ...(id === undefined ? {} : { messageId: id }) }
    channel.publish('audit.events', 'patients.patient.read', Buffer.from(body), options)
  }
  await channel.waitForConfirms()
  const rejecting = await model.createChannel()
  await rejecting.consume(auditQueue, (message) => message && rejecting.reject(message, false))
  await until(async () => (await depth(deadLetterQueue)) === before + messages.length)
  await rejecting.close()
}
const depth = async (queue: string): Promise<number> => (await channel.checkQueue(queue)).messageCount
/** What the log would get. */
async function arrived(count: number): Promise<string[]> {
  const reading = await model.createChannel()
  const ids: string[] = []
  await reading.consume(auditQueue, (message) => message && ids.push(String(message.properties.messageId)), {
    noAck: true,
  })
  await until(() => ids.length >= count)
  await reading.close()
  return ids
}
const anEventMessage = () => {
  const event = anEvent()
  return { body: canonicalJson(event), id: event.id }
}

/** What a command has held returns a moment after it. */
const left = (count: number) => until(async () => (await depth(deadLetterQueue)) === count)

test('the list names each dead letter and what is wrong with it today, and changes nothing', async () => {
  const good = anEventMessage()
  const bad = { body: '{"v":2}', id: randomUUID() }
  await die(good, bad, { body: 'sent by a \u001b[31mstranger' })
  const first = await run(['list'])
  const lines = first.out.trimEnd().split('\n')
  expect(lines.map((line) => line.split('\t'))).toEqual([
    [good.id, 'patients.patient.read', expect.any(String), `${good.body.length} bytes`, 'is an event now'],
    [bad.id, 'patients.patient.read', expect.any(String), '7 bytes', 'v is not valid'],
    [
      expect.stringMatching(/^sha256:[0-9a-f]{16}$/),
      'patients.patient.read',
      expect.any(String),
      '23 bytes',
      expect.stringContaining('is not valid JSON'),
    ],
  ])
  for (const line of lines) expect(Math.abs(Date.parse(line.split('\t')[2]!) - Date.now())).toBeLessThan(60_000)
  expect(first.out).not.toContain('\u001b')
  expect(first).toMatchObject({ code: 0, err: 'dead letters: 3\n' })
  expect(await run(['list'])).toEqual(first)
  await left(3)
})

test('one is shown as it came, by its id', async () => {
  const bad = { body: '{"v":2,  "name": "Gómez"}', id: randomUUID() }
  await die(anEventMessage(), bad, { body: 'nameless' })
  expect(await run(['show', bad.id])).toEqual({ code: 0, out: `${bad.body}\n`, err: '' })
  const { out } = await run(['list'])
  const nameless = /^sha256:\S+/m.exec(out)![0]
  expect((await run(['show', nameless])).out).toBe('nameless\n')
  expect(await run(['show', 'nobody'])).toEqual({ code: 1, out: '', err: 'there is no dead letter nobody\n' })
  await left(3)
})

test('what is an event now is published again, what is none is refused with its reason and stays', async () => {
  const good = anEventMessage()
  const other = anEventMessage()
  const bad = { body: '{"v":2}', id: randomUUID() }
  await die(bad, good, other)
  const refused = await run(['replay', bad.id])
  expect(refused).toEqual({ code: 1, out: '0 replayed, 1 refused\n', err: `${bad.id} stays: v is not valid\n` })
  expect(await depth(auditQueue)).toBe(0)
  expect(await run(['replay', good.id])).toEqual({ code: 0, out: '1 replayed, 0 refused\n', err: '' })
  expect(await arrived(1)).toEqual([good.id])
  expect((await run(['list'])).out.split('\n').map((line) => line.split('\t')[0])).toEqual([bad.id, other.id, ''])
  expect(await run(['replay'])).toMatchObject({ code: 1, out: '1 replayed, 1 refused\n' })
  expect(await arrived(1)).toEqual([other.id])
  expect(await run(['replay', good.id])).toMatchObject({ code: 1, err: `there is no dead letter ${good.id}\n` })
  await left(1)
})

test('a great many are replayed, and what stays keeps its order', async () => {
  const good = Array.from({ length: 1000 }, anEventMessage)
  const bad = Array.from({ length: 1200 }, (_none, n) => ({ body: `${n}`, id: randomUUID() }))
  await die(...bad.slice(0, 1100), ...good.slice(0, 300), ...bad.slice(1100), ...good.slice(300))
  expect(await run(['replay'])).toMatchObject({ code: 1, out: '1000 replayed, 1200 refused\n' })
  expect(await arrived(1000)).toEqual(good.map(({ id }) => id))
  for (let n = 0; n < 2; n++) expect((await run(['list'])).out.match(/^\S+/gm)).toEqual(bad.map(({ id }) => id))
  await left(1200)
})

test('looking more often than RabbitMQ 4 allows by itself drops nothing', async () => {
  await die({ body: 'bad', id: 'bad' })
  for (let n = 0; n < 30; n++) {
    const looking = await model.createChannel()
    const taken = await new Promise((resolve) => void looking.consume(deadLetterQueue, resolve))
    expect(taken).not.toBeNull()
    await looking.close()
  }
  await left(1)
  const again = await model.createChannel()
  const arguments_ = { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000 }
  await again.assertQueue(deadLetterQueue, { durable: true, arguments: arguments_ })
  await again.close()
})

test('a queue from before the limit is used as it is', async () => {
  await channel.deleteQueue(deadLetterQueue)
  await channel.assertQueue(deadLetterQueue, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  await channel.bindQueue(deadLetterQueue, 'audit.dead', '')
  await die({ body: 'bad', id: 'bad' })
  expect(await run(['list'])).toMatchObject({ code: 0, out: expect.stringMatching(/^bad\t/) })
  const broker = await openBroker(testAmqpUrl(), quietLog)
  await until(() => broker.connected)
  await broker.close()
})

test('a broker that is not there, and words that make no sense, end with 2', async () => {
  const away = await run(['list'], 'amqp://127.0.0.1:1')
  expect(away).toMatchObject({ code: 2, out: '', err: expect.stringContaining('ECONNREFUSED') })
  for (const args of [[], ['show'], ['list', 'x'], ['remove', 'x']])
    expect(await run(args)).toMatchObject({ code: 2, err: expect.stringContaining('Usage: ') })
})
