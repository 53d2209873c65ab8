import type { Tx } from '@caregate/common/database'
import { readHashes } from './repository.ts'
import { consistencySpans, inclusionSpans, perfectNodes, perfectRoot, spanHash, type Hash } from './log/merkle.ts'

/** A tile has so many hashes, and a node of a tier is the root of so many of the tier below (C2SP tlog-tiles). */
export const tileWidth = 256

/** The maximal perfect subtrees of each span, left to right, hashed from the tier below them; all are read at once. */
async function readSpans(tx: Tx, spans: ReturnType<typeof inclusionSpans>): Promise<Hash[][]> {
  const nodes = spans.map(perfectNodes)
  const ranges = nodes.flat().map(({ level, index }) => {
    const width = 2 ** (level % 8)
    return { tier: Math.floor(level / 8), from: index * width, to: (index + 1) * width }
  })
  const hashes = await readHashes(tx, ranges)
  return nodes.map(({ length }) => hashes.splice(0, length).map(perfectRoot))
}

/** The maximal perfect subtrees of leaves [start, end), left to right. */
export const readSpan = async (tx: Tx, start: number, end: number): Promise<Hash[]> =>
  (await readSpans(tx, [[start, end]]))[0]!

/** @param spans within the tree that there is */
const readProof = async (tx: Tx, spans: ReturnType<typeof inclusionSpans>): Promise<Hash[]> =>
  (await readSpans(tx, spans)).map(spanHash)

/** That an event is in the tree of that size (RFC 6962, 2.1.1). @param sequence from 1 to `size` */
export const inclusionProof = (tx: Tx, sequence: number, size: number): Promise<Hash[]> =>
  readProof(tx, inclusionSpans(sequence - 1, size))

/** That the tree of `from` leaves grew into that of `size` (RFC 6962, 2.1.2). @param from of at least 1 */
export const consistencyProof = (tx: Tx, from: number, size: number): Promise<Hash[]> =>
  readProof(tx, consistencySpans(from, size))
