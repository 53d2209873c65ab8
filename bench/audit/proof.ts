import { receive } from '../../services/audit/src/received.ts'
import { openSequencer } from '../../services/audit/src/sequencer.ts'
import { getHead, getEvent } from '../../services/audit/src/repository.ts'
import { inclusionProof } from '../../services/audit/src/tree.ts'
import { quantile } from '../figures.ts'
import { batchSize } from './copy.ts'
import { arrive } from './events.ts'
import { openClients } from './http.ts'
import type { Stage } from './stage.ts'

const target = 5
const size = 200_000
const rounds = 5
const count = { direct: 500, http: 200 }

/** Inclusion proofs of random events, one at a time; beside reading the events. */
export async function proof(stage: Stage): Promise<Record<string, boolean>> {
  const log = await stage.openLog()
  const sequencer = await openSequencer(log, stage.signer)
  for (let missing = size - (await getHead(log.manager)).size; missing > 0; missing -= batchSize)
    await sequencer.append(arrive(batchSize).map(({ body }) => receive(Buffer.from(body))))
  const rows = await log.query<{ id: string; sequence: string }[]>(
    `SELECT id, sequence FROM event_ids WHERE sequence % 97 = 0 LIMIT ${count.direct}`,
  )
  const client = openClients(stage.portOf('audit'), await stage.token(['auditor']), 1)
  const times: Record<string, number[]> = { event: [], proof: [], 'event, HTTP': [], 'proof, HTTP': [] }
  const some = rows.slice(0, count.http)
  const steps: Record<string, () => Promise<number[]>> = {
    event: () => each(rows, ({ id }) => getEvent(log.manager, id)),
    proof: () => each(rows, ({ sequence }) => inclusionProof(log.manager, Number(sequence), size)),
    'event, HTTP': () => client.getMany(some.map(({ id }) => `/audit/events/${id}`)),
    'proof, HTTP': () =>
      client.getMany(some.map(({ sequence }) => `/audit/proof/inclusion?sequence=${sequence}&size=${size}`)),
  }
  try {
    for (let round = 0; round <= rounds; round++)
      for (const name of round % 2 ? Object.keys(steps) : Object.keys(steps).toReversed()) {
        const measured = await steps[name]!()
        // the first round warms up
        if (round) times[name]!.push(...measured)
      }
  } finally {
    client.close()
  }
  console.log(`\na log of ${(await getHead(log.manager)).size} events, ${rounds} rounds, one after another; ms\n`)
  const figures = (name: string) => [0.5, 0.99].map((share) => quantile(times[name]!, share)) as [number, number]
  for (const name of Object.keys(times)) {
    const [p50, p99] = figures(name)
    console.log(`${name.padEnd(12)} p50 ${p50.toFixed(2)}   p99 ${p99.toFixed(2)}`)
  }
  return Object.fromEntries(
    ['proof', 'proof, HTTP'].map((name) => {
      const [p50, p99] = figures(name)
      return [
        `an inclusion ${name} takes ${p50.toFixed(2)} ms (median; at most ${target}), 99 % at most ${p99.toFixed(2)}`,
        p50 <= target,
      ]
    }),
  )
}

async function each<T>(all: readonly T[], work: (one: T) => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (const one of all) {
    const from = performance.now()
    await work(one)
    times.push(performance.now() - from)
  }
  return times
}
