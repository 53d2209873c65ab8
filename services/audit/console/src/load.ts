import { useEffect, useRef, useState } from 'preact/hooks'

type Loaded<T> =
  { state: 'loading' } | { state: 'failed'; error: unknown } | { state: 'there'; value: T; busy: boolean }
/** How it gets on with what comes after that which is there. */
export type More = 'idle' | 'loading' | { error: unknown }

/**
 * What `load` answers, anew when `inputs` change or `again` is called; meanwhile what was there stays, and is `busy`. Answers
 * to what was asked before that are dropped.
 */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, inputs: readonly unknown[]) {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: 'loading' })
  const [more, setMore] = useState<More>('idle')
  const [round, setRound] = useState(0)
  const current = useRef(new AbortController())

  /** Changes what is there, whatever that is by now. */
  function change(to: (value: T) => T): void {
    setLoaded((before) => (before.state === 'there' ? { ...before, value: to(before.value) } : before))
  }

  /** @param next asks for what comes after `value`, and says how to add it */
  function extend(next: (value: T, signal: AbortSignal) => Promise<(value: T) => T>): void {
    if (loaded.state !== 'there' || more === 'loading') return
    const { signal } = current.current
    setMore('loading')
    next(loaded.value, signal).then(
      (to) => {
        if (signal.aborted) return
        change(to)
        setMore('idle')
      },
      (error: unknown) => signal.aborted || setMore({ error }),
    )
  }

  useEffect(() => {
    const leaving = new AbortController()
    const { signal } = leaving
    current.current = leaving
    setMore('idle')
    setLoaded((before) => (before.state === 'there' ? { ...before, busy: true } : { state: 'loading' }))
    load(signal).then(
      (value) => signal.aborted || setLoaded({ state: 'there', value, busy: false }),
      (error: unknown) => signal.aborted || setLoaded({ state: 'failed', error }),
    )
    return () => leaving.abort()
  }, [...inputs, round])

  return { ...loaded, more, again: () => setRound((before) => before + 1), change, extend }
}
