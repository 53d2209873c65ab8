import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { LogEvent, Page } from './api.ts'
import type { Filter } from './filters.tsx'
import type { More } from './load.ts'
import type { Session } from './session.ts'
import { follow, type StreamState } from './stream.ts'

/** More rows than this are nobody's to read, and slow. */
const mostRows = 2000
const pageSize = 50
const flushMs = 200

interface List {
  /** Newest first. */
  items: LogEvent[]
  cursor: string | null
  /** Whether old ones were dropped for new ones. */
  cut: boolean
  /** The newest when it was loaded: what is above has come since. */
  loadedTop: number
}
interface Waiting {
  events: LogEvent[]
  count: number
}
const nothingWaits: Waiting = { events: [], count: 0 }

/** @param fresh in the order of the log, as the stream has them; some may be in the list already */
function merge(list: List, fresh: readonly LogEvent[]): List {
  const top = list.items[0]?.sequence ?? 0
  const items = [...fresh.filter(({ sequence }) => sequence > top).reverse(), ...list.items]
  if (items.length <= mostRows) return { ...list, items }
  return { ...list, items: items.slice(0, mostRows), cursor: null, cut: true }
}

/**
 * The events of a filter: a page of the log, what the stream adds, and older ones when they are asked for.
 * @param onLive hears of every event of the stream, also while the list is held
 */
export function useEvents(session: Session, filter: Filter, onLive: (event: LogEvent) => void) {
  const [list, setList] = useState<List>()
  const [error, setError] = useState<unknown>()
  const [older, setOlder] = useState<More>('idle')
  const [stream, setStream] = useState<StreamState>('connecting')
  const [paused, setPaused] = useState(false)
  const [waiting, setWaiting] = useState(nothingWaits)
  const [round, setRound] = useState(0)
  const fresh = useRef<LogEvent[]>([])
  const { from, to, ...streamed } = filter
  const inputs = [...Object.values(streamed), round]
  // what is shown is never older than where the stream goes on
  const start = useMemo(() => sizeOf(session), inputs)
  const current = useRef(new AbortController())

  useEffect(() => {
    const leaving = new AbortController()
    fresh.current = []
    setWaiting(nothingWaits)
    start
      .then((position) =>
        follow(
          session,
          { ...streamed },
          position,
          {
            onEvent(event) {
              fresh.current.push(event)
              onLive(event)
            },
            onState: setStream,
          },
          leaving.signal,
        ),
      )
      .catch(() => leaving.signal.aborted || setStream('unavailable'))
    return () => leaving.abort()
  }, inputs)

  useEffect(() => {
    const leaving = new AbortController()
    current.current = leaving
    setList(undefined)
    setError(undefined)
    setOlder('idle')
    start
      .then(() => session.get<Page<LogEvent>>('/audit/events', { ...filter, limit: pageSize }, leaving.signal))
      .then(({ items, nextCursor }) =>
        setList({ items, cursor: nextCursor, cut: false, loadedTop: items[0]?.sequence ?? 0 }),
      )
      .catch((thrown: unknown) => leaving.signal.aborted || setError(thrown))
    return () => leaving.abort()
  }, [...inputs, from, to])

  const isLoaded = list !== undefined
  useEffect(() => {
    if (!isLoaded) return
    const inRange = ({ occurredAt }: LogEvent): boolean => !from || (occurredAt >= from && occurredAt < to)
    const timer = setInterval(() => {
      const batch = fresh.current.splice(0).filter(inRange)
      if (!batch.length) return
      if (!paused) return setList((before) => before && merge(before, batch))
      setWaiting(({ events, count }) => ({
        events: [...events, ...batch].slice(0, mostRows),
        count: count + batch.length,
      }))
    }, flushMs)
    return () => clearInterval(timer)
  }, [isLoaded, paused, from, to])

  const reload = (): void => setRound((before) => before + 1)
  function setHeld(hold: boolean): void {
    setPaused(hold)
    if (hold) return
    // more than are kept: the newest are read again
    if (waiting.count > waiting.events.length) return reload()
    setList((before) => before && merge(before, waiting.events))
    setWaiting(nothingWaits)
  }

  function loadOlder(): void {
    if (!list?.cursor || older === 'loading') return
    const { cursor } = list
    const { signal } = current.current
    setOlder('loading')
    session.get<Page<LogEvent>>('/audit/events', { ...filter, limit: pageSize, cursor }, signal).then(
      ({ items, nextCursor }) => {
        if (signal.aborted) return
        // unless they were cut off for new ones meanwhile
        setList((now) =>
          now?.cursor === cursor ? { ...now, items: [...now.items, ...items], cursor: nextCursor } : now,
        )
        setOlder('idle')
      },
      (thrown: unknown) => signal.aborted || setOlder({ error: thrown }),
    )
  }

  return { start, list, error, older, loadOlder, reload, stream, paused, setHeld, waiting: waiting.count }
}

/** How many events the log has. */
export async function sizeOf(session: Session, signal?: AbortSignal): Promise<number> {
  const note = await (await session.request('GET', '/audit/checkpoint', { signal })).text()
  return Number(note.split('\n')[1])
}
