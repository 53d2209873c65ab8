import { expect, test } from '@jest/globals'
import { buildEntry } from '../../src/log/entry.ts'
import {
  append,
  hashLeaf,
  inclusionSpans,
  rootOf as wholeRoot,
  type Frontier,
  type Hash,
} from '../../src/log/merkle.ts'
import { received } from '../../src/testing.ts'
import type { LogEvent } from './api.ts'
import { leafHashOf, rootOf } from './proof.ts'

const leaves = Array.from({ length: 70 }, (_, n) => hashLeaf(Buffer.from(`entry ${n}`)))
const grown = (some: readonly Hash[]): Frontier =>
  some.reduce<Frontier>((tree, leaf) => append(tree, leaf), { size: 0, roots: [] })
const treeRoot = (some: readonly Hash[]): Hash => wholeRoot(grown(some))
const copy = (hash: Hash): Uint8Array<ArrayBuffer> => Uint8Array.from(hash)
const proofOf = (index: number, size: number) =>
  inclusionSpans(index, size).map(([start, end]) => copy(treeRoot(leaves.slice(start, end))))

test('every leaf of every tree is proved, by a proof of its own', async () => {
  for (const size of [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 31, 32, 33, 64, 70]) {
    const root = copy(treeRoot(leaves.slice(0, size)))
    for (let index = 0; index < size; index++) {
      const proof = proofOf(index, size)
      expect(await rootOf(copy(leaves[index]!), index, size, proof)).toEqual(root)
      // neither another leaf, nor another place, nor a longer or a shorter proof
      expect(await rootOf(copy(leaves[index + 1] ?? leaves[index - 1]!), index, size, proof)).not.toEqual(root)
      if (size > 1) expect(await rootOf(copy(leaves[index]!), (index + 1) % size, size, proof)).not.toEqual(root)
      expect(await rootOf(copy(leaves[index]!), index, size, [...proof, root])).toBeUndefined()
      if (size > 1) expect(await rootOf(copy(leaves[index]!), index, size, proof.slice(1))).not.toEqual(root)
    }
  }
  expect(await rootOf(copy(leaves[0]!), 1, 1, [])).toBeUndefined()
})

test('the hash of an event as it is shown is that of the bytes that are kept', async () => {
  const { event, body } = received({ code: 'stale', changed: ['telecom', 'naïve — “quoted”'] })
  const entry = buildEntry(event, body, 12, '2026-11-24T08:00:00.000Z')
  const leafHash = hashLeaf(Buffer.from(entry)).toString('base64')
  const shown = { ...(JSON.parse(entry) as LogEvent), leafHash }
  expect(await leafHashOf(shown)).toBe(leafHash)
  expect(await leafHashOf({ ...shown, outcome: 'success', code: null })).not.toBe(leafHash)
})
