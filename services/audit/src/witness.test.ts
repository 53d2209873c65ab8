import { generateKeyPairSync } from 'node:crypto'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals'
import { listenForTest } from '@caregate/common/testing/service'
import {
  append,
  consistencySpans,
  hashLeaf,
  perfectNodes,
  rootOf,
  spanHash,
  type Frontier,
  type Node,
} from './log/merkle.ts'
import { formatCheckpoint, isSignedBy, parseVerifier, signNote, verifierOf, type Signer } from './log/note.ts'
import { openWitness } from './witness.ts'

const newSigner = (name: string): Signer => ({ name, privateKey: generateKeyPairSync('ed25519').privateKey })
const [log, stranger, signer] = [
  newSigner('log.example.org'),
  newSigner('other.example.org'),
  newSigner('witness.example.org'),
]
const folder = mkdtempSync(join(tmpdir(), 'caregate-witness-'))
const file = join(folder, 'seen.ndjson')

const nodes = new Map<string, Buffer>()
const trees: Frontier[] = [{ size: 0, roots: [] }]
for (let n = 0; n < 20; n++)
  trees.push(
    append(trees.at(-1)!, hashLeaf(Buffer.from(String(n))), ({ level, index, hash }: Node) =>
      nodes.set(`${level}/${index}`, hash),
    ),
  )

const note = (size: number, root = rootOf(trees[size]!), by = log) =>
  signNote(formatCheckpoint({ origin: by.name, size, root }), by)
const proof = (from: number, to: number): string[] =>
  from === 0
    ? []
    : consistencySpans(from, to).map((span) =>
        spanHash(perfectNodes(span).map(({ level, index }) => nodes.get(`${level}/${index}`)!)).toString('base64'),
      )

let witness: Awaited<ReturnType<typeof listenForTest>>
const open = async () => void (witness = await listenForTest(openWitness(signer, [verifierOf(log, 'log')], file)))
async function submit(body: string) {
  const answer = await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body })
  return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.text() }
}
const add = (old: number, size: number, hashes = proof(old, size), checkpoint = note(size)) =>
  submit([`old ${old}`, ...hashes, '', checkpoint].join('\n'))

beforeEach(open)
afterEach(async () => {
  await witness.close()
  rmSync(file, { force: true })
})
afterAll(() => rmSync(folder, { recursive: true }))

test('what grows consistently is co-signed, by the key that it shows', async () => {
  const key = parseVerifier(await (await fetch(`${witness.url}/key`)).text())
  for (const [old, size] of [
    [0, 3],
    [3, 4],
    [4, 13],
    [13, 20],
  ] as const) {
    const { status, body } = await add(old, size)
    expect(status).toBe(200)
    expect(isSignedBy(note(size) + body, key)).toBe(true)
  }
  const kept = (await (await fetch(`${witness.url}/checkpoints`)).text()).trimEnd().split('\n')
  expect(kept).toHaveLength(4)
  for (const line of kept) expect(isSignedBy((JSON.parse(line) as { checkpoint: string }).checkpoint, key)).toBe(true)
})

test('another history of the same log is not', async () => {
  await add(0, 8)
  const other = Buffer.alloc(32, 1)
  expect(await add(8, 8, [], note(8, other))).toMatchObject({ status: 409, body: '8\n' })
  expect((await add(8, 13, proof(8, 13), note(13, other))).status).toBe(422)
  expect((await add(8, 13, proof(7, 13))).status).toBe(422)
  expect((await add(8, 13, proof(8, 13).slice(1))).status).toBe(422)
  expect((await add(8, 13)).status).toBe(200)
})

test('a shorter log, and one that skips what was seen, is told the size that was', async () => {
  await add(0, 13)
  for (const old of [0, 4, 12])
    expect(await add(old, 20)).toMatchObject({ status: 409, type: 'text/x.tlog.size', body: '13\n' })
  expect(await add(0, 4)).toMatchObject({ status: 409, body: '13\n' })
  expect((await add(13, 4, [])).status).toBe(400)
})

test('strangers, forged signatures and garbage are turned away', async () => {
  expect((await add(0, 3, [], note(3, rootOf(trees[3]!), stranger))).status).toBe(404)
  const forged = signNote(formatCheckpoint({ origin: log.name, size: 3, root: rootOf(trees[3]!) }), {
    ...stranger,
    name: log.name,
  })
  expect((await add(0, 3, [], forged)).status).toBe(403)
  for (const body of [
    '',
    'x',
    'old 0\n\n',
    'old 01\n\nx',
    `old 0\nAAAA\n\n${note(3)}`,
    `old 0\n${'A'.repeat(100)}\n\n${note(3)}`,
    `old 0\n\nx\n1\ny\n\n— x AAAA\n`,
  ])
    expect([body, (await submit(body)).status]).toEqual([body, 400])
  expect((await submit('x'.repeat(70_000))).status).toBe(413)
  expect((await fetch(witness.url)).status).toBe(404)
})

test('of ten that come at once one is signed', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => add(0, n + 5)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(9)
})

test('what it has seen outlives it, also when it died over a line', async () => {
  await add(0, 8)
  await witness.close()
  appendFileSync(file, '{"checkpoint":"log.exam')
  await open()
  expect((await add(0, 13)).status).toBe(409)
  expect((await add(8, 13)).status).toBe(200)
  await witness.close()
  await open()
  expect((await add(13, 20)).status).toBe(200)
  expect(
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}')),
  ).toHaveLength(3)
})
