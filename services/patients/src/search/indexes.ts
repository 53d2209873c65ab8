import { queryPrepared, type Tx } from '@caregate/common/database'
import { keysOf } from '../match/compare.ts'
import type { Demographics } from '../patient.ts'
import { lineOf, variantsOf, wordsOf } from './names.ts'

/** What a chart is found by, but for identifiers, which nobody may read in an index. */
type Indexed = Omit<Demographics, 'status' | 'identifiers'>

/** Of one chart, as the tables have it. */
interface Rows {
  words: string[]
  line: string
  keys: string[]
}

function rowsOf(chart: Indexed): Rows {
  const words = wordsOf(chart)
  return { words, line: lineOf(words), keys: keysOf(chart) }
}
const noRows: Rows = { words: [], line: '', keys: [] }

/**
 * Parts of a `WITH` that insert what `valuesOf` says, for the chart whose id is `$1`.
 * @param n place of the first of the values
 */
export const indexing = (n: number): string => `
  names AS (INSERT INTO patient_names (word, line, patient_id) SELECT word, $${n}, $1 FROM unnest($${n + 1}::text[]) AS word),
  keys AS (INSERT INTO patient_keys (key, patient_id) SELECT key, $1 FROM unnest($${n + 2}::text[]) AS key),
  -- a word that was a name once stays one, with its variants: finding out whether it still is would cost more than it does
  variants AS (INSERT INTO name_variants (variant, word)
    SELECT variant, word FROM unnest($${n + 3}::text[], $${n + 4}::text[]) AS new(variant, word)
    WHERE NOT EXISTS (SELECT FROM name_variants v WHERE v.variant = new.word AND v.word = new.word) ON CONFLICT DO NOTHING)`

function valuesOf({ words, line, keys }: Rows): [string, ...string[][]] {
  const variants = words
    .flatMap((word) => variantsOf(word).map((variant) => ({ variant, word })))
    // in one order for everybody: two who bring the same new words don't wait for each other in a circle
    .sort((a, b) => (`${a.variant} ${a.word}` < `${b.variant} ${b.word}` ? -1 : 1))
  return [line, words, keys, variants.map(({ variant }) => variant), variants.map(({ word }) => word)]
}

/** Of a new chart, for `indexing`: it is found by its names, and by what it shares with another of the same person. */
export const indexValues = (chart: Indexed): [string, ...string[][]] => valuesOf(rowsOf(chart))

const exchange = {
  name: 'index a chart',
  text: `
    WITH old_names AS (DELETE FROM patient_names WHERE patient_id = $1 AND line = $2 AND word = ANY($3::text[])),
      old_keys AS (DELETE FROM patient_keys WHERE patient_id = $1 AND key = ANY($4::text[])),
      ${indexing(5)}
    SELECT`,
}

/** Makes a chart be found by what it is now. @param before what it was indexed by, if it was */
export async function indexChart(tx: Tx, id: string, before: Indexed | undefined, after: Indexed): Promise<void> {
  const [from, to] = [before ? rowsOf(before) : noRows, rowsOf(after)]
  const without = (some: string[], others: string[]) => some.filter((one) => !others.includes(one))
  /** The rows of the one that the other hasn't. */
  const less = (rows: Rows, others: Rows): Rows => ({
    line: rows.line,
    words: rows.line === others.line ? without(rows.words, others.words) : rows.words,
    keys: without(rows.keys, others.keys),
  })
  const [old, added] = [less(from, to), less(to, from)]
  if (![old, added].some(({ words, keys }) => words.length + keys.length)) return
  await queryPrepared(tx, exchange, [id, old.line, old.words, old.keys, ...valuesOf(added)])
}
