import { setTimeout as sleep } from 'node:timers/promises'
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Broker, Message } from '@caregate/common/broker'
import { problems, type ProblemCode } from '@caregate/common/errors'
import { buildEvent, serializeEvent, type AuditEvent } from '@caregate/common/events'
import { actorOf } from '@caregate/common/http'
import type { Logger } from '@caregate/common/logger'
import { currentTraceparent } from '@caregate/common/tracing'

export interface Denials {
  /** The first of its kind is published at once; repeats within the minute become one event with a count. */
  record(event: AuditEvent): void
  /** How many the broker has not confirmed yet. */
  readonly waiting: number
  /** Publishes what is still held back. */
  close(): Promise<void>
}

const windowMs = 60_000
const maxHeld = 10_000
const retryMs = 500

/** The edge has no database: what it refused goes straight to the broker, and waits in memory while that is away. */
export function openDenials(broker: Pick<Broker, 'connected' | 'publish'>, log: Logger): Denials {
  /** By address, reason and route: the latest event of the window that is running. */
  const windows = new Map<string, { event: AuditEvent; startedAt: number; repeats: number }>()
  let queue: Message[] = []
  let overflowing = false
  let sending: Promise<void> | undefined
  let closing = false

  async function send(): Promise<void> {
    while (queue.length) {
      const batch = queue.slice(0, 100)
      try {
        await broker.publish(batch)
        queue = queue.slice(batch.length)
      } catch (error) {
        if (closing) {
          log.error('refusals could not be recorded', { 'caregate.events': queue.length, error })
          return
        }
        await sleep(retryMs)
      }
    }
    sending = undefined
  }

  function publish(event: AuditEvent): void {
    const full = queue.length >= maxHeld
    // once: under such a load a line for each would be one load more
    if (full && !overflowing) log.error('refusals could not be recorded: too many wait for the broker')
    overflowing = full
    if (full) return
    const { id, type } = event
    queue.push({ id, type, body: serializeEvent(event), traceparent: currentTraceparent() ?? null })
    sending ??= send()
  }

  function endWindow(key: string): void {
    const window = windows.get(key)
    windows.delete(key)
    if (window?.repeats) publish({ ...window.event, count: window.repeats })
  }

  const sweep = setInterval(() => {
    const before = Date.now() - windowMs
    for (const [key, { startedAt }] of windows) if (startedAt < before) endWindow(key)
  }, 1000)

  return {
    get waiting() {
      return queue.length
    },
    record(event) {
      const key = [event.request.ip, event.code, event.request.route].join(' ')
      const window = windows.get(key)
      if (window) {
        // the repeats' event has an id and a time of its own: those of the latest
        window.event = event
        window.repeats += 1
        return
      }
      if (windows.size >= maxHeld) endWindow(windows.keys().next().value!)
      windows.set(key, { event, startedAt: Date.now(), repeats: 0 })
      publish(event)
    },
    async close() {
      clearInterval(sweep)
      for (const key of [...windows.keys()]) endWindow(key)
      closing = true
      await sending
    },
  }
}

/** What the HTTP parser refused before there was a request. */
export function unreadable({ remoteAddress = '' }: Pick<Socket, 'remoteAddress'>, code: ProblemCode): AuditEvent {
  const ip = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '')
  const [status] = problems[code]
  const request = { id: randomUUID(), method: 'unknown', route: 'unknown', path: '*', status, ip, userAgent: null }
  const actor = actorOf(undefined)
  return buildEvent({
    type: 'gateway.request.denied',
    service: 'gateway',
    action: 'E',
    actor,
    code,
    request,
  })
}
