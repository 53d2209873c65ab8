/** `npm run prove -- audit [KILLS] [SEED]`: processes are killed under traffic, and the log has each answer's event once. */
import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { copyFileSync, createWriteStream, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { PROCESSES } from '../platform/services.ts'
import { buildVitals, PARTS, type Part } from '../platform/vitals.ts'
import { compare, readEvents, type Away } from './audit/compare.ts'
import { bringPeople, openAuditStage, type AuditStage } from './audit/stage.ts'
import { startTraffic } from './audit/traffic.ts'
import { buildChance } from './chance.ts'
import { conclude, printRow, readAmount } from './load.ts'

const clients = 16
/** Acknowledged between two kills at least. */
const between = 50
/** Of so many kills one comes before all have recovered from the one before. */
const hastyEvery = 4
const patienceMs = 120_000

const kills = readAmount(50)
const seed = Number(process.argv[3] ?? randomInt(2 ** 31))
const chance = buildChance(seed, 1_000_000)
console.log(`seed ${seed}: npm run prove -- audit ${kills} ${seed}`)
const began = performance.now()

/** @throws when it takes longer than two minutes */
async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !(await condition()); await sleep(20))
    if (Date.now() > deadline) throw new Error(`${what}: not within ${patienceMs / 1000} s`)
}

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

/** Until every event is in the log: none waits, and none comes any more. */
async function settle({ supervisor, info, count, waiting }: AuditStage): Promise<void> {
  // its refusals go in order: with this one all are published that waited for the broker
  const headers = { 'x-request-id': `settled-${seed}` }
  await fetch(`${info.gateway}/api/v1/auth/me`, { headers })
  const isThere = `SELECT count(*) FROM events WHERE request_id = '${headers['x-request-id']}'`
  await until('the gateway has the broker again', async () => (await count('audit', isThere)) === 1)
  // and asked to stop it publishes those that it holds back
  const { spec } = await supervisor.stop('gateway')
  await supervisor.start(spec)
  let size = -1
  await until('the log is quiet', async () => {
    const before = size
    if (await waiting()) return false
    size = await count('audit', 'SELECT count(*) FROM events')
    if (size !== before) await sleep(3000)
    return size === before
  })
}

/** The whole log through the API, and what the witness has seen until then. */
async function exportLog({ info, exported, seen, checkpoints }: AuditStage, token: string): Promise<void> {
  copyFileSync(seen, checkpoints)
  const headers = { authorization: `Bearer ${token}` }
  await new Promise<void>((resolve, reject) => {
    get(`${info.gateway}/api/v1/audit/export`, { headers }, (answer) => {
      if (answer.statusCode !== 200) return reject(new Error(`the export was answered with ${answer.statusCode}`))
      pipeline(answer, createWriteStream(exported)).then(resolve, reject)
    }).on('error', reject)
  })
}

const verify = ({ cli, exported, keys, checkpoints }: AuditStage) =>
  new Promise<{ code: number; output: string }>((resolve) =>
    execFile(
      process.execPath,
      [cli, 'verify', exported, ...keys, '--checkpoints', checkpoints],
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    ),
  )

const stage = await openAuditStage()
try {
  const { tokens, exporter } = await bringPeople(stage)
  const traffic = startTraffic(stage, tokens, clients, seed)
  await until('the traffic flows', () => traffic.acknowledged() > 1000)
  const from = performance.now()
  const { table, away, fewest } = await killAll(stage, traffic.acknowledged)
  const seconds = (performance.now() - from) / 1000
  await traffic.stop()
  await settle(stage)
  await until('the gateway is back', buildVitals(stage.info).isWhole)
  await exportLog(stage, await exporter())
  const verified = await verify(stage)
  const { sent } = traffic
  const log = await readEvents(stage.exported, 'prove-')
  const found = compare(sent, log, away)
  const witnessed = readFileSync(stage.checkpoints, 'utf8').split('\n').filter(Boolean).length
  const rows = await stage.count('audit', 'SELECT count(*) FROM events')
  const ids = await stage.count('audit', 'SELECT count(*) FROM event_ids')

  printRow('process', 'kills', 'slowest s')
  for (const [part, { kills: killed, slowestMs }] of table)
    printRow(part, killed, slowestMs ? (slowestMs / 1000).toFixed(1) : '–')
  const acknowledged = sent.filter(({ status }) => status > 0 && status < 500)
  const failures = sent.filter(({ status }) => status >= 500)
  const internal = failures.filter(({ status }) => status === 500)
  console.log()
  for (const [what, figure] of Object.entries({
    operations: sent.length,
    'a second': Math.round(acknowledged.length / seconds),
    acknowledged: acknowledged.length,
    'answered with 5xx': failures.length,
    'not answered': sent.filter(({ status }) => !status).length,
    '… of these with an event': found.unanswered,
    '5xx, yet done': found.doneThough,
    'events in the log': log.size,
    lost: found.lost.length,
    doubled: found.doubled.length + log.repeatedIds,
    different: found.different.length,
    'PHI without an event': found.unrecordedPhi.length,
    'edge’s own, gone with it': found.excepted,
    'checkpoints of the witness': witnessed,
  }))
    printRow(what, figure)
  console.log(`\n${JSON.stringify(log.services)}\n${verified.output.trim()}`)
  console.log(`${Math.round((performance.now() - began) / 1000)} s`)

  const bySize = Object.values(log.services).reduce((sum, events) => sum + events, 0)
  const claims = {
    [`${kills} processes were killed, with at least ${between} acknowledged operations after each: ${fewest}`]:
      [...table.values()].reduce((sum, row) => sum + row.kills, 0) === kills && fewest >= between,
    'every acknowledged operation has its event': !found.lost.length,
    'none has two': !found.doubled.length && !log.repeatedIds,
    'events say what was asked, answered and disclosed': !found.different.length,
    'no chart was disclosed or changed without an event': !found.unrecordedPhi.length,
    'no answer was a 500': !internal.length,
    [`the log of ${log.size} events is verified, by ${witnessed} checkpoints of the witness too`]:
      verified.code === 0 && witnessed > 0 && verified.output.includes(`, ${log.size} events, root `),
    'numbers have no gap, and the rows, the ids and the services’ events are as many':
      !log.gaps && rows === ids && bySize === log.size,
  }
  conclude(claims, [])
  const { lost, doubled, different, unrecordedPhi } = found
  for (const [what, offenders] of Object.entries({ lost, doubled, different, unrecordedPhi }))
    for (const offender of offenders.slice(0, 10)) console.log(`  ${what}: ${offender}`)
  for (const { id, what, code } of internal.slice(0, 10)) console.log(`  ${id} (${what}): 500 ${code}`)
} finally {
  await stage.close()
}
