import { requestContext } from './request-context.ts'

export interface Worker {
  /** There is something to do. */
  wake(): void
  /** Finishes what there is to do; under load, where there is always more, what is done within five seconds. */
  close(): Promise<void>
}

const finishMs = 5000

/**
 * Works when it is woken, and every so often in case nobody did; never twice at once.
 * @param step does one piece; @returns whether there may be another
 * @param failed is told what a step threw; the next wake or turn tries again
 */
export function openWorker(everyMs: number, step: () => Promise<boolean>, failed: (error: unknown) => void): Worker {
  let working: Promise<void> | undefined
  let again = false
  let closed = false

  async function work(): Promise<void> {
    do {
      again = false
      try {
        while (!closed && (await step()));
      } catch (error) {
        failed(error)
      }
    } while (again && !closed)
  }
  function wake(): void {
    again = true
    // it works for all, not for the request that happened to wake it
    working ??= requestContext.exit(work).finally(() => (working = undefined))
  }
  const timer = setInterval(wake, everyMs)
  return {
    wake,
    async close() {
      clearInterval(timer)
      const late = setTimeout(() => (closed = true), finishMs)
      await working
      clearTimeout(late)
      closed = true
    },
  }
}
