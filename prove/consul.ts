/** `npm run prove -- consul [MINUTES]`: for so long Consul hangs, then is gone, under load, and no request fails for it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { checkTrace, conclude, failed, printRow, readAmount, startLoad, summarise } from './load.ts'
import { openStage } from './stage.ts'

const away = readAmount(10) * 60_000
const rate = 100
const stage = await openStage()
const { supervisor } = stage
try {
  if (supervisor.list().some(({ name, container }) => name === 'consul' && container))
    throw new Error('A Consul in a container can’t be suspended: this needs one that is a process.')
  const { samples, stop } = await startLoad(stage, rate)
  await sleep(5000)

  printRow('phase', 'seconds', 'requests', 'non-2xx', 'errors', 'p50 ms', 'p99 ms', 'max ms')
  async function phase<T>(label: string, work: Promise<T>): Promise<T> {
    const from = performance.now()
    const result = await work
    const to = performance.now()
    // what is in flight belongs to the phase as well
    await sleep(1000)
    const { requests, refused, errors, p50, p99, max } = summarise(samples, from, to)
    printRow(label, ((to - from) / 1000).toFixed(1), requests, refused, errors, p50, p99, max)
    return result
  }
  /** Milliseconds until every instance is registered and passes, once Consul answers again. */
  async function recovery(): Promise<number> {
    const from = performance.now()
    await supervisor.waitUntil('consul', stage.isWhole, 60)
    return performance.now() - from
  }

  await phase('before', sleep(20_000))

  const pid = supervisor.pid('consul')!
  process.kill(pid, 'SIGSTOP')
  await phase('it hangs', sleep(away / 4))
  process.kill(pid, 'SIGCONT')
  const afterHang = await phase('it goes on', recovery())
  await phase('after that', sleep(10_000))

  const { spec } = await supervisor.stop('consul', { force: true })
  await phase('it is gone', sleep((away * 3) / 4))
  await supervisor.start(spec)
  const afterRestart = await phase('it is back, empty', recovery())
  await phase('after that', sleep(10_000))

  const { code } = await phase('patients is rolled', stage.roll('patients'))
  await phase('after that', sleep(5000))
  await stop()

  const { requests, refused, errors } = summarise(samples)
  const { missing, several } = await checkTrace(stage, samples)
  console.log(`\n${requests} requests, ${rate} a second, while Consul was away for ${away / 60_000} minutes`)
  const claims = {
    'every request was answered with 2xx': refused + errors === 0,
    [`after it hung all were passing within ${afterHang.toFixed(0)} ms (at most 5 s)`]: afterHang < 5000,
    [`after it was gone all were registered and passing within ${afterRestart.toFixed(0)} ms (at most 5 s)`]:
      afterRestart < 5000,
    'a process that is then rolled is found': code === 0,
    [`each request has exactly one event: ${missing.length} have none, ${several.length} several`]:
      missing.length + several.length === 0,
  }
  conclude(claims, [...samples.filter(failed), ...missing, ...several])
} finally {
  await stage.close()
}
