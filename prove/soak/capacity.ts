import { setTimeout as sleep } from 'node:timers/promises'
import { printRow, startLoad, summarise, type Stage } from '../load.ts'

const slowMs = 250
const firstRate = 60

/** Raises the rate that is offered until answers are slow or fall behind it. @returns the last rate before that */
export async function findCapacity(stage: Stage): Promise<number> {
  printRow('offered/s', 'answered', 'p50 ms', 'p99 ms')
  let good = 0
  for (let rate = firstRate; ; rate = Math.round(rate * 1.25)) {
    const { samples, stop } = await startLoad(stage, rate)
    // until its charts are made and forgotten; the first time everything is still being compiled
    await sleep(good ? 4000 : 15_000)
    const from = performance.now()
    await sleep(10_000)
    const to = performance.now()
    const answered = samples.filter(({ at, ms }) => at + ms >= from && at + ms < to).length
    await stop()
    const { p50, p99, refused, errors } = summarise(samples, from, to)
    const perSecond = (answered * 1000) / (to - from)
    printRow(rate, perSecond.toFixed(0), p50, p99)
    if (Number(p99) > slowMs || perSecond < 0.97 * rate || refused + errors > 0) {
      if (!good) throw new Error(`Even ${firstRate} requests a second are too many for this machine.`)
      return good
    }
    good = rate
  }
}
