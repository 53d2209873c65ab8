import { useState } from 'preact/hooks'
import type { Grant } from './api.ts'
import { formatMoment, shortId } from './format.ts'
import { sentenceOf } from './parts.tsx'
import { ApiError, type Session } from './session.ts'

interface ReasonProps {
  session: Session
  label: string
  findGrantId(): Promise<string | undefined>
}

/** Why somebody broke the glass. No event has it, and who asks for it is on record: so it is read when somebody wants it. */
export function Reason({ session, label, findGrantId }: ReasonProps) {
  const [grant, setGrant] = useState<Grant>()
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const done = busy || grant !== undefined

  async function read(): Promise<void> {
    if (done) return
    setBusy(true)
    setProblem(undefined)
    try {
      const grantId = await findGrantId()
      if (grantId) setGrant(await session.get<Grant>(`/patients/break-glass/${grantId}`))
      else setProblem('Reason not available')
    } catch (error) {
      const unknown = error instanceof ApiError && error.status === 404
      setProblem(unknown ? 'Reason not available' : sentenceOf(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <div class="reason">
      <button type="button" aria-disabled={done} onClick={() => void read()}>
        {label}
      </button>
      <div role="status">
        {problem}
        {grant && (
          <>
            <blockquote>{grant.reason}</blockquote>
            <p class="muted">
              Chart{' '}
              <a href={`#accesses/${grant.patientId}`} title={grant.patientId}>
                <code>{shortId(grant.patientId)}</code>
              </a>
              , from {formatMoment(grant.createdAt)} until {formatMoment(grant.expiresAt)}
            </p>
          </>
        )}
      </div>
    </div>
  )
}
