/** What somebody with the rights of a superuser does to the log, and who has to find it. */
import { canonicalJson } from '@caregate/common/events'
import type { Tx } from '@caregate/common/database'
import type { StoredEvent } from '../../services/audit/src/log/entry.ts'
import { hashLeaf } from '../../services/audit/src/log/merkle.ts'
import { openSequencer } from '../../services/audit/src/sequencer.ts'
import type { Chance } from '../chance.ts'
import { rebuild, rebuildTree, setHash, stranger } from './history.ts'
import { anEvent, type World } from './log.ts'

/**
 * Who finds something: whoever verifies an export with the log's key, or with what a witness or somebody outside has
 * kept too; the service, which refuses to go on; its verification in the background.
 */
export const finders = ['verifier', 'witness', 'kept', 'service', 'background'] as const
export type Finder = (typeof finders)[number]
/** Sequence numbers. */
export interface Span {
  first: number
  last: number
}

export interface Edit {
  /** In one line. */
  what: string
  /** Each of them has to find it. */
  must: Finder[]
  /** Where one of them has to say that it is. */
  where?: Span
  /** Whether that is what was edited, or between which checkpoints it is. */
  exactly?: boolean
}
export type Kind = (tx: Tx, world: World, chance: Chance) => Promise<Edit>

/** Between the last of these sizes below an event and the first that has it. */
function around(sizes: readonly number[], sequence: number): Span {
  return { first: (sizes.findLast((size) => size < sequence) ?? 0) + 1, last: sizes.find((size) => size >= sequence)! }
}
const checkpointsOf = ({ witnessed, kept }: World) =>
  [...witnessed, ...kept].map(({ size }) => size).toSorted((a, b) => a - b)
const lastWitnessed = ({ witnessed }: World): number => witnessed.at(-1)!.size
const at = (sequence: number): Span => ({ first: sequence, last: sequence })

async function entryOf(tx: Tx, sequence: number): Promise<string> {
  const [row] = await tx.query<{ entry: string }[]>('SELECT entry FROM events WHERE sequence = $1', [sequence])
  return row!.entry
}
const setEntry = (tx: Tx, sequence: number, entry: string) =>
  tx.query('UPDATE events SET entry = $2 WHERE sequence = $1', [sequence, entry])

/** Says of an event that somebody else did it. */
async function blame(tx: Tx, sequence: number): Promise<string> {
  const event = JSON.parse(await entryOf(tx, sequence)) as StoredEvent
  const entry = canonicalJson({ ...event, actor: { ...event.actor, name: 'Somebody Else' } })
  await setEntry(tx, sequence, entry)
  return entry
}

/** Moves events to other numbers, in their bytes too. */
async function renumber(tx: Tx, from: number, by: number): Promise<void> {
  await tx.query('UPDATE events SET sequence = -sequence WHERE sequence >= $1', [from])
  await tx.query(
    `UPDATE events SET sequence = -sequence + $1::int,
       entry = regexp_replace(entry, '"sequence":' || -sequence || ',', '"sequence":' || (-sequence + $1::int) || ',')
     WHERE sequence < 0`,
    [by],
  )
}

/** An event that never happened, as the log would have stored it. */
async function forge(tx: Tx, sequence: number, chance: Chance): Promise<void> {
  const { event } = anEvent(chance)
  const storedAt = new Date().toISOString()
  await tx.query(
    `INSERT INTO events (sequence, id, stored_at, occurred_at, type, action, outcome, actor_id, patient_ids, method, path, ip, request_id, entry)
     SELECT $1, $2, $3, $3, type, action, outcome, actor_id, patient_ids, method, path, ip, request_id, $4
     FROM events LIMIT 1`,
    [sequence, event.id, storedAt, canonicalJson({ ...event, sequence, storedAt })],
  )
  await tx.query('INSERT INTO event_ids (id, sequence) VALUES ($1, $2)', [event.id, sequence])
}

async function remove(tx: Tx, { first, last }: Span): Promise<void> {
  for (const table of ['events', 'event_ids'])
    await tx.query(`DELETE FROM ${table} WHERE sequence BETWEEN $1 AND $2`, [first, last])
}

/** As a backup from then has it. @param size of a checkpoint */
async function goBack(tx: Tx, size: number): Promise<void> {
  await remove(tx, { first: size + 1, last: 2 ** 40 })
  await tx.query('DELETE FROM leaves WHERE start >= $1', [size])
  await tx.query('DELETE FROM nodes WHERE (position + 1) * 256::numeric ^ tier > $1', [size])
  await tx.query('DELETE FROM checkpoints WHERE size > $1', [size])
  await tx.query('DELETE FROM cosignatures WHERE size > $1', [size])
}

/** Some earlier checkpoint, and who has seen more than that. */
function earlier(world: World, { pick }: Chance): { size: number; must: Finder[]; where: Span } {
  const size = pick(world.sizes.slice(0, -1))
  const seen: Finder[] = size < lastWitnessed(world) ? ['witness', 'service'] : []
  return { size, must: [...seen, 'kept', 'background'], where: { first: size + 1, last: world.total } }
}

/** Who has seen that an event was another, when everything else has been made to fit. */
function otherThanSeen(world: World, sequence: number): Pick<Edit, 'must' | 'where'> {
  const seen: Finder[] = sequence <= lastWitnessed(world) ? ['witness', 'service'] : []
  return { must: [...seen, 'kept'], where: around(checkpointsOf(world), sequence) }
}

const columns = {
  actor_id: `'nobody'`,
  outcome: `CASE outcome WHEN 'success' THEN 'denied' ELSE 'success' END`,
  patient_ids: `'{}'`,
  ip: `'10.9.9.9'`,
  occurred_at: `occurred_at - interval '1 day'`,
  type: `'auth.session.started'`,
  action: `'E'`,
  method: `'HEAD'`,
  path: `'/'`,
  request_id: `'another'`,
}

export const kinds: Record<string, Kind> = {
  async 'nothing at all'() {
    return { what: 'nothing', must: [] }
  },

  async 'a byte of an event'(tx, { total }, { between, int, pick }) {
    const sequence = between(1, total)
    const entry = await entryOf(tx, sequence)
    const place = int(entry.length)
    const letters = [...'abcXYZ019-:,{}[]" '].filter((letter) => letter !== entry[place])
    const changed = entry.slice(0, place) + pick(letters) + entry.slice(place + 1)
    await setEntry(tx, sequence, changed)
    return {
      what: `event ${sequence}: ${changed.slice(Math.max(0, place - 20), place + 20)}`,
      must: ['verifier', 'background'],
      where: at(sequence),
      exactly: true,
    }
  },

  async 'the number in an event'(tx, { total }, { between }) {
    const sequence = between(1, total)
    const other = between(1, total * 2)
    const entry = await entryOf(tx, sequence)
    await setEntry(
      tx,
      sequence,
      entry.replace(`"sequence":${sequence},`, `"sequence":${other === sequence ? 0 : other},`),
    )
    const must: Finder[] = ['verifier', 'background']
    return { what: `event ${sequence} says that it is ${other}`, must, where: at(sequence), exactly: true }
  },

  async 'a search column'(tx, { total }, { between, pick }) {
    const sequence = between(1, total)
    const [column, value] = pick(Object.entries(columns))
    await tx.query(`UPDATE events SET ${column} = ${value} WHERE sequence = $1`, [sequence])
    return { what: `${column} of ${sequence}`, must: ['background'], where: at(sequence), exactly: true }
  },

  async 'an event and its hash'(tx, world, { between }) {
    const sequence = between(1, world.total)
    await setHash(tx, sequence, await blame(tx, sequence))
    const where = around(world.sizes, sequence)
    return { what: `event ${sequence}`, must: ['verifier', 'background'], where }
  },

  async 'an event and all hashes'(tx, world, { between }) {
    const sequence = between(1, world.total)
    await blame(tx, sequence)
    await rebuildTree(tx)
    const where = around(world.sizes, sequence)
    return { what: `event ${sequence}`, must: ['verifier', 'background'], where }
  },

  async 'an event deleted'(tx, { total }, { between }) {
    const where = at(between(1, total))
    await remove(tx, where)
    return { what: `event ${where.first}`, must: ['verifier', 'background'], where, exactly: true }
  },

  async 'events deleted'(tx, { total }, { between }) {
    const first = between(1, total - 1)
    const where = { first, last: Math.min(total, first + between(1, 300)) }
    await remove(tx, where)
    return { what: `${first}–${where.last}`, must: ['verifier'], where, exactly: true }
  },

  async 'events deleted, as by retention'(tx, { total }, { between }) {
    const first = between(1, total - 1)
    const where = { first, last: Math.min(total, first + between(1, 300)) }
    await remove(tx, where)
    await tx.query('INSERT INTO retained (first, last) VALUES ($1, $2)', [where.first, where.last])
    // no event tells of it
    return { what: `${first}–${where.last}`, must: ['verifier'], where, exactly: true }
  },

  async 'two swapped'(tx, { total }, { between }) {
    const first = between(1, total - 1)
    const second = between(first + 1, total)
    for (const [from, to] of [
      [first, -1],
      [second, first],
      [-1, second],
    ])
      await tx.query('UPDATE events SET sequence = $2 WHERE sequence = $1', [from, to])
    const must: Finder[] = ['verifier', 'background']
    return { what: `${first} and ${second}`, must, where: at(first), exactly: true }
  },

  async 'two swapped, renumbered'(tx, { total }, { between }) {
    const first = between(1, total - 1)
    const second = between(first + 1, total)
    const [one, other] = [await entryOf(tx, first), await entryOf(tx, second)]
    await setEntry(tx, first, other.replace(`"sequence":${second},`, `"sequence":${first},`))
    await setEntry(tx, second, one.replace(`"sequence":${first},`, `"sequence":${second},`))
    const must: Finder[] = ['verifier', 'background']
    return { what: `${first} and ${second}`, must, where: at(first), exactly: true }
  },

  async 'one put in the middle'(tx, { total }, chance) {
    const sequence = chance.between(1, total)
    await renumber(tx, sequence, 1)
    await forge(tx, sequence, chance)
    const must: Finder[] = ['verifier', 'background']
    return { what: `at ${sequence}`, must, where: at(sequence), exactly: true }
  },

  async 'one put in the middle, with all hashes'(tx, world, chance) {
    const sequence = chance.between(1, world.total)
    await renumber(tx, sequence, 1)
    await forge(tx, sequence, chance)
    await rebuildTree(tx)
    const where = around(world.sizes, sequence)
    return { what: `at ${sequence}`, must: ['verifier', 'background'], where }
  },

  async 'one put at the end'(tx, { total }, chance) {
    await forge(tx, total + 1, chance)
    const withHash = chance.chance(0.5)
    if (withHash) {
      const hash = hashLeaf(Buffer.from(await entryOf(tx, total + 1)))
      await tx.query('INSERT INTO leaves (start, hashes) VALUES ($1, $2)', [total, hash])
    }
    // a row alone hinders nobody: it is in no tree
    const must: Finder[] = withHash ? ['service', 'background'] : ['background']
    return { what: withHash ? 'with its hash' : 'the row alone', must, where: at(total + 1) }
  },

  async 'the last rows cut off'(tx, { total }, { between }) {
    const where = { first: between(total - 300, total), last: total }
    await remove(tx, where)
    return { what: `from ${where.first}`, must: ['verifier', 'background'], where, exactly: true }
  },

  async 'the end cut off, tree and all'(tx, world, chance) {
    const { size, ...edit } = earlier(world, chance)
    await goBack(tx, size)
    return { what: `after ${size}`, ...edit }
  },

  async 'an older copy, and gone on with'(tx, world, chance) {
    const { size, must } = earlier(world, chance)
    await goBack(tx, size)
    const sequencer = await openSequencer({ transaction: tx.transaction.bind(tx) }, world.signer)
    const grown = chance.between(1, 2 * (world.total - size))
    await sequencer.append(Array.from({ length: grown }, () => anEvent(chance)))
    // of what was kept, the first that is larger than the copy: it is for other events, or the log is too short for it
    const first = checkpointsOf(world).find((known) => known > size)!
    const where = first > size + grown ? { first: size + grown + 1, last: first } : around(checkpointsOf(world), first)
    return { what: `of ${size}, and ${grown} more`, must, where }
  },

  async 'a signed checkpoint'(tx, world, { pick, int }) {
    const size = pick(world.sizes)
    const [row] = await tx.query<{ note: string }[]>('SELECT note FROM checkpoints WHERE size = $1', [size])
    const { note } = row!
    const place = int(note.length - 1)
    const changed = note.slice(0, place) + (note[place] === 'x' ? 'y' : 'x') + note.slice(place + 1)
    await tx.query('UPDATE checkpoints SET note = $2 WHERE size = $1', [size, changed])
    const isHead = size === world.total
    // the first one, under another name, passes for one from before the log went by this one, and proves as little as one that is deleted
    const byName = place < world.signer.name.length && size === world.sizes[0]
    const older: Finder[] = byName ? [] : ['background']
    const must: Finder[] = isHead ? ['verifier', 'service', ...older] : older
    return { what: `of ${size}, at ${place}`, must, ...(!byName && { where: around(world.sizes, size) }) }
  },

  async 'what the head says to go on from'(tx, { total }, { int }) {
    const [row] = await tx.query<{ roots: Buffer }[]>('SELECT roots FROM checkpoints WHERE size = $1', [total])
    const roots = Buffer.from(row!.roots)
    const place = int(roots.length)
    roots[place]! ^= 1 << int(8)
    await tx.query('UPDATE checkpoints SET roots = $2 WHERE size = $1', [total, roots])
    return { what: `byte ${place} of the roots`, must: ['service'] }
  },

  async 'history, left to the service to sign'(tx, world, { between }) {
    const sequence = between(1, world.total)
    await blame(tx, sequence)
    const roots = await rebuildTree(tx)
    await tx.query('DELETE FROM cosignatures')
    await tx.query('DELETE FROM checkpoints WHERE size < $1', [world.total])
    await tx.query('UPDATE checkpoints SET roots = $1', [Buffer.concat(roots)])
    const where = { first: 1, last: world.total }
    return { what: `event ${sequence}`, must: ['verifier', 'service', 'background'], where }
  },

  async 'checkpoints deleted'(tx, world, { chance }) {
    const older = world.sizes.filter((size) => size < world.total && chance(0.5))
    await tx.query('DELETE FROM checkpoints WHERE size = ANY($1)', [older])
    if (chance(0.5)) return { what: `${older.length} older ones: the rest proves as much`, must: [] }
    await tx.query('DELETE FROM checkpoints WHERE size = $1', [world.total])
    return { what: 'the last and some before it', must: ['kept', 'service', 'background'] }
  },

  async 'ids forgotten'(tx, { total }, { between }) {
    const sequence = between(1, total)
    await tx.query('DELETE FROM event_ids WHERE sequence = $1', [sequence])
    return { what: `of event ${sequence}`, must: ['background'], where: at(sequence), exactly: true }
  },

  async 'history, signed with another key'(tx, world, { between }) {
    const sequence = between(1, world.total)
    await blame(tx, sequence)
    await rebuild(tx, stranger(world.signer.name), world.sizes)
    return { what: `event ${sequence}`, must: ['verifier', 'service', 'background'] }
  },

  async 'history, signed with the log’s key'(tx, world, { between }) {
    const sequence = between(1, world.total)
    await blame(tx, sequence)
    await rebuild(tx, world.signer, world.sizes)
    return { what: `event ${sequence}`, ...otherThanSeen(world, sequence) }
  },

  async 'history, read into a new tree by the service'(tx, world, { between }) {
    const sequence = between(1, world.total)
    await blame(tx, sequence)
    for (const table of ['checkpoints', 'cosignatures', 'leaves', 'nodes']) await tx.query(`DELETE FROM ${table}`)
    await openSequencer({ transaction: tx.transaction.bind(tx) }, world.signer)
    return { what: `event ${sequence}`, ...otherThanSeen(world, sequence) }
  },
}
