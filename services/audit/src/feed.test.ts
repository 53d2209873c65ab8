import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Message } from '@caregate/common/broker'
import { quietLog } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { openFeed } from './feed.ts'
import { openAudit } from './testing.ts'

let service: Awaited<ReturnType<typeof openAudit>>
beforeAll(async () => {
  service = await openAudit()
})
afterAll(() => service.close())

const messages = (from: number, to: number): Message[] =>
  Array.from({ length: to - from }, (_, n) => ({ id: String(from + n), type: 'a.b.c', body: '{}' }))

/** A feed, and what it has announced to a broker that fails when it is told to. */
function openWith(broker: { connected: boolean; fails: number }) {
  const announced: string[] = []
  const feed = openFeed(
    service.db,
    {
      get connected() {
        return broker.connected
      },
      async announce(batch) {
        if (broker.fails-- > 0) throw new Error('not confirmed')
        announced.push(...batch.map(({ id }) => id))
        return []
      },
    },
    quietLog,
    new AbortController().signal,
  )
  return { feed, announced }
}
const ids = messages(0, 1200).map(({ id }) => id)

test('what could not be announced is announced soon after, in order', async () => {
  const broker = { connected: true, fails: 1 }
  const { feed, announced } = openWith(broker)
  feed.stored(messages(0, 1200))
  await until(() => announced.length === 1200, 4)
  expect(announced).toEqual(ids)
  await feed.close()
})

test('what is stored while the broker is away waits for it', async () => {
  const broker = { connected: false, fails: 0 }
  const { feed, announced } = openWith(broker)
  feed.stored(messages(0, 1200))
  await expect(until(() => announced.length > 0, 1)).rejects.toThrow()
  broker.connected = true
  await until(() => announced.length === 1200, 4)
  await feed.close()
})

test('what was stored is announced before the process ends', async () => {
  const { feed, announced } = openWith({ connected: true, fails: 0 })
  feed.stored(messages(0, 1200))
  await feed.close()
  expect(announced).toEqual(ids)
})
