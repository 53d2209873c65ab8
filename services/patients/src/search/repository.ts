import type { Tx } from '@caregate/common/database'
import { patientEntity } from '../database.ts'
import type { FieldKeys } from '../field-keys.ts'
import { phoneKey } from '../match/compare.ts'
import type { Patient, PatientStatus } from '../patient.ts'
import { chartColumns, isVisible, survivorOf, type ChartRow, type Viewer } from '../repository.ts'
import { isTypable, variantsOf } from './names.ts'

/** Where a chart stands among those that were found. */
interface NamePosition {
  /** Found by what was meant, after all that begin as typed. */
  meant: boolean
  word: string
  line: string
  id: string
}
type FoundByName = ChartRow & { position: NamePosition }

/** Takes a value of a statement and says its place. */
type Place = (value: unknown) => string
/** A condition on words. */
type Words = (column: string, $: Place) => string

function buildValues(): { values: unknown[]; $: Place } {
  const values: unknown[] = []
  return { values, $: (value) => `$${values.push(value)}` }
}

/** What comes right after the last word that begins so, in the order of bytes. */
const endOf = (start: string): string => `${start}\u{10ffff}`
const beginning =
  (start: string): Words =>
  (column, $) =>
    `${column} >= ${$(start)}::text AND ${column} < ${$(endOf(start))}::text`
const oneOf =
  (words: readonly string[]): Words =>
  (column, $) =>
    `${column} = ANY(${$(words)}::text[])`

/** Of several conditions the one that the fewest rows of patient_names meet, as far as the planner knows. */
async function rarest<T extends { words: Words }>(tx: Tx, conditions: readonly T[]): Promise<T> {
  let least: { condition: T; rows: number } = { condition: conditions[0]!, rows: Infinity }
  for (const condition of conditions.length > 1 ? conditions : []) {
    const { values, $ } = buildValues()
    const text = `EXPLAIN (FORMAT JSON) SELECT FROM patient_names WHERE ${condition.words('word', $)}`
    const [plan] = await tx.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }[]>(text, values)
    const rows = plan!['QUERY PLAN'][0].Plan['Plan Rows']
    if (rows < least.rows) least = { condition, rows }
  }
  return least.condition
}

/** Of the words that begin with a typed one, for which a typing mistake is looked for in others. */
const meantAtMost = 300

/** Words of which each typed one may be meant to be: those like it, and those that begin with it. */
async function findMeant(tx: Tx, typed: readonly string[]): Promise<Map<string, string[]>> {
  const variants = typed.flatMap((word) => variantsOf(word).map((variant) => ({ variant, word })))
  const rows = await tx.query<{ typed: string; word: string }[]>(
    `SELECT typed, word FROM unnest($1::text[], $2::text[]) AS t(typed, variant) JOIN name_variants USING (variant)
     UNION
     SELECT typed, v.word FROM unnest($3::text[], $4::text[]) AS t(typed, upto) CROSS JOIN LATERAL
       (SELECT word FROM name_variants WHERE variant >= typed AND variant < upto AND word = variant LIMIT ${meantAtMost}) v`,
    [variants.map(({ word }) => word), variants.map(({ variant }) => variant), typed, typed.map(endOf)],
  )
  return new Map(typed.map((word) => [word, rows.filter((row) => row.typed === word).map((row) => row.word)]))
}

/** Names that are looked through for mistyped ones: whoever searches for two of the commonest must not make all others wait. */
const examinedAtMost = 20_000

/**
 * Charts in use, or those of a status. What was merged opens to whom the chart opens that it is part of: only who sees all charts
 * is shown it in lists.
 */
function isOfStatus(status: PatientStatus | undefined, { everything }: Viewer, $: Place): string {
  if (status === 'voided') return 'p.voided'
  if (status === 'merged') return `p.merged_into IS NOT NULL AND ${everything}`
  return `NOT p.voided AND p.merged_into IS NULL${status ? ` AND p.status = ${$(status)}` : ''}`
}

const likeStart = (word: string): string => `% ${word.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
const quote = (word: string): string => word.replaceAll(/[^\p{L}\p{N}]/gu, String.raw`\$&`)
const anyOf = (words: readonly string[]): string => ` (${words.map(quote).join('|')}) `

/**
 * Charts with names that begin with all the words typed; after them those whose names are like them. In each part they are in
 * the order of the words that the rarest one typed was found by: an index is read from where the page before ended.
 */
async function findByName(
  tx: Tx,
  viewer: Viewer,
  typed: readonly string[],
  status: PatientStatus | undefined,
  after: NamePosition | undefined,
  limit: number,
): Promise<FoundByName[]> {
  const starts = typed.map(likeStart)

  async function find(
    meant: boolean,
    words: Words,
    others: ($: Place) => string,
    room: number,
  ): Promise<FoundByName[]> {
    const { values, $ } = buildValues()
    const from =
      after?.meant === meant
        ? `AND (word, line, patient_id) > (${$(after.word)}, ${$(after.line)}, ${$(after.id)})`
        : ''
    const text = `
      SELECT ${chartColumns}, n.word, n.line
      FROM (SELECT * FROM patient_names WHERE ${words('word', $)} ${from}
            ORDER BY word, line, patient_id ${meant ? `LIMIT ${examinedAtMost}` : ''}) n
      JOIN patients p ON p.id = n.patient_id
      WHERE ${others($)} AND ${isOfStatus(status, viewer, $)}
        ${viewer.everything ? '' : `AND ${isVisible($(viewer.userId))}`}
        -- once, by the first of its words
        AND n.word = coalesce((SELECT min(w COLLATE "C") FROM unnest(string_to_array(btrim(n.line), ' ')) AS w WHERE ${words('w', $)}), n.word)
      ORDER BY n.word, n.line, n.patient_id LIMIT ${room}`
    const rows = await tx.query<(ChartRow & { word: string; line: string })[]>(text, values)
    return rows.map(({ word, line, ...row }) => ({ ...row, position: { meant, word, line, id: row.id } }))
  }

  const found: FoundByName[] = []
  if (!after?.meant) {
    const { words } = await rarest(
      tx,
      typed.map((word) => ({ words: beginning(word) })),
    )
    found.push(...(await find(false, words, ($) => `n.line LIKE ALL(${$(starts)}::text[])`, limit)))
  }
  const long = typed.filter(isTypable)
  if (found.length === limit || !long.length) return found
  const meant = await findMeant(tx, long)
  if (long.some((word) => !meant.get(word)!.length)) return found
  const lead = await rarest(
    tx,
    long.map((word) => ({ word, words: oneOf(meant.get(word)!) })),
  )
  const others = typed
    .filter((word) => word !== lead.word)
    .map((word) => (meant.has(word) ? anyOf(meant.get(word)!) : ` ${quote(word)}`))
  const rest = ($: Place) => `n.line ~ ALL(${$(others)}::text[]) AND NOT n.line LIKE ALL(${$(starts)}::text[])`
  return [...found, ...(await find(true, lead.words, rest, limit - found.length))]
}

export interface PatientFilter {
  /** Folded words, each the beginning of a name or like one. */
  words?: string[]
  mrn?: string
  id?: string
  birthDate?: string
  /** Born on this day or later. */
  bornFrom?: string
  bornBefore?: string
  phone?: string
  /** Of any system, unless `system` names one. */
  identifier?: string
  system?: string
  /** Of an identifier that may be an MRN too. */
  orMrn?: true
  status?: PatientStatus
}

interface ListPosition {
  name: string
  id: string
}
/** Where nothing but names is asked for they decide about the order, and so about what a cursor says. */
export const isByName = ({ words = [], status: _status, ...more }: PatientFilter): boolean =>
  words.length > 0 && Object.values(more).every((one) => one === undefined)

/** The last one of the page before. */
export type Position = NamePosition | ListPosition

/**
 * Charts that meet every condition, as far as the viewer may read them: by name, or, where nothing but names was given, as
 * `findByName` has them. Voided ones only where `status` asks for them.
 */
export async function findPatients(
  tx: Tx,
  keys: FieldKeys,
  viewer: Viewer,
  filter: PatientFilter,
  after: Position | undefined,
  limit: number,
): Promise<(ChartRow & { position: Position })[]> {
  const { words = [], id, mrn, birthDate, bornFrom, bornBefore, phone, identifier, system, orMrn, status } = filter
  if (isByName(filter)) return findByName(tx, viewer, words, status, after as NamePosition | undefined, limit)

  const select = tx.createQueryBuilder(patientEntity, 'p')
  const meant = words.length ? await findMeant(tx, words.filter(isTypable)) : new Map<string, string[]>()
  words.forEach((word, n) => {
    const [start, end] = [`start${n}`, `end${n}`]
    select.andWhere(
      `EXISTS (SELECT FROM patient_names n WHERE n.patient_id = p.id
         AND (n.word = ANY(:meant${n}::text[]) OR (n.word >= :${start} AND n.word < :${end})))`,
      { [`meant${n}`]: meant.get(word) ?? [], [start]: word, [end]: endOf(word) },
    )
  })
  if (id !== undefined) select.andWhere('p.id = :id', { id })
  // the number of a chart that was merged is one of the chart that it is part of
  if (mrn !== undefined)
    select.andWhere(status === 'merged' ? 'p.mrn = :mrn' : `p.id = ${survivorOf('mrn = :mrn')}`, { mrn })
  if (bornFrom !== undefined) select.andWhere('p.birthDate >= :bornFrom', { bornFrom })
  if (bornBefore !== undefined) select.andWhere('p.birthDate < :bornBefore', { bornBefore })
  if (birthDate !== undefined) select.andWhere('p.birthDate = :birthDate', { birthDate })
  if (phone !== undefined)
    select.andWhere('p.id IN (SELECT patient_id FROM patient_keys WHERE key = :phone)', { phone: phoneKey(phone) })
  if (identifier !== undefined) {
    const ofSystem = system === undefined ? '' : 'AND system = :system'
    select.andWhere(
      `(p.id IN (SELECT patient_id FROM patient_identifiers WHERE index = ANY(:searches) ${ofSystem}
         UNION SELECT patient_id FROM patient_sources WHERE value = :identifier ${ofSystem})
         ${orMrn ? `OR p.id = ${survivorOf('mrn = :identifier')}` : ''})`,
      { searches: keys.searchesFor(identifier), identifier, system },
    )
  }
  select.andWhere(
    isOfStatus(status, viewer, () => ':status'),
    { status },
  )
  if (!viewer.everything) select.andWhere(isVisible(':userId'), { userId: viewer.userId })
  if (after)
    select.andWhere('(p.search_name, p.id) > (:afterName, :afterId)', {
      afterName: (after as ListPosition).name,
      afterId: after.id,
    })
  const rows = await select.orderBy('p.searchName').addOrderBy('p.id').limit(limit).getMany()
  return rows.map((row) => ({ ...row, position: { name: row.searchName, id: row.id } }))
}

/** That there is a restricted chart of that number: all that may be known of it without being close to it. */
export type Hidden = Pick<Patient, 'id' | 'mrn'> & { restricted: true; name?: never }

export async function findRestricted(tx: Tx, mrn: string): Promise<Hidden | undefined> {
  const [found] = await tx.query<Hidden[]>(
    `SELECT id, mrn, restricted FROM patients WHERE id = ${survivorOf('mrn = $1')} AND restricted AND NOT voided`,
    [mrn],
  )
  return found
}
