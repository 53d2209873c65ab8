import { v7 as uuidv7 } from 'uuid'
import type { Tx } from '@caregate/common/database'
import { buildEvent, type EventDetails } from '@caregate/common/events'
import { recordEvent } from '@caregate/common/outbox'

/** Records what no request asked for: a command of an operator, or the service's own schedule. */
export async function recordUnattended(
  tx: Tx,
  name: string,
  details: Pick<EventDetails, 'type' | 'action' | 'resource'>,
): Promise<void> {
  await recordEvent(
    tx,
    buildEvent({
      ...details,
      service: 'auth',
      actor: { id: null, name: null, roles: [], sessionId: null },
      request: { id: uuidv7(), method: 'NONE', route: name, path: name, status: 200, ip: '', userAgent: null },
    }),
  )
}
