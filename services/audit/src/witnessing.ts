import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '@caregate/common/database'
import type { Logger } from '@caregate/common/logger'
import { isSignedBy, type Verifier } from './log/note.ts'
import { consistencyProof } from './tree.ts'
import { getHead, insertCosignature } from './repository.ts'
import type { Sequencer } from './sequencer.ts'

const timeoutMs = 5000

/**
 * Shows a witness the log's head every ten seconds (C2SP tlog-witness), and keeps what it signs. Where the witness has
 * seen more events than there are, some were lost, by a restore say: then nothing is appended until it signs the log again,
 * because they are back. The first time is waited for, so that nothing is appended before the witness was asked, if it can be.
 */
export async function startWitnessing(
  db: Pick<Database, 'manager'>,
  sequencer: Pick<Sequencer, 'refuse'>,
  witness: { url: string; key: Verifier },
  log: Logger,
  signal: AbortSignal,
  everyMs = 10_000,
): Promise<void> {
  /** What the witness has seen, as far as is known. */
  let seen = 0
  let refused: string | undefined

  async function submit(): Promise<void> {
    const { size, note } = await getHead(db.manager)
    if (size === 0 || (size === seen && !refused)) return
    if (size < seen) return lost(`the witness has seen ${seen} events, and the log has ${size}: some were lost`)
    const proof = seen ? await consistencyProof(db.manager, seen, size) : []
    const body = [`old ${seen}`, ...proof.map((hash) => hash.toString('base64')), '', note].join('\n')
    const answer = await fetch(`${witness.url}/add-checkpoint`, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(timeoutMs),
    })
    const told = await answer.text()
    if (answer.status === 200) {
      if (!isSignedBy(note + told, witness.key)) throw new Error('the witness’s signature is not of its key')
      seen = size
      await insertCosignature(db.manager, size, told)
      return found()
    }
    if (answer.status === 422) return lost(`the witness refuses the log: 422 ${told.trim()}`)
    // says nothing of the log: a proxy before a witness that is away, say, or a witness that doesn't know the key yet
    if (answer.status !== 409 || !/^\d{1,15}\n$/.test(told))
      throw new Error(`the witness answers ${answer.status} ${told.slice(0, 200).trim()}`)
    if (Number(told) === seen) return lost(`the witness has seen another log of ${seen} events`)
    seen = Number(told)
    // another audit process may have shown it a later head than the one that was read above
    return submit()
  }
  function lost(reason: string): void {
    if (reason === refused) return
    log.error('the log is not what the witness has seen: nothing is appended any more', { 'event.reason': reason })
    refused = reason
    sequencer.refuse(reason)
  }
  function found(): void {
    if (!refused) return
    log.info('the log is what the witness has seen again: it is gone on with')
    refused = undefined
    sequencer.refuse(undefined)
  }
  const tryIt = (): Promise<void> =>
    submit().catch((error: unknown) => void log.warning('the witness can’t be asked', { error }))

  async function goOn(): Promise<void> {
    for (;;) {
      await sleep(everyMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      await tryIt()
    }
  }
  await tryIt()
  void goOn()
}
