/** What is said at the end of a proof of the log: it is exported, verified, and compared with what was answered. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { copyFileSync, createWriteStream, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildVitals } from '../../platform/vitals.ts'
import { printRow } from '../load.ts'
import { compare, readEvents, type Away } from './compare.ts'
import type { AuditStage } from './stage.ts'
import type { Sent } from './traffic.ts'

const patienceMs = 120_000

/** @throws when it takes longer than two minutes */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !(await condition()); await sleep(20))
    if (Date.now() > deadline) throw new Error(`${what}: not within ${patienceMs / 1000} s`)
}

/** Until every event is in the log: none waits, and none comes any more. */
async function settle({ supervisor, info, count, waiting }: AuditStage): Promise<void> {
  // its refusals go in order: with this one all are published that waited for the broker
  const headers = { 'x-request-id': `settled-${randomUUID()}` }
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

/** @param exporter gives a token of who may export the log */
export async function judge(stage: AuditStage, exporter: () => Promise<string>, sent: readonly Sent[], away: Away) {
  await settle(stage)
  await until('the gateway is back', buildVitals(stage.info).isWhole)
  await exportLog(stage, await exporter())
  const verified = await verify(stage)
  const log = await readEvents(stage.exported, 'prove-')
  const found = compare(sent, log, away)
  const witnessed = readFileSync(stage.checkpoints, 'utf8').split('\n').filter(Boolean).length
  const rows = await stage.count('audit', 'SELECT count(*) FROM events')
  const ids = await stage.count('audit', 'SELECT count(*) FROM event_ids')
  const acknowledged = sent.filter(({ status }) => status > 0 && status < 500)
  const failures = sent.filter(({ status }) => status >= 500)
  const internal = failures.filter(({ status }) => status === 500)
  const bySize = Object.values(log.services).reduce((sum, events) => sum + events, 0)
  const claims = {
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
  return {
    acknowledged: acknowledged.length,
    claims,
    print(): void {
      for (const [what, figure] of Object.entries({
        operations: sent.length,
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
    },
    /** Names what speaks against the claims. */
    accuse(): void {
      const { lost, doubled, different, unrecordedPhi } = found
      for (const [what, offenders] of Object.entries({ lost, doubled, different, unrecordedPhi }))
        for (const offender of offenders.slice(0, 10)) console.log(`  ${what}: ${offender}`)
      for (const { id, what, code } of internal.slice(0, 10)) console.log(`  ${id} (${what}): 500 ${code}`)
    },
  }
}
