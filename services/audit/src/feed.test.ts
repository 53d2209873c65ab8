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

test('what nobody is bound for is announced again a second later, and what others want meanwhile', async () => {
  const announced: string[] = []
  let heard = false
  const announce = async (batch: readonly Message[]) => {
    announced.push(...batch.map(({ id }) => id))
    return heard ? [] : batch.filter(({ type }) => type === 'a.b.c')
  }
  const feed = openFeed(service.db, { connected: true, announce }, quietLog, new AbortController().signal)
  const other = (id: string): Message => ({ id, type: 'd.e.f', body: '{}' })
  const began = performance.now()
  feed.stored([...messages(0, 2), other('wanted')])
  await until(() => announced.length === 3)
  expect(announced).toEqual(['0', '1', 'wanted'])
  feed.stored([...messages(2, 4), other('wanted too')])
  await until(() => announced.includes('wanted too'))
  // a machine may take a second for this much
  expect(!announced.includes('2') || performance.now() - began >= 1000).toBe(true)
  heard = true
  await until(() => {
    feed.stored(messages(4, 5))
    return announced.includes('4')
  }, 3)
  await feed.close()
})

test('of more than ten thousand that wait none is announced, and then it goes on', async () => {
  const broker = { connected: false, fails: 0 }
  const { feed, announced } = openWith(broker)
  feed.stored(messages(0, 10_000))
  feed.stored(messages(10_000, 10_001))
  feed.stored(messages(10_001, 10_003))
  broker.connected = true
  await until(() => announced.length > 0, 4)
  expect(announced).toEqual(['10001', '10002'])
  await feed.close()
})

test('what was stored is announced before the process ends', async () => {
  const { feed, announced } = openWith({ connected: true, fails: 0 })
  feed.stored(messages(0, 1200))
  await feed.close()
  expect(announced).toEqual(ids)
})
