import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { DataSource, type EntityManager } from 'typeorm'
import type { Database } from '@caregate/common/database'
import { canonicalJson } from '@caregate/common/events'
import { migrateUp } from '@caregate/common/migrate'
import { quietLog, testToken } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { spec } from './database.ts'
import { exportLines } from './export.ts'
import { inspect, uninspected, type Problem } from './inspect.ts'
import { inclusionRoot, isConsistent } from './log/merkle.ts'
import { formatVerifier, parseCheckpoint, splitNote, verifierOf } from './log/note.ts'
import { findPartitions, findPartitionsUntil, makePartition, monthOf } from './partitions.ts'
import { getHead } from './repository.ts'
import { applyRetention } from './retention.ts'
import { openAudit, received, signer } from './testing.ts'
import { openVerification } from './verification.ts'

const auditor = testToken(['auditor'])
const folder = mkdtempSync(join(tmpdir(), 'caregate-retention-'))
const now = new Date()
/** Eight years ago, and the month after. */
const old = [-96, -95].map((later) => monthOf(now, later))
let service: Awaited<ReturnType<typeof openAudit>>
let owner: DataSource

beforeAll(async () => {
  service = await openAudit()
  owner = await new DataSource({ type: 'postgres', url: service.urls.owner }).initialize()
  await beginWithThisMonth(owner)
})
afterEach(() => void jest.restoreAllMocks())
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await owner.destroy()
  await service.close()
})

/** The first partition takes all that is before; here it is to begin with this month. */
async function beginWithThisMonth(db: DataSource): Promise<void> {
  const { name, from, until } = monthOf(now)
  await db.query(`ALTER TABLE events DETACH PARTITION ${name}`)
  await db.query(
    `ALTER TABLE events ATTACH PARTITION ${name} FOR VALUES FROM ('${from.toISOString()}') TO ('${until.toISOString()}')`,
  )
}
/** Stores them as if it were then. */
async function appendAt(moment: Date, ...batch: ReturnType<typeof received>[]): Promise<void> {
  jest.spyOn(Date, 'now').mockReturnValue(moment.getTime())
  await service.append(...batch)
  jest.restoreAllMocks()
}
const run = (script: string, args: string[], env: NodeJS.ProcessEnv = {}) =>
  new Promise<{ code: number; output: string }>((resolve) =>
    execFile(process.execPath, [join(import.meta.dirname, script), ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    ),
  )
const retain = (days?: number) =>
  run('retain.ts', [], {
    DATABASE_OWNER_URL: service.urls.owner,
    ...(days ? { AUDIT_RETENTION_DAYS: String(days) } : {}),
  })
const get = (path: string) => service.call('GET', `/api/v1/audit${path}`, { token: auditor })
async function verify(...more: string[]): Promise<{ code: number; output: string }> {
  const file = join(folder, `${randomUUID()}.ndjson`)
  writeFileSync(file, (await get('/export')).body as string)
  return run('cli.ts', ['verify', file, '--log-key', formatVerifier(verifierOf(signer, 'log')), ...more])
}
const events = (count: number, patientIds: string[] = []) =>
  Array.from({ length: count }, () => received({ patientIds }))
/** What was recorded here comes into the log, as by the queue. */
async function storeRecorded() {
  const recorded = await service.events()
  await service.append(...recorded.map((event) => ({ event, body: canonicalJson(event) })))
  return recorded
}
/** What the service finds in the background. */
async function inspectAll(): Promise<Problem[]> {
  const found: Problem[] = []
  for (let [at, all] = [uninspected, false]; !all;) {
    const { now: next, problems, done } = await inspect(service.db.manager, at, verifierOf(signer, 'log'))
    found.push(...problems)
    ;[at, all] = [next, done]
  }
  return found
}
const partitions = async () => (await findPartitions(owner)).map(({ name }) => name)

test('partitions are there for this month and the next twelve, and made by every migration run', async () => {
  const ahead = Array.from({ length: 13 }, (_, n) => monthOf(now, n).name)
  expect(await partitions()).toEqual(ahead)
  expect(await findPartitionsUntil(service.db, now)).toEqual(monthOf(now, 13).from)
  await owner.query(`DROP TABLE ${ahead[5]}`)
  expect(await findPartitionsUntil(service.db, now)).toEqual(monthOf(now, 5).from)
  await migrateUp(spec, { DATABASE_URL: service.urls.app, DATABASE_OWNER_URL: service.urls.owner })
  expect(await partitions()).toEqual(ahead)
})

test('the app role reaches partitions through the table only', async () => {
  const [name] = await partitions()
  for (const statement of [`SELECT 1 FROM ${name}`, `INSERT INTO ${name} SELECT * FROM events`, `DROP TABLE ${name}`])
    await expect(service.db.query(statement)).rejects.toThrow(/permission denied|must be owner/)
})

test('without a partition nothing is stored, and the error names it; made, it goes on', async () => {
  const { name } = monthOf(now)
  await owner.query(`DROP TABLE ${name}`)
  await expect(service.append(received())).rejects.toThrow(`no partition ${name}: npm run retain makes it`)
  expect(await findPartitionsUntil(service.db, now)).toBeUndefined()
  expect(await retain()).toEqual({ code: 0, output: `${name}: made\n` })
  expect(parseCheckpoint(splitNote((await get('/checkpoint')).body as string).text).size).toBe(0)
})

describe('what is older than its retention', () => {
  const chart = randomUUID()
  const [plain, held] = [events(300), events(3, [randomUUID(), chart])]
  const [second, recent] = [events(200), events(100)]
  let leaves: Map<string, string>
  let before: string

  beforeAll(async () => {
    for (const month of old) await makePartition(owner, month)
    await appendAt(old[0]!.from, ...plain.slice(0, 100), ...held)
    await appendAt(new Date(old[0]!.until.getTime() - 1), ...plain.slice(100))
    await appendAt(old[1]!.from, ...second)
    await service.append(...recent)
    const { items } = (await get('/events?afterSequence=0&limit=200')).body as {
      items: { id: string; leafHash: string }[]
    }
    leaves = new Map(items.map(({ id, leafHash }) => [id, leafHash]))
    before = (await get('/checkpoint')).body as string
    await service.call('PUT', `/api/v1/audit/holds/${chart}`, { token: auditor, body: { reason: 'A claim' } })
    await storeRecorded()
  })

  test('stays while it is young', async () => {
    expect(await retain(36_500)).toEqual({ code: 0, output: 'nothing to make, nothing to drop\n' })
    expect(await service.events()).toEqual([])
  })

  test('goes, also when two see to it at once while events are stored; what is held stays, and events tell', async () => {
    await service.db.query(
      `INSERT INTO events SELECT 999999, gen_random_uuid(), stored_at, occurred_at, type, action, outcome, actor_id,
         patient_ids, method, path, ip, request_id, entry FROM events WHERE sequence = 400`,
    )
    let busy = true
    const storing = (async () => {
      let stored = 0
      for (; busy; stored++) await service.append(received())
      return stored
    })()
    const said = await Promise.all([retain(), retain()])
    busy = false
    expect(await storing).toBeGreaterThan(3)
    expect(said.map(({ code, output }) => [code, output]).sort()).toEqual([
      [0, `${old[0]!.name}: events 1–303 dropped, but 3 that are held\n${old[1]!.name}: events 304–503 dropped\n`],
      [0, 'nothing to make, nothing to drop\n'],
    ])
    expect(await partitions()).not.toContain(old[1]!.name)
    const kept = await owner.query<{ id: string }[]>('SELECT id FROM events WHERE sequence <= 503 ORDER BY sequence')
    expect(kept.map(({ id }) => id)).toEqual(held.map(({ event }) => event.id))

    const early = await verify()
    expect([early.code, early.output]).toEqual([1, expect.stringContaining('events 1–100 are missing')])
    expect(early.output).toContain('events 104–503 are missing')
    expect(await inspectAll()).toEqual([])
    expect(await storeRecorded()).toMatchObject([
      { type: 'audit.retention.applied', action: 'D', service: 'audit', resource: { type: 'events', id: '1-303' } },
      { type: 'audit.retention.applied', resource: { type: 'events', id: '1-503' } },
      { type: 'audit.export.read' },
    ])
  })

  test('is gone where it is read, and what is held or younger is not', async () => {
    for (const [{ event }, status] of [
      [plain[0]!, 410],
      [second.at(-1)!, 410],
      [held[1]!, 200],
      [recent[0]!, 200],
    ] as const)
      expect((await get(`/events/${event.id}`)).status).toBe(status)
    const gone = (await get(`/events/${plain[0]!.event.id}`)).body as { code: string; detail: string }
    expect([gone.code, gone.detail]).toEqual(['gone', expect.stringContaining('retention')])
    expect((await get(`/events/${randomUUID()}`)).status).toBe(404)
    const { items } = (await get('/events?afterSequence=0&limit=5')).body as { items: { sequence: number }[] }
    expect(items.map(({ sequence }) => sequence)).toEqual([101, 102, 103, 504, 505])
    const about = (await get(`/events?patientId=${chart}`)).body as { items: { id: string }[] }
    expect(about.items.slice(-3).map(({ id }) => id)).toEqual(held.map(({ event }) => event.id).reverse())
  })

  test('is proved as before', async () => {
    const note = (await get('/checkpoint')).body as string
    const { size, root } = parseCheckpoint(splitNote(note).text)
    const proofOf = async (path: string) => {
      const { hashes } = (await get(`/proof/${path}`)).body as { hashes: string[] }
      return hashes.map((hash) => Buffer.from(hash, 'base64'))
    }
    const leaf = Buffer.from(leaves.get(plain[41]!.event.id)!, 'base64')
    expect(inclusionRoot(leaf, 41, size, await proofOf(`inclusion?sequence=42&size=${size}`))).toEqual(root)
    const older = parseCheckpoint(splitNote(before).text)
    const proof = await proofOf(`consistency?from=${older.size}&to=${size}`)
    expect(isConsistent(older.size, size, older.root, root, proof)).toBe(true)
  })

  test('leaves gaps in an export that are accepted where an event of the log tells of them, and only there', async () => {
    const good = await verify()
    expect(await inspectAll()).toEqual([])
    expect([good.code, good.output]).toEqual([
      0,
      expect.stringContaining('dropped after their retention, as the log says: events 1-100,104-503\n'),
    ])
    await owner.query('CREATE TABLE aside AS SELECT * FROM events WHERE sequence = 504')
    await owner.query('DELETE FROM events WHERE sequence = 504')
    const bad = await verify()
    expect(await inspectAll()).not.toEqual([])
    expect([bad.code, bad.output]).toEqual([1, expect.stringContaining('events 504–504 are missing')])
    expect((await get(`/events/${recent[0]!.event.id}`)).status).toBe(500)
    await owner.query('INSERT INTO events SELECT * FROM aside')
    expect((await verify()).code).toBe(0)
  })

  test('goes when its hold ends; while somebody reads for long it stays, and is tried again later', async () => {
    await service.call('DELETE', `/api/v1/audit/holds/${chart}`, { token: auditor })
    await service.events()
    await owner.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM events LIMIT 1')
      expect(await retain()).toEqual({ code: 1, output: expect.stringContaining('lock timeout') })
    })
    expect(await service.events()).toEqual([])
    expect((await get(`/events/${held[1]!.event.id}`)).status).toBe(200)
    await service.events()
    expect(await retain()).toEqual({ code: 0, output: `${old[0]!.name}: events 101–103 dropped\n` })
    expect(await storeRecorded()).toMatchObject([
      { type: 'audit.retention.applied', resource: { type: 'events', id: '1-503' } },
    ])
    expect(await partitions()).not.toContain(old[0]!.name)
    expect((await verify()).code).toBe(0)
  })

  test('is never what is stored this month', async () => {
    expect(await retain(1)).toEqual({ code: 0, output: 'nothing to make, nothing to drop\n' })
    expect((await get(`/events/${recent[0]!.event.id}`)).status).toBe(200)
  })
})

test('an export of everything that retention overtakes breaks off', async () => {
  const own = await openAudit()
  const itsOwner = await new DataSource({ type: 'postgres', url: own.urls.owner }).initialize()
  await own.append(...events(5))
  const exportWhile = async (filter: object, last: number) => {
    const lines = exportLines(own.db.manager, filter, await getHead(own.db.manager))
    for (let n = 0; n < 2; n++) await lines.next()
    await itsOwner.query('INSERT INTO retained (first, last) VALUES ($1, $1)', [last])
    return Array.fromAsync(lines)
  }
  await expect(exportWhile({}, 1)).rejects.toThrow('retention was applied meanwhile')
  expect((await exportWhile({ outcome: 'success' }, 3)).at(-1)).toHaveProperty('checkpoint')
  await itsOwner.destroy()
  await own.close()
})

test('what is held in the first table, which reaches back to the beginning, stays as well', async () => {
  const own = await openAudit()
  const itsOwner = await new DataSource({ type: 'postgres', url: own.urls.owner }).initialize()
  const chart = randomUUID()
  await own.append(...events(5), ...events(2, [chart]), ...events(5))
  await own.call('PUT', `/api/v1/audit/holds/${chart}`, { token: auditor, body: { reason: 'A claim' } })
  const first = await findPartitions(itsOwner).then(([one]) => one!)
  const later = new Date(first.until.getTime() + 2 * 86_400_000)
  const apply = () => Array.fromAsync(applyRetention(itsOwner, 1, later))
  expect(await apply()).toEqual([`${first.name}: events 1–12 dropped, but 2 that are held`])
  expect(await apply()).toEqual([])
  expect((await findPartitions(itsOwner))[0]).toEqual(first)
  const { body } = await own.call('GET', '/api/v1/audit/events', { token: auditor })
  expect(body.items.map(({ sequence }: { sequence: number }) => sequence)).toEqual([7, 6])
  await own.append(received())
  await itsOwner.destroy()
  await own.close()
})

test('a verification that is under way when a table is dropped is not deceived', async () => {
  const own = await openAudit()
  const itsOwner = await new DataSource({ type: 'postgres', url: own.urls.owner }).initialize()
  await beginWithThisMonth(itsOwner)
  await makePartition(itsOwner, old[0]!)
  jest.spyOn(Date, 'now').mockReturnValue(old[0]!.from.getTime())
  await own.append(...events(10))
  jest.restoreAllMocks()
  await own.append(...events(10))

  let dropped: Promise<string[]> | undefined
  // whoever has read the head of the log has a snapshot
  const interrupted = (tx: EntityManager): EntityManager => {
    const find = tx.find.bind(tx)
    tx.find = async (...asked: Parameters<typeof find>) => {
      const found = await find(...asked)
      dropped ??= Array.fromAsync(applyRetention(itsOwner, 2192, now))
      await Promise.race([dropped, sleep(1000)])
      return found as never
    }
    return tx
  }
  const db = {
    transaction: (level: 'REPEATABLE READ', work: (tx: EntityManager) => Promise<unknown>) =>
      own.db.transaction(level, (tx) => work(interrupted(tx))),
  } as Database
  const verification = openVerification(db, verifierOf(signer, 'log'), quietLog, { pauseMs: 60_000, restPerWork: 0 })
  await until(() => verification.status.completedAt !== null, 10)
  await verification.close()
  expect(verification.status.problems).toEqual([])
  expect(await dropped).toEqual([`${old[0]!.name}: events 1–10 dropped`])
  await itsOwner.destroy()
  await own.close()
})

test('bad settings are refused by name', async () => {
  const { code, output } = await run('retain.ts', [], { AUDIT_RETENTION_DAYS: '0' })
  expect([code, output]).toEqual([1, expect.stringMatching(/DATABASE_OWNER_URL[^]*AUDIT_RETENTION_DAYS/)])
})
