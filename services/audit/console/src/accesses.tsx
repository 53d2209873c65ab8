import { useState } from 'preact/hooks'
import type { Access, Page } from './api.ts'
import { actionNames, actorName, basisNames, formatMoment, isUuid, plural, startOfDay } from './format.ts'
import { useLoaded } from './load.ts'
import { Failure, Field, Loading, Notice, Older, OutcomeMark, Select } from './parts.tsx'
import type { Session } from './session.ts'

const outcomes = [
  ['success', 'Opened'],
  ['denied', 'Denied'],
  ['failure', 'Failed'],
] as const
type Outcome = (typeof outcomes)[number][0]
const titles = {
  success: 'Access report',
  denied: 'Report of denied accesses',
  failure: 'Report of failed accesses',
} as const satisfies Record<Outcome, string>
/** More than this is loaded when it is asked for. */
const rowsAtOnce = 1000
const pageSize = 200
/** What a report is of; dates and days of the reader's time zone, empty where there are none. */
interface Asked {
  patientId: string
  from: string
  to: string
  outcome: Outcome
}
interface Report extends Page<Access> {
  asked: Asked
  madeAt: string
}

/** @param place as `writePlace` has it */
function readPlace(place: string): Asked {
  const [patientId = '', query] = place.split('?')
  const asked = new URLSearchParams(query)
  const outcome = outcomes.find(([one]) => one === asked.get('outcome'))?.[0] ?? 'success'
  return { patientId, from: asked.get('from') ?? '', to: asked.get('to') ?? '', outcome }
}
function writePlace({ patientId, ...asked }: Asked): string {
  const given = Object.entries(asked).filter(([, value]) => value !== '')
  return `accesses/${patientId.toLowerCase()}?${new URLSearchParams(given).toString()}`
}

interface AccessesProps {
  session: Session
  /** A patient's id, and a query; empty until one is asked for. */
  place: string
}

/** Who opened a chart, when, and by what right. */
export function Accesses({ session, place }: AccessesProps) {
  const [typed, setTyped] = useState(readPlace(place))
  const [shown, setShown] = useState(place)
  const [round, setRound] = useState(0)
  // another place, not the first one: an effect would come after what somebody has begun to type
  if (place !== shown) {
    setShown(place)
    setTyped(readPlace(place))
  }
  const asked = readPlace(place)
  const { patientId, from, to, outcome } = typed
  const wrong = patientId !== '' && !isUuid(patientId)
  const set = (part: Partial<Asked>): void => setTyped((before) => ({ ...before, ...part }))

  return (
    <>
      <form
        class="panel wrap filters no-print"
        aria-label="Report"
        onSubmit={(event) => {
          event.preventDefault()
          if (!isUuid(patientId)) return
          const next = `#${writePlace(typed)}`
          if (next === location.hash) setRound(round + 1)
          location.hash = next
        }}
      >
        <Field label="Patient" wide>
          <input
            value={patientId}
            required
            placeholder="Id"
            spellcheck={false}
            autocomplete="off"
            aria-invalid={wrong}
            aria-describedby={wrong ? 'wrong-id' : undefined}
            onInput={({ currentTarget }) => set({ patientId: currentTarget.value.trim() })}
          />
          {wrong && (
            <span id="wrong-id" class="field-problem">
              A patient’s id is a UUID
            </span>
          )}
        </Field>
        <Field label="From">
          <input
            type="date"
            value={from}
            max={to || '9999-12-30'}
            onChange={({ currentTarget }) => set({ from: currentTarget.value })}
          />
        </Field>
        <Field label="To and with">
          <input
            type="date"
            value={to}
            min={from || '1900-01-02'}
            max="9999-12-30"
            onChange={({ currentTarget }) => set({ to: currentTarget.value })}
          />
        </Field>
        <Select label="Accesses" value={outcome} options={outcomes} onChoose={(one) => set({ outcome: one })} />
        <button class="primary">Show</button>
      </form>
      {isUuid(asked.patientId) ? (
        <ReportOf session={session} asked={asked} round={round} />
      ) : (
        <div class="panel">
          <Notice title="Who opened this chart?">
            <p>Enter a patient’s id, or come here from an event, for a report of every access to one chart.</p>
          </Notice>
        </div>
      )}
    </>
  )
}

interface ReportProps {
  session: Session
  asked: Asked
  /** Another one when the same is asked for once more. */
  round: number
}

function ReportOf({ session, asked, round }: ReportProps) {
  /** The next rows after a cursor: so many, or fewer if there are no more. */
  async function load(signal: AbortSignal, after?: string): Promise<Page<Access>> {
    const { patientId, from, to, outcome } = asked
    const query = {
      outcome,
      limit: pageSize,
      from: from && startOfDay(`${from}T00:00`).toISOString(),
      to: to && startOfDay(`${to}T00:00`, 1).toISOString(),
    }
    const items: Access[] = []
    let cursor = after
    for (;;) {
      const page = await session.get<Page<Access>>(
        `/audit/patients/${patientId}/accesses`,
        { ...query, cursor },
        signal,
      )
      items.push(...page.items)
      if (page.nextCursor === null || items.length >= rowsAtOnce) return { items, nextCursor: page.nextCursor }
      cursor = page.nextCursor
    }
  }
  const report = useLoaded<Report>(
    async (signal) => ({ ...(await load(signal)), asked, madeAt: new Date().toISOString() }),
    [asked.patientId, asked.from, asked.to, asked.outcome, round],
  )

  if (report.state === 'loading')
    return (
      <div class="panel">
        <Loading what="the report" />
      </div>
    )
  if (report.state === 'failed')
    return (
      <div class="panel">
        <Failure error={report.error} onRetry={report.again} />
      </div>
    )
  const { value, busy } = report
  const { items, nextCursor, madeAt } = value
  const people = new Set(items.map(({ actor }) => actor.id)).size
  return (
    <section class="panel report" aria-label="Access report" aria-busy={busy}>
      <div class="report-head">
        <div>
          <h2>{titles[value.asked.outcome]}</h2>
          <p>
            Patient <code>{value.asked.patientId}</code>
            {value.asked.from && `, from ${value.asked.from}`}
            {value.asked.to && `, to ${value.asked.to}`}
          </p>
          <p class="muted">
            {plural(items.length, 'entry', 'entries')} by {plural(people, 'actor')}
            {nextCursor && ', older ones not among them'}. Made {formatMoment(madeAt)} for {session.name}.
          </p>
        </div>
        <button type="button" class="no-print" onClick={() => print()} disabled={items.length === 0}>
          Print
        </button>
      </div>
      {items.length === 0 ? (
        <Notice title="None on record">
          <p>The log has no such access to this chart in this time.</p>
        </Notice>
      ) : (
        <AccessTable items={items} />
      )}
      {nextCursor && (
        <Older
          state={report.more}
          onLoad={() =>
            report.extend(async (_, signal) => {
              const next = await load(signal, nextCursor)
              return (now) => ({ ...now, items: [...now.items, ...next.items], nextCursor: next.nextCursor })
            })
          }
        />
      )}
    </section>
  )
}

const AccessTable = ({ items }: { items: Access[] }) => (
  <table class="rows" role="table" aria-label="Accesses, newest first">
    <thead role="rowgroup">
      <tr role="row">
        {['When', 'Who', 'Right', 'What', 'Outcome', 'Address'].map((name) => (
          <th key={name} role="columnheader" class={`a-${name.toLowerCase()}`}>
            {name}
          </th>
        ))}
      </tr>
    </thead>
    <tbody role="rowgroup">
      {items.map(({ eventId, occurredAt, actor, basis, breakGlass, action, type, changed, count, outcome, ip }) => (
        <tr key={eventId} role="row" class={`is-${outcome}`}>
          <td role="cell" class="a-when">
            {formatMoment(occurredAt)}
          </td>
          <td role="cell" class="a-who" title={actor.id ?? undefined}>
            {actorName(actor)} <span class="muted">{actor.roles.join(', ')}</span>
          </td>
          <td role="cell" class="a-right">
            {breakGlass ? <span class="code is-break-glass">Break-glass</span> : basis && basisNames[basis]}
          </td>
          <td role="cell" class="a-what">
            {actionNames[action]} <span class="muted">{type}</span>
            {changed.length > 0 && <span class="changed">{changed.join(', ')}</span>}
            {count > 1 && <span class="times">×{count}</span>}
          </td>
          <td role="cell" class="a-outcome">
            <OutcomeMark outcome={outcome} />
          </td>
          <td role="cell" class="a-address">
            {ip}
          </td>
        </tr>
      ))}
    </tbody>
  </table>
)
