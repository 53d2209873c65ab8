import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '@caregate/common/database'
import type { Logger } from '@caregate/common/logger'
import { recordUnattended } from '@caregate/common/unattended'
import { openWorker } from '@caregate/common/worker'
import { again, inspect, uninspected, type Problem } from './inspect.ts'
import type { Verifier } from './log/note.ts'
import { lockEvents } from './repository.ts'

/** What this process knows of the log. */
export interface VerificationStatus {
  /** `verified` once a pass has reached the head, and nothing differed. */
  state: 'verifying' | 'verified' | 'failed'
  /** Events that this pass has verified. */
  size: number
  /** When a pass last reached the head. */
  completedAt: Date | null
  /** Sentences: what this pass has found, what the last one found until it has got to the end, and that the log was another once. */
  problems: string[]
}

export interface Verification {
  readonly status: VerificationStatus
  close(): Promise<void>
}

const pollMs = 1000
/** How much of the machine it takes. */
interface Pace {
  /** From the end of a pass to the beginning of the next. */
  pauseMs: number
  /** It rests so many times as long as it works: the machine is there for those who store and read. */
  restPerWork: number
}
const usual: Pace = { pauseMs: 600_000, restPerWork: 49 }
/** More would say nothing new. */
const maxProblems = 100

/**
 * Verifies the log from its beginning over and over, and what is new as it comes. What is not as it should be is logged as an
 * error, and recorded as an event: of the log itself, so that it can't be taken back either.
 */
export function openVerification(
  db: Pick<Database, 'transaction'>,
  key: Verifier,
  log: Logger,
  { pauseMs, restPerWork } = usual,
): Verification {
  const closing = new AbortController()
  let inspected = uninspected
  let found = new Set<string>()
  let earlier = new Set<string>()
  const lasting = new Set<string>()
  let completedAt: Date | null = null
  /** While a pass goes on there is none. */
  let nextPass = Infinity

  async function report({ text, first, last, lasting: stays }: Problem): Promise<void> {
    const isNew = ![found, earlier, lasting].some((known) => known.has(text))
    if (stays) lasting.add(text)
    if (found.size >= maxProblems) return
    if (isNew) {
      log.error('the audit log is not as it should be', { 'event.reason': text })
      const resource = first === last ? { type: 'event', id: `${first}` } : { type: 'events', id: `${first}-${last}` }
      const event = { service: 'audit', type: 'audit.verification.failed', action: 'E', outcome: 'failure' } as const
      await db.transaction((tx) => recordUnattended(tx, 'verification', { ...event, resource }))
    }
    found.add(text)
  }

  async function step(): Promise<boolean> {
    const began = performance.now()
    if (Date.now() >= nextPass) {
      earlier = found
      found = new Set()
      inspected = again(inspected)
      nextPass = Infinity
    }
    const { now, problems, done } = await db.transaction('REPEATABLE READ', async (tx) => {
      // before there is a snapshot: what is dropped is gone at once, and what tells of it would come only with the next one
      await lockEvents(tx)
      return inspect(tx, inspected, key)
    })
    for (const problem of problems) await report(problem)
    inspected = now
    if (done && nextPass === Infinity) {
      completedAt = new Date()
      earlier = new Set()
      nextPass = Date.now() + pauseMs
    }
    await sleep((performance.now() - began) * restPerWork, undefined, closing).catch(() => {})
    return !done && !closing.signal.aborted
  }

  const worker = openWorker(pollMs, step, (error) => log.warning('the log could not be verified further', { error }))
  worker.wake()
  return {
    get status(): VerificationStatus {
      const problems = [...lasting.union(found).union(earlier)]
      const state = problems.length ? 'failed' : completedAt ? 'verified' : 'verifying'
      return { state, size: inspected.tree.size, completedAt, problems }
    },
    async close() {
      closing.abort()
      await worker.close()
    },
  }
}
