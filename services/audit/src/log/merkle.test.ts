import { describe, expect, test } from '@jest/globals'
import {
  append,
  appendPerfect,
  consistencySpans,
  hashLeaf,
  inclusionRoot,
  inclusionSpans,
  isConsistent,
  perfectNodes,
  perfectRoot,
  rootOf,
  spanHash,
  type Frontier,
  type Hash,
  type Node,
} from './merkle.ts'

/** Those that Certificate Transparency is tested with, and the roots of the trees of the first 0, 1, 2 … of them. */
const entries = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

const most = 70
const nodes = new Map<string, Hash>()
/** Trees of 0 to 70 leaves. */
const trees: Frontier[] = [{ size: 0, roots: [] }]
const leaves = Array.from({ length: most }, (_, n) =>
  hashLeaf(Buffer.from(entries[n] ?? String(n), entries[n] === undefined ? 'utf8' : 'hex')),
)
for (const leaf of leaves)
  trees.push(append(trees.at(-1)!, leaf, ({ level, index, hash }: Node) => nodes.set(`${level}/${index}`, hash)))
const rootAt = (size: number): Hash => rootOf(trees[size]!)
const hashesOf = (spans: ReturnType<typeof inclusionSpans>): Hash[] =>
  spans.map((span) => spanHash(perfectNodes(span).map(({ level, index }) => nodes.get(`${level}/${index}`)!)))

test('roots are those of Certificate Transparency', () => {
  expect(roots.map((_, size) => rootAt(size).toString('hex'))).toEqual(roots)
})

test('a perfect tree has the root of its leaves', () => {
  for (const size of [1, 2, 4, 8, 64]) expect(perfectRoot(leaves.slice(0, size))).toEqual(rootAt(size))
})

test('a leaf may be given as text', () => {
  expect(hashLeaf('é')).toEqual(hashLeaf(Buffer.from('é')))
})

test('a tree is gone on with by the perfect subtrees of any stretch of leaves', () => {
  for (let end = 1; end <= most; end++)
    for (let start = 0; start < end; start++) {
      const stretch = perfectNodes([start, end]).map((node) => ({
        ...node,
        hash: nodes.get(`${node.level}/${node.index}`)!,
      }))
      const grown = stretch.reduce((tree, node) => appendPerfect(tree, node), trees[start]!)
      expect([start, grown.size, rootOf(grown).equals(rootAt(end))]).toEqual([start, end, true])
    }
})

describe('an inclusion proof', () => {
  test('leads from every leaf of every tree to its root, and from no other', () => {
    for (let size = 1; size <= most; size++) {
      for (let index = 0; index < size; index++) {
        const proof = hashesOf(inclusionSpans(index, size))
        expect(inclusionRoot(leaves[index]!, index, size, proof)).toEqual(rootAt(size))
        expect(inclusionRoot(leaves[(index + 1) % most]!, index, size, proof)).not.toEqual(rootAt(size))
      }
    }
  })

  test('of another length, for another place or beyond the end is none', () => {
    const proof = hashesOf(inclusionSpans(5, 11))
    expect(inclusionRoot(leaves[5]!, 5, 11, proof.slice(1))).toBeUndefined()
    expect(inclusionRoot(leaves[5]!, 5, 11, [...proof, proof[0]!])).toBeUndefined()
    expect(inclusionRoot(leaves[5]!, 4, 11, proof)).not.toEqual(rootAt(11))
    expect(inclusionRoot(leaves[10]!, 11, 11, hashesOf(inclusionSpans(10, 11)))).toBeUndefined()
  })
})

describe('a consistency proof', () => {
  test('shows of every tree that it grew into every later one', () => {
    for (let size = 1; size <= most; size++) {
      for (let from = 1; from <= size; from++) {
        const proof = hashesOf(consistencySpans(from, size))
        expect([from, size, isConsistent(from, size, rootAt(from), rootAt(size), proof)]).toEqual([from, size, true])
      }
    }
  })

  test('shows nothing of a tree with another leaf in it, and with any of its hashes changed', () => {
    for (const [from, size] of [
      [3, 7],
      [4, 7],
      [6, 8],
      [8, 13],
      [1, 2],
      [33, 70],
    ] as const) {
      const proof = hashesOf(consistencySpans(from, size))
      expect(isConsistent(from, size, rootAt(from - 1), rootAt(size), proof)).toBe(false)
      expect(isConsistent(from, size, rootAt(from), rootAt(size - 1), proof)).toBe(false)
      for (let n = 0; n < proof.length; n++)
        expect(isConsistent(from, size, rootAt(from), rootAt(size), proof.with(n, leaves[69]!))).toBe(false)
      expect(isConsistent(from, size, rootAt(from), rootAt(size), proof.slice(1))).toBe(false)
      expect(isConsistent(from, size, rootAt(from), rootAt(size), [...proof, leaves[69]!])).toBe(false)
    }
  })

  test('is empty for the same size and for none, and none goes backwards', () => {
    expect(isConsistent(5, 5, rootAt(5), rootAt(5), [])).toBe(true)
    expect(isConsistent(5, 5, rootAt(4), rootAt(5), [])).toBe(false)
    expect(isConsistent(5, 5, rootAt(5), rootAt(5), [leaves[0]!])).toBe(false)
    expect(isConsistent(0, 5, rootAt(0), rootAt(5), [])).toBe(true)
    expect(isConsistent(0, 5, rootAt(0), rootAt(5), [leaves[0]!])).toBe(false)
    expect(isConsistent(6, 5, rootAt(6), rootAt(5), [])).toBe(false)
  })
})
