import { receive } from '../../services/audit/src/received.ts'
import { insertEvents, lineOf } from '../../services/audit/src/repository.ts'
import { openSequencer } from '../../services/audit/src/sequencer.ts'
import { median, spread } from '../figures.ts'
import { batchSize, copyRows } from './copy.ts'
import { arrive, rowsOf } from './events.ts'
import type { Stage } from './stage.ts'

const target = 0.75
const count = 10_000
const rounds = 7

/** Batches of 500, a transaction each, from this process: COPY, the statements that insert events, and all of `append`. */
export async function insert(stage: Stage): Promise<Record<string, boolean>> {
  const [peer, inserted, whole] = [
    await stage.openEmptyLog('bench_copied'),
    await stage.openEmptyLog('bench_inserted'),
    await stage.openEmptyLog('bench_appended'),
  ]
  const sequencer = await openSequencer(whole.db, stage.signer)
  const kinds = ['COPY', 'insert', 'append'] as const
  const rates = new Map(kinds.map((kind) => [kind, [] as number[]]))
  for (let round = 0; round <= rounds; round++) {
    const events = arrive(count)
    const rows = rowsOf(events, round * count + 1)
    const messages = events.map(({ body }) => Buffer.from(body))
    const steps = {
      COPY: () => copyRows(peer.client, rows),
      insert: () =>
        inBatches(rows, (batch) => {
          const { sequence, storedAt } = batch[0]!
          const events = batch.map((row) => ({ id: row.id, columns: lineOf(row), entry: row.entry }))
          return inserted.db.transaction((tx) => insertEvents(tx, Number(sequence), storedAt, events))
        }),
      append: () => inBatches(messages, (batch) => sequencer.append(batch.map(receive))),
    }
    // the first round warms up; every other goes the other way round
    for (const kind of round % 2 ? kinds : kinds.toReversed()) {
      const from = performance.now()
      await steps[kind]()
      if (round) rates.get(kind)!.push(count / ((performance.now() - from) / 1000))
    }
  }
  const shareOf = (kind: (typeof kinds)[number]) => rates.get(kind)!.map((rate, n) => rate / rates.get('COPY')![n]!)
  console.log(`\n${rounds} rounds of ${count} events in batches of ${batchSize}, rows/s and share of COPY\n`)
  for (const kind of kinds)
    console.log(`${kind.padEnd(8)} ${spread(rates.get(kind)!, 0).padEnd(22)} ${spread(shareOf(kind))}`)
  return {
    [`the statements that insert events reach ${spread(shareOf('insert'))} of COPY’s rate (median; at least ${target})`]:
      median(shareOf('insert')) >= target,
    [`append, which also looks for known ids, hashes and signs, reaches ${spread(shareOf('append'))}`]: true,
  }
}

async function inBatches<T>(all: readonly T[], store: (batch: T[]) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < all.length; from += batchSize) await store(all.slice(from, from + batchSize))
}
