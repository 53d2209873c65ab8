/** `npm run bench -- patients [BLOCKS]`: charts read and written, every access on record, beside services that record nothing. */
import { availableParallelism } from 'node:os'
import { conclude } from '../prove/load.ts'
import { openClients } from './audit/http.ts'
import { openStage } from './audit/stage.ts'
import { cpuOf, median, quantile, spread } from './figures.ts'
import { readCharts, type Chart } from './patients/charts.ts'
import {
  ensureFastapi,
  openEventless,
  openPeerTable,
  openSettle,
  ours,
  peers,
  start,
  type Name,
} from './patients/peers.ts'

const targets = { cpu: 0.3, rate: 0.75 }
const blocks = Number(process.argv[2] ?? 3)
if (!(blocks > 0)) {
  console.error('Usage: npm run bench -- patients [BLOCKS]')
  process.exit(1)
}
const roundsOfBlock = 3
const connections = 16

const charts = await readCharts()
const hasFastapi = await ensureFastapi()
const names: Name[] = [...ours, ...peers.filter((peer) => peer !== 'fastapi' || hasFastapi)]
type Clients = ReturnType<typeof openClients>

/** What is asked, and how often in a round. Every chart is changed once in a round at most, so its version is known. */
const works = {
  read: { title: 'GET /patients/{id}', count: 2000 },
  create: { title: 'POST /patients', count: 500 },
  change: { title: 'PATCH /patients/{id}', count: 500 },
}
type Work = keyof typeof works

interface Figures {
  /** Microseconds a request. */
  cpu: number
  /** Answers a second. */
  rate: number
  /** Milliseconds. */
  p50: number
  p99: number
}
const measured = new Map<Work, Map<Name, Figures[]>>(
  (Object.keys(works) as Work[]).map((work) => [work, new Map(names.map((name) => [name, []]))]),
)

function ask(work: Work, { send }: Clients, known: readonly Chart[], turn: number) {
  const idOf = (n: number) => known[n % known.length]!.id
  switch (work) {
    case 'read':
      return (n: number) => send('GET', `/patients/${idOf(n)}`)
    case 'create':
      return (n: number) =>
        send('POST', '/patients?force=true', charts[(n + turn * works.create.count) % charts.length])
    case 'change':
      return (n: number) =>
        send(
          'PATCH',
          `/patients/${idOf(n)}`,
          { telecom: [{ system: 'phone', value: `555 ${turn} ${n}`, use: 'home' }] },
          { 'if-match': `"${turn + 1}"` },
        )
  }
}

type Stage = Awaited<ReturnType<typeof openStage>>
type Urls = Parameters<typeof start>[3]

/** Our service holds the samples, and nobody but the processes that are measured serves them. */
async function fill(stage: Stage, token: string): Promise<Chart[]> {
  const desk = openClients(stage.portOf('patients'), token, connections)
  const known: Chart[] = []
  await desk.sendMany(charts.length, async (n) => {
    const answer = await desk.send('POST', '/patients?force=true', charts[n])
    known.push(JSON.parse(answer.body) as Chart)
    return answer
  })
  desk.close()
  // its relay would take events of the process that is measured
  await stage.supervisor.stop('patients')
  return known
}

/** One block, each in a fresh process: how its code was compiled is luck that lasts as long as the process. */
async function measureBlock(stage: Stage, block: number, token: string, known: readonly Chart[], urls: Urls) {
  const settle = await openSettle(stage)
  const running = new Map<Name, Awaited<ReturnType<typeof start>> & { clients: Clients }>()
  for (const name of names) {
    const started = await start(stage, name, `${name} ${block}`, urls)
    running.set(name, { ...started, clients: openClients(started.port, token, connections) })
  }
  async function measure(name: Name, work: Work, turn: number): Promise<Figures> {
    const { pid, clients } = running.get(name)!
    const { count } = works[work]
    const one = ask(work, clients, known, turn)
    const used = cpuOf(pid)
    const from = performance.now()
    const times = await clients.sendMany(count, one)
    const seconds = (performance.now() - from) / 1000
    if (name === 'caregate') await settle()
    const cpu = ((cpuOf(pid) - used) / count) * 1e6
    return { cpu, rate: count / seconds, p50: median(times), p99: quantile(times, 0.99) }
  }
  // the first round warms up; every other goes the other way round
  for (let round = 0; round <= roundsOfBlock; round++) {
    for (const [work, figures] of measured) {
      for (const name of round % 2 ? names : names.toReversed()) {
        const found = await measure(name, work, block * (roundsOfBlock + 1) + round)
        if (round) figures.get(name)!.push(found)
      }
    }
  }
  for (const { id, clients } of running.values()) {
    clients.close()
    await stage.supervisor.stop(id)
  }
  await settle.close()
}

/** Prints a table for each work. @returns what is claimed, and whether it holds */
function report(): Record<string, boolean> {
  const claims: Record<string, boolean> = {}
  for (const [work, figures] of measured) {
    const { title, count } = works[work]
    const all = (name: Name, figure: keyof Figures) => figures.get(name)!.map((one) => one[figure])
    /** Round by round: what disturbs the machine disturbs neighbours alike. */
    const ratios = (name: Name, figure: keyof Figures) =>
      all('caregate', figure).map((ours, round) => ours / all(name, figure)[round]!)
    console.log(`\n## ${title}, ${count} a round\n`)
    console.log('| | CPU µs/request | caregate × it | answers/s | caregate × it | p50 ms | p99 ms |')
    console.log('|---|---|---|---|---|---|---|')
    for (const name of names) {
      const cells = [
        ...[spread(all(name, 'cpu'), 0), spread(ratios(name, 'cpu'))],
        ...[spread(all(name, 'rate'), 0), spread(ratios(name, 'rate'))],
        ...[spread(all(name, 'p50'), 1), spread(all(name, 'p99'), 1)],
      ]
      console.log(`| ${[name, ...cells].join(' | ')} |`)
    }
    if (work !== 'read') {
      const rates = ratios('caregate, no events', 'rate')
      const claim = `${title} on record reaches ${spread(rates)} of the rate without a record (median; at least ${targets.rate})`
      claims[claim] = median(rates) >= targets.rate
    } else if (hasFastapi) {
      const cpu = ratios('fastapi', 'cpu')
      claims[`a read on record costs ${spread(cpu)} × FastAPI’s CPU (median; at most ${targets.cpu})`] =
        median(cpu) <= targets.cpu
    }
  }
  return claims
}

const stage = await openStage()
try {
  const token = await stage.token(['clinician'])
  const known = await fill(stage, token)
  const urls = { peers: await openPeerTable(stage, known), eventless: await openEventless(stage) }
  for (let block = 0; block < blocks; block++) await measureBlock(stage, block, token, known, urls)
  console.log(
    `\n${availableParallelism()} cores, shared by everything; ${connections} connections, ${blocks * roundsOfBlock} alternated rounds; ` +
      'medians, in brackets the least and the most',
  )
  conclude(report(), [])
} finally {
  await stage.close()
}
