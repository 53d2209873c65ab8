import type { Tx } from '@caregate/common/database'

/** What nobody waits for on a connection that others need: a statement that takes longer is asked anew of less. */
const limitMs = 1000
const quickMs = 100

const isCutOff = (error: unknown): boolean =>
  (error as { driverError?: { code?: string } }).driverError?.code === '57014'

/** Reads so much of what is left as a statement may read. @returns what was read, and how much that is */
export type ReadWindow = <T>(
  tx: Tx,
  left: number,
  read: (tx: Tx, width: number) => Promise<T>,
) => Promise<{ found: T; width: number }>

/**
 * For what an index may find at once, and what may be a walk through all there is: which of them it is, is tried. First all is
 * read at once; if that takes longer than a second, narrow windows are, and wider ones while those are quick.
 * @param safe a width that can always be read
 */
export function buildWindows(safe: number): ReadWindow {
  let most = Infinity
  return async function readWindow(tx, left, read) {
    const width = Math.min(most, left)
    const began = performance.now()
    try {
      const found = width <= safe ? await read(tx, width) : await limited(tx, (own) => read(own, width))
      if (performance.now() - began < quickMs) most = Math.max(most, width * 4)
      return { found, width }
    } catch (error) {
      if (width <= safe || !isCutOff(error)) throw error
      most = safe
      return readWindow(tx, left, read)
    }
  }
}

const limited = <T>(tx: Tx, work: (own: Tx) => Promise<T>): Promise<T> =>
  tx.transaction(async (own) => {
    await own.query(`SET LOCAL statement_timeout = ${limitMs}`)
    return work(own)
  })
