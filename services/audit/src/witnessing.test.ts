import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { DataSource } from 'typeorm'
import { listenForTest, quietLog, testToken } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import type { Logger } from '@caregate/common/logger'
import type { Fields } from '@caregate/common/request-context'
import { formatVerifier, isSignedBy, parseCheckpoint, splitNote, verifierOf } from './log/note.ts'
import { getHead } from './repository.ts'
import { openSequencer } from './sequencer.ts'
import { openAudit, received, signer } from './testing.ts'
import { openWitness } from './witness.ts'
import { startWitnessing } from './witnessing.ts'

const witnessSigner = { name: 'witness.example.org', privateKey: generateKeyPairSync('ed25519').privateKey }
const key = verifierOf(witnessSigner, 'witness')
const folder = mkdtempSync(join(tmpdir(), 'caregate-witnessing-'))
const seen = join(folder, 'seen.ndjson')
/** The log under a new name, with the same key. */
const successor = { ...signer, name: 'care.example.org/audit-2' }
let audit: Awaited<ReturnType<typeof openAudit>>
let witness: Awaited<ReturnType<typeof listenForTest>>
const alarms: string[] = []
const log: Logger = Object.assign(Object.create(quietLog) as Logger, {
  error: (_message: string, fields: Fields) => alarms.push(String(fields['event.reason'])),
})

beforeAll(async () => {
  audit = await openAudit()
  witness = await listenForTest(
    openWitness(witnessSigner, [verifierOf(signer, 'log'), verifierOf(successor, 'log')], seen),
  )
})
afterAll(async () => {
  await witness.close()
  await audit.close()
  rmSync(folder, { recursive: true })
})

/** As an audit process that starts: it asks the witness once, and goes on. */
async function start(url = witness.url, as = signer) {
  const stop = new AbortController()
  const sequencer = await openSequencer(audit.db, as)
  await startWitnessing(audit.db, sequencer, { url, key }, log, stop.signal)
  stop.abort()
  return sequencer
}
const witnessed = () => audit.call('GET', '/api/v1/audit/checkpoint?witnessed=true')

test('the head is shown to the witness, and what it signs is there for anybody', async () => {
  expect((await witnessed()).status).toBe(404)
  for (const size of [3, 40, 200]) {
    await audit.append(...Array.from({ length: size }, () => received()))
    await start()
  }
  const { status, body } = await witnessed()
  expect(status).toBe(200)
  expect(isSignedBy(body, key)).toBe(true)
  expect(isSignedBy(body, verifierOf(signer, 'log'))).toBe(true)
  expect(parseCheckpoint(splitNote(body).text).size).toBe(243)
  expect(alarms).toEqual([])
})

test('what a proxy before a witness answers is no reason to stop', async () => {
  const proxy = await listenForTest((_req, res) => void res.writeHead(503).end('no healthy upstream'))
  const sequencer = await start(proxy.url)
  await proxy.close()
  expect(await sequencer.append([received()])).toHaveLength(1)
  expect(alarms).toEqual([])
})

test('a witness that is away stops nothing', async () => {
  const sequencer = await start('http://127.0.0.1:9')
  expect(await sequencer.append([received()])).toHaveLength(1)
  await start()
  expect(parseCheckpoint(splitNote((await witnessed()).body).text).size).toBe(245)
})

const tables = [
  ['events', 'sequence'],
  ['event_ids', 'sequence'],
  ['checkpoints', 'size'],
  ['cosignatures', 'size'],
  ['leaves', 'start + 1'],
]

test('a log that lost events is gone on with when they are back', async () => {
  const owner = await new DataSource({ type: 'postgres', url: audit.urls.owner }).initialize()
  const stop = new AbortController()
  try {
    for (const [table, column] of tables) {
      await owner.query(`CREATE TABLE lost_${table} AS SELECT * FROM ${table} WHERE ${column} > 43`)
      await owner.query(`DELETE FROM ${table} WHERE ${column} > 43`)
    }
    const sequencer = await openSequencer(audit.db, signer)
    await startWitnessing(audit.db, sequencer, { url: witness.url, key }, log, stop.signal, 50)
    await expect(sequencer.append([received()])).rejects.toThrow('some were lost')
    await sleep(300)
    expect(alarms.splice(0)).toEqual(['the witness has seen 245 events, and the log has 43: some were lost'])
    for (const [table] of tables.toReversed()) await owner.query(`INSERT INTO ${table} SELECT * FROM lost_${table}`)
    await until(() => sequencer.append([received()]).then(Boolean, () => false))
    await until(async () => parseCheckpoint(splitNote((await witnessed()).body).text).size === 246)
    expect(alarms).toEqual([])
  } finally {
    stop.abort()
    await owner.destroy()
  }
})

test('a log that lost events, as after a restore, is not gone on with', async () => {
  const owner = await new DataSource({ type: 'postgres', url: audit.urls.owner }).initialize()
  try {
    for (const [table, column] of tables) await owner.query(`DELETE FROM ${table} WHERE ${column} > 43`)
    const sequencer = await start()
    expect(alarms).toEqual(['the witness has seen 246 events, and the log has 43: some were lost'])
    await expect(sequencer.append([received()])).rejects.toThrow('some were lost')
    // nor if it has grown again meanwhile, to other events
    const unasked = await openSequencer(audit.db, signer)
    await unasked.append(Array.from({ length: 300 }, () => received()))
    await expect((await start()).append([received()])).rejects.toThrow('the witness refuses the log: 422')
  } finally {
    await owner.destroy()
  }
})

const run = promisify(execFile)
/** The command, as an operator runs it. */
async function caregateAudit(args: string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: number; output: string }> {
  const cli = join(import.meta.dirname, 'cli.ts')
  return run(process.execPath, [cli, ...args], { env: { PATH: process.env.PATH, ...env } }).then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, output: stdout + stderr }),
  )
}

test('under a new name it is gone on with: the first event tells of the old head, and a witness signs it again', async () => {
  const env = {
    DATABASE_URL: audit.urls.app,
    AUDIT_SIGNING_KEY: signer.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
  }
  const before = await openSequencer(audit.db, signer)
  const { note } = await getHead(audit.db.manager)
  const { size, root } = parseCheckpoint(splitNote(note).text)
  expect(await caregateAudit(['new-log'], { ...env, AUDIT_LOG_ORIGIN: signer.name })).toMatchObject({
    code: 2,
    output: expect.stringContaining('AUDIT_LOG_ORIGIN must be a new name'),
  })
  const oldHead = `${signer.name} ${size} ${root.toString('base64')}`
  expect(await caregateAudit(['new-log'], { ...env, AUDIT_LOG_ORIGIN: successor.name })).toEqual({
    code: 0,
    output: `${successor.name} goes on from ${oldHead}\n`,
  })
  await expect(before.append([received()])).rejects.toThrow(`The log in the database is ${successor.name}`)

  alarms.length = 0
  const after = await start(witness.url, successor)
  await after.append([received()])
  await start(witness.url, successor)
  expect(alarms).toEqual([])
  const token = testToken(['auditor'])
  const { items } = (await audit.call('GET', `/api/v1/audit/events?afterSequence=${size}`, { token })).body
  expect(items[0]).toMatchObject({ type: 'audit.log.created', resource: { type: 'log', id: oldHead } })

  const log = join(folder, 'log.ndjson')
  writeFileSync(log, (await audit.call('GET', '/api/v1/audit/export', { token })).body)
  const keyOf = (name: string) => formatVerifier(verifierOf({ ...signer, name }, 'log'))
  const options = ['--witness-key', formatVerifier(key), '--checkpoints', seen]
  expect(await caregateAudit(['verify', log, '--log-key', keyOf(successor.name), ...options])).toMatchObject({
    code: 0,
  })
  expect(await caregateAudit(['verify', log, '--log-key', keyOf(signer.name), ...options])).toMatchObject({ code: 1 })
})
