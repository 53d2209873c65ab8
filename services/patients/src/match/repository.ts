import { queryPrepared, type Tx } from '@caregate/common/database'
import { AppError } from '@caregate/common/errors'
import type { AuditEvent } from '@caregate/common/events'
import type { StoredDemographics } from '../database.ts'
import type { FieldKeys } from '../field-keys.ts'
import { governmentSystems, type Demographics } from '../patient.ts'
import {
  checkSources,
  createPatient,
  isVisible,
  type ChartRow,
  type Editor,
  type Turn,
  type Viewer,
} from '../repository.ts'
import { compare, keysOf, traitsOf, type Grade, type Reason } from './compare.ts'

/** A chart that may be one person's with another. */
export interface Candidate {
  id: string
  score: number
  grade: Grade
  reasons: Reason[]
}

/** Of a key that more charts have than this, the newest of them are compared. */
const perKey = 100
/** Of all that share a key, those that share most are. */
const comparedAtMost = 200
const shownAtMost = 20

/** Charts that share a key with one, and the turn of creating another with its first key: as they are at one moment. */
const sharing = {
  name: 'find charts that share a key',
  text: `
    SELECT coalesce((SELECT turn FROM creation_turns WHERE key = ($1::text[])[1]), 0) AS turn, found.*
    FROM (SELECT) AS always LEFT JOIN (
      SELECT p.id, p.demographics FROM (
        SELECT patient_id FROM (
          SELECT k.patient_id FROM unnest($1::text[]) AS one(key) CROSS JOIN LATERAL
            (SELECT patient_id FROM patient_keys WHERE key = one.key ORDER BY patient_id DESC LIMIT ${perKey}) k
          UNION ALL
          SELECT i.patient_id FROM unnest($2::bytea[]) AS one(index) CROSS JOIN LATERAL
            (SELECT patient_id FROM patient_identifiers WHERE index = one.index LIMIT ${perKey}) i
        ) AS each GROUP BY patient_id ORDER BY count(*) DESC, patient_id DESC LIMIT ${comparedAtMost}
      ) AS most JOIN patients p ON p.id = most.patient_id
      WHERE NOT p.voided AND p.merged_into IS NULL AND p.id IS DISTINCT FROM $3 AND ($4 OR ${isVisible('$5')})
    ) AS found ON true`,
}

/**
 * Charts that may be one person's with `chart`, as far as the viewer sees them; the likeliest first.
 * @param inFull whether they may know of identifiers that a government gave: these count, but are no reason that is shown
 * @param own the id of `chart`, if it has one
 */
export async function findCandidates(
  tx: Tx,
  keys: FieldKeys,
  viewer: Viewer,
  inFull: boolean,
  chart: Omit<Demographics, 'status'>,
  own?: string,
): Promise<{ candidates: Candidate[]; turn: Turn }> {
  const [ours, shared] = [traitsOf(chart), keysOf(chart)]
  const indexes = chart.identifiers.flatMap(({ system, value }) => keys.searchesFor(value, system))
  type Row = { turn: number } & ({ id: null } | { id: string; demographics: StoredDemographics })
  const values = [shared, indexes, own ?? null, viewer.everything, viewer.userId]
  const rows = await queryPrepared<Row>(tx, sharing, values)
  const candidates = rows
    .flatMap((row) => {
      if (row.id === null) return []
      const { id, demographics } = row
      const theirs = traitsOf({ ...demographics, identifiers: keys.open(id, demographics.identifiers) })
      const { score, grade, reasons } = compare(ours, theirs)
      return grade ? [{ id, score, grade, reasons }] : []
    })
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, shownAtMost)
    .map(({ score, reasons, ...candidate }) => ({
      ...candidate,
      // the last bits would tell what the reasons don't
      score: Math.round(score * 100) / 100,
      reasons: reasons.filter(({ field }) => inFull || !governmentSystems.includes(field)),
    }))
  return { candidates, turn: { key: shared[0]!, turn: rows[0]!.turn } }
}

/**
 * Creates a chart unless there is one that is almost certainly the same person's, also one that is created at the same moment
 * with the same date of birth.
 * @throws {AppError} 409 `possible_duplicate`, with those that `by` may read: for others a chart is created all the same
 */
export async function createUnlessKnown(
  tx: Tx,
  keys: FieldKeys,
  inFull: boolean,
  id: string,
  demographics: Demographics,
  restricted: boolean,
  by: Editor,
  event: AuditEvent,
): Promise<ChartRow> {
  for (;;) {
    const { candidates, turn } = await findCandidates(tx, keys, by, inFull, demographics)
    const same = candidates.filter(({ grade }) => grade === 'certain')
    if (same.length) {
      // that a source knows it says more
      await checkSources(tx, id, demographics.identifiers, by)
      throw new AppError('possible_duplicate', undefined, {
        candidates: same,
        patientIds: same.map((one) => one.id),
      })
    }
    const row = await createPatient(tx, keys, id, demographics, restricted, by, event, turn)
    // whose turn it was has created another: it may be the same
    if (row) return row
  }
}
