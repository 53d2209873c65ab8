import type { Tx } from '@caregate/common/database'
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

function rowsOf(chart: Indexed | undefined): Rows {
  const words = chart ? wordsOf(chart) : []
  return { words, line: lineOf(words), keys: chart ? keysOf(chart) : [] }
}

/**
 * Parts of a `WITH` that make a chart be found by what it is now. They do nothing where `chart`, another part, has no row.
 * @param n place of the first of `indexValues`
 */
export const indexing = (n: number): string => `
  old_names AS (DELETE FROM patient_names i USING chart WHERE i.patient_id = chart.id AND i.line = $${n} AND i.word = ANY($${n + 1}::text[])),
  old_keys AS (DELETE FROM patient_keys i USING chart WHERE i.patient_id = chart.id AND i.key = ANY($${n + 2}::text[])),
  names AS (INSERT INTO patient_names (word, line, patient_id)
    SELECT word, $${n + 3}, chart.id FROM chart, unnest($${n + 4}::text[]) AS word),
  keys AS (INSERT INTO patient_keys (key, patient_id) SELECT key, chart.id FROM chart, unnest($${n + 5}::text[]) AS key),
  -- a word that was a name once stays one, with its variants: finding out whether it still is would cost more than it does
  new_words AS (SELECT new.word FROM chart, unnest($${n + 4}::text[]) AS new(word)
    WHERE (SELECT v.word FROM name_variants v WHERE v.variant = new.word AND v.word = new.word) IS NULL),
  variants AS (INSERT INTO name_variants (variant, word) SELECT variant, word
    FROM unnest($${n + 6}::text[], $${n + 7}::text[]) AS new(variant, word) WHERE word IN (SELECT word FROM new_words)
    -- in one order for everybody: two who bring the same new words don't wait for each other in a circle
    ORDER BY variant COLLATE "C", word COLLATE "C" ON CONFLICT DO NOTHING)`

/** @param before what it was indexed by, if by anything @param after what it is to be indexed by */
export function indexValues(before: Indexed | undefined, after: Indexed | undefined): unknown[] {
  const [from, to] = [rowsOf(before), rowsOf(after)]
  const without = (some: string[], others: string[]) => some.filter((one) => !others.includes(one))
  /** The rows of the one that the other hasn't. */
  const less = (rows: Rows, others: Rows): Rows => ({
    line: rows.line,
    words: rows.line === others.line ? without(rows.words, others.words) : rows.words,
    keys: without(rows.keys, others.keys),
  })
  const [old, added] = [less(from, to), less(to, from)]
  return [...[old.line, old.words, old.keys, added.line, added.words, added.keys], ...variantValues(added.words)]
}

function variantValues(words: readonly string[]): string[][] {
  const variants = words.flatMap((word) => variantsOf(word).map((variant) => ({ variant, word })))
  return [variants.map(({ variant }) => variant), variants.map(({ word }) => word)]
}

/**
 * Makes the words of charts known beforehand, at once. A transaction that writes many charts would hold each new word until
 * its end, in no order: two of them would wait for each other in a circle, and whoever writes one chart for both.
 */
export async function learnWords(tx: Tx, charts: readonly Pick<Indexed, 'name' | 'otherNames'>[]): Promise<void> {
  await tx.query(
    `INSERT INTO name_variants (variant, word) SELECT variant, word FROM unnest($1::text[], $2::text[]) AS new(variant, word)
     WHERE NOT EXISTS (SELECT FROM name_variants v WHERE v.variant = new.word AND v.word = new.word)
     ORDER BY variant COLLATE "C", word COLLATE "C" ON CONFLICT DO NOTHING`,
    variantValues([...new Set(charts.flatMap(wordsOf))]),
  )
}

/** Makes a chart be found that wasn't. */
export async function indexChart(tx: Tx, id: string, chart: Indexed): Promise<void> {
  await tx.query(`WITH chart AS (SELECT $1::uuid AS id), ${indexing(2)} SELECT`, [id, ...indexValues(undefined, chart)])
}
