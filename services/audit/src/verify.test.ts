import { execFile } from 'node:child_process'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { DataSource } from 'typeorm'
import { testToken } from '@caregate/common/testing/service'
import { cosign, formatCheckpoint, formatVerifier, signNote, splitNote, verifierOf } from './log/note.ts'
import { openAudit, received, signer } from './testing.ts'

let service: Awaited<ReturnType<typeof openAudit>>
const folder = mkdtempSync(join(tmpdir(), 'caregate-verify-'))
const chart = randomUUID()
const logKey = formatVerifier(verifierOf(signer, 'log'))
const total = 2345
/** Lines of an export of everything. */
let whole: string[]

const exported = async (query = ''): Promise<string[]> => {
  const answer = await service.call('GET', `/api/v1/audit/export${query}`, { token: testToken(['auditor']) })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
  return (answer.body as string).trimEnd().split('\n')
}
/** What the command says of these lines. */
function verify(lines: readonly string[], ...more: string[]): Promise<{ code: number; output: string }> {
  const file = join(folder, `${randomUUID()}.ndjson`)
  writeFileSync(file, lines.join('\n') + '\n')
  return run('verify', file, '--log-key', logKey, ...more)
}
const run = (...args: string[]) =>
  new Promise<{ code: number; output: string }>((resolve) =>
    execFile(process.execPath, [join(import.meta.dirname, 'cli.ts'), ...args], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    ),
  )
const lineOf = (sequence: number): number => whole.findIndex((line) => line.includes(`"sequence":${sequence},`))
const changed = (sequence: number, change: (line: string) => string): string[] => {
  const at = lineOf(sequence)
  return whole.with(at, change(whole[at]!))
}

beforeAll(async () => {
  service = await openAudit()
  for (let stored = 0; stored < total;) {
    const size = Math.min(total - stored, 1 + ((stored * 7) % 190))
    const batch = Array.from({ length: size }, (_, n) =>
      received((stored + n) % 50 === 7 ? { patientIds: [chart] } : {}),
    )
    stored += (await service.append(...batch)).length
  }
  whole = await exported()
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await service.close()
})

describe('an export', () => {
  test('of everything has every event and is verified without a server', async () => {
    expect(whole.filter((line) => line.includes('"sequence"'))).toHaveLength(total)
    expect(whole.filter((line) => line.startsWith('{"checkpoint"')).length).toBeGreaterThanOrEqual(3)
    expect(whole.at(-1)).toMatch(/^\{"checkpoint"/)
    const { code, output } = await verify(whole)
    expect(output).toMatch(
      new RegExp(
        `^${total} events and the hashes of 0 more, \\d checkpoints\nverified: ${signer.name}, ${total} events, root `,
      ),
    )
    expect(code).toBe(0)
  })

  test('of a filter has hashes in place of what it leaves out, and is verified too', async () => {
    const lines = await exported(`?patientId=${chart}`)
    const events = lines.filter((line) => line.includes('"sequence"'))
    expect(events).toHaveLength(47)
    expect(JSON.parse(lines[0]!)).toEqual({ format: 'caregate-audit/1', filter: { patientId: chart } })
    expect((await verify(lines)).output).toContain(`47 events and the hashes of ${total - 47} more`)
    expect((await verify(lines)).code).toBe(0)
    expect(lines.join('').length).toBeLessThan(whole.join('').length / 5)
    const nothing = await exported(`?patientId=${randomUUID()}`)
    expect((await verify(nothing)).output).toContain(`0 events and the hashes of ${total} more`)
  })

  test('is verified however another program has written its JSON', async () => {
    const rewritten = whole.map((line) =>
      JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line) as object).reverse())).replaceAll('/', '\\/'),
    )
    expect((await verify(rewritten)).code).toBe(0)
  })

  test('of an empty log is verified', async () => {
    const empty = await openAudit()
    const answer = await empty.call('GET', '/api/v1/audit/export', { token: testToken(['auditor']) })
    expect(await verify((answer.body as string).trimEnd().split('\n'))).toMatchObject({ code: 0 })
    await empty.close()
  })

  test('is an event', async () => {
    await service.events()
    await exported(`?patientId=${chart}`)
    expect(await service.events()).toMatchObject([
      { type: 'audit.export.read', outcome: 'success', patientIds: [chart] },
    ])
    expect((await service.call('GET', '/api/v1/audit/export', { token: testToken(['admin']) })).status).toBe(403)
  })
})

describe('a change is found', () => {
  test('of an event, by its number', async () => {
    const { code, output } = await verify(
      changed(1234, (line) => line.replace('"outcome":"success"', '"outcome":"denied"')),
    )
    expect(code).toBe(1)
    expect(output).toContain('event 1234 is not what the log has: its hash differs')
  })

  test('of an event and its hash, by the checkpoints around it', async () => {
    const other = JSON.parse(whole[lineOf(1233)]!) as { leafHash: string }
    const { code, output } = await verify(
      changed(1234, (line) => line.replace(/"leafHash":"[^"]+"/, `"leafHash":"${other.leafHash}"`)),
    )
    expect(code).toBe(1)
    expect(output).toMatch(/events 1\d{3}–2\d{3} are not those that it was signed for/)
    expect(output).toMatch(/NOT VERIFIED; the checkpoint of 1\d{3} events holds\n/)
  })

  test.each<[string, () => string[], RegExp]>([
    ['an event left out', () => whole.toSpliced(lineOf(700), 1), /event 701 stands where 700 should/],
    ['an event put in', () => whole.toSpliced(lineOf(700), 0, whole[lineOf(3)]!), /event 3 stands where 700 should/],
    [
      'two that changed places',
      () => whole.with(lineOf(700), whole[lineOf(701)]!).with(lineOf(701), whole[lineOf(700)]!),
      /event 701 stands where 700 should/,
    ],
    [
      'the end cut off within a batch',
      () => whole.slice(0, lineOf(2000)),
      /no checkpoint covers the events after 1\d{3}/,
    ],
    [
      'a checkpoint of another key',
      () => whole.map((line) => line.replace(/(— \S+ )....../, '$1AAAAAA')),
      /the log’s key did not sign it/,
    ],
  ])('%s', async (_name, lines, found) => {
    const { code, output } = await verify(lines())
    expect(code).toBe(1)
    expect(output).toMatch(found)
  })

  test('that an export of everything leaves an event out, with its hash in its place', async () => {
    const owner = await new DataSource({ type: 'postgres', url: service.urls.owner }).initialize()
    await owner.query('CREATE TABLE aside AS SELECT * FROM events WHERE sequence BETWEEN 900 AND 901')
    await owner.query('DELETE FROM events WHERE sequence BETWEEN 900 AND 901')
    const { code, output } = await verify(await exported())
    await owner.query('INSERT INTO events SELECT * FROM aside')
    await owner.destroy()
    expect([code, output]).toEqual([
      1,
      expect.stringContaining('events 900–901 are missing, and no filter leaves them out'),
    ])
  })

  test.each([
    ['the last that the export has read at once', 1000, 5],
    ['another', 1500, 9000],
  ])('of the number that an event says: %s', async (_which, sequence, said) => {
    const owner = await new DataSource({ type: 'postgres', url: service.urls.owner }).initialize()
    const say = (from: number, to: number) =>
      owner.query(
        `UPDATE events SET entry = replace(entry, '"sequence":${from},', '"sequence":${to},') WHERE sequence = ${sequence}`,
      )
    await say(sequence, said)
    const lines = await exported()
    await say(said, sequence)
    await owner.destroy()
    expect(lines).toHaveLength(whole.length)
    const { code, output } = await verify(lines)
    expect([code, output]).toEqual([1, expect.stringContaining(`event ${said} stands where ${sequence} should`)])
  })

  test('of the end, when a witness saw more', async () => {
    const witness = { name: 'witness.example.org', privateKey: generateKeyPairSync('ed25519').privateKey }
    const checkpoints = join(folder, 'witnessed.ndjson')
    const { checkpoint } = JSON.parse(whole.at(-1)!) as { checkpoint: string }
    const line = cosign(splitNote(checkpoint).text, witness, new Date())
    writeFileSync(checkpoints, `${JSON.stringify({ checkpoint: checkpoint + line })}\n`)
    const options = ['--witness-key', formatVerifier(verifierOf(witness, 'witness')), '--checkpoints', checkpoints]
    expect((await verify(whole, ...options)).code).toBe(0)
    const middle = whole.findIndex((one) => one.startsWith('{"checkpoint"'))
    const short = whole.slice(0, middle + 1)
    expect((await verify(short)).code).toBe(0)
    const { code, output } = await verify(short, ...options)
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/a witness saw 2345 events, and the export ends with 1\d{3}: its end is missing/),
    ])
    writeFileSync(checkpoints, `${JSON.stringify({ checkpoint })}\n`)
    expect(await verify(whole, ...options)).toMatchObject({
      code: 2,
      output: expect.stringContaining('the witness did not sign it'),
    })
  })
})

test('an export that leaves things out can be compared with what a witness signed all the same', async () => {
  const witness = { name: 'witness.example.org', privateKey: generateKeyPairSync('ed25519').privateKey }
  const kept = await service.db.query<{ size: number; note: string }[]>(
    'SELECT size::int, note FROM checkpoints WHERE size > 100 ORDER BY size LIMIT 6',
  )
  const signed = kept.map(({ size, note }) => {
    const line = cosign(splitNote(note).text, witness, new Date())
    return { size, line, checkpoint: note + line }
  })
  const checkpoints = join(folder, 'seen.ndjson')
  const keep = (lines: { checkpoint: string }[]) =>
    writeFileSync(checkpoints, lines.map(({ checkpoint }) => JSON.stringify({ checkpoint })).join('\n'))
  const options = ['--witness-key', formatVerifier(verifierOf(witness, 'witness')), '--checkpoints', checkpoints]
  const query = `?patientId=${randomUUID()}`
  keep(signed)
  expect(await verify(await exported(query), ...options)).toMatchObject({
    code: 1,
    output: expect.stringContaining(`of ${signed.at(-1)!.size} events can’t be compared`),
  })
  for (const { size, line } of signed)
    await service.db.query('INSERT INTO cosignatures (size, line) VALUES ($1, $2)', [size, line])
  expect((await verify(await exported(query), ...options)).code).toBe(0)

  const { size } = signed.at(-1)!
  const another = formatCheckpoint({ origin: signer.name, size, root: Buffer.alloc(32) })
  const note = signNote(another, signer)
  keep([{ checkpoint: note + cosign(another, witness, new Date()) }])
  expect(await verify(await exported(query), ...options)).toMatchObject({
    code: 1,
    output: expect.stringContaining(`a witness saw other events up to ${size}`),
  })
})

test('what can’t be read is told apart', async () => {
  for (const [args, reason] of [
    [['verify', '/nowhere', '--log-key', logKey], 'ENOENT'],
    [['verify', '/nowhere', '--log-key', 'x+y+z'], 'not an Ed25519 verifier key'],
    [['verify', '/nowhere'], 'Usage'],
    [[], 'Usage'],
  ] as const)
    expect(await run(...args)).toMatchObject({ code: 2, output: expect.stringContaining(reason) })
  expect(await verify(['{"format":"another"}'])).toMatchObject({
    code: 2,
    output: expect.stringContaining('not an export'),
  })
  expect(await verify([whole[0]!, 'x'])).toMatchObject({
    code: 2,
    output: expect.stringContaining('line 2 is not a JSON object'),
  })
})

test('the public half of a key is shown as others are given it', async () => {
  const file = join(folder, 'key.pem')
  writeFileSync(file, signer.privateKey.export({ format: 'pem', type: 'pkcs8' }))
  expect(await run('key', file, '--name', signer.name)).toEqual({ code: 0, output: `${logKey}\n` })
  const witness = formatVerifier(verifierOf({ ...signer, name: 'a.example/witness' }, 'witness'))
  expect(await run('key', file, '--name', 'a.example/witness', '--witness')).toEqual({
    code: 0,
    output: `${witness}\n`,
  })
  expect(await run('key', file)).toMatchObject({ code: 2, output: expect.stringContaining('Usage') })
})
