/**
 * `npm run prove -- soak [MINUTES]`: at 70 % of what the platform can do, with everything on, nothing grows: heaps, files,
 * connections and waiting times are at the end what they were after a quarter, and no request or event is lost.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../platform/processes.ts'
import { PROCESSES, type ProcessName } from '../platform/services.ts'
import { ROOT } from '../platform/state.ts'
import { checkTrace, conclude, failed, printRow, readAmount, startLoad, summarise } from './load.ts'
import { buildAsk, settle } from './people.ts'
import { findCapacity } from './soak/capacity.ts'
import { inspected, openHeld, type Held } from './soak/held.ts'
import { followByAmqp, followByHttp, type Reader } from './soak/readers.ts'
import { openStage } from './stage.ts'

const minutes = readAmount(20)
const rows = 20
const rowMs = (minutes * 60_000) / rows
const share = 0.7
const httpReaders = 3
const scrapeMs = 5000
/** From the last answer until its event is stored and read. */
const settleMs = 500

let spans = 0
const collector = createServer((req, res) => {
  spans += 1
  req.resume().on('end', () => res.end())
}).listen(0, '127.0.0.1')
await once(collector, 'listening')
const stage = await openStage({
  ...inspected,
  REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
})
const { info } = stage
const gateway = `http://127.0.0.1:${[...stage.gateways][0]}`
const ask = buildAsk(gateway)
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)

/** As Prometheus would, until it is told to stop. */
function scrape(): () => Promise<void> {
  const stopping = new AbortController()
  const work = (async () => {
    while (!stopping.signal.aborted) {
      for (const name of PROCESSES) await (await fetch(stage.metricsOf(name))).text()
      await sleep(scrapeMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  })()
  return async () => {
    stopping.abort()
    await work
  }
}

/** The whole log through the API, as it comes, to the command that anybody verifies it with. */
async function verifyLog(token: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}` }
  const [key, log] = await Promise.all(
    ['key', 'export'].map((what) => fetch(`${gateway}/api/v1/audit/${what}`, { headers })),
  )
  const cli = join(ROOT, 'services/audit/src/cli.ts')
  const child = spawn(process.execPath, [cli, 'verify', '-', '--log-key', (await key!.text()).trim()], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [said] = await Promise.all([text(child.stdout), pipeline(Readable.fromWeb(log!.body!), child.stdin)])
  return said.trim().split('\n').at(-1)!
}

let stopScraping = async () => {}
const readers: Reader[] = []
try {
  const { email, oneTimePassword } = (await stage.addUser('soak@caregate.local', ['auditor']))!
  const { accessToken: token } = (await settle(ask, email, oneTimePassword)).tokens
  for (let n = 1; n <= httpReaders; n++) readers.push(await followByHttp(`reader ${n}`, gateway, token))
  readers.push(await followByAmqp(info.backing.stream!))
  stopScraping = scrape()

  const capacity = await findCapacity(stage)
  const rate = Math.floor(capacity * share)
  console.log(`\n${capacity} requests a second is what it can do; ${rate} for ${minutes} minutes\n`)

  const held = await openHeld(stage)
  const measured: Held[] = []
  const channels: number[] = []
  /** p99 of each row, in milliseconds. */
  const slowest: number[] = []
  const load = await startLoad(stage, rate)
  const { samples } = load
  const began = performance.now()
  printRow(
    'minute',
    'requests',
    'p50 ms',
    'p99 ms',
    ...PROCESSES.map((name) => `${name} MB`),
    'files',
    'database',
    'broker',
  )
  for (let row = 1; row <= rows; row++) {
    const from = performance.now()
    await sleep(began + row * rowMs - from)
    const { requests, p50, p99 } = summarise(samples, from, performance.now())
    slowest.push(Number(p99))
    const now = await load.rest(async () => {
      await sleep(settleMs)
      return held.measure()
    })
    measured.push(now)
    const files = Object.values(now.files).reduce((sum, count) => sum + count)
    const heaps = PROCESSES.map((name) => megabytes(now.heap[name]))
    printRow(((row * rowMs) / 60_000).toFixed(1), requests, p50, p99, ...heaps, files, now.database, now.broker)
    if (row === rows / 4 || row === rows) channels.push(await load.rest(held.channels))
  }
  await load.stop()
  await held.close()
  await stopScraping()

  const { missing, several } = await checkTrace(stage, samples)
  const { size } = await ask<{ size: number }>(200, 'GET', '/api/v1/audit/status', undefined, token)
  for (const until = Date.now() + 30_000; readers.some(({ seen }) => seen.last < size) && Date.now() < until;)
    await sleep(100)
  const behind = readers.filter(({ seen }) => seen.problem !== undefined || seen.last < size)
  for (const { name, seen } of behind) console.log(`${name}: ${seen.problem ?? `${size - seen.last} events behind`}`)
  const verified = await verifyLog(token)
  console.log(`\n${samples.length} requests, ${size} events, ${spans} batches of spans; ${verified}`)

  /** Around the end of the first quarter, and of the end. */
  const both = (read: (one: Held) => number): [number, number] => [
    median(measured.slice(rows / 4 - 1, rows / 4 + 2).map(read)),
    median(measured.slice(-3).map(read)),
  ]
  const growthOf = ([before, after]: [number, number]): string => `${((after / before - 1) * 100).toFixed(1)} %`
  const heapOf = (name: ProcessName) => both(({ heap }) => heap[name])
  const isFlat = ([before, after]: [number, number]): boolean => after <= before * 1.1 + 2
  const told = ([before, after]: [number, number]): string => `${before} → ${after}`
  const files = PROCESSES.map((name) => both((one) => one.files[name]))
  const [database, broker] = [both((one) => one.database), both((one) => one.broker)]
  // the median of a quarter's rows: a neighbour on the machine spoils one or two
  const p99 = [slowest.slice(0, rows / 4), slowest.slice(-rows / 4)].map(median) as [number, number]
  const { refused, errors } = summarise(samples)
  conclude(
    {
      'every request was answered with 2xx': refused + errors === 0,
      [`each has exactly one event: ${missing.length} have none, ${several.length} several`]:
        missing.length + several.length === 0,
      ...Object.fromEntries(
        PROCESSES.map((name) => {
          const [before, after] = heapOf(name)
          const grew = growthOf([before, after])
          return [
            `the heap of ${name} grew by ${grew} (at most 5): ${megabytes(before)} → ${megabytes(after)} MB`,
            after <= before * 1.05,
          ]
        }),
      ),
      [`open files: ${PROCESSES.map((name, n) => `${name} ${told(files[n]!)}`).join(', ')}`]: files.every(isFlat),
      [`connections: to Postgres ${told(database)}, to the broker ${told(broker)}, its channels ${channels.join(' → ')}`]:
        isFlat(database) && isFlat(broker) && isFlat(channels as [number, number]),
      [`p99 of the last quarter is at most 1.2 times the first’s: ${p99.join(' → ')} ms`]: p99[1] <= 1.2 * p99[0],
      [`${readers.length} readers of the log got every event, in order`]: behind.length === 0,
      'the log verifies': verified.startsWith('verified: '),
    },
    [...samples.filter(failed), ...missing, ...several],
  )
} finally {
  await stopScraping()
  for (const reader of readers) await reader.close()
  await stage.close()
  collector.close()
  collector.closeAllConnections()
}
