import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Accesses } from './accesses.tsx'
import { Events } from './events.tsx'
import { noFilter, type Filter } from './filters.tsx'
import { Health } from './health.tsx'
import { Mark } from './mark.tsx'
import { Reviews } from './reviews.tsx'
import type { Session } from './session.ts'
import { SignIn } from './sign-in.tsx'
import './style.css'

const views = [
  ['events', 'Events'],
  ['accesses', 'Accesses'],
  ['reviews', 'Reviews'],
  ['health', 'Log health'],
] as const
type View = (typeof views)[number][0]

/** The view, and what it is opened for: `#accesses/0190…`. */
function readPlace(): [view: View, subject: string] {
  const [, name, subject] = /^#?([^/]*)\/?(.*)$/.exec(location.hash)!
  return [views.find(([view]) => view === name)?.[0] ?? 'events', subject!]
}

function useTheme(): [theme: string, next: () => void] {
  const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  const [theme, setTheme] = useState(system)
  useEffect(() => {
    document.documentElement.style.colorScheme = theme === system ? '' : theme
  }, [theme])
  return [theme, () => setTheme(theme === 'dark' ? 'light' : 'dark')]
}

function App() {
  const [session, setSession] = useState<Session>()
  const [reason, setReason] = useState<string>()
  const [email, setEmail] = useState('')
  const [filter, setFilter] = useState<Filter>(noFilter)
  const [[view, subject], setPlace] = useState(readPlace)
  const [theme, nextTheme] = useTheme()

  useEffect(() => {
    const read = (): void => setPlace(readPlace())
    addEventListener('hashchange', read)
    return () => removeEventListener('hashchange', read)
  }, [])
  // what is gone with its view takes the focus along
  useEffect(() => {
    if (document.activeElement === document.body) document.getElementById('main')?.focus()
  }, [view, session])
  const title = session ? views.find(([name]) => name === view)![1] : 'Sign in'
  useEffect(() => void (document.title = `${title} · Caregate audit console`), [title])

  if (!session) {
    const onEnd = (why?: string): void => {
      setReason(why ?? 'You have signed out.')
      setSession(undefined)
    }
    const onSession = (opened: Session): void => {
      setEmail(opened.email)
      setSession(opened)
    }
    return <SignIn reason={reason} email={email} onSession={onSession} onEnd={onEnd} />
  }
  const showEvents = (part: Partial<Filter>): void => {
    setFilter({ ...noFilter, ...part })
    location.hash = 'events'
  }
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          document.getElementById('main')?.focus()
        }}
      >
        Skip to the content
      </a>
      <header class="top">
        <Mark />
        <nav aria-label="Console">
          {views.map(([name, label]) => (
            <a key={name} href={`#${name}`} aria-current={name === view ? 'page' : undefined}>
              {label}
            </a>
          ))}
        </nav>
        <div class="who">
          <span class="who-name" title={session.email}>
            {session.name}
          </span>
          <button type="button" class="quiet" onClick={nextTheme}>
            {theme === 'dark' ? 'Light' : 'Dark'}
          </button>
          <button type="button" class="quiet" onClick={() => void session.signOut()}>
            Sign out
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1} class={`view is-${view}`}>
        <h1 class="hidden">{title}</h1>
        {view === 'events' && <Events session={session} filter={filter} onFilter={setFilter} />}
        {view === 'accesses' && <Accesses session={session} place={subject} />}
        {view === 'reviews' && <Reviews session={session} onFilter={showEvents} />}
        {view === 'health' && <Health session={session} />}
      </main>
    </>
  )
}

render(<App />, document.getElementById('app')!)
