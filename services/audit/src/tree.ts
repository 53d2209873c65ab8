import type { Tx } from '@caregate/common/database'
import { readHashes } from './repository.ts'
import { consistencySpans, inclusionSpans, perfectNodes, perfectRoot, spanHash, type Hash } from './log/merkle.ts'

/** A tile has so many hashes, and a node of a tier is the root of so many of the tier below (C2SP tlog-tiles). */
export const tileWidth = 256

/** The root of a perfect subtree, hashed from those of the tier below it. */
async function readNode(tx: Tx, level: number, index: number): Promise<Hash> {
  const tier = Math.floor(level / 8)
  const width = 2 ** (level % 8)
  return perfectRoot(await readHashes(tx, tier, index * width, (index + 1) * width))
}

/** The maximal perfect subtrees of leaves [start, end), left to right. */
export async function readSpan(tx: Tx, start: number, end: number): Promise<Hash[]> {
  const hashes: Hash[] = []
  for (const { level, index } of perfectNodes([start, end])) hashes.push(await readNode(tx, level, index))
  return hashes
}

/** @param spans within the tree that there is */
async function readProof(tx: Tx, spans: ReturnType<typeof inclusionSpans>): Promise<Hash[]> {
  const proof: Hash[] = []
  for (const [start, end] of spans) proof.push(spanHash(await readSpan(tx, start, end)))
  return proof
}

/** That an event is in the tree of that size (RFC 6962, 2.1.1). @param sequence from 1 to `size` */
export const inclusionProof = (tx: Tx, sequence: number, size: number): Promise<Hash[]> =>
  readProof(tx, inclusionSpans(sequence - 1, size))

/** That the tree of `from` leaves grew into that of `size` (RFC 6962, 2.1.2). @param from of at least 1 */
export const consistencyProof = (tx: Tx, from: number, size: number): Promise<Hash[]> =>
  readProof(tx, consistencySpans(from, size))
