import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { LogEvent } from './api.ts'
import type { Filter } from './filters.tsx'
import { actionNames, actorName, basisNames, formatMoment } from './format.ts'
import { OutcomeMark, sentenceOf } from './parts.tsx'
import { proveEvent, type Verdict } from './proof.ts'
import { Reason } from './reason.tsx'
import { ApiError, type Session } from './session.ts'

interface EventDetailProps {
  event: LogEvent
  session: Session
  onClose(): void
  onFilter(part: Partial<Filter>): void
}

export function EventDetail({ event, session, onClose, onFilter }: EventDetailProps) {
  const { sequence, type, outcome, actor, request, patientIds, breakGlass } = event
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const before = document.activeElement
    // where there is room it stands beside the list, else above it
    if (matchMedia('(min-width: 1200px)').matches) dialog.current!.show()
    else dialog.current!.showModal()
    heading.current!.focus()
    return () => before instanceof HTMLElement && before.focus()
  }, [])
  useEffect(() => {
    // wherever the focus is: a click beside it doesn't close it
    const close = ({ key }: KeyboardEvent): void => void (key === 'Escape' && onClose())
    document.addEventListener('keydown', close)
    return () => document.removeEventListener('keydown', close)
  }, [])
  const show = (part: Partial<Filter>): void => {
    // above the list it would hide what it leads to
    if (dialog.current!.matches(':modal')) onClose()
    onFilter(part)
  }
  const threats = event.threats?.join(', ')

  return (
    <dialog ref={dialog} class="panel detail" aria-label={`Event ${sequence}`} onClose={onClose}>
      <div class="detail-head">
        <h2 ref={heading} tabIndex={-1}>
          Event <span class="number">{sequence}</span>
        </h2>
        <OutcomeMark outcome={outcome} />
        <span class="grow" />
        <button type="button" class="quiet" onClick={onClose}>
          Close
        </button>
      </div>
      <p class="detail-type">{type}</p>
      <dl class="members">
        <Member name="Occurred">
          {formatMoment(event.occurredAt)} <span class="muted">{event.occurredAt}</span>
        </Member>
        <Member name="Stored">{formatMoment(event.storedAt)}</Member>
        <Member name="Actor">
          {actorName(actor)} <span class="muted">{actor.roles.join(', ')}</span>
          {actor.id && <Id id={actor.id} label="Events of this actor" onShow={() => show({ actorId: actor.id! })} />}
        </Member>
        <Member name="Session">{actor.sessionId && <code>{actor.sessionId}</code>}</Member>
        <Member name="Action">{actionNames[event.action]}</Member>
        <Member name="Code">{event.code && <span class="code">{event.code}</span>}</Member>
        <Member name="Right">{event.basis && basisNames[event.basis]}</Member>
        <Member name="Break-glass">
          {breakGlass && (
            <>
              <code>{breakGlass.grantId}</code>
              <Reason session={session} label="Show the reason" findGrantId={async () => breakGlass.grantId} />
            </>
          )}
        </Member>
        <Member name="Resource">
          {event.resource && (
            <>
              {event.resource.type} <code>{event.resource.id}</code>
            </>
          )}
        </Member>
        <Member name={patientIds.length > 1 ? `${patientIds.length} charts` : 'Chart'}>
          {patientIds.length > 0 && (
            <div class="ids">
              {patientIds.map((id) => (
                <div key={id} class="wrap">
                  <Id id={id} label="Events of this chart" onShow={() => show({ patientId: id })} />
                  <a href={`#accesses/${id}`}>Accesses</a>
                </div>
              ))}
            </div>
          )}
        </Member>
        <Member name="Changed">{event.changed.join(', ')}</Member>
        <Member name="Count">{event.count > 1 && event.count}</Member>
        <Member name="Threats">{threats}</Member>
        <Member name="Request">
          {request.method} {request.path} <span class="muted">{request.status || ''}</span>
        </Member>
        <Member name="Request id">{request.id && <code>{request.id}</code>}</Member>
        <Member name="Address">{request.ip}</Member>
        <Member name="Agent">{request.userAgent}</Member>
        <Member name="Service">{event.service}</Member>
        <Member name="Event id">
          <code>{event.id}</code>
        </Member>
        <Member name="Leaf hash">
          <code>{event.leafHash}</code>
        </Member>
      </dl>
      <Proof event={event} session={session} />
      <ToReview event={event} session={session} />
      <details>
        <summary>As the log has it</summary>
        <pre tabIndex={0}>{JSON.stringify(event, null, 2)}</pre>
      </details>
    </dialog>
  )
}

/** Nothing, where there is nothing to say. */
const Member = ({ name, children }: { name: string; children: ComponentChildren }) =>
  children === null || children === '' || children === false || children === undefined ? null : (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )

const Id = ({ id, label, onShow }: { id: string; label: string; onShow(): void }) => (
  <button type="button" class="link" title={label} onClick={onShow}>
    <code>{id}</code>
  </button>
)

function Proof({ event, session }: Pick<EventDetailProps, 'event' | 'session'>) {
  const [verdict, setVerdict] = useState<Verdict>()
  const [busy, setBusy] = useState(false)
  async function check(): Promise<void> {
    if (busy) return
    setBusy(true)
    setVerdict(
      await proveEvent(session, event).catch((error: unknown) => ({ proved: false, sentence: sentenceOf(error) })),
    )
    setBusy(false)
  }
  return (
    <div class="detail-part">
      <button type="button" aria-disabled={busy} onClick={() => void check()}>
        {busy ? 'Checking' : 'Check that it is in the log'}
      </button>
      <div role="status">
        {verdict && (
          <p class={verdict.proved ? 'verdict is-proved' : 'verdict is-unproved'}>
            {verdict.sentence}
            {verdict.root && <code>{verdict.root}</code>}
          </p>
        )}
      </div>
    </div>
  )
}

function ToReview({ event, session }: Pick<EventDetailProps, 'event' | 'session'>) {
  const [outcome, setOutcome] = useState<string>()
  async function add(): Promise<void> {
    if (outcome) return
    setOutcome('One moment')
    try {
      await session.request('POST', '/audit/reviews', { body: { eventId: event.id } })
      setOutcome('It is among the open reviews.')
    } catch (error) {
      const known = error instanceof ApiError && error.code === 'already_exists'
      setOutcome(known ? 'It is in review already.' : sentenceOf(error))
    }
  }
  return (
    <div class="detail-part">
      <button type="button" aria-disabled={outcome !== undefined} onClick={() => void add()}>
        Put into review
      </button>
      <p role="status">{outcome}</p>
    </div>
  )
}
