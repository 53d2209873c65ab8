import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { buildEvent, canonicalJson, type AuditEvent } from '@caregate/common/events'
import type { Broker } from '@caregate/common/broker'
import { openTestService } from '@caregate/common/testing/service'
import { buildAuditApp } from './app.ts'
import { findConsole } from './console.ts'
import { spec } from './database.ts'
import { openFeed, type Feed } from './feed.ts'
import type { HealthDeps } from './health.ts'
import type { Signer } from './log/note.ts'
import { receive, type Received } from './received.ts'
import { openSequencer } from './sequencer.ts'

export const signer: Signer = { name: 'care.example.org/audit', privateKey: generateKeyPairSync('ed25519').privateKey }

type AuditBroker = Pick<Broker, 'connected' | 'depth'>
const away: AuditBroker = {
  connected: false,
  depth: () => Promise.reject(new Error('no broker in this test')),
}
const unverified: HealthDeps['verification'] = {
  status: { state: 'verifying', size: 0, completedAt: null, problems: [] },
}

/** The service, and what appends to its log. */
export async function openAudit({
  broker = away,
  verification = unverified,
}: { broker?: AuditBroker; verification?: HealthDeps['verification'] } = {}) {
  const stopping = new AbortController()
  let feed: Feed | undefined
  const service = await openTestService(spec, (deps) => {
    const { signal } = stopping
    feed = openFeed(deps.db, { connected: true, announce: async () => [] }, deps.log, signal)
    return buildAuditApp({ ...deps, signer, feed, signal, broker, verification, console: findConsole() })
  })
  const sequencer = await openSequencer(service.db, signer)
  return {
    ...service,
    sequencer,
    append: (...batch: { event?: AuditEvent; body: string }[]) =>
      sequencer.append(batch.map(({ body }) => receive(Buffer.from(body)))),
    /** As when the process is told to stop. */
    stop: () => stopping.abort(),
    async close() {
      stopping.abort()
      await feed?.close()
      await service.close()
    },
  }
}

export function anEvent(more: Partial<AuditEvent> = {}, path = '/x'): AuditEvent {
  const request = { id: randomUUID(), method: 'GET', route: '/x', path, status: 200, ip: '::1', userAgent: null }
  const actor = { id: 'somebody', name: null, roles: [], sessionId: null }
  return buildEvent({ type: 'patients.patient.read', service: 'patients', action: 'R', actor, request, ...more })
}

/** An event as it comes from the queue. */
export function received(
  more: Partial<AuditEvent> = {},
  path?: string,
): Received & { event: AuditEvent; body: string } {
  const event = anEvent(more, path)
  const body = canonicalJson(event)
  return { ...receive(Buffer.from(body)), event, body }
}
