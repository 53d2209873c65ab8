import { setTimeout as sleep } from 'node:timers/promises'
import { DataSource, type EntityManager, type EntitySchema } from 'typeorm'
import { v7 as uuidv7 } from 'uuid'
import type { Logger } from './logger.ts'

/** The one way to the database; a function that writes takes it first. */
export type Tx = EntityManager
export type Database = Pick<DataSource, 'transaction' | 'query' | 'manager' | 'destroy'>

/** UUIDv7 (RFC 9562): ids sort by when they were made. */
export const newId = (): string => uuidv7()

export interface DatabaseOptions {
  DATABASE_URL: string
  DB_POOL_MAX: number
  DB_STATEMENT_TIMEOUT_MS: number
}

/** Connects, waiting for a database that is still starting; gives up only when `signal` aborts. */
export async function openDatabase(
  options: DatabaseOptions,
  entities: EntitySchema[],
  log: Logger,
  signal: AbortSignal,
): Promise<Database> {
  const source = new DataSource({
    type: 'postgres',
    url: options.DATABASE_URL,
    entities,
    poolErrorHandler: (error: unknown) => log.warning('an idle database connection broke', { error }),
    extra: {
      max: options.DB_POOL_MAX,
      statement_timeout: options.DB_STATEMENT_TIMEOUT_MS,
      connectionTimeoutMillis: 5000,
      keepAlive: true,
    },
  })
  for (;;) {
    try {
      return await source.initialize()
    } catch (error) {
      log.warning('the database is not there yet', { error })
      await sleep(500, undefined, { signal })
    }
  }
}
