import { randomUUIDv7 } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg, { type ClientBase, type ClientConfig, type Pool } from 'pg'
import { DataSource, type EntityManager, type EntitySchema } from 'typeorm'
import { isTlsDatabase } from './config.ts'
import { currentUrl } from './current-url.ts'
import type { Logger } from './logger.ts'
import type { Span } from './spans.ts'
import { startCall, tracer, within } from './tracing.ts'

/** The one way to the database; a function that writes takes it first. */
export type Tx = EntityManager
export type Database = Pick<DataSource, 'transaction' | 'query' | 'manager' | 'destroy'>

let lastId = ''
/** UUIDv7 (RFC 9562): those that a process makes sort by when it made them, also in the same millisecond. */
export function newId(): string {
  let id
  do id = randomUUIDv7()
  while (id <= lastId && id.startsWith(lastId.slice(0, 13)))
  return (lastId = id)
}

export interface DatabaseOptions {
  DATABASE_URL: string
  /** Where it came from, if it was a file: then each new connection reads it again. */
  DATABASE_URL_FILE?: string | undefined
  DB_POOL_MAX: number
  DB_STATEMENT_TIMEOUT_MS: number
}

/** A transaction that nobody goes on with keeps its locks no longer. The longest rest in one is ten seconds, for the broker's confirms. */
const idleMs = 60_000

/** How `pg` is to connect. The driver knows modes that encrypt and verify nothing; here there is one, or none. */
export function connectionOf(databaseUrl: string): Pick<ClientConfig, 'connectionString' | 'ssl'> {
  const url = new URL(databaseUrl)
  url.searchParams.delete('sslmode')
  return { connectionString: url.href, ssl: isTlsDatabase(databaseUrl) }
}

/** A statement as a part of the request that waits for it. Values are parameters: its text has none of them. */
export function startQuery(text: string): Span | undefined {
  if (!tracer) return undefined
  const [operation = ''] = /\w+/.exec(text) ?? []
  const [, table = ''] = /\b(?:FROM|INTO|UPDATE|COPY)\s+"?(\w+)/i.exec(text) ?? []
  const summary = `${operation} ${table}`.trim()
  return startCall(summary, { 'db.system.name': 'postgresql', 'db.query.summary': summary, 'db.query.text': text })
}

/** Those that come with a callback are the pool's, which calls when it has a connection: from anybody's request. */
function traceQueries(client: pg.Client): void {
  const query = client.query.bind(client) as (...asked: unknown[]) => Promise<unknown>
  client.query = ((asked: string | { text: string; submit?: unknown }, ...more: unknown[]) => {
    const text = typeof asked === 'string' ? asked : asked.submit ? undefined : asked.text
    if (text === undefined || typeof more.at(-1) === 'function') return query(asked, ...more)
    return within(startQuery(text), () => query(asked, ...more))
  }) as typeof client.query
}

/** @param current is asked at each connection: a password, or a role, that was changed holds for the next one */
export function dataSourceOptions(current: () => string) {
  class Client extends pg.Client {
    constructor(options: ClientConfig) {
      super({ ...options, ...connectionOf(current()) })
      if (tracer) traceQueries(this)
    }
  }
  return { type: 'postgres', url: current(), extra: { Client } } as const
}

/** Connects, waiting for a database that is still starting; gives up only when `signal` aborts. */
export async function openDatabase(
  options: DatabaseOptions,
  entities: EntitySchema[],
  log: Logger,
  signal: AbortSignal,
): Promise<Database> {
  const current = currentUrl(options.DATABASE_URL, options.DATABASE_URL_FILE)
  const { extra, ...postgres } = dataSourceOptions(current)
  const source = new DataSource({
    ...postgres,
    entities,
    poolErrorHandler: (error: unknown) => log.warning('an idle database connection broke', { error }),
    extra: {
      ...extra,
      max: options.DB_POOL_MAX,
      statement_timeout: options.DB_STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: idleMs,
      connectionTimeoutMillis: 5000,
      keepAlive: true,
    },
  })
  for (;;) {
    try {
      return await source.initialize()
    } catch (error) {
      log.warning('the database is not there yet', { 'service.target.address': new URL(current()).host, error })
      await sleep(500, undefined, { signal })
    }
  }
}

export const poolOf = ({ dataSource }: Pick<Tx, 'dataSource'>): Pool =>
  (dataSource.driver as unknown as { master: Pool }).master

/** What Postgres prepares once a connection, under a name that no other statement has. */
interface Statement {
  name: string
  text: string
}

/**
 * Rows for a fraction of what `tx.query` costs: nothing is parsed and planned again. For statements that are part of nearly
 * every request. @throws the driver's own errors
 */
export async function queryPrepared<Row extends object>(
  tx: Tx,
  statement: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  const { queryRunner } = tx
  const asked = { ...statement, values: [...values] }
  if (!queryRunner) return (await within(startQuery(statement.text), () => poolOf(tx).query<Row>(asked))).rows
  return (await ((await queryRunner.connect()) as ClientBase).query<Row>(asked)).rows
}
