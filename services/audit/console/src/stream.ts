import { ApiError, type Options, type Session } from './session.ts'
import { buildSseParser, type Message } from './sse.ts'
import type { LogEvent } from './api.ts'

/** The server is heard at least every fifteen seconds. */
const silenceMs = 40_000
export type StreamState = 'connecting' | 'live' | 'interrupted' | 'unavailable'

interface Listener {
  onEvent(event: LogEvent): void
  onState(state: StreamState): void
}

/**
 * Follows the log from a position on, over renewed tokens and broken connections, until `signal` aborts.
 * By fetch, since an EventSource sends no Authorization.
 */
export async function follow(
  session: Session,
  filter: Options['query'],
  from: number,
  { onEvent, onState }: Listener,
  signal: AbortSignal,
): Promise<void> {
  let position = from
  let expired = false

  function take({ id, event, data }: Message): void {
    if (id) position = Number(id)
    if (event === 'expired') expired = true
    else if (data) onEvent(JSON.parse(data) as LogEvent)
  }

  async function connect(): Promise<void> {
    const silent = new AbortController()
    let timer = setTimeout(() => silent.abort(), silenceMs)
    try {
      const either = AbortSignal.any([signal, silent.signal])
      const query = { ...filter, afterSequence: position }
      const answer = await session.request('GET', '/audit/stream', { query, signal: either })
      onState('live')
      const parse = buildSseParser(take)
      const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        clearTimeout(timer)
        timer = setTimeout(() => silent.abort(), silenceMs)
        parse(next.value)
      }
    } finally {
      clearTimeout(timer)
    }
  }

  onState('connecting')
  for (let wait = 250; !signal.aborted; wait = Math.min(wait * 2, 10_000)) {
    const began = Date.now()
    try {
      await connect()
      if (expired) await session.renew()
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof ApiError && [403, 404, 422].includes(error.status)) return onState('unavailable')
    }
    if (signal.aborted) return
    if (Date.now() - began > 5000) wait = 250
    if (!expired) onState('interrupted')
    expired = false
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}
