import { generateKeyPairSync } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { DataSource } from 'typeorm'
import { canonicalJson } from '@caregate/common/events'
import { testToken } from '@caregate/common/testing/service'
import { append, hashLeaf, inclusionRoot, isConsistent, rootOf, type Frontier } from './log/merkle.ts'
import { isSignedBy, parseCheckpoint, parseVerifier, splitNote, verifierOf } from './log/note.ts'
import { openSequencer } from './sequencer.ts'
import { openAudit, received, signer } from './testing.ts'
import { verifyExport } from './verify.ts'

let service: Awaited<ReturnType<typeof openAudit>>
const auditor = testToken(['auditor'])
/** Enough for a full tile of the second tier to begin, in batches that no tile ends with. */
const sizes = [1, 2, 97, 156, 1, 300, 43, 77]
const total = sizes.reduce((sum, size) => sum + size)
/** The tree by the events as they are read back, one for each number of them. */
const trees: Frontier[] = [{ size: 0, roots: [] }]

const get = (path: string, token: string | undefined = auditor) =>
  service.call('GET', `/api/v1/audit${path}`, { token })
const rootAt = (size: number) => rootOf(trees[size]!)

beforeAll(async () => {
  service = await openAudit()
  for (const size of sizes) await service.append(...Array.from({ length: size }, () => received()))
  for (let after = 0; after < total; after += 200) {
    const { items } = (await get(`/events?afterSequence=${after}&limit=200`)).body
    for (const { leafHash, ...event } of items) {
      const leaf = hashLeaf(Buffer.from(canonicalJson(event)))
      expect(leafHash).toBe(leaf.toString('base64'))
      trees.push(append(trees.at(-1)!, leaf))
    }
  }
  expect(trees).toHaveLength(total + 1)
})
afterAll(() => service.close())

describe('a checkpoint', () => {
  test('is signed, names log, size and root, and is there for anybody', async () => {
    const [note, key] = [await get('/checkpoint', undefined), await get('/key', undefined)]
    expect(note.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    const verifier = parseVerifier(key.body)
    expect(verifier.name).toBe(signer.name)
    expect(isSignedBy(note.body, verifier)).toBe(true)
    expect(parseCheckpoint(splitNote(note.body).text)).toEqual({
      origin: signer.name,
      size: total,
      root: rootAt(total),
    })
  })

  test('is kept for every batch', async () => {
    const rows = await service.db.query<{ note: string }[]>('SELECT note FROM checkpoints ORDER BY size')
    const kept = rows.map(({ note }) => parseCheckpoint(splitNote(note).text))
    const ends = sizes.map((_, n) => sizes.slice(0, n + 1).reduce((sum, size) => sum + size))
    expect(kept.map(({ size }) => size)).toEqual([0, ...ends])
    for (const { size, root } of kept) expect(root).toEqual(rootAt(size))
  })
})

describe('proofs', () => {
  const hashesOf = ({ body }: { body: { hashes: string[] } }) => body.hashes.map((hash) => Buffer.from(hash, 'base64'))

  test('of inclusion lead from an event to the root of any later tree', async () => {
    const leafOf = async (sequence: number) =>
      Buffer.from((await get(`/events?afterSequence=${sequence - 1}&limit=1`)).body.items[0].leafHash, 'base64')
    for (const [sequence, size] of [
      [1, 1],
      [1, total],
      [total, total],
      [256, 257],
      [257, 600],
      [300, 512],
      [513, 600],
    ]) {
      const answer = await get(`/proof/inclusion?sequence=${sequence}&size=${size}`)
      expect(answer.body.treeSize).toBe(size)
      expect(inclusionRoot(await leafOf(sequence!), sequence! - 1, size!, hashesOf(answer))).toEqual(rootAt(size!))
    }
    expect((await get('/proof/inclusion?sequence=5')).body.treeSize).toBe(total)
  })

  test('of consistency show that a tree grew into a later one', async () => {
    for (const [from, to] of [
      [1, 2],
      [1, total],
      [3, 100],
      [255, 256],
      [256, 257],
      [256, 512],
      [300, 513],
      [total, total],
    ]) {
      const answer = await get(`/proof/consistency?from=${from}&to=${to}`)
      expect(isConsistent(from!, to!, rootAt(from!), rootAt(to!), hashesOf(answer))).toBe(true)
    }
    expect((await get('/proof/consistency?from=5')).body.treeSize).toBe(total)
  })

  test('of what is not there are refused, naming the field, and so is who is no auditor', async () => {
    for (const [query, field] of [
      ['inclusion?sequence=0', 'sequence'],
      [`inclusion?sequence=${total + 1}`, 'sequence'],
      [`inclusion?sequence=1&size=${total + 1}`, 'size'],
      ['inclusion?sequence=5&size=4', 'sequence'],
      ['consistency?from=0', 'from'],
      ['consistency?from=7&to=6', 'from'],
      [`consistency?from=7&to=${total + 1}`, 'to'],
      ['consistency', 'from'],
    ]) {
      const { status, body } = await get(`/proof/${query}`)
      expect([query, status, body.errors[0].path]).toEqual([query, 422, field])
    }
    await service.events()
    expect((await get('/proof/inclusion?sequence=1', testToken(['admin']))).status).toBe(403)
    expect(await service.events()).toMatchObject([{ type: 'audit.proof.read', outcome: 'denied' }])
  })
})

describe('tiles', () => {
  const tile = async (path: string) => {
    const answer = await fetch(`${service.url}/api/v1/audit/tile/${path}`, {
      headers: { authorization: `Bearer ${auditor}` },
    })
    return { status: answer.status, hashes: Buffer.from(await answer.arrayBuffer()) }
  }

  test('hold the hashes of 256 leaves, and one of each full one below', async () => {
    const [first, second, partial, above] = [
      await tile('0/000'),
      await tile('0/001'),
      await tile('0/002.p/100'),
      await tile('1/000.p/2'),
    ]
    for (const { status } of [first, second, partial, above]) expect(status).toBe(200)
    expect([first, second, partial, above].map(({ hashes }) => hashes.length)).toEqual([8192, 8192, 3200, 64])
    const leaves = Buffer.concat([first.hashes, second.hashes, partial.hashes])
    let tree: Frontier = { size: 0, roots: [] }
    for (let n = 0; n < 612; n++) {
      tree = append(tree, leaves.subarray(n * 32, n * 32 + 32))
      if (n === 255) expect(rootOf(tree)).toEqual(above.hashes.subarray(0, 32))
    }
    expect(rootOf(tree)).toEqual(rootAt(612))
  })

  test('that no checkpoint covers, or that are spelled otherwise, are not there', async () => {
    for (const path of [
      '0/003',
      '0/002',
      '0/002.p/200',
      '1/000',
      '1/000.p/3',
      '2/000.p/1',
      '0/0',
      '0/x000/001',
      '0/001.p/0',
      '0/001.p/257',
      '0/../000',
    ])
      expect([path, (await tile(path)).status]).toEqual([path, 404])
    for (const path of ['7/000', '-1/000', 'x/000']) expect([path, (await tile(path)).status]).toEqual([path, 422])
  })
})

describe('opening the log', () => {
  test('again goes on where it was', async () => {
    const again = await openSequencer(service.db, signer)
    await again.append([received()])
    const { size } = parseCheckpoint(splitNote((await get('/checkpoint')).body).text)
    expect(size).toBe(total + 1)
  })

  test('under another name, or with another key, is refused', async () => {
    await expect(openSequencer(service.db, { ...signer, name: 'another' })).rejects.toThrow(
      'The log in the database is care.example.org/audit, and AUDIT_LOG_ORIGIN says another.',
    )
    const { privateKey } = generateKeyPairSync('ed25519')
    await expect(openSequencer(service.db, { ...signer, privateKey })).rejects.toThrow('signed by another key')
  })

  test('from another state than was signed is refused, also to who has opened it before', async () => {
    const own = await openAudit()
    const owner = await new DataSource({ type: 'postgres', url: own.urls.owner }).initialize()
    try {
      await own.append(received(), received(), received())
      await owner.query(`UPDATE checkpoints SET roots = set_byte(roots, 40, 255 - get_byte(roots, 40)) WHERE size = 3`)
      await expect(openSequencer(own.db, signer)).rejects.toThrow('another state than was signed')
      await expect(own.append(received())).rejects.toThrow('another state than was signed')
      expect(await own.db.query('SELECT FROM events')).toHaveLength(3)
    } finally {
      await owner.destroy()
      await own.close()
    }
  })

  test('with events from before there was a tree brings them into it; a forged row later does not come in, and is seen', async () => {
    const old = await openAudit()
    const owner = await new DataSource({ type: 'postgres', url: old.urls.owner }).initialize()
    try {
      for (const size of [300, 12]) await old.append(...Array.from({ length: size }, () => received()))
      const before = (await old.call('GET', '/api/v1/audit/checkpoint')).body as string
      await owner.query('TRUNCATE leaves, nodes, checkpoints')
      await openSequencer(old.db, signer)
      expect(parseCheckpoint(splitNote((await old.call('GET', '/api/v1/audit/checkpoint')).body).text)).toEqual(
        parseCheckpoint(splitNote(before).text),
      )
      const [{ same }] = await owner.query<[{ same: boolean }]>(
        'SELECT (SELECT max(stored_at) FROM checkpoints) = (SELECT max(stored_at) FROM events) AS same',
      )
      expect(same).toBe(true)
      await owner.query(
        'INSERT INTO events SELECT 313, gen_random_uuid(), stored_at, occurred_at, type, action, outcome, actor_id, patient_ids, method, path, ip, request_id, entry FROM events WHERE sequence = 1',
      )
      const again = await openSequencer(old.db, signer)
      const next = received()
      await again.append([next])
      const { body } = await old.call('GET', `/api/v1/audit/events/${next.event.id}`, { token: auditor })
      expect([body.id, body.sequence]).toEqual([next.event.id, 313])
      const [head] = await old.db.query<{ size: string }[]>('SELECT max(size) AS size FROM checkpoints')
      expect(head).toEqual({ size: '313' })
      const lines = ((await old.call('GET', '/api/v1/audit/export', { token: auditor })).body as string)
        .trimEnd()
        .split('\n')
      const { problems } = await verifyExport(Readable.from(lines), verifierOf(signer, 'log'))
      expect(problems).toContainEqual(expect.stringContaining('event 1 stands where 313 should'))
    } finally {
      await owner.destroy()
      await old.close()
    }
  })

  test('does not go back in time, though the clock is set back', async () => {
    const own = await openAudit()
    const owner = await new DataSource({ type: 'postgres', url: own.urls.owner }).initialize()
    try {
      await own.append(received())
      const ahead = new Date(Date.now() + 3_600_000)
      await owner.query('UPDATE checkpoints SET stored_at = $1', [ahead])
      const next = received()
      await own.append(next)
      const { body } = await own.call('GET', `/api/v1/audit/events/${next.event.id}`, { token: auditor })
      expect(body.storedAt).toBe(ahead.toISOString())
    } finally {
      await owner.destroy()
      await own.close()
    }
  })

  test('several at once is one log', async () => {
    const own = await openAudit()
    try {
      const others = await Promise.all(Array.from({ length: 4 }, () => openSequencer(own.db, signer)))
      await Promise.all(
        others.flatMap((other) => Array.from({ length: 5 }, () => other.append([received(), received()]))),
      )
      const rows = await own.db.query<{ size: string }[]>('SELECT size FROM checkpoints ORDER BY size')
      expect(rows.map(({ size }) => Number(size))).toEqual(Array.from({ length: 21 }, (_, n) => n * 2))
    } finally {
      await own.close()
    }
  })
})

test('a checkpoint of another key is not taken for the log’s', async () => {
  const { body } = await get('/checkpoint')
  const other = { ...parseVerifier((await get('/key')).body), publicKey: generateKeyPairSync('ed25519').publicKey }
  expect(isSignedBy(body, other)).toBe(false)
})
