import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import type { LogStatus } from './api.ts'
import { formatCount, formatMoment, formatSeconds, formatTime } from './format.ts'
import { useLoaded } from './load.ts'
import { Failure, Loading } from './parts.tsx'
import type { Session } from './session.ts'

const everyMs = 15_000
type Tone = 'good' | 'warn' | 'bad' | 'plain'

export function Health({ session }: { session: Session }) {
  const status = useLoaded((signal) => session.get<LogStatus>('/audit/status', {}, signal), [])
  useEffect(() => {
    const timer = setInterval(() => document.hidden || status.again(), everyMs)
    return () => clearInterval(timer)
  }, [])
  if (status.state === 'loading')
    return (
      <div class="panel">
        <Loading what="the state of the log" />
      </div>
    )
  if (status.state === 'failed')
    return (
      <div class="panel">
        <Failure error={status.error} onRetry={status.again} />
      </div>
    )
  return <Cards status={status.value} />
}

function Cards({ status }: { status: LogStatus }) {
  const { size, storedAt, perMinute, ingestLagMs, queued, deadLetters, outbox, checkpoint, witness } = status
  const { verification, partitionsUntil } = status
  const behind = typeof witness?.size === 'number' && checkpoint.size !== null ? checkpoint.size - witness.size : null
  return (
    <>
      <Verification verification={verification} />
      <div class="cards">
        <Card name="Events" value={formatted(size)}>
          {perMinute !== null && `${formatted(perMinute)} a minute; `}
          {storedAt && `the last one at ${formatTime(storedAt)}`}
        </Card>
        <Card
          name="Lag"
          value={
            ingestLagMs === null
              ? '–'
              : ingestLagMs < 1000
                ? `${Math.round(ingestLagMs)} ms`
                : formatSeconds(ingestLagMs / 1000)
          }
          tone={tone(ingestLagMs, 2000, 60_000)}
        >
          From occurring to being stored
        </Card>
        <Card name="Queued" value={formatted(queued)} tone={tone(queued, 1000, 100_000)}>
          Published, not yet stored
        </Card>
        <Card name="Dead letters" value={formatted(deadLetters)} tone={tone(deadLetters, 1, 1)}>
          {deadLetters ? 'Somebody must look at them' : 'Refused by the log'}
        </Card>
        <Card name="Outbox" value={formatted(outbox.rows)} tone={tone(outbox.oldestSeconds, 60, 600)}>
          {outbox.oldestSeconds
            ? `The oldest waits for ${formatSeconds(outbox.oldestSeconds)}`
            : 'Own events, not yet published'}
        </Card>
        <Card name="Checkpoint" value={formatted(checkpoint.size)}>
          {checkpoint.storedAt && `Signed ${formatMoment(checkpoint.storedAt)}`}
        </Card>
        <Card name="Witness" value={witness ? formatted(witness.size) : 'None'} tone={tone(behind, 10_000, 1_000_000)}>
          {witness ? `${formatted(behind)} behind the checkpoint` : 'Nobody else has signed the log'}
        </Card>
        <Card name="Partitions" value={partitionsUntil ? partitionsUntil.slice(0, 10) : '–'}>
          Room for events is made until then
        </Card>
      </div>
    </>
  )
}

const formatted = (number: number | null): string => (number === null ? '–' : formatCount(Math.round(number)))
const tone = (number: number | null, warn: number, bad: number): Tone =>
  number === null ? 'plain' : number >= bad ? 'bad' : number >= warn ? 'warn' : 'good'

const verified = {
  verifying: ['plain', 'The log is being verified'],
  verified: ['good', 'The log is verified'],
  failed: ['bad', 'The log could not be verified'],
} as const

function Verification({ verification }: { verification: LogStatus['verification'] }) {
  const { state, size, completedAt, problems } = verification
  const [how, title] = verified[state]
  return (
    <section class={`panel verification is-${how}`} aria-label="Verification">
      <h2>{title}</h2>
      <p>
        {size !== null && `${formatCount(size)} events hashed again and compared with the checkpoints`}
        {completedAt && `, last completed ${formatMoment(completedAt)}`}.
      </p>
      {problems.length > 0 && (
        <ul>
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
    </section>
  )
}

interface CardProps {
  name: string
  value: string
  tone?: Tone
  children: ComponentChildren
}
const toneNames = { good: '', plain: '', warn: 'High', bad: 'Too high' } as const
const Card = ({ name, value, tone: how = 'plain', children }: CardProps) => (
  <section class={`panel card is-${how}`} aria-label={name}>
    <h2>{name}</h2>
    <p class="wrap card-value">
      {value}
      {toneNames[how] && <span class="tag">{toneNames[how]}</span>}
    </p>
    <p class="muted">{children}</p>
  </section>
)
