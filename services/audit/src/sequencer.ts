import type { Database, Tx } from '@caregate/common/database'
import type { Message } from '@caregate/common/broker'
import { finishEntry, withLeafHash } from './log/entry.ts'
import { append, hashLeaf, isTiled, rootOf, type Frontier, type Hash, type Node } from './log/merkle.ts'
import {
  formatCheckpoint,
  isSignedBy,
  parseCheckpoint,
  signNote,
  splitNote,
  verifierOf,
  type Checkpoint,
  type Signer,
  type Verifier,
} from './log/note.ts'
import type { Received } from './received.ts'
import {
  findHead,
  getHead,
  findKnownIds,
  insertCheckpoint,
  insertEvents,
  insertHashes,
  lockLog,
  readEntries,
  type Head,
} from './repository.ts'
import { openReviews } from './reviews.ts'

export interface Sequencer {
  /**
   * Appends a batch to the log: events, tree and signed checkpoint in one transaction. Events that are stored already are
   * dropped. @returns those that were new, as they are read back
   */
  append(batch: readonly Received[]): Promise<Message[]>
  /** Nothing is appended, for that reason; without one it is again. */
  refuse(reason: string | undefined): void
}

const adoptedAtOnce = 5000

/**
 * There may be several, of several processes: a lock in the database makes them one, so that numbers have no gaps.
 * @param signer its name is the origin of the log
 * @throws when the log is another's
 */
export async function openSequencer(db: Pick<Database, 'transaction'>, signer: Signer): Promise<Sequencer> {
  const key = verifierOf(signer, 'log')

  /** Events from before there was a tree come into it; later ones that it doesn't have would be somebody's forgery. */
  async function adopt(tx: Tx): Promise<void> {
    let tree: Frontier = { size: 0, roots: [] }
    for (;;) {
      const entries = await readEntries(tx, tree.size, adoptedAtOnce)
      if (!entries.length) return tree.size ? undefined : sign(tx, signer, tree, new Date(0))
      const leaves = entries.map(({ entry }) => hashLeaf(entry))
      tree = await grow(tx, signer, tree, leaves, entries.at(-1)!.storedAt)
    }
  }

  await db.transaction(async (tx) => {
    await lockLog(tx)
    const head = await findHead(tx)
    if (!head) return adopt(tx)
    checkHead(head, key)
  })

  let refused: string | undefined
  return {
    refuse: (reason) => void (refused = reason),
    append: (batch) =>
      db.transaction(async (tx) => {
        if (refused) throw new Error(refused)
        await lockLog(tx)
        // a statement of its own: its snapshot has what the holder of the lock before us committed
        const head = await getHead(tx)
        checkHead(head, key)
        return store(tx, signer, head, batch)
      }),
  }
}

/**
 * Appends to the log what it doesn't have yet, and signs its new head.
 * @param tx that holds the lock of the log
 */
export async function store(tx: Tx, signer: Signer, head: Head, batch: readonly Received[]): Promise<Message[]> {
  const ids = batch.map(({ id }) => id)
  const known = new Set((await findKnownIds(tx, ids)).keys())
  // of the same event twice in a batch the first
  const fresh = batch.filter(({ id }) => !known.has(id) && known.add(id))
  if (!fresh.length) return []
  // never decreasing, also when the clock is set back
  const storedAt = new Date(Math.max(Date.now(), head.storedAt.getTime()))
  const [first, at] = [head.size + 1, storedAt.toISOString()]
  const rows = fresh.map(({ id, type, columns, entry }, n) => ({
    ...{ id, type, columns },
    entry: finishEntry(entry, first + n, at),
  }))
  await insertEvents(tx, first, storedAt, rows)
  const reviewed = fresh.map((one) => one.reviewed)
  await openReviews(tx, reviewed, first, storedAt)
  const leaves = rows.map(({ entry }) => hashLeaf(entry))
  await grow(tx, signer, head, leaves, storedAt)
  return rows.map(({ id, type, entry }, n) => ({
    id,
    type,
    // most are followed by nobody
    get body() {
      return withLeafHash(entry, leaves[n]!)
    },
  }))
}

/** @throws when the tree that is gone on from isn't the checkpoint's */
export function readHead(head: Head): Checkpoint {
  const checkpoint = parseCheckpoint(splitNote(head.note).text)
  if (checkpoint.size !== head.size || !checkpoint.root.equals(rootOf(head)))
    throw new Error('The log in the database is to be gone on with from another state than was signed.')
  return checkpoint
}

/**
 * What isn't signed yet must not come to be by what is appended to it.
 * @throws when the log goes by another name than this process signs under, or goes on from something that this key didn't sign
 */
function checkHead(head: Head, key: Verifier): void {
  const { origin } = readHead(head)
  if (origin !== key.name)
    throw new Error(`The log in the database is ${origin}, and AUDIT_LOG_ORIGIN says ${key.name}.`)
  if (!isSignedBy(head.note, key))
    throw new Error('The log in the database was signed by another key than AUDIT_SIGNING_KEY.')
}

/** Adds leaves to the tree, and signs its new head. */
async function grow(
  tx: Tx,
  signer: Signer,
  tree: Frontier,
  leaves: readonly Hash[],
  storedAt: Date,
): Promise<Frontier> {
  const completed: Node[] = []
  const grown = leaves.reduce(
    (before, leaf) => append(before, leaf, (node) => isTiled(node) && completed.push(node)),
    tree,
  )
  await insertHashes(tx, tree.size, leaves, completed)
  await sign(tx, signer, grown, storedAt)
  return grown
}

async function sign(tx: Tx, signer: Signer, tree: Frontier, storedAt: Date): Promise<void> {
  const text = formatCheckpoint({ origin: signer.name, size: tree.size, root: rootOf(tree) })
  await insertCheckpoint(tx, { ...tree, storedAt, note: signNote(text, signer) })
}
