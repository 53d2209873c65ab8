import { useEffect, useState } from 'preact/hooks'

type Loaded<T> = { state: 'loading' } | { state: 'failed'; error: unknown } | { state: 'there'; value: T }

/** What `load` answers, anew when `inputs` change or `again` is called; meanwhile what was there stays. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, inputs: readonly unknown[]) {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: 'loading' })
  const [round, setRound] = useState(0)
  useEffect(() => {
    const leaving = new AbortController()
    load(leaving.signal).then(
      (value) => leaving.signal.aborted || setLoaded({ state: 'there', value }),
      (error: unknown) => leaving.signal.aborted || setLoaded({ state: 'failed', error }),
    )
    return () => leaving.abort()
  }, [...inputs, round])
  return {
    ...loaded,
    again: () => setRound((before) => before + 1),
    put: (value: T) => setLoaded({ state: 'there', value }),
  }
}
