import { useEffect, useRef, useState } from 'preact/hooks'
import { ActivityChart } from './activity-chart.tsx'
import type { LogEvent } from './api.ts'
import { EventDetail } from './event-detail.tsx'
import { useEvents } from './event-list.ts'
import { Filters, noFilter, type Filter } from './filters.tsx'
import { actorName, formatCount, formatDay, formatMoment, formatTime, plural, shortId } from './format.ts'
import type { More } from './load.ts'
import { Failure, Loading, Notice, Older, OutcomeMark } from './parts.tsx'
import type { Session } from './session.ts'
import type { StreamState } from './stream.ts'

interface EventsProps {
  session: Session
  filter: Filter
  onFilter(filter: Filter): void
}

const streamNames: Record<StreamState, string> = {
  connecting: 'Connecting',
  live: 'Live',
  interrupted: 'Reconnecting',
  unavailable: 'No live updates',
}

export function Events({ session, filter, onFilter }: EventsProps) {
  const onLive = useRef<(event: LogEvent) => void>(() => {})
  const events = useEvents(session, filter, (event) => onLive.current(event))
  const { start, list, error, older, loadOlder, reload, stream, paused, setHeld, waiting } = events
  const [open, setOpen] = useState<LogEvent>()
  const state = paused && stream === 'live' ? 'Paused' : streamNames[stream]

  return (
    <div class={open ? 'split has-detail' : 'split'}>
      <div class="stack">
        <ActivityChart
          session={session}
          filter={filter}
          start={start}
          onLive={onLive}
          onRange={(from, to) => onFilter({ ...filter, from, to })}
          onRetry={reload}
        />
        <section class="panel" aria-label="Events">
          <Filters filter={filter} onFilter={onFilter} />
          <div class="list-head">
            <span class={`stream is-${paused ? 'paused' : stream}`}>{state}</span>
            {paused && waiting > 0 && <span>{plural(waiting, 'event waits', 'events wait')}</span>}
            <span class="grow" />
            <span class="muted">{list && `${formatCount(list.items.length)} shown`}</span>
            <button type="button" onClick={() => setHeld(!paused)} aria-pressed={paused}>
              {paused ? 'Resume' : 'Pause'}
            </button>
          </div>
          <Announcer list={list?.items} />
          {error !== undefined ? (
            <Failure error={error} onRetry={reload} />
          ) : !list ? (
            <Loading what="events" />
          ) : list.items.length === 0 ? (
            <Notice title="No events match">
              <p>New ones appear here as they are stored.</p>
              {Object.values(filter).some(Boolean) && (
                <button type="button" onClick={() => onFilter(noFilter)}>
                  Clear the filters
                </button>
              )}
            </Notice>
          ) : (
            <EventTable items={list.items} loadedTop={list.loadedTop} open={open} onOpen={setOpen} />
          )}
          {list?.cursor && <OlderInView state={older} onLoad={loadOlder} />}
          {list?.cut && (
            <div class="list-foot">
              <p>Older ones were dropped here to make room for new ones.</p>
              <button type="button" onClick={reload}>
                Begin again with the newest
              </button>
            </div>
          )}
        </section>
      </div>
      {open && (
        <EventDetail
          key={open.id}
          event={open}
          session={session}
          onClose={() => setOpen(undefined)}
          onFilter={(part) => onFilter({ ...noFilter, ...part })}
        />
      )}
    </div>
  )
}

interface EventTableProps {
  items: LogEvent[]
  loadedTop: number
  open: LogEvent | undefined
  onOpen(event: LogEvent): void
}

// the roles are those of the elements, which lose them where rows are laid out as cards
function EventTable({ items, loadedTop, open, onOpen }: EventTableProps) {
  return (
    <table class="rows" role="table" aria-label="Events, newest first">
      <thead role="rowgroup">
        <tr role="row">
          {['No.', 'Time', 'Outcome', 'Type', 'Actor', 'Patient', 'Request'].map((name) => (
            <th key={name} role="columnheader" class={`c-${name.replace('.', '').toLowerCase()}`}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {items.map((event) => (
          <EventRow
            key={event.sequence}
            event={event}
            fresh={event.sequence > loadedTop}
            chosen={event.id === open?.id}
            onOpen={onOpen}
          />
        ))}
      </tbody>
    </table>
  )
}

interface EventRowProps {
  event: LogEvent
  fresh: boolean
  chosen: boolean
  onOpen(event: LogEvent): void
}
const EventRow = ({ event, fresh, chosen, onOpen }: EventRowProps) => {
  const { sequence, occurredAt, type, outcome, code, count, actor, patientIds, request } = event
  const [patient] = patientIds
  return (
    <tr
      role="row"
      class={`is-${outcome}${fresh ? ' is-fresh' : ''}${chosen ? ' is-chosen' : ''}`}
      onClick={() => onOpen(event)}
    >
      <td role="cell" class="c-no number">
        {sequence}
      </td>
      <td role="cell" class="c-time" title={formatMoment(occurredAt)}>
        <span class="day">{formatDay(occurredAt)}</span> {formatTime(occurredAt)}
      </td>
      <td role="cell" class="c-outcome">
        <OutcomeMark outcome={outcome} />
      </td>
      <td role="cell" class="c-type">
        <button type="button" class="link" aria-expanded={chosen}>
          {type}
        </button>
        {count > 1 && <span class="times">×{formatCount(count)}</span>}
        {code && <span class="code">{code}</span>}
      </td>
      <td role="cell" class="c-actor" title={actor.id ?? undefined}>
        {actorName(actor)} {actor.roles.length > 0 && <span class="muted">{actor.roles.join(', ')}</span>}
      </td>
      <td role="cell" class="c-patient" title={patient}>
        {patientIds.length > 1 ? plural(patientIds.length, 'chart') : patient && <code>{shortId(patient)}</code>}
      </td>
      <td role="cell" class="c-request">
        <span class="status">{request.status || ''}</span> {request.method} {request.route}
      </td>
    </tr>
  )
}

/** Loads more when it comes into view; the button is for whoever doesn't scroll. */
function OlderInView({ state, onLoad }: { state: More; onLoad(): void }) {
  const foot = useRef<HTMLDivElement>(null)
  const load = useRef(onLoad)
  load.current = onLoad
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && load.current())
    observer.observe(foot.current!)
    return () => observer.disconnect()
  }, [])
  return <Older state={state} onLoad={onLoad} foot={foot} />
}

/** Tells who listens rather than looks what has come, every ten seconds at most. */
function Announcer({ list }: { list: LogEvent[] | undefined }) {
  const [sentence, setSentence] = useState('')
  const newest = useRef(list)
  newest.current = list
  useEffect(() => {
    let told = Infinity
    const timer = setInterval(() => {
      const items = newest.current
      if (!items) return void (told = Infinity)
      const fresh = items.filter(({ sequence }) => sequence > told)
      told = items[0]?.sequence ?? 0
      if (!fresh.length) return
      const denied = fresh.filter(({ outcome }) => outcome === 'denied').length
      setSentence(plural(fresh.length, 'new event') + (denied ? `, ${formatCount(denied)} denied` : ''))
    }, 10_000)
    return () => clearInterval(timer)
  }, [])
  return (
    <p class="hidden" aria-live="polite">
      {sentence}
    </p>
  )
}
