import { readFileSync } from 'node:fs'

/**
 * What a URL says now: one that came from a file is read again. Only user, password, host and path may be others by then: how
 * it is asked was settled at the start.
 */
export function currentUrl(given: string, file: string | undefined): () => string {
  const { protocol, search } = new URL(given)
  let last = given
  return () => {
    try {
      const text = file ? readFileSync(file, 'utf8').trim() : last
      const now = new URL(text)
      if (now.protocol === protocol && now.search === search) last = text
    } catch {
      // being written, or gone: the one that was good is the best there is
    }
    return last
  }
}
