import { useState } from 'preact/hooks'
import type { LogEvent, Page, Review, ReviewState } from './api.ts'
import { EventDetail } from './event-detail.tsx'
import type { Filter } from './filters.tsx'
import { actorName, formatCount, formatMoment, plural, shortId } from './format.ts'
import { useLoaded } from './load.ts'
import { Choice, Failure, Field, Loading, Notice, Older, Select, sentenceOf } from './parts.tsx'
import { Reason } from './reason.tsx'
import { ApiError, type Session } from './session.ts'

const states = [
  ['open', 'Open'],
  ['escalated', 'Escalated'],
  ['justified', 'Justified'],
] as const
const kinds = [
  ['', 'Any'],
  ['denial', 'Denials'],
  ['break-glass', 'Break-glass'],
  ['manual', 'By hand'],
] as const
const kindNames = { denial: 'Denied', 'break-glass': 'Break-glass', manual: 'By hand' } as const
type Kind = (typeof kinds)[number][0]

interface ReviewsProps {
  session: Session
  /** Leads to the events of an actor or a chart. */
  onFilter(part: Partial<Filter>): void
}

export function Reviews({ session, onFilter }: ReviewsProps) {
  const [state, setState] = useState<ReviewState>('open')
  const [kind, setKind] = useState<Kind>('')
  const [event, setEvent] = useState<LogEvent>()
  const load = (signal: AbortSignal, cursor?: string) =>
    session.get<Page<Review>>('/audit/reviews', { state, kind, limit: 50, cursor }, signal)
  const queue = useLoaded(async (signal) => ({ ...(await load(signal)), state }), [state, kind])

  const replace = (fresh: Review): void =>
    queue.change((now) => ({ ...now, items: now.items.map((one) => (one.id === fresh.id ? fresh : one)) }))
  function loadOlder(): void {
    queue.extend(async ({ nextCursor }, signal) => {
      const page = await load(signal, nextCursor!)
      return (now) => ({ ...now, items: [...now.items, ...page.items], nextCursor: page.nextCursor })
    })
  }

  return (
    <div class={event ? 'split has-detail' : 'split'}>
      <section class="panel" aria-label="Review queue" aria-busy={queue.state === 'there' && queue.busy}>
        <div class="wrap filters">
          <Choice label="State" value={state} options={states} onChoose={setState} />
          <Select label="Kind" value={kind} options={kinds} onChoose={setKind} />
          <span class="grow" />
          <button type="button" onClick={queue.again}>
            Refresh
          </button>
        </div>
        {queue.state === 'loading' ? (
          <Loading what="reviews" />
        ) : queue.state === 'failed' ? (
          <Failure error={queue.error} onRetry={queue.again} />
        ) : queue.value.items.length === 0 ? (
          <Notice
            title={queue.value.state === 'open' ? 'Nothing is waiting for review' : `No ${queue.value.state} reviews`}
          />
        ) : (
          <ul class="reviews">
            {queue.value.items.map((review) => (
              <ReviewItem key={review.id} review={review} session={session} onChanged={replace} onEvent={setEvent} />
            ))}
          </ul>
        )}
        {queue.state === 'there' && queue.value.nextCursor && <Older state={queue.more} onLoad={loadOlder} />}
      </section>
      {event && (
        <EventDetail
          key={event.id}
          event={event}
          session={session}
          onClose={() => setEvent(undefined)}
          onFilter={onFilter}
        />
      )}
    </div>
  )
}

interface ReviewItemProps {
  review: Review
  session: Session
  onChanged(review: Review): void
  onEvent(event: LogEvent): void
}

function ReviewItem({ review, session, onChanged, onEvent }: ReviewItemProps) {
  const { id, kind, state, actor, code, route, patientIds, count, sequence, createdAt, updatedAt, reviewedBy } = review
  const [problem, setProblem] = useState<string>()
  const findEvent = (eventId: string) => session.get<LogEvent>(`/audit/events/${eventId}`)
  const open = (): void =>
    void findEvent(review.eventId).then(onEvent, (error: unknown) => setProblem(sentenceOf(error)))
  const findGrantId = async (eventId: string) => (await findEvent(eventId)).breakGlass?.grantId
  const reasons =
    kind !== 'break-glass' ? [] : count === 1 ? ['Show the reason'] : ['Show the first reason', 'Show the last reason']

  return (
    <li class="review" aria-label={`Review of event ${sequence}`}>
      <div class="wrap">
        <span class={`tag is-${kind}`}>{kindNames[kind]}</span>
        <strong>{actorName(actor)}</strong>
        <span class="muted">{actor.roles.join(', ')}</span>
        <span class="grow" />
        <span class="muted">{formatMoment(createdAt)}</span>
      </div>
      <p>
        {code && <span class="code">{code}</span>} <span class="path">{route}</span>
        {count > 1 && <span class="times">×{formatCount(count)}</span>}
      </p>
      <p class="muted">
        <button type="button" class="link" onClick={open}>
          Event {sequence}
        </button>
        {patientIds.length > 3
          ? `, ${plural(patientIds.length, 'chart')}`
          : patientIds.map((patient) => (
              <span key={patient}>
                , chart{' '}
                <a href={`#accesses/${patient}`} title={patient}>
                  <code>{shortId(patient)}</code>
                </a>
              </span>
            ))}
      </p>
      {problem && (
        <p role="alert" class="field-problem">
          {problem}
        </p>
      )}
      {reasons.map((label, n) => (
        <Reason
          key={label}
          session={session}
          label={label}
          findGrantId={() => findGrantId(n === 0 ? review.eventId : review.lastEventId)}
        />
      ))}
      {reviewedBy && (
        <p>
          <span class={`tag is-${state}`}>{state}</span> by {actorName(reviewedBy)}, {formatMoment(updatedAt)}
        </p>
      )}
      {review.note && <blockquote>{review.note}</blockquote>}
      {state !== 'justified' && <Decision key={id} review={review} session={session} onChanged={onChanged} />}
    </li>
  )
}

/** What was typed stays when somebody else was faster. */
function Decision({ review, session, onChanged }: Omit<ReviewItemProps, 'onEvent'>) {
  const [note, setNote] = useState('')
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const path = `/audit/reviews/${review.id}`

  async function decide(state: ReviewState): Promise<void> {
    setBusy(true)
    setProblem(undefined)
    try {
      const headers = { 'If-Match': `"${review.version}"` }
      const answer = await session.request('PATCH', path, { body: { state, note: note.trim() }, headers })
      onChanged((await answer.json()) as Review)
      setNote('')
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 412) return setProblem(sentenceOf(error))
      setProblem('Somebody changed this review in the meantime. It is shown as it is now: decide again if need be.')
      await session.get<Review>(path).then(onChanged, () => {})
    } finally {
      setBusy(false)
    }
  }

  return (
    <form
      class="wrap decide"
      onSubmit={(event) => {
        event.preventDefault()
        const { submitter } = event as SubmitEvent
        void decide((submitter as HTMLButtonElement).value as ReviewState)
      }}
    >
      <Field label="Note" wide>
        <textarea
          rows={1}
          required
          maxLength={2000}
          value={note}
          onInput={({ currentTarget }) => setNote(currentTarget.value)}
        />
      </Field>
      <button value="justified" disabled={busy}>
        Justify
      </button>
      {review.state === 'open' && (
        <button value="escalated" disabled={busy}>
          Escalate
        </button>
      )}
      <p role="alert" class="field-problem">
        {problem}
      </p>
    </form>
  )
}
