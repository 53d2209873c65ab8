import { canonicalJson } from '@caregate/common/events'
import { exportFormat } from './log/entry.ts'
import { append, appendPerfect, hashLeaf, perfectNodes, rootOf, type Frontier, type Hash } from './log/merkle.ts'
import { isSignedBy, parseCheckpoint, splitNote, type Checkpoint, type Verifier } from './log/note.ts'
import { endedBy, subtractRanges, type Range } from './log/ranges.ts'

/** What an export proves. */
export interface Report {
  events: number
  /** Left out by the filter, or by retention: only their hashes are there. */
  omitted: number
  checkpoints: number
  /** Of an export of everything: what is left out because its retention has ended, as events of the log tell. */
  retained: Range[]
  /** The last checkpoint that everything before leads to. */
  verified: Checkpoint | undefined
  /** Sentences; empty when all is proved. */
  problems: string[]
}

/** The input is no export at all. */
export class UnreadableExport extends Error {}

/** More would say nothing new. */
const maxProblems = 100
const leafHashMember = /,"leafHash":"([A-Za-z0-9+/]{43}=)"\}$/

/**
 * Checks an export line by line: that every event has the hash that it says, that the hashes lead to the checkpoints, and
 * that the log's key signed these.
 * @param witnessed checkpoints with a witness's cosignature, kept elsewhere: the log must have grown from them
 * @throws {UnreadableExport}
 */
export async function verifyExport(
  lines: AsyncIterable<string>,
  logKey: Verifier,
  witnessed: readonly Checkpoint[] = [],
): Promise<Report> {
  const report: Report = { events: 0, omitted: 0, checkpoints: 0, retained: [], verified: undefined, problems: [] }
  const byWitness = new Map(witnessed.map((checkpoint) => [checkpoint.size, checkpoint]))
  let tree: Frontier = { size: 0, roots: [] }
  let covered = false
  let whole = false
  /** The largest size of which a witness saw the same. */
  let agreed = 0
  const gaps: Range[] = []
  const ended: Range[] = []
  let number = 0
  const problem = (text: string): void => void (report.problems.length < maxProblems && report.problems.push(text))

  for await (const line of lines) {
    number++
    const content = readLine(line, number)
    if (number === 1) {
      if (content.format !== exportFormat) throw new UnreadableExport(`the first line does not say ${exportFormat}`)
      whole = Object.keys((content.filter as object | null) ?? {}).length === 0
    } else if (typeof content.checkpoint === 'string') checkCheckpoint(content.checkpoint)
    else if (content.gap) skip(content.gap as { first: number; last: number; hashes: string[] })
    else readEvent(line, content)
  }
  if (whole) {
    // the events that tell of it come later than what they tell of
    const missing = subtractRanges(gaps, ended)
    report.retained = subtractRanges(gaps, missing)
    for (const [first, last] of missing) problem(`events ${first}–${last} are missing, and no filter leaves them out`)
  }
  if (!covered) problem(`no checkpoint covers the events after ${report.verified?.size ?? 0}`)
  for (const size of byWitness.keys()) {
    if (size > tree.size)
      problem(`a witness saw ${size} events, and the export ends with ${tree.size}: its end is missing`)
    // the witness signed nothing later that had not grown from it
    else if (size > agreed)
      problem(`what a witness saw of ${size} events can’t be compared: the export leaves out that place`)
  }
  return report

  function readEvent(line: string, content: Record<string, unknown>): void {
    covered = false
    const expected = tree.size + 1
    if (content.sequence !== expected) {
      problem(`line ${number}: event ${String(content.sequence)} stands where ${expected} should`)
      if (typeof content.sequence !== 'number' || content.sequence < expected) return
    }
    report.events++
    const { leafHash, ...event } = content
    const hash = Buffer.from(String(leafHash), 'base64')
    if (!hash.equals(leafOf(line, event))) problem(`event ${expected} is not what the log has: its hash differs`)
    if (event.type === 'audit.retention.applied') ended.push(...endedBy(event, expected))
    tree = append(tree, hash)
    compareWithWitness()
  }

  function skip({ first, last, hashes }: { first: number; last: number; hashes: string[] }): void {
    covered = false
    const nodes = perfectNodes([first - 1, last])
    if (first !== tree.size + 1 || nodes.length !== hashes.length)
      return problem(`line ${number}: the gap ${first}–${last} does not follow event ${tree.size}`)
    report.omitted += last - first + 1
    gaps.push([first, last])
    for (const [n, { level, index }] of nodes.entries())
      tree = appendPerfect(tree, { level, index, hash: Buffer.from(hashes[n]!, 'base64') })
    compareWithWitness()
  }

  function checkCheckpoint(note: string): void {
    report.checkpoints++
    covered = true
    const after = report.verified?.size ?? 0
    try {
      const { origin, size, root } = parseCheckpoint(splitNote(note).text)
      if (!isSignedBy(note, logKey) || origin !== logKey.name) throw new Error('the log’s key did not sign it')
      if (size !== tree.size) throw new Error(`it is of ${size} events, and ${tree.size} came before it`)
      if (!root.equals(rootOf(tree)))
        throw new Error(`events ${after + 1}–${size} are not those that it was signed for`)
      report.verified = { origin, size, root }
    } catch (error) {
      problem(`line ${number}: the checkpoint does not hold: ${(error as Error).message}`)
    }
  }

  function compareWithWitness(): void {
    const seen = byWitness.get(tree.size)
    if (seen?.root.equals(rootOf(tree))) agreed = seen.size
    else if (seen) problem(`a witness saw other events up to ${tree.size}`)
    byWitness.delete(tree.size)
  }
}

function readLine(line: string, number: number): Record<string, unknown> {
  try {
    const content = JSON.parse(line) as unknown
    if (typeof content === 'object' && content !== null) return content as Record<string, unknown>
  } catch {
    // said below
  }
  throw new UnreadableExport(`line ${number} is not a JSON object`)
}

/** Of the line as it came: what leads to a signed root needs no second form. Else of its canonical form. */
function leafOf(line: string, event: object): Hash {
  const given = leafHashMember.exec(line)
  if (given) {
    const hash = hashLeaf(`${line.slice(0, given.index)}}`)
    if (hash.toString('base64') === given[1]) return hash
  }
  return hashLeaf(canonicalJson(event))
}
