/** What a service's database holds: each column by a hash, and all that isn't data by what it says. */
import type { Query } from '../access/charts.ts'

interface Table {
  rows: number
  /** Of the values, row by row in the order of the primary key. */
  columns: Map<string, string>
}
export interface Snapshot {
  tables: Map<string, Table>
  /** Types and defaults of columns, constraints, indexes, triggers, functions and rights. */
  structure: Set<string>
}

const quoted = (name: string): string => `"${name}"`
const own = `n.nspname = 'public' AND c.relname <> 'migrations'`

export async function takeSnapshot(query: Query): Promise<Snapshot> {
  const found = await query<{ table: string; columns: string[]; key: string[] }>(
    `SELECT c.relname AS table, array_agg(a.attname::text ORDER BY a.attname) AS columns,
       coalesce(array_agg(a.attname::text) FILTER (WHERE a.attnum = ANY(i.indkey)), '{}') AS key
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
     WHERE ${own} AND c.relkind IN ('r', 'p') AND NOT c.relispartition GROUP BY 1 ORDER BY 1`,
  )
  const tables = new Map<string, Table>()
  for (const { table, columns, key } of found) {
    const order = (key.length ? key : columns).map((column) => `${quoted(column)}::text`).join(', ')
    const hashes = columns.map(
      (column) => `md5(coalesce(string_agg(quote_nullable(${quoted(column)}::text), ',' ORDER BY ${order}), ''))`,
    )
    const [row] = await query<{ rows: number; hashes: string[] }>(
      `SELECT count(*)::int AS rows, ARRAY[${hashes.join(', ')}] AS hashes FROM ${quoted(table)}`,
    )
    tables.set(table, { rows: row!.rows, columns: new Map(columns.map((name, n) => [name, row!.hashes[n]!])) })
  }
  const structure = await query<{ said: string }>(
    `SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default) AS said
       FROM information_schema.columns WHERE table_schema = 'public'
     UNION ALL SELECT concat_ws(' ', c.relname, pg_get_constraintdef(o.oid)) FROM pg_constraint o
       JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${own}
     UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
     UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
     UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
     UNION ALL SELECT concat_ws(' ', relname, relacl) FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')`,
  )
  return { tables, structure: new Set(structure.map(({ said }) => said)) }
}

export const countRows = ({ tables }: Snapshot): number => [...tables.values()].reduce((sum, { rows }) => sum + rows, 0)
export const countColumns = ({ tables }: Snapshot): number =>
  [...tables.values()].reduce((sum, { columns }) => sum + columns.size, 0)

/** Tables, and columns of tables that are there, which the second one no longer has. */
export function missing(before: Snapshot, after: Snapshot): string[] {
  return [...before.tables].flatMap(([name, { columns }]) => {
    const then = after.tables.get(name)
    return then ? [...columns.keys()].filter((c) => !then.columns.has(c)).map((c) => `${name}.${c}`) : [name]
  })
}

/** Tables that both have with another number of rows, and columns that both have with other values. */
export function changed(before: Snapshot, after: Snapshot): string[] {
  return [...before.tables].flatMap(([name, { rows, columns }]) => {
    const then = after.tables.get(name)
    if (!then) return []
    if (then.rows !== rows) return [name]
    const other = [...columns].filter(([column, hash]) => (then.columns.get(column) ?? hash) !== hash)
    return other.map(([column]) => `${name}.${column}`)
  })
}
