import { setTimeout as sleep } from 'node:timers/promises'
import { openBroker, type Message } from '@caregate/common/broker'
import type { Database } from '@caregate/common/database'
import { getHead } from '../../services/audit/src/repository.ts'
import { cpuOf, median, spread } from '../figures.ts'
import { batchSize, copyRows } from './copy.ts'
import { arrive, rowsOf } from './events.ts'
import { quiet, type Stage } from './stage.ts'

const targets = { share: 0.4, cpu: 25 }
const count = 20_000
const rounds = 5

/** From the call that publishes to the commit of the last event, and the audit process's CPU; beside COPY of the same rows. */
export async function throughput(stage: Stage): Promise<Record<string, boolean>> {
  const [log, peer] = [await stage.openLog(), await stage.openEmptyLog('bench_copy')]
  const broker = await openBroker(stage.info.backing.amqp, quiet)
  const copied: number[] = []
  const stored: number[] = []
  const cpu: number[] = []
  try {
    while (!broker.connected) await sleep(50)
    // the first round warms up; every other goes the other way round
    for (let round = 0; round <= rounds; round++) {
      const events = arrive(count)
      const rows = rowsOf(events, round * count + 1)
      const messages = events.map(({ event: { id, type }, body }) => ({ id, type, body }))
      const steps = [
        async () => copied.push(await rate(() => copyRows(peer.client, rows))),
        async () => {
          const [pid, before] = [stage.supervisor.pid('audit')!, await sizeOf(log)]
          const used = cpuOf(pid)
          stored.push(await rate(() => store(log, broker, messages, before + count)))
          cpu.push(((cpuOf(pid) - used) / count) * 1e6)
        },
      ]
      for (const step of round % 2 ? steps : steps.toReversed()) await step()
      if (!round) for (const figures of [copied, stored, cpu]) figures.pop()
    }
  } finally {
    await broker.close()
  }
  const shares = stored.map((one, round) => one / copied[round]!)
  console.log(`\n${rounds} rounds of ${count} events; in brackets the least and the most\n`)
  console.log(`COPY, batches of ${batchSize}, rows/s      ${spread(copied, 0)}`)
  console.log(`publish → queue → log, events/s   ${spread(stored, 0)}`)
  console.log(`share of COPY                     ${spread(shares)}`)
  console.log(`audit process, CPU µs an event    ${spread(cpu, 1)}`)
  return {
    [`end to end events are stored at ${spread(shares)} of COPY’s rate (median; at least ${targets.share})`]:
      median(shares) >= targets.share,
    [`the audit process uses ${spread(cpu, 1)} µs of CPU an event (median; at most ${targets.cpu})`]:
      median(cpu) <= targets.cpu,
  }

  async function rate(work: () => Promise<unknown>): Promise<number> {
    const from = performance.now()
    await work()
    return count / ((performance.now() - from) / 1000)
  }
}

type Broker = Awaited<ReturnType<typeof openBroker>>

/** Two publishers that await the confirmation of a batch before the next, as the relays of two services do. */
async function store(log: Database, broker: Broker, messages: readonly Message[], goal: number): Promise<void> {
  let next = 0
  async function publish(): Promise<void> {
    while (next < messages.length) await broker.publish(messages.slice(next, (next += batchSize)))
  }
  await Promise.all([publish(), publish()])
  while ((await sizeOf(log)) < goal) await sleep(5)
}

const sizeOf = async (log: Database): Promise<number> => (await getHead(log.manager)).size
