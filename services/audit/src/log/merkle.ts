import { hash } from 'node:crypto'

/** SHA-256 hashes of a Merkle tree as in RFC 6962, 2.1; leaves are counted from 0. */
export type Hash = Buffer

const sha256 = (...parts: readonly Buffer[]): Hash => hash('sha256', Buffer.concat(parts), 'buffer')
const [leafPrefix, nodePrefix] = [Buffer.of(0), Buffer.of(1)]
/** @param entry a text stands for its bytes in UTF-8 */
export const hashLeaf = (entry: Buffer | string): Hash =>
  typeof entry === 'string' ? hash('sha256', `\0${entry}`, 'buffer') : sha256(leafPrefix, entry)
const hashNode = (left: Hash, right: Hash): Hash => sha256(nodePrefix, left, right)
const emptyRoot = sha256()

/** A tree as far as it is needed to append to it: the roots of its maximal perfect subtrees, left to right. */
export interface Frontier {
  size: number
  roots: Hash[]
}

/** A perfect subtree: the `index`-th of those with 2^level leaves. */
export interface Node {
  level: number
  index: number
  hash: Hash
}

/** Whether a tile above the lowest has it (C2SP tlog-tiles). */
export const isTiled = ({ level }: Node): boolean => level > 0 && level % 8 === 0

/** @param completed is told of each perfect subtree that the leaf completes, from its own level up */
export function append(tree: Frontier, leaf: Hash, completed: (node: Node) => void = () => {}): Frontier {
  return appendPerfect(tree, { level: 0, index: tree.size, hash: leaf }, completed)
}

/** Appends a perfect subtree, the next of its level. */
export function appendPerfect(tree: Frontier, node: Node, completed: (node: Node) => void = () => {}): Frontier {
  const roots = [...tree.roots]
  let { level, index, hash } = node
  completed(node)
  // an odd one is the right half of what it completes
  for (; index % 2 === 1; level++, index = (index - 1) / 2) {
    hash = hashNode(roots.pop()!, hash)
    completed({ level: level + 1, index: (index - 1) / 2, hash })
  }
  roots.push(hash)
  return { size: tree.size + 2 ** node.level, roots }
}

const fold = (roots: readonly Hash[]): Hash =>
  roots.length ? roots.reduceRight((right, left) => hashNode(left, right)) : emptyRoot
export const rootOf = ({ roots }: Frontier): Hash => fold(roots)

/** The largest power of two below `n`, which is at least 2. */
const split = (n: number): number => 2 ** Math.ceil(Math.log2(n) - 1)

/** Leaves [start, end). */
type Span = readonly [start: number, end: number]

/** What an inclusion proof (RFC 6962, 2.1.1) consists of: the hash of each span. */
export function inclusionSpans(index: number, size: number): Span[] {
  const spans: Span[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const middle = start + split(end - start)
    if (index < middle) {
      spans.unshift([middle, end])
      end = middle
    } else {
      spans.unshift([start, middle])
      start = middle
    }
  }
  return spans
}

/** What a consistency proof (RFC 6962, 2.1.2) consists of. @param from of at least 1 and at most `size` */
export function consistencySpans(from: number, size: number): Span[] {
  const spans: Span[] = []
  let [start, end] = [0, size]
  while (from < end) {
    const middle = start + split(end - start)
    if (from <= middle) {
      spans.unshift([middle, end])
      end = middle
    } else {
      spans.unshift([start, middle])
      start = middle
    }
  }
  // whoever has the old root needs no hash of all of it
  return start === 0 ? spans : [[start, end], ...spans]
}

/** The maximal perfect subtrees of a span, left to right. */
export function perfectNodes([start, end]: Span): Omit<Node, 'hash'>[] {
  const nodes: Omit<Node, 'hash'>[] = []
  for (let from = start; from < end;) {
    let level = Math.floor(Math.log2(end - from))
    while (from % 2 ** level) level--
    nodes.push({ level, index: from / 2 ** level })
    from += 2 ** level
  }
  return nodes
}

/** The hash of a span. @param hashes of its maximal perfect subtrees */
export const spanHash = (hashes: readonly Hash[]): Hash => fold(hashes)

/** The root of a perfect tree with these leaves, a power of two of them. */
export function perfectRoot(leaves: readonly Hash[]): Hash {
  let row = leaves
  while (row.length > 1) row = Array.from({ length: row.length / 2 }, (_, n) => hashNode(row[2 * n]!, row[2 * n + 1]!))
  return row[0]!
}

/** The root that an inclusion proof leads to (RFC 9162, 2.1.3.2). Undefined when it is no proof for this size. */
export function inclusionRoot(leaf: Hash, index: number, size: number, proof: readonly Hash[]): Hash | undefined {
  const spans = inclusionSpans(index, size)
  if (index >= size || spans.length !== proof.length) return undefined
  return proof.reduce((hash, other, n) => (spans[n]![0] > index ? hashNode(hash, other) : hashNode(other, hash)), leaf)
}

/** Whether a tree of `from` leaves with that root grew into one of `size` with this root (RFC 9162, 2.1.4.2). */
export function isConsistent(from: number, size: number, oldRoot: Hash, root: Hash, proof: readonly Hash[]): boolean {
  if (from === 0) return proof.length === 0
  if (from > size) return false
  if (from === size) return proof.length === 0 && oldRoot.equals(root)
  const spans = consistencySpans(from, size)
  if (spans.length !== proof.length) return false
  // the first is what both trees begin with: a span that the proof names, or the whole old tree
  const given = spans[0]![1] === from
  let [older, newer] = given ? [proof[0]!, proof[0]!] : [oldRoot, oldRoot]
  for (let n = given ? 1 : 0; n < proof.length; n++) {
    if (spans[n]![0] >= from) newer = hashNode(newer, proof[n]!)
    else {
      older = hashNode(proof[n]!, older)
      newer = hashNode(proof[n]!, newer)
    }
  }
  return older.equals(oldRoot) && newer.equals(root)
}
