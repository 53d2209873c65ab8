/** Looks for what was done to the log, as everybody does who could. */
import type { Database, Tx } from '@caregate/common/database'
import { exportLines } from '../../services/audit/src/export.ts'
import { again, inspect } from '../../services/audit/src/inspect.ts'
import { getHead } from '../../services/audit/src/repository.ts'
import { openSequencer } from '../../services/audit/src/sequencer.ts'
import { UnreadableExport, verifyExport } from '../../services/audit/src/verify.ts'
import { buildChance } from '../chance.ts'
import type { Finder, Span } from './edits.ts'
import { anEvent, type World } from './log.ts'

export interface Finding {
  by: Finder
  text: string
  span?: Span | undefined
}

class Undone extends Error {}

/** Does something in a transaction, or within one that there is, and undoes it. */
export async function undone(own: Pick<Database, 'transaction'>, work: (tx: Tx) => Promise<void>): Promise<void> {
  await own
    .transaction(async (tx) => {
      await work(tx)
      throw new Undone()
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undone)) throw error
    })
}

/** More lines than the log can have: an export that doesn't end is cut off, as its reader would. */
const mostLines = 20_000

/** As a client gets it: it breaks off where the service fails. */
async function* exported(tx: Tx, broke: (error: Error) => void): AsyncGenerator<string> {
  try {
    const head = await getHead(tx)
    let lines = 0
    for await (const line of exportLines(tx, {}, head)) {
      if (++lines > mostLines) throw new Error('the export does not end')
      yield JSON.stringify(line)
    }
  } catch (error) {
    broke(error as Error)
  }
}

const spans: [said: RegExp, span: (one: number, other: number) => Span][] = [
  [/event \d+ stands where (\d+) should/, (first) => ({ first, last: first })],
  [/^event (\d+) /, (first) => ({ first, last: first })],
  [/events (\d+)–(\d+) /, (first, last) => ({ first, last })],
  [/a witness saw (\d+) events, and the export ends with (\d+)/, (last, end) => ({ first: end + 1, last })],
]

/** Which events a sentence is about. */
function spanOf(text: string): Span | undefined {
  for (const [said, span] of spans) {
    const found = said.exec(text)
    if (found) return span(Number(found[1]), Number(found[2]))
  }
  return undefined
}

/** An export is verified, with all checkpoints that others have: which of them found it, their sizes tell. */
async function verify(tx: Tx, { key, witnessed, kept, total }: World): Promise<Finding[]> {
  const known = [...witnessed, ...kept]
  const sizes = known.map(({ size }) => size).toSorted((a, b) => a - b)
  const found: Finding[] = []
  const broke = ({ message }: Error) => void found.push({ by: 'verifier', text: `the export breaks off: ${message}` })
  try {
    const { problems, verified } = await verifyExport(exported(tx, broke), key, known)
    for (const text of problems) {
      const [, size] = /^(?:a witness saw|what a witness saw of)\D*(\d+)/.exec(text) ?? []
      let span = spanOf(text)
      if (/^no checkpoint covers/.test(text)) span = { first: (verified?.size ?? 0) + 1, last: total }
      if (/^a witness saw other/.test(text))
        span = { first: (sizes.findLast((one) => one < Number(size)) ?? 0) + 1, last: Number(size) }
      const byWitness = witnessed.some((one) => one.size === Number(size))
      found.push({ by: !size ? 'verifier' : byWitness ? 'witness' : 'kept', text, span })
    }
  } catch (error) {
    if (!(error instanceof UnreadableExport)) throw error
    found.push({ by: 'verifier', text: `the export can’t be read: ${error.message}` })
  }
  return found
}

/** The service starts, shows the witness its head and stores one more event. */
async function goOn(own: Pick<Database, 'transaction'>, world: World): Promise<Finding[]> {
  const found: Finding[] = []
  await undone(own, async (tx) => {
    const nested = { transaction: tx.transaction.bind(tx), manager: tx }
    try {
      const sequencer = await openSequencer(nested, world.signer)
      await world.showCopy(nested, sequencer)
      await sequencer.append([anEvent(buildChance(1, 1))])
    } catch (error) {
      found.push({ by: 'service', text: (error as Error).message })
    }
  })
  return found
}

/** A process that has seen the whole log inspects it once more. */
async function inspectAll(tx: Tx, { key, inspected }: World): Promise<Finding[]> {
  const found: Finding[] = []
  for (let at = again(inspected), done = false; !done;) {
    const step = await inspect(tx, at, key)
    found.push(
      ...step.problems.map(({ text, first, last }) => ({ by: 'background', text, span: { first, last } }) as const),
    )
    at = step.now
    done = step.done
  }
  return found
}

/** @param tx in which the log is as somebody has left it */
export async function look(tx: Tx, world: World): Promise<Finding[]> {
  const nested = { transaction: tx.transaction.bind(tx) }
  const found = [...(await inspectAll(tx, world)), ...(await verify(tx, world))]
  found.push(...(await goOn(nested, world)))
  return found
}
