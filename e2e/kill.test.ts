import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { AuditEvent } from '@caregate/common/events'
import { until } from '@caregate/common/testing/until'
import { openClient, type Client } from '../platform/client.ts'
import { readCreateEvents, sendRows, summarise } from '../platform/import.ts'
import { quietProgress } from '../platform/progress.ts'
import { PROCESSES } from '../platform/services.ts'
import { buildVitals, PARTS, type Part } from '../platform/vitals.ts'
import { generatePatients } from '../samples/generate.ts'
import { ask, freshFolder, openTestPlatform } from './platform.ts'

const ROWS = 300

let platform: Awaited<ReturnType<typeof openTestPlatform>>
let client: Client
let vitals: ReturnType<typeof buildVitals>

beforeAll(async () => {
  const folder = freshFolder()
  // the supervisor notes each of the deaths that this test is about
  const progress = { ...quietProgress, note: () => {} }
  platform = await openTestPlatform({ folder, progress })
  vitals = buildVitals(platform.info)
  client = await openClient(platform.gateway, await platform.addStaff('registrar', 'auditor'))
}, 60_000)
afterAll(() => platform.close())

/** Kills a process in the midst of its work. @returns milliseconds from its return until every service passed again */
async function kill(victim: Part): Promise<number> {
  const { supervisor } = platform
  await until(vitals.isWhole)
  const pid = supervisor.pid(victim)!
  process.kill(pid, 'SIGKILL')
  await until(() => ![undefined, pid].includes(supervisor.pid(victim)))
  // a successor that is quick could be back before anybody has missed it
  process.kill(supervisor.pid(victim)!, 'SIGSTOP')
  await until(async () => !(await vitals.isThere(victim)))
  process.kill(supervisor.pid(victim)!, 'SIGCONT')
  let back = Date.now()
  // a backing service takes its own time to start: what counts is how long ours need to find it
  if (!PROCESSES.some((name) => name === victim)) {
    await until(() => vitals.isThere(victim), 30)
    back = Date.now()
  }
  await until(vitals.isWhole)
  return Date.now() - back
}

test('an import outlives the death of every process: nothing is lost and nothing made twice', async () => {
  const recovery = new Map<Part, number>()
  const waiting = [...PARTS]
  let killing: Promise<unknown> = Promise.resolve()
  let done = 0

  /** The file from its beginning, with a death on the way for as long as one is to die: the rest comes when all are back. */
  async function* rows() {
    const [header, ...lines] = generatePatients(ROWS).split('\n')
    yield `${header}\n`
    const share = Math.floor(ROWS / PARTS.length)
    for (const [index, line] of lines.entries()) {
      const victim = index % share === 20 && index > done ? waiting.shift() : undefined
      if (victim) {
        // in turn, also where the rows before a break are still waiting
        const before = killing
        killing = before.then(() => kill(victim)).then((ms) => recovery.set(victim, ms))
        // awaited at the next death or at the end
        killing.catch(() => {})
        await before
      }
      yield `${line}\n`
      // so that what is killed is at work
      if (index >= done) await sleep(20)
    }
    await killing
  }
  const source = { type: 'text/csv', open: rows }
  const sent = await sendRows(client, source, new AbortController().signal, () => (done += 1))
  await killing
  const { made: charts, refused } = sent
  expect([...recovery.keys()]).toEqual(PARTS)
  for (const [victim, ms] of recovery) expect(`${victim} ${ms < 5000 ? 'in time' : ms}`).toBe(`${victim} in time`)

  expect(refused).toEqual([])
  expect(new Set(charts.map(({ id }) => id)).size).toBe(ROWS)
  const events = await readCreateEvents(client, charts)
  expect(summarise(sent, events)).toEqual({
    ok: true,
    lines: [`${ROWS} created, 0 already there, 0 refused, ${ROWS} create events`],
  })

  // and so it stands in the databases themselves
  const ids = charts.map(({ id }) => id).sort()
  const { postgres } = platform.info.backing
  const stored = await ask<{ id: string }>(postgres, 'caregate_patients', 'SELECT id FROM patients ORDER BY id')
  expect(stored.map(({ id }) => id)).toEqual(ids)
  const log = await ask<{ sequence: number; id: string; body: AuditEvent }>(
    postgres,
    'caregate_audit',
    'SELECT sequence::int, id, entry::json AS body FROM events ORDER BY sequence',
  )
  expect(log.map(({ sequence }) => sequence)).toEqual(log.map((_event, index) => index + 1))
  expect(new Set(log.map(({ id }) => id)).size).toBe(log.length)
  const made = log.filter(({ body }) => body.type === 'patients.patient.created' && body.outcome === 'success')
  expect(made.map(({ body }) => body.resource?.id).sort()).toEqual(ids)
}, 90_000)
