import { useEffect, useState } from 'preact/hooks'
import type { Access, Page } from './api.ts'
import { actionNames, actorName, basisNames, formatMoment, isUuid, plural } from './format.ts'
import { useLoaded } from './load.ts'
import { Failure, Field, Loading, Notice, OutcomeMark, Select } from './parts.tsx'
import type { Session } from './session.ts'

const outcomes = [
  ['success', 'Opened'],
  ['denied', 'Denied'],
  ['failure', 'Failed'],
] as const
type Outcome = (typeof outcomes)[number][0]
/** More than this is loaded when it is asked for. */
const firstRows = 1000
const pageSize = 200
interface Report extends Page<Access> {
  madeAt: Date
}

interface AccessesProps {
  session: Session
  /** Empty until one is asked for. */
  patientId: string
}

/** Who opened a chart, when, and by what right. */
export function Accesses({ session, patientId }: AccessesProps) {
  const [typed, setTyped] = useState(patientId)
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [outcome, setOutcome] = useState<Outcome>('success')
  const wrong = typed !== '' && !isUuid(typed)

  return (
    <>
      <form
        class="panel filters no-print"
        aria-label="Report"
        onSubmit={(event) => {
          event.preventDefault()
          if (isUuid(typed)) location.hash = `accesses/${typed.toLowerCase()}`
        }}
      >
        <Field label="Patient" wide>
          <input
            value={typed}
            required
            placeholder="Id"
            spellcheck={false}
            autocomplete="off"
            aria-invalid={wrong}
            aria-describedby={wrong ? 'wrong-id' : undefined}
            onInput={({ currentTarget }) => setTyped(currentTarget.value.trim())}
          />
          {wrong && (
            <span id="wrong-id" class="field-problem">
              A patient’s id is a UUID
            </span>
          )}
        </Field>
        <Field label="From">
          <input type="date" value={from} onChange={({ currentTarget }) => setFrom(currentTarget.value)} />
        </Field>
        <Field label="To and with">
          <input type="date" value={to} onChange={({ currentTarget }) => setTo(currentTarget.value)} />
        </Field>
        <Select label="Accesses" value={outcome} options={outcomes} onChoose={setOutcome} />
        <button class="primary">Show</button>
      </form>
      {isUuid(patientId) ? (
        <ReportOf session={session} patientId={patientId} from={from} to={to} outcome={outcome} />
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

interface ReportProps extends AccessesProps {
  /** Dates. */
  from: string
  to: string
  outcome: Outcome
}

function ReportOf({ session, patientId, from, to, outcome }: ReportProps) {
  const after = to && new Date(Date.parse(`${to}T00:00`) + 86_400_000)
  const query = {
    outcome,
    limit: pageSize,
    from: from && new Date(`${from}T00:00`).toISOString(),
    to: after && after.toISOString(),
  }
  const path = `/audit/patients/${patientId}/accesses`
  async function load(signal?: AbortSignal, before?: Report): Promise<Report> {
    const items = [...(before?.items ?? [])]
    const enough = items.length + firstRows
    let cursor = before?.nextCursor ?? undefined
    for (;;) {
      const page = await session.get<Page<Access>>(path, { ...query, cursor }, signal)
      items.push(...page.items)
      if (page.nextCursor === null || items.length >= enough)
        return { items, nextCursor: page.nextCursor, madeAt: new Date() }
      cursor = page.nextCursor
    }
  }
  const report = useLoaded(load, [patientId, from, to, outcome])
  const [more, setMore] = useState<unknown>()
  useEffect(() => setMore(undefined), [report.state])

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
  const { items, nextCursor, madeAt } = report.value
  const people = new Set(items.map(({ actor }) => actor.id)).size
  return (
    <section class="panel report" aria-label="Access report">
      <div class="report-head">
        <div>
          <h2>Access report</h2>
          <p>
            Patient <code>{patientId}</code>
            {from && `, from ${from}`}
            {to && `, to ${to}`}
          </p>
          <p class="muted">
            {plural(items.length, 'entry', 'entries')} by {plural(people, 'actor')}
            {nextCursor && ', older ones not among them'}. Made {formatMoment(madeAt.toISOString())} for {session.name}.
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
        <div class="list-foot no-print">
          {more !== undefined && <Failure error={more} />}
          <button type="button" onClick={() => void load(undefined, report.value).then(report.put, setMore)}>
            Load older
          </button>
        </div>
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
            {breakGlass ? <span class="code">Break-glass</span> : basis && basisNames[basis]}
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
