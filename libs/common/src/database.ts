import { setTimeout as sleep } from 'node:timers/promises'
import pg, { type ClientBase, type ClientConfig, type Pool } from 'pg'
import { DataSource, type EntityManager, type EntitySchema } from 'typeorm'
import { v7 as uuidv7 } from 'uuid'
import { currentUrl, isTlsDatabase } from './config.ts'
import type { Logger } from './logger.ts'

/** The one way to the database; a function that writes takes it first. */
export type Tx = EntityManager
export type Database = Pick<DataSource, 'transaction' | 'query' | 'manager' | 'destroy'>

/** UUIDv7 (RFC 9562): ids sort by when they were made. */
export const newId = (): string => uuidv7()

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

/** @param current is asked at each connection: a password, or a role, that was changed holds for the next one */
export function dataSourceOptions(current: () => string) {
  class Client extends pg.Client {
    constructor(options: ClientConfig) {
      super({ ...options, ...connectionOf(current()) })
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
      log.warning('the database is not there yet', { database: new URL(current()).host, error })
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
  const client = queryRunner ? ((await queryRunner.connect()) as ClientBase) : poolOf(tx)
  return (await client.query<Row>({ ...statement, values: [...values] })).rows
}
