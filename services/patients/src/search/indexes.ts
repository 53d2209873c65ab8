import { isDeepStrictEqual } from 'node:util'
import { queryPrepared, type Tx } from '@caregate/common/database'
import { keysOf } from '../match/compare.ts'
import type { Demographics } from '../patient.ts'
import { lineOf, variantsOf, wordsOf } from './names.ts'

/** What a chart is found by, but for identifiers, which nobody may read in an index. */
type Indexed = Omit<Demographics, 'status' | 'identifiers'>

const insertAll = {
  name: 'index a chart',
  // a word that was a name once stays one: finding out whether it still is would cost more than it does
  text: `
    WITH names AS (INSERT INTO patient_names (word, line, patient_id) SELECT word, $2, $1 FROM unnest($3::text[]) AS word),
      keys AS (INSERT INTO patient_keys (key, patient_id) SELECT key, $1 FROM unnest($4::text[]) AS key)
    INSERT INTO name_variants (variant, word) SELECT * FROM unnest($5::text[], $6::text[]) ON CONFLICT DO NOTHING`,
}

/** Makes a new chart be found by its names, and by what it shares with another of the same person. */
export async function indexChart(tx: Tx, patientId: string, chart: Indexed): Promise<void> {
  const words = wordsOf(chart)
  const variants = words
    .flatMap((word) => variantsOf(word).map((variant) => ({ variant, word })))
    // in one order for everybody: two who bring the same new words don't wait for each other in a circle
    .sort((a, b) => (`${a.variant} ${a.word}` < `${b.variant} ${b.word}` ? -1 : 1))
  const columns = [variants.map(({ variant }) => variant), variants.map(({ word }) => word)]
  await queryPrepared(tx, insertAll, [patientId, lineOf(words), words, keysOf(chart), ...columns])
}

/** The same of a chart that has changed. */
export async function reindexChart(tx: Tx, patientId: string, before: Indexed, after: Indexed): Promise<void> {
  const indexed = (chart: Indexed) => [wordsOf(chart), keysOf(chart)]
  if (isDeepStrictEqual(indexed(before), indexed(after))) return
  await tx.query(
    'WITH names AS (DELETE FROM patient_names WHERE patient_id = $1) DELETE FROM patient_keys WHERE patient_id = $1',
    [patientId],
  )
  await indexChart(tx, patientId, after)
}
