import { revocationExchange, type Broker } from '@caregate/common/broker'
import type { Database, Tx } from '@caregate/common/database'
import { endSessions, type Which } from './repository/sessions.ts'

/** Ends a user's sessions: all, or those that `which` says. @returns how many were alive */
export type End = (userId: string, which?: Which) => Promise<number>
/** So much longer than an access token lasts an ended session is remembered: clocks differ, and a token may be made meanwhile. */
export const rememberedMs = 60_000
/** A transaction that may end sessions. */
export type SessionChange = <T>(work: (tx: Tx, end: End) => Promise<T>) => Promise<T>

/**
 * The gateways are told of ended sessions once that is committed; those that don't hear it read
 * `/internal/revocations`.
 * @param accessMs how long an access token lasts
 */
export function buildSessionChange(
  db: Pick<Database, 'transaction'>,
  broker: Pick<Broker, 'broadcast'>,
  accessMs: number,
): SessionChange {
  return async (work) => {
    const ended: string[] = []
    const result = await db.transaction((tx) =>
      work(tx, async (userId, which) => {
        const ids = await endSessions(tx, userId, which)
        ended.push(...ids)
        return ids.length
      }),
    )
    const expiresAt = new Date(Date.now() + accessMs + rememberedMs).toISOString()
    for (const sessionId of ended) broker.broadcast(revocationExchange, JSON.stringify({ sessionId, expiresAt }))
    return result
  }
}
