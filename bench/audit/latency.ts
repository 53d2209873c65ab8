import { setTimeout as sleep } from 'node:timers/promises'
import { openBroker } from '@caregate/common/broker'
import type { Database } from '@caregate/common/database'
import { median, quantile, spread } from '../figures.ts'
import { copyRows } from './copy.ts'
import { arrive, rowsOf, type Arrived } from './events.ts'
import { quiet, type Stage } from './stage.ts'

const target = 50
const perSecond = 2000
const seconds = { log: 10, peer: 5 }
const rounds = 3

/** From the call that publishes to when another connection sees the event; beside COPY of the same events without a queue. */
export async function latency(stage: Stage): Promise<Record<string, boolean>> {
  const [log, peer] = [await stage.openLog(), await stage.openEmptyLog('bench_latency')]
  const broker = await openBroker(stage.info.backing.amqp, quiet)
  const times = { log: [] as number[][], peer: [] as number[][] }
  let copied = 0
  try {
    while (!broker.connected) await sleep(50)
    for (let round = 0; round <= rounds; round++) {
      const byCopy = await pace(peer.db, round ? seconds.peer : 2, async (events) => {
        await copyRows(peer.client, rowsOf(events, copied + 1))
        copied += events.length
      })
      const published = await pace(log, round ? seconds.log : 2, (events) =>
        broker.publish(events.map(({ event: { id, type }, body }) => ({ id, type, body }))),
      )
      // the first round warms up
      if (!round) continue
      times.peer.push(byCopy)
      times.log.push(published)
    }
  } finally {
    await broker.close()
  }
  const at = (all: number[][], share: number) => all.map((one) => quantile(one, share))
  console.log(
    `\n${perSecond} events a second for ${seconds.log} s, ${rounds} times; ms until another connection sees them\n`,
  )
  for (const [name, all] of [
    ['COPY, without a queue', times.peer],
    ['publish → queue → log', times.log],
  ] as const)
    console.log(
      `${name}   p50 ${spread(at(all, 0.5), 1)}   p99 ${spread(at(all, 0.99), 1)}   most ${spread(at(all, 1), 1)}`,
    )
  const p99 = at(times.log, 0.99)
  return {
    [`of ${perSecond} events a second 99 % are stored within ${spread(p99, 1)} ms (median; at most ${target})`]:
      median(p99) <= target,
  }
}

/**
 * Sends events when they are due, however long they take, but not before those that were sent before have gone: like the relay
 * of a service. @returns how many milliseconds after it was due each was seen
 */
async function pace(db: Database, forSeconds: number, send: (events: Arrived[]) => Promise<void>): Promise<number[]> {
  const events = arrive(perSecond * forSeconds)
  const dueAt = new Map<string, number>()
  const times: number[] = []
  const [head] = await db.query<{ sequence: string | null }[]>('SELECT max(sequence) AS sequence FROM events')
  let seen = Number(head!.sequence ?? 0)

  async function follow(): Promise<void> {
    for (const deadline = Date.now() + (forSeconds + 30) * 1000; times.length < events.length; await sleep(5)) {
      if (Date.now() > deadline) throw new Error(`${events.length - times.length} events were not stored`)
      const found = await db.query<{ id: string; sequence: string }[]>(
        'SELECT id, sequence FROM events WHERE sequence > $1 ORDER BY sequence',
        [seen],
      )
      const now = performance.now()
      for (const { id } of found) if (dueAt.has(id)) times.push(now - dueAt.get(id)!)
      seen = Number(found.at(-1)?.sequence ?? seen)
    }
  }

  const following = follow()
  const from = performance.now()
  for (let next = 0; next < events.length; await sleep(1)) {
    const due = Math.min(events.length, Math.floor(((performance.now() - from) * perSecond) / 1000))
    if (due === next) continue
    const batch = events.slice(next, due)
    for (const [n, { event }] of batch.entries()) dueAt.set(event.id, from + ((next + n) * 1000) / perSecond)
    next = due
    await send(batch)
  }
  await following
  return times
}
