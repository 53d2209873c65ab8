import { useEffect, useRef, useState } from 'preact/hooks'
import { Mark } from './mark.tsx'
import { Field, sentenceOf } from './parts.tsx'
import { ApiError, signIn, type Session } from './session.ts'

interface SignInProps {
  /** Why somebody who was signed in is here. */
  reason: string | undefined
  email: string
  onSession(session: Session): void
  onEnd(reason?: string): void
}

export function SignIn({ reason, email: known, onSession, onEnd }: SignInProps) {
  const [email, setEmail] = useState(known)
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [asksCode, setAsksCode] = useState(false)
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const first = useRef<HTMLInputElement>(null)
  const passwordInput = useRef<HTMLInputElement>(null)
  const codeInput = useRef<HTMLInputElement>(null)
  useEffect(() => (asksCode ? codeInput : known ? passwordInput : first).current?.focus(), [asksCode])

  async function submit(event: Event): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setProblem(undefined)
    try {
      onSession(await signIn({ email, password, ...(asksCode ? { totp: code.replaceAll(' ', '') } : {}) }, onEnd))
    } catch (error) {
      setBusy(false)
      if (error instanceof ApiError && error.code === 'totp_required') return setAsksCode(true)
      setCode('')
      setProblem(sentenceOf(error))
    }
  }

  return (
    <main class="sign-in" id="main">
      <form class="panel" onSubmit={(event) => void submit(event)}>
        <Mark />
        <h1>Audit console</h1>
        <p class="muted">
          {asksCode ? 'Your account has a second factor.' : 'Every access to a chart, as it happens. For auditors.'}
        </p>
        {reason && !problem && (
          <p class="banner" role="status">
            {reason}
          </p>
        )}
        {problem && (
          <p class="banner is-failure" role="alert">
            {problem}
          </p>
        )}
        {asksCode ? (
          <Field label="Code of your authenticator, or a recovery code">
            <input
              ref={codeInput}
              name="totp"
              autocomplete="one-time-code"
              required
              value={code}
              onInput={({ currentTarget }) => setCode(currentTarget.value)}
            />
          </Field>
        ) : (
          <>
            <Field label="E-mail">
              <input
                ref={first}
                type="email"
                name="email"
                autocomplete="username"
                required
                value={email}
                onInput={({ currentTarget }) => setEmail(currentTarget.value)}
              />
            </Field>
            <Field label="Password">
              <input
                ref={passwordInput}
                type="password"
                name="password"
                autocomplete="current-password"
                required
                value={password}
                onInput={({ currentTarget }) => setPassword(currentTarget.value)}
              />
            </Field>
          </>
        )}
        <button class="primary" disabled={busy}>
          {busy ? 'Signing in' : 'Sign in'}
        </button>
        {asksCode && (
          <button type="button" class="quiet" onClick={() => setAsksCode(false)}>
            Back
          </button>
        )}
      </form>
    </main>
  )
}
