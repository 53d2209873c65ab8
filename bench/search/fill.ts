import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { ROOT } from '../../platform/state.ts'
import type { FieldKeys } from '../../services/patients/src/field-keys.ts'
import { keysOf } from '../../services/patients/src/match/compare.ts'
import { searchName } from '../../services/patients/src/patient.ts'
import { lineOf, variantsOf, wordsOf } from '../../services/patients/src/search/names.ts'
import { makePerson, type Person } from './people.ts'

export interface Connection {
  connect(): Promise<void>
  query<Row>(text: string, values?: unknown[]): Promise<{ rows: Row[] }>
  query(copy: Writable): Writable
  end(): Promise<void>
}
const from = (workspace: string) => createRequire(join(ROOT, workspace, 'package.json'))
const { Client } = from('libs/common')('pg') as { Client: new (url: string) => Connection }
const copyStreams = from('services/audit')('pg-copy-streams') as { from(text: string): Writable }

const tables = {
  patients:
    '(id, mrn, version, status, voided, restricted, demographics, search_name, birth_date, created_at, updated_at)',
  patient_names: '(word, line, patient_id)',
  patient_keys: '(key, patient_id)',
  patient_identifiers: '(patient_id, system, index, key)',
  name_variants: '(variant, word)',
}
type Table = keyof typeof tables
const batch = 5000

const line = (values: readonly string[]): string =>
  `${values.map((value) => value.replaceAll('\\', '\\\\')).join('\t')}\n`

/** What the service writes of a chart, table by table. @param known words that are names already */
function rowsOf({ id, mrn, demographics }: Person, keys: FieldKeys, known: Set<string>): [Table, string[]][] {
  const now = new Date().toISOString()
  const words = wordsOf(demographics)
  const stored = { ...demographics, identifiers: keys.seal(id, demographics.identifiers) }
  const chart = [id, mrn, '1', 'active', 'f', 'f', JSON.stringify(stored), searchName(demographics.name)]
  const fresh = words.filter((word) => !known.has(word) && known.add(word))
  return [
    ['patients', [line([...chart, demographics.birthDate, now, now])]],
    ['patient_names', words.map((word) => line([word, lineOf(words), id]))],
    ['patient_keys', keysOf(demographics).map((key) => line([key, id]))],
    [
      'patient_identifiers',
      keys
        .indexesOf(demographics.identifiers)
        .map(({ system, index, key }) => line([id, system, `\\x${index.toString('hex')}`, key])),
    ],
    ['name_variants', fresh.flatMap((word) => variantsOf(word).map((variant) => line([variant, word])))],
  ]
}

/** Fills the tables of charts by COPY, as a superuser: the trigger that keeps versions is left out, since no search reads them. */
export async function openFill(url: string, keys: FieldKeys) {
  const client = new Client(url)
  await client.connect()
  await client.query('SET session_replication_role = replica')
  const known = new Set<string>()
  let filled = 0

  async function copy(table: Table, rows: string): Promise<void> {
    const stream = client.query(copyStreams.from(`COPY ${table} ${tables[table]} FROM STDIN`))
    stream.end(rows)
    await once(stream, 'finish')
  }

  return {
    client,
    /** Up to so many. @param each is told of every person */
    async upTo(count: number, each: (person: Person) => void): Promise<void> {
      while (filled < count) {
        const texts = new Map<Table, string[]>((Object.keys(tables) as Table[]).map((table) => [table, []]))
        for (const end = Math.min(filled + batch, count); filled < end; filled++) {
          const person = makePerson(filled)
          each(person)
          for (const [table, rows] of rowsOf(person, keys, known)) texts.get(table)!.push(...rows)
        }
        for (const [table, rows] of texts) await copy(table, rows.join(''))
      }
      // as autovacuum does it by itself after a while
      await client.query('VACUUM (ANALYZE) patients, patient_names, patient_keys, patient_identifiers, name_variants')
    },
    close: () => client.end(),
  }
}
