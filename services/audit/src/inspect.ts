import { isDeepStrictEqual } from 'node:util'
import type { Tx } from '@caregate/common/database'
import { rowOf, type EventRow } from './database.ts'
import type { StoredEvent } from './log/entry.ts'
import { append, hashLeaf, isTiled, rootOf, type Frontier, type Hash, type Node } from './log/merkle.ts'
import { isSignedBy, parseCheckpoint, splitNote, type Verifier } from './log/note.ts'
import { endedBy, intersectRanges, mergeRanges, subtractRanges, type Range } from './log/ranges.ts'
import {
  countBeyond,
  findKnownIds,
  findRetained,
  getHead,
  readCheckpoints,
  readHashes,
  readLeaves,
  readRows,
  type Head,
} from './repository.ts'

/** How far the log was inspected. */
export interface Inspected {
  /** Of the hashes that the log has. */
  tree: Frontier
  /** The size of the last checkpoint that held. */
  agreed: number
  /** Whether a checkpoint was for other events: no later one can hold then. */
  lost: boolean
  /** Whether there was a checkpoint under the log's name: others come before it, if at all. */
  named: boolean
  /** Events that are missing and said to be gone by retention, and what events of the log say of that. */
  gone: Range[]
  told: Range[]
  /** Of those that were gone when the inspection before was through, those that no event had told of. */
  untold: Range[]
  /** The most that was ever seen of the log, also by earlier inspections. */
  seen: { size: number; root: Hash }
}
const nothing: Frontier = { size: 0, roots: [] }
export const uninspected: Inspected = {
  tree: nothing,
  agreed: 0,
  lost: false,
  named: false,
  gone: [],
  told: [],
  untold: [],
  seen: { size: 0, root: rootOf(nothing) },
}

/** To inspect it all once more. */
export const again = ({ seen, gone, told }: Inspected): Inspected => ({
  ...uninspected,
  seen,
  untold: subtractRanges(gone, told),
})

/** Something that is not as it should be: a sentence, and the events that it is about. */
export interface Problem {
  text: string
  first: number
  last: number
  /** That the log was another once: it doesn't go by, whatever the log is later. */
  lasting?: boolean
}

const atOnce = 500

/**
 * Inspects the next 500 events: that each one's bytes have the hash that the tree has and its columns say what its bytes say; that
 * the hashes lead to the nodes above them and to the signed checkpoints; that none is missing, twice or beyond the tree.
 * @param tx which sees one state of the log, by REPEATABLE READ; no partition may be dropped meanwhile
 * @returns how far it is now, and whether that is all
 */
export async function inspect(
  tx: Tx,
  before: Inspected,
  key: Verifier,
): Promise<{ now: Inspected; problems: Problem[]; done: boolean }> {
  const problems: Problem[] = []
  const problem = (text: string, first: number, last = first): void => void problems.push({ text, first, last })
  const contradiction = (text: string, first: number, last: number): void =>
    void problems.push({ text, first, last, lasting: true })
  const { size } = await getHead(tx)
  let { tree, agreed, lost, named, gone, told, seen } = before
  const from = tree.size
  if (size < seen.size) contradiction(`the log had ${seen.size} events once: its end is gone`, size + 1, seen.size)
  if (size < from) return { now: again(before), problems, done: true }
  const to = Math.min(from + atOnce, size)
  const rows = await readRows(tx, from, to)
  const bySequence = Map.groupBy(rows, ({ sequence }) => Number(sequence))
  const hashes = await readLeaves(tx, from, to)
  const checkpoints = new Map((await readCheckpoints(tx, from, to)).map((one) => [one.size, one]))
  const ids = rows.map(({ id }) => id)
  const known = await findKnownIds(tx, ids)
  const retained = await findRetained(tx)
  const completed: Node[] = []

  for (let n = from + 1; n <= to; n++) {
    const [row, ...others] = bySequence.get(n) ?? []
    const leaf = row && hashLeaf(row.entry)
    const hash = hashes[n - from - 1]
    if (!row && retained.some(([first, last]) => first <= n && n <= last)) gone = mergeRanges([...gone, [n, n]])
    else if (!row) problem(`event ${n} is missing`, n)
    if (others.length) problem(`event ${n} stands there more than once`, n)
    if (!hash) problem(`the hash of event ${n} is missing`, n)
    if (leaf && hash && !leaf.equals(hash)) problem(`event ${n} is not what the log has: its hash differs`, n)
    if (row?.type === 'audit.retention.applied' && hash && leaf?.equals(hash))
      told = mergeRanges([...told, ...endedBy(JSON.parse(row.entry) as StoredEvent, n)])
    if (row && known.get(row.id) !== row.sequence)
      problem(`the id of event ${n} is not kept: it could be stored again`, n)
    const wrong = row ? wrongColumns(row) : []
    if (wrong.length) problem(`event ${n} is searched by what it does not say: ${wrong.join(', ')}`, n)
    // by the log's own hash, so that what is changed in one place isn't found in all that follow
    tree = append(tree, hash ?? leaf ?? hashLeaf(''), (node) => isTiled(node) && completed.push(node))
    if (n === seen.size && !rootOf(tree).equals(seen.root))
      contradiction(`the log had other events up to ${n} once`, 1, n)
    const checkpoint = checkpoints.get(n)
    if (checkpoint) checkCheckpoint(n, checkpoint)
    // what readers find events by
    if (checkpoint && row && checkpoint.storedAt.getTime() !== row.storedAt.getTime())
      problem(`checkpoint ${n} is of another time than event ${n}`, n)
  }
  const nodes = await readHashes(
    tx,
    completed.map(({ level, index }) => ({ tier: level / 8, from: index, to: index + 1 })),
  )
  for (const [n, { level, index, hash }] of completed.entries()) {
    const [stored] = nodes[n]!
    const [first, last] = [index * 2 ** level + 1, (index + 1) * 2 ** level]
    if (!stored?.equals(hash)) problem(`the node over events ${first}–${last} is not their hash`, first, last)
  }
  const beyond = to === size ? await countBeyond(tx, size) : 0
  if (beyond) problem(`${beyond} events stand beyond the tree, which has ${size}`, size + 1, size + beyond)
  // the event that tells of it comes a little later than what it tells of: it has until the next inspection is through
  const overdue = to === size ? intersectRanges(subtractRanges(gone, told), before.untold) : []
  for (const [first, last] of overdue)
    problem(
      `events ${first}–${last} are gone, and no event of the log says that retention has covered them`,
      first,
      last,
    )
  if (to > seen.size) seen = { size: to, root: rootOf(tree) }
  return { now: { ...before, tree, agreed, lost, named, gone, told, seen }, problems, done: to === size }

  function checkCheckpoint(at: number, { note }: Head): void {
    try {
      const { origin, size: said, root } = parseCheckpoint(splitNote(note).text)
      // one from before the log was gone on with under another name has a key that we may not know
      named ||= origin === key.name
      if (named && (origin !== key.name || !isSignedBy(note, key))) throw new Error('the log’s key did not sign it')
      if (said !== at) throw new Error(`it says ${said}`)
      if (lost) return
      lost = !root.equals(rootOf(tree))
      if (lost) throw new Error(`events ${agreed + 1}–${at} are not those that it was signed for`)
      agreed = at
    } catch (error) {
      problem(`checkpoint ${at} does not hold: ${(error as Error).message}`, agreed + 1, at)
    }
  }
}

/** Columns that are not what the bytes say. */
function wrongColumns(row: EventRow): string[] {
  try {
    const said = rowOf(JSON.parse(row.entry) as StoredEvent, row.entry)
    return Object.entries(said).flatMap(([name, value]) =>
      isDeepStrictEqual(row[name as keyof EventRow], value) ? [] : name,
    )
  } catch {
    return ['entry']
  }
}
