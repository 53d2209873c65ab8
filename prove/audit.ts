/** `npm run prove -- audit [KILLS] [SEED]`: processes are killed under traffic, and the log has each answer's event once. */
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { PROCESSES } from '../platform/services.ts'
import { buildVitals, PARTS, type Part } from '../platform/vitals.ts'
import type { Away } from './audit/compare.ts'
import { judge, until } from './audit/judge.ts'
import { bringPeople, openAuditStage, type AuditStage } from './audit/stage.ts'
import { startTraffic } from './audit/traffic.ts'
import { buildChance } from './chance.ts'
import { conclude, printRow, readAmount } from './load.ts'

const clients = 16
/** Acknowledged between two kills at least. */
const between = 50
/** Of so many kills one comes before all have recovered from the one before. */
const hastyEvery = 4

const kills = readAmount(50)
const seed = Number(process.argv[3] ?? randomInt(2 ** 31))
const chance = buildChance(seed, 1_000_000)
console.log(`seed ${seed}: npm run prove -- audit ${kills} ${seed}`)
const began = performance.now()

/** All in turn, each round in an order of its own. */
function* victims(): Generator<Part, never> {
  for (let waiting: Part[] = []; ;) {
    if (!waiting.length) waiting = [...PARTS]
    yield waiting.splice(chance.int(waiting.length), 1)[0]!
  }
}

/** Kills one after the other. @returns by process how often, and the slowest recovery in milliseconds */
async function killAll({ supervisor, info }: AuditStage, acknowledged: () => number) {
  const { isWhole } = buildVitals(info)
  const table = new Map(PARTS.map((part) => [part, { kills: 0, slowestMs: 0 }]))
  const away: Away = { gatewayKills: [], broker: [] }
  let fewest = Infinity
  const isReady = async (name: string) => {
    const answer = await fetch(`${info.services[name]!.url}/health/ready`, { signal: AbortSignal.timeout(1000) })
    return answer.ok
  }
  const allReady = () =>
    Promise.all(PROCESSES.map(isReady)).then(
      (ready) => ready.every(Boolean),
      () => false,
    )
  const order = victims()
  for (let n = 0; n < kills; n++) {
    await sleep(chance.int(1000))
    const part = order.next().value
    const row = table.get(part)!
    await until(`${part} runs`, () => supervisor.pid(part) !== undefined)
    const pid = supervisor.pid(part)!
    const at = performance.now()
    const before = acknowledged()
    process.kill(pid, 'SIGKILL')
    row.kills += 1
    if (part === 'gateway') away.gatewayKills.push(at)
    if (part === 'rabbitmq') away.broker.push({ from: at, to: Infinity })
    await until(`${part} is started again`, () => ![undefined, pid].includes(supervisor.pid(part)))
    if (chance.int(hastyEvery) > 0 || n === kills - 1) {
      await until(`all is well after ${part}`, async () => (await allReady()) && (await isWhole()))
      row.slowestMs = Math.max(row.slowestMs, performance.now() - at)
      for (const span of away.broker) span.to = Math.min(span.to, performance.now())
    }
    await until(`${between} more are acknowledged`, () => acknowledged() - before >= between)
    fewest = Math.min(fewest, acknowledged() - before)
  }
  return { table, away, fewest }
}

const stage = await openAuditStage()
try {
  const { tokens, exporter } = await bringPeople(stage)
  const traffic = startTraffic(stage, tokens, clients, seed)
  await until('the traffic flows', () => traffic.acknowledged() > 1000)
  const from = performance.now()
  const { table, away, fewest } = await killAll(stage, traffic.acknowledged)
  const seconds = (performance.now() - from) / 1000
  await traffic.stop()
  const verdict = await judge(stage, exporter, traffic.sent, away)

  printRow('process', 'kills', 'slowest s')
  for (const [part, { kills: killed, slowestMs }] of table)
    printRow(part, killed, slowestMs ? (slowestMs / 1000).toFixed(1) : '–')
  console.log()
  printRow('a second', Math.round(verdict.acknowledged / seconds))
  verdict.print()
  console.log(`${Math.round((performance.now() - began) / 1000)} s`)
  conclude(
    {
      [`${kills} processes were killed, with at least ${between} acknowledged operations after each: ${fewest}`]:
        [...table.values()].reduce((sum, row) => sum + row.kills, 0) === kills && fewest >= between,
      ...verdict.claims,
    },
    [],
  )
  verdict.accuse()
} finally {
  await stage.close()
}
