/** `npm run prove -- rolling [TIMES]`: every process is replaced TIMES times under load, and no request fails for it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { PROCESSES } from '../platform/services.ts'
import { checkTrace, conclude, failed, printRow, readAmount, startLoad, summarise } from './load.ts'
import { openStage } from './stage.ts'

const times = readAmount(5)
const claimed = 300
const stage = await openStage()
try {
  const load = await startLoad(stage, claimed * 1.05)
  const { samples } = load
  const rates: number[] = []
  let clean = true
  await sleep(5000)

  printRow(
    'process',
    'roll',
    'requests',
    'rate/s',
    'non-2xx',
    'errors',
    'p50 ms',
    'p99 ms',
    'max ms',
    'ready ms',
    'drain ms',
  )
  for (let round = 1; round <= times; round++) {
    for (const name of PROCESSES) {
      const from = performance.now()
      const { readyMs, drainMs, code } = await stage.roll(name)
      const to = performance.now()
      clean &&= code === 0
      const answered = samples.filter((one) => one.at + one.ms >= from && one.at + one.ms < to)
      rates.push((answered.filter((one) => !failed(one)).length / (to - from)) * 1000)
      // what is in flight belongs to the roll as well
      await sleep(1000)
      const { requests, refused, errors, p50, p99, max } = summarise(samples, from, to)
      const figures = [requests, rates.at(-1)!.toFixed(0), refused, errors, p50, p99, max]
      printRow(name, round, ...figures, readyMs.toFixed(0), drainMs.toFixed(0))
    }
  }
  await load.stop()
  const { requests, refused, errors, p50, p99, max } = summarise(samples)
  const lowest = Math.min(...rates)
  printRow('all', times * PROCESSES.length, requests, lowest.toFixed(0), refused, errors, p50, p99, max)
  const { missing, several } = await checkTrace(stage, samples)
  const claims = {
    'every request was answered with 2xx': refused + errors === 0,
    [`at least ${claimed} requests a second were, during each roll`]: lowest >= claimed,
    'every process that was told to stop ended with exit code 0': clean,
    [`each has exactly one event: ${missing.length} have none, ${several.length} several`]:
      missing.length + several.length === 0,
  }
  conclude(claims, [...samples.filter(failed), ...missing, ...several])
} finally {
  await stage.close()
}
