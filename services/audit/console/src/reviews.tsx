import { useState } from 'preact/hooks'
import type { Page, Review, ReviewState } from './api.ts'
import { actorName, formatCount, formatMoment, plural, shortId } from './format.ts'
import { useLoaded } from './load.ts'
import { Choice, Failure, Field, Loading, Notice, Select, sentenceOf } from './parts.tsx'
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

export function Reviews({ session }: { session: Session }) {
  const [state, setState] = useState<ReviewState>('open')
  const [kind, setKind] = useState<Kind>('')
  const [more, setMore] = useState<unknown>()
  const load = (signal?: AbortSignal, cursor?: string) =>
    session.get<Page<Review>>('/audit/reviews', { state, kind, limit: 50, cursor }, signal)
  const queue = useLoaded(load, [state, kind])

  function replace(fresh: Review): void {
    if (queue.state !== 'there') return
    queue.put({ ...queue.value, items: queue.value.items.map((one) => (one.id === fresh.id ? fresh : one)) })
  }
  function loadOlder({ items, nextCursor }: Page<Review>): void {
    load(undefined, nextCursor!).then(
      (page) => queue.put({ items: [...items, ...page.items], nextCursor: page.nextCursor }),
      setMore,
    )
  }

  return (
    <section class="panel" aria-label="Review queue">
      <div class="filters">
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
        <Notice title={state === 'open' ? 'Nothing is waiting for review' : `No ${state} reviews`} />
      ) : (
        <ul class="reviews">
          {queue.value.items.map((review) => (
            <ReviewItem key={review.id} review={review} session={session} onChanged={replace} />
          ))}
        </ul>
      )}
      {queue.state === 'there' && queue.value.nextCursor && (
        <div class="list-foot">
          {more !== undefined && <Failure error={more} />}
          <button type="button" onClick={() => loadOlder(queue.value)}>
            Load older
          </button>
        </div>
      )}
    </section>
  )
}

interface ReviewItemProps {
  review: Review
  session: Session
  onChanged(review: Review): void
}

function ReviewItem({ review, session, onChanged }: ReviewItemProps) {
  const { id, kind, state, actor, code, route, patientIds, count, sequence, createdAt, updatedAt, reviewedBy } = review
  return (
    <li class={`review is-${state}`} aria-label={`Review of event ${sequence}`}>
      <div class="review-head">
        <span class={`tag is-${kind}`}>{kindNames[kind]}</span>
        <strong>{actorName(actor)}</strong>
        <span class="muted">{actor.roles.join(', ')}</span>
        <span class="grow" />
        <span class="muted">{formatMoment(createdAt)}</span>
      </div>
      <p class="review-what">
        {code && <span class="code">{code}</span>} <span class="path">{route}</span>
        {count > 1 && <span class="times">×{formatCount(count)}</span>}
      </p>
      <p class="muted">
        Event <span class="number">{sequence}</span>
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
      {reviewedBy && (
        <p class="decision">
          <span class={`tag is-${state}`}>{state}</span> by {actorName(reviewedBy)}, {formatMoment(updatedAt)}
        </p>
      )}
      {review.note && <blockquote>{review.note}</blockquote>}
      {state !== 'justified' && <Decision key={id} review={review} session={session} onChanged={onChanged} />}
    </li>
  )
}

/** What was typed stays when somebody else was faster. */
function Decision({ review, session, onChanged }: ReviewItemProps) {
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
      class="decide"
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
