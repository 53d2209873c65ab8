/** Writes the tree and the checkpoints anew, so that they fit to whatever the events say now. */
import { generateKeyPairSync } from 'node:crypto'
import type { Tx } from '@caregate/common/database'
import { append, hashLeaf, rootOf, type Frontier, type Hash, type Node } from '../../services/audit/src/log/merkle.ts'
import { formatCheckpoint, signNote, type Signer } from '../../services/audit/src/log/note.ts'
import { insertCheckpoint, insertHashes } from '../../services/audit/src/repository.ts'

/** Somebody who has a key, but not the log's. */
export const stranger = (name: string): Signer => ({ name, privateKey: generateKeyPairSync('ed25519').privateKey })

/** Puts the hash of an entry in the place of the one that the tree has. */
export async function setHash(tx: Tx, sequence: number, entry: string): Promise<void> {
  await tx.query(
    `UPDATE leaves SET hashes = overlay(hashes PLACING $2 FROM (($1::int - 1 - start) * 32 + 1)::int)
     WHERE start = (SELECT max(start) FROM leaves WHERE start < $1)`,
    [sequence, hashLeaf(Buffer.from(entry))],
  )
}

/** All hashes, of the events as they are. @returns the roots of the whole */
export async function rebuildTree(tx: Tx): Promise<Hash[]> {
  const rows = await tx.query<{ entry: string }[]>('SELECT entry FROM events ORDER BY sequence')
  await tx.query('DELETE FROM leaves')
  await tx.query('DELETE FROM nodes')
  const leaves = rows.map(({ entry }) => hashLeaf(Buffer.from(entry)))
  const nodes: Node[] = []
  const note = (node: Node) => void (node.level > 0 && node.level % 8 === 0 && nodes.push(node))
  const { roots } = leaves.reduce<Frontier>((tree, leaf) => append(tree, leaf, note), { size: 0, roots: [] })
  await insertHashes(tx, 0, leaves, nodes)
  return roots
}

/** All hashes, and checkpoints of these sizes over them. */
export async function rebuild(tx: Tx, signer: Signer, sizes: readonly number[]): Promise<void> {
  await rebuildTree(tx)
  const rows = await tx.query<{ entry: string; storedAt: Date }[]>(
    'SELECT entry, stored_at AS "storedAt" FROM events ORDER BY sequence',
  )
  await tx.query('DELETE FROM checkpoints WHERE size > 0')
  await tx.query('DELETE FROM cosignatures')
  let tree: Frontier = { size: 0, roots: [] }
  for (const { entry, storedAt } of rows) {
    tree = append(tree, hashLeaf(Buffer.from(entry)))
    if (!sizes.includes(tree.size)) continue
    const text = formatCheckpoint({ origin: signer.name, size: tree.size, root: rootOf(tree) })
    await insertCheckpoint(tx, { ...tree, storedAt, note: signNote(text, signer) })
  }
}
