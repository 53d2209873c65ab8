/** `npm run bench -- import [ROWS]`: charts imported through the gateway, beside a request a row and beside COPY. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { request } from 'node:http'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { conclude } from '../prove/load.ts'
import { unlimited } from '../prove/unlimited.ts'
import { generatePatients } from '../samples/generate.ts'
import { ROOT } from '../platform/state.ts'
import { copyText, type PgClient } from './audit/copy.ts'
import { openClients } from './audit/http.ts'
import { openStage } from './audit/stage.ts'
import { cpuOf, median, spread } from './figures.ts'
import { openSettle } from './patients/peers.ts'
import { readCharts } from './patients/charts.ts'

/** Rows a minute that are asked for, and by how much more the service may grow with all rows than with 10,000. */
const targets = { perMinute: 10_000, grownMb: 64 }
const total = Number(process.argv[2] ?? 100_000)
if (!(total >= 20_000)) {
  console.error('Usage: npm run bench -- import [ROWS], at least 20000')
  process.exit(1)
}
const rounds = 3
const counts = { 'caregate import': 3000, 'a request a row': 1000, COPY: 3000 }
type Name = keyof typeof counts
const names = Object.keys(counts) as Name[]

const { Client } = createRequire(join(ROOT, 'libs/common/package.json'))('pg') as {
  Client: new (url: string) => PgClient & { query(text: string): Promise<unknown> }
}
const [header, ...rows] = generatePatients(total + 40_000)
  .trimEnd()
  .split('\n') as [string, ...string[]]
const atDesk = await readCharts()
const stage = await openStage(unlimited)
const pid = stage.info.services.patients!.pid!
const mbOf = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
let taken = 0

/** The next so many people, none of them twice. */
const nextRows = (count: number): string[] => rows.slice(taken, (taken += count))

/** @returns the last line of the answer */
function importRows(token: string, some: readonly string[]): Promise<{ done: boolean; created: number }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'text/csv' }
    const sent = request(`${stage.info.gateway}/api/v1/patients/import`, { method: 'POST', headers }, (answer) => {
      text(answer).then((all) => resolve(JSON.parse(all.trimEnd().split('\n').at(-1)!) as never), reject)
    })
    sent.on('error', reject).end([header, ...some, ''].join('\n'))
  })
}

try {
  const token = await stage.token(['registrar'])
  const settle = await openSettle(stage)
  const admin = new Client(stage.info.backing.postgres)
  await admin.connect()
  await admin.query(
    `CREATE TABLE bench_import (${header
      .split(',')
      .map((name) => `"${name}" text`)
      .join(', ')})`,
  )
  const desk = openClients(Number(new URL(stage.info.gateway).port), token, 16)

  const works: Record<Name, (count: number) => Promise<unknown>> = {
    'caregate import': async (count) => {
      const { done, created } = await importRows(token, nextRows(count))
      if (!done || created !== count) throw new Error(`of ${count} rows ${created} were created`)
    },
    'a request a row': (count) =>
      desk.sendMany(count, (n) => desk.send('POST', '/patients?force=true', atDesk[n % atDesk.length])),
    COPY: (count) => copyText(admin, 'COPY bench_import FROM STDIN (FORMAT csv)', `${nextRows(count).join('\n')}\n`),
  }
  const measured = new Map(names.map((name) => [name, { rate: [] as number[], cpu: [] as number[] }]))
  // the first round warms up; every other goes the other way round
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 ? names : names.toReversed()) {
      const used = cpuOf(pid)
      const from = performance.now()
      await works[name](counts[name])
      const seconds = (performance.now() - from) / 1000
      await settle()
      if (!round) continue
      measured.get(name)!.rate.push(counts[name] / seconds)
      measured.get(name)!.cpu.push(((cpuOf(pid) - used) / counts[name]) * 1e6)
    }
  }

  const start = mbOf()
  const sizes = [10_000, total]
  const memory: { rows: number; seconds: number; mb: number; most: number }[] = []
  for (const count of sizes) {
    let most = 0
    const watch = setInterval(() => (most = Math.max(most, mbOf())), 200)
    const from = performance.now()
    await works['caregate import'](count)
    clearInterval(watch)
    memory.push({ rows: count, seconds: (performance.now() - from) / 1000, mb: mbOf(), most })
    await settle()
    await sleep(1000)
  }

  console.log(
    `\n${availableParallelism()} cores, shared by everything; ${rounds} alternated rounds; medians, in brackets the least and the most\n`,
  )
  console.log('| | rows a round | rows/s | caregate × it | CPU of patients µs/row |')
  console.log('|---|---|---|---|---|')
  const ours = measured.get('caregate import')!.rate
  for (const [name, { rate, cpu }] of measured) {
    const ratios = ours.map((one, round) => one / rate[round]!)
    console.log(
      `| ${[name, counts[name], spread(rate, 0), spread(ratios, name === 'COPY' ? 4 : 2), name === 'COPY' ? '' : spread(cpu, 0)].join(' | ')} |`,
    )
  }
  console.log(`\nMemory of the patients process: ${start.toFixed(0)} MB before\n`)
  console.log('| rows in one request | s | rows/min | MB after | MB at most |')
  console.log('|---|---|---|---|---|')
  for (const { rows: count, seconds, mb, most } of memory)
    console.log(
      `| ${[count, seconds.toFixed(1), ((count / seconds) * 60).toFixed(0), mb.toFixed(0), most.toFixed(0)].join(' | ')} |`,
    )
  const [small, large] = memory as [(typeof memory)[0], (typeof memory)[0]]
  const perMinute = Math.min(...memory.map(({ rows: count, seconds }) => (count / seconds) * 60))
  conclude(
    {
      [`${perMinute.toFixed(0)} rows a minute through the gateway (at least ${targets.perMinute})`]:
        perMinute >= targets.perMinute,
      [`${large.rows} rows take ${(large.most - small.most).toFixed(0)} MB more than ${small.rows} (at most ${targets.grownMb})`]:
        large.most - small.most <= targets.grownMb,
      [`imports reach ${spread(ours.map((one, round) => one / measured.get('a request a row')!.rate[round]!))} of the rate of a request a row`]:
        median(ours) > median(measured.get('a request a row')!.rate),
    },
    [],
  )
  desk.close()
  await admin.end()
  await settle.close()
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  await stage.close()
}
