import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { DataSource } from 'typeorm'
import { listenForTest, quietLog } from '@caregate/common/testing/service'
import type { Logger } from '@caregate/common/logger'
import { isSignedBy, parseCheckpoint, splitNote, verifierOf } from './log/note.ts'
import { openSequencer } from './sequencer.ts'
import { openAudit, received, signer } from './testing.ts'
import { openWitness } from './witness.ts'
import { startWitnessing } from './witnessing.ts'

const witnessSigner = { name: 'witness.example.org', privateKey: generateKeyPairSync('ed25519').privateKey }
const key = verifierOf(witnessSigner, 'witness')
const folder = mkdtempSync(join(tmpdir(), 'caregate-witnessing-'))
let audit: Awaited<ReturnType<typeof openAudit>>
let witness: Awaited<ReturnType<typeof listenForTest>>
const alarms: string[] = []
const log: Logger = Object.assign(Object.create(quietLog) as Logger, {
  error: (_message: string, { reason }: { reason: string }) => alarms.push(reason),
})

beforeAll(async () => {
  audit = await openAudit()
  witness = await listenForTest(openWitness(witnessSigner, [verifierOf(signer, 'log')], join(folder, 'seen.ndjson')))
})
afterAll(async () => {
  await witness.close()
  await audit.close()
  rmSync(folder, { recursive: true })
})

/** As an audit process that starts: it asks the witness once, and goes on. */
async function start(url = witness.url) {
  const stop = new AbortController()
  const sequencer = await openSequencer(audit.db, signer)
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

test('a witness that is away stops nothing', async () => {
  const sequencer = await start('http://127.0.0.1:9')
  expect(await sequencer.append([received()])).toBe(1)
  await start()
  expect(parseCheckpoint(splitNote((await witnessed()).body).text).size).toBe(244)
})

test('a log that lost events, as after a restore, is not gone on with', async () => {
  const owner = await new DataSource({ type: 'postgres', url: audit.urls.owner }).initialize()
  try {
    for (const [table, column] of [
      ['events', 'sequence'],
      ['event_ids', 'sequence'],
      ['checkpoints', 'size'],
      ['cosignatures', 'size'],
      ['leaves', 'start + 1'],
    ])
      await owner.query(`DELETE FROM ${table} WHERE ${column} > 43`)
    const sequencer = await start()
    expect(alarms).toEqual(['the witness has seen 244 events, and the log has 43: some were lost'])
    await expect(sequencer.append([received()])).rejects.toThrow('some were lost')
    // nor if it has grown again meanwhile, to other events
    const unasked = await openSequencer(audit.db, signer)
    await unasked.append(Array.from({ length: 300 }, () => received()))
    await expect((await start()).append([received()])).rejects.toThrow('the witness refuses the log: 422')
  } finally {
    await owner.destroy()
  }
})
