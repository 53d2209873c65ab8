import { readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commandConfig } from './command.ts'
import { postgresUrl } from './config.ts'
import { dataSourceOptions } from './database.ts'
import { DataSource, MigrationExecutor, type EntitySchema, type MigrationInterface } from 'typeorm'

export interface DatabaseSpec {
  service: string
  entities: EntitySchema[]
  /** Folder of the migrations: a file each, `<time>-<name>.ts`, exporting one class. */
  migrations: string
  /** What the app role may do, by table; everything else is revoked. */
  grants: Record<string, string>
  /** What must be done again after every `up`, whether it applied something or not. */
  afterUp?(owner: Pick<DataSource, 'query'>): Promise<void>
  /** Throws where the last migration, which has this name, must not be undone. */
  beforeDown?(query: DataSource['query'], migration: string): Promise<void>
}

interface Urls {
  /** The app role's; its user name receives the grants. */
  DATABASE_URL: string
  DATABASE_OWNER_URL: string
}

type MigrationClass = new () => MigrationInterface

async function loadMigrations(folder: string): Promise<MigrationClass[]> {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .sort()
  const modules = (await Promise.all(files.map((name) => import(join(folder, name))))) as Record<
    string,
    MigrationClass
  >[]
  return modules.flatMap((module) => Object.values(module))
}

async function openOwner(spec: DatabaseSpec, ownerUrl: string): Promise<DataSource> {
  const migrations = await loadMigrations(spec.migrations)
  return new DataSource({
    ...dataSourceOptions(() => ownerUrl),
    entities: spec.entities,
    migrations,
    migrationsTransactionMode: 'each',
  }).initialize()
}

async function applyGrants(owner: DataSource, grants: DatabaseSpec['grants'], appUrl: string): Promise<void> {
  const role = `"${decodeURIComponent(new URL(appUrl).username).replaceAll('"', '""')}"`
  // at once: instances that are serving must not be without their rights for a moment
  await owner.transaction(async (tx) => {
    await tx.query(`REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${role}`)
    for (const [table, privileges] of Object.entries(grants)) {
      const [exists] = await tx.query<{ found: string | null }[]>('SELECT to_regclass($1) AS found', [table])
      if (exists?.found) await tx.query(`GRANT ${privileges} ON ${table} TO ${role}`)
    }
    await tx.query(`GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role}`)
  })
}

/** Statements that would bring the tables to what the entities say; empty when they agree. */
async function pendingChanges(owner: DataSource): Promise<string[]> {
  return (await owner.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query)
}

/** One migration run at a time, whoever starts it: instances that start together wait for each other. */
async function locked<T>(owner: DataSource, work: () => Promise<T>): Promise<T> {
  const runner = owner.createQueryRunner()
  try {
    await runner.query(`SELECT pg_advisory_lock(hashtext('caregate migrations'))`)
    return await work()
  } finally {
    // releasing the connection would keep the session's lock
    await runner.query('SELECT pg_advisory_unlock_all()').finally(() => runner.release())
  }
}

/** Works as the owner of a service's database; one at a time, and not while somebody migrates. */
export async function asOwner<T>(
  spec: DatabaseSpec,
  ownerUrl: string,
  work: (owner: DataSource) => Promise<T>,
): Promise<T> {
  const owner = await openOwner(spec, ownerUrl)
  try {
    return await locked(owner, () => work(owner))
  } finally {
    await owner.destroy()
  }
}

/** Whether a later version has been here: what it made, and granted, is not known to this one. */
async function isNewer(owner: DataSource): Promise<boolean> {
  const executed = await new MigrationExecutor(owner).getExecutedMigrations()
  const known = new Set(owner.migrations.map(({ name, constructor }) => name ?? constructor.name))
  return executed.some(({ name }) => !known.has(name))
}

/**
 * Applies what is pending and grants the app role its rights. Tables of a later version are left as they are: instances of it
 * may be serving, beside the older ones that come back.
 * @returns the names of what was applied
 */
export const migrateUp = (spec: DatabaseSpec, urls: Urls): Promise<string[]> =>
  asOwner(spec, urls.DATABASE_OWNER_URL, async (owner) => {
    if (await isNewer(owner)) return []
    const applied = await owner.runMigrations()
    await spec.afterUp?.(owner)
    await applyGrants(owner, spec.grants, urls.DATABASE_URL)
    return applied.map(({ name }) => name)
  })

async function create(spec: DatabaseSpec, owner: DataSource, name: string, fromEntities: boolean): Promise<string> {
  const builder = owner.driver.createSchemaBuilder()
  const { upQueries, downQueries } = fromEntities ? await builder.log() : { upQueries: [], downQueries: [] }
  const body = (queries: { query: string }[]): string =>
    queries.map(({ query }) => `    await runner.query(\`${query.replaceAll(/[`\\]|\$\{/g, '\\$&')}\`)`).join('\n')
  const time = Date.now()
  const className = name.replaceAll(/(^|[-_ ])(\w)/g, (_all, _gap, letter: string) => letter.toUpperCase())
  const file = join(spec.migrations, `${time}-${name}.ts`)
  await writeFile(
    file,
    `import type { MigrationInterface, QueryRunner } from 'typeorm'

export class ${className}${time} implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
${body(upQueries)}
  }

  async down(runner: QueryRunner): Promise<void> {
${body(downQueries.reverse())}
  }
}
`,
  )
  return file
}

/** Events that wait for the broker are the only trace of what they tell. */
async function refuseUnsent(owner: DataSource): Promise<void> {
  const [table] = await owner.query<{ found: string | null }[]>(`SELECT to_regclass('outbox') AS found`)
  const [row] = table?.found ? await owner.query<{ count: number }[]>('SELECT count(*)::int FROM outbox') : []
  if (row?.count) throw new Error(`${row.count} events wait to be passed on: undoing the migration could destroy them.`)
}

/** `up`, `down` (one, with what its tables hold), `status`, `create NAME [--from-entities]`. @returns lines to print */
export async function migrateCommand(spec: DatabaseSpec, args: readonly string[], urls: Urls): Promise<string[]> {
  const [command, name, ...flags] = args
  const isPlain = ['up', 'down', 'status'].includes(command ?? '') && args.length === 1
  const isCreate = command === 'create' && /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name ?? '')
  if (!isPlain && !(isCreate && flags.every((flag) => flag === '--from-entities'))) {
    throw new Error(`usage: migrate ${spec.service} up | down | status | create NAME [--from-entities]`)
  }
  if (command === 'up') {
    const applied = await migrateUp(spec, urls)
    return applied.length ? applied.map((migration) => `applied ${migration}`) : ['nothing to apply']
  }
  const owner = await openOwner(spec, urls.DATABASE_OWNER_URL)
  try {
    if (command === 'down') {
      return await locked(owner, async () => {
        const [last] = await new MigrationExecutor(owner).getExecutedMigrations()
        if (!last) return ['nothing to undo']
        await refuseUnsent(owner)
        await spec.beforeDown?.((sql) => owner.query(sql), last.name)
        await owner.undoLastMigration()
        return [`undone ${last.name}`]
      })
    }
    if (command === 'status') {
      const pending = (await owner.showMigrations()) ? 'migrations are pending' : 'all migrations are applied'
      return [pending, ...(await pendingChanges(owner)).map((query) => `differs from the entities: ${query}`)]
    }
    return [`wrote ${await create(spec, owner, name!, flags.length > 0)}`]
  } finally {
    await owner.destroy()
  }
}

/** The command-line of a service's `migrate.ts`. */
export async function runMigrateCommand(spec: DatabaseSpec): Promise<void> {
  try {
    const urls = commandConfig({ DATABASE_URL: postgresUrl(), DATABASE_OWNER_URL: postgresUrl() })
    for (const line of await migrateCommand(spec, process.argv.slice(2), urls)) console.log(line)
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}
