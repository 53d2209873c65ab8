import type { DataSource } from 'typeorm'
import type { Tx } from '@caregate/common/database'
import type { StoredDemographics } from './database.ts'
import type { FieldKeys } from './field-keys.ts'
import { indexIdentifiers } from './repository.ts'

/** Of rows in a transaction: who edits one of them waits for no longer than that takes. */
const batchSize = 100

interface Kept {
  id: string
  version: number
  demographics: StoredDemographics
}
interface KeptChart extends Kept {
  /** Of which keys its indexes are. */
  indexKeys: string[]
  /** What was merged has none. */
  merged: boolean
}

/**
 * @param find the rows after one, in order
 * @param renew brings one up to date; whether it had to
 */
async function rotateAll<Row extends Kept>(
  owner: DataSource,
  find: (tx: Tx, after: Pick<Kept, 'id' | 'version'>) => Promise<Row[]>,
  renew: (tx: Tx, row: Row) => Promise<boolean>,
): Promise<string> {
  let [total, renewed] = [0, 0]
  for (let after: Pick<Kept, 'id' | 'version'> = { id: '00000000-0000-0000-0000-000000000000', version: 0 }; ;) {
    const rows = await owner.transaction(async (tx) => {
      const batch = await find(tx, after)
      for (const row of batch) if (await renew(tx, row)) renewed++
      return batch
    })
    total += rows.length
    if (rows.length < batchSize) return `${renewed} of ${total} renewed`
    after = rows.at(-1)!
  }
}

/**
 * Seals and indexes under the current key what isn't yet, also what was never sealed. Serving goes on meanwhile, and
 * one that was interrupted is begun again. No versions are made: none of it is a change to a chart.
 */
export async function* rotate(owner: DataSource, keys: FieldKeys): AsyncGenerator<string> {
  const charts = await rotateAll<KeptChart>(
    owner,
    (tx, after) =>
      tx.query(
        `SELECT p.id, p.version, p.demographics, p.merged_into IS NOT NULL AS merged,
           ARRAY(SELECT i.key FROM patient_identifiers i WHERE i.patient_id = p.id) AS "indexKeys"
         FROM patients p WHERE p.id > $1 ORDER BY p.id LIMIT $2 FOR UPDATE OF p`,
        [after.id, batchSize],
      ),
    async (tx, { id, demographics, indexKeys, merged }) => {
      const identifiers = merged ? [] : keys.open(id, demographics.identifiers)
      const sealed = keys.renew(id, demographics.identifiers)
      const isIndexed =
        indexKeys.every((key) => key === keys.ids[0]) && indexKeys.length === keys.indexesOf(identifiers).length
      if (!sealed && isIndexed) return false
      if (sealed)
        await tx.query('UPDATE patients SET demographics = $2 WHERE id = $1', [
          id,
          { ...demographics, identifiers: sealed },
        ])
      await indexIdentifiers(tx, keys, id, identifiers)
      return true
    },
  )
  yield `charts: ${charts}`
  const versions = await rotateAll<Kept>(
    owner,
    (tx, after) =>
      tx.query(
        `SELECT v.patient_id AS id, v.version, v.demographics FROM patient_versions v
         WHERE (v.patient_id, v.version) > ($1, $2) ORDER BY v.patient_id, v.version LIMIT $3`,
        [after.id, after.version, batchSize],
      ),
    async (tx, { id, version, demographics }) => {
      const sealed = keys.renew(id, demographics.identifiers)
      if (sealed)
        await tx.query('UPDATE patient_versions SET demographics = $3 WHERE patient_id = $1 AND version = $2', [
          id,
          version,
          { ...demographics, identifiers: sealed },
        ])
      return sealed !== undefined
    },
  )
  yield `versions: ${versions}`
}
