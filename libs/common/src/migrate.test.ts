import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import pg from 'pg'
import { provision } from '../../../platform/provision.ts'
import { spec as audit } from '../../../services/audit/src/database.ts'
import { spec as auth } from '../../../services/auth/src/database.ts'
import { migrateCommand, migrateUp, type DatabaseSpec } from './migrate.ts'
import { SERVICES } from './services.ts'
import { testBacking } from './testing/service.ts'

const clean = ['all migrations are applied']

/** A database without a table, with roles of its own. */
async function emptyDatabase({ service }: DatabaseSpec) {
  const name = `test_empty_${service}_${randomUUID().slice(0, 8)}`
  return provision(testBacking().postgres, { database: name, role: name }, { app: 'app', owner: 'owner' })
}

async function as<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
/** What Postgres says to each statement: `good`, or why not. */
const tryAll = (url: string, statements: string[]) =>
  as(url, async (client) => {
    const said: string[] = []
    for (const statement of statements) {
      said.push(
        await client.query(statement).then(
          () => 'good',
          (error: Error) => error.message,
        ),
      )
    }
    return said
  })
const tables = (url: string) =>
  as(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
    )
    return rows.map(({ name }) => name)
  })

const anEvent = `INSERT INTO events VALUES (1, gen_random_uuid(), now(), now(), 't', 'R', 'success', null, '{}', 'GET', '/', '', '', '{}')`

const specs = SERVICES.map(
  async (service) => (await import(`../../../services/${service}/src/database.ts`)) as { spec: DatabaseSpec },
)

describe.each((await Promise.all(specs)).map(({ spec }) => spec))('$service', (spec) => {
  test('up makes what the entities say, down leaves nothing, and up again', async () => {
    const urls = await emptyDatabase(spec)
    const run = (command: string) => migrateCommand(spec, [command], urls)
    const [pending, ...differences] = await run('status')
    expect([pending, differences.length > 0]).toEqual(['migrations are pending', true])

    const applied = await run('up')
    expect(applied.length).toBe((await readdir(spec.migrations)).length)
    expect(await run('status')).toEqual(clean)
    expect(await run('up')).toEqual(['nothing to apply'])

    const last = applied.at(-1)!.replace('applied ', '')
    expect(await run('down')).toEqual([`undone ${last}`])
    expect((await run('status'))[0]).toBe('migrations are pending')
    expect(await run('up')).toEqual([`applied ${last}`])
    expect(await run('status')).toEqual(clean)

    for (const name of applied.toReversed()) expect(await run('down')).toEqual([name.replace('applied', 'undone')])
    expect(await run('down')).toEqual(['nothing to undo'])
    expect(await tables(urls.DATABASE_OWNER_URL)).toEqual(['migrations'])
  })

  test('instances that start at once wait for each other', async () => {
    const urls = await emptyDatabase(spec)
    const applied = await Promise.all(Array.from({ length: 3 }, () => migrateUp(spec, urls)))
    expect(applied.map((names) => names.length > 0).sort()).toEqual([false, false, true])
    expect(await migrateCommand(spec, ['status'], urls)).toEqual(clean)
  })

  test('the app role has what it is granted and may change no structure', async () => {
    const urls = await emptyDatabase(spec)
    await migrateUp(spec, urls)
    const [granted] = Object.keys(spec.grants)
    expect(
      await tryAll(urls.DATABASE_URL, [
        `SELECT 1 FROM ${granted}`,
        `INSERT INTO outbox (id, type, body) VALUES (gen_random_uuid(), 't', '{}')`,
        'CREATE TABLE mine ()',
        'ALTER TABLE outbox ADD mine text',
        'DROP TABLE outbox',
        'TRUNCATE outbox',
        'CREATE SCHEMA mine',
        'DELETE FROM migrations',
      ]),
    ).toEqual([
      'good',
      'good',
      'permission denied for schema public',
      'must be owner of table outbox',
      'must be owner of table outbox',
      'permission denied for table outbox',
      expect.stringContaining('permission denied for database'),
      'permission denied for table migrations',
    ])
  })

  test('who is serving keeps the rights it has while another instance migrates', async () => {
    const urls = await emptyDatabase(spec)
    await migrateUp(spec, urls)
    let migrating = true
    let reads = 0
    const migrate = async () => {
      for (let n = 0; n < 5; n++) await migrateUp(spec, urls)
    }
    const serve = async (client: pg.Client) => {
      for (; migrating; reads++) await client.query('SELECT 1 FROM outbox LIMIT 1')
    }
    await as(urls.DATABASE_URL, (client) => Promise.all([migrate().finally(() => (migrating = false)), serve(client)]))
    expect(reads).toBeGreaterThan(10)
  })
})

test('what is in the log stays: the app role adds to it and reads it, and nothing else', async () => {
  const urls = await emptyDatabase(audit)
  await migrateUp(audit, urls)
  const changes = ['events', 'event_ids'].flatMap((table) => [
    `UPDATE ${table} SET sequence = 2`,
    `DELETE FROM ${table}`,
    `TRUNCATE ${table}`,
  ])
  expect(await tryAll(urls.DATABASE_URL, [anEvent, ...changes])).toEqual([
    'good',
    ...Array<string>(3).fill('permission denied for table events'),
    ...Array<string>(3).fill('permission denied for table event_ids'),
  ])
})

test('a log with events in it is not migrated down', async () => {
  const urls = await emptyDatabase(audit)
  await migrateUp(audit, urls)
  await tryAll(urls.DATABASE_URL, [anEvent])
  await expect(migrateCommand(audit, ['down'], urls)).rejects.toThrow('The log has events in it')
  expect(await migrateCommand(audit, ['status'], urls)).toEqual(clean)
  expect(await tryAll(urls.DATABASE_URL, ['SELECT 1 / count(*) FROM events'])).toEqual(['good'])
})

test.each([
  [
    'a service account',
    `INSERT INTO service_accounts VALUES (gen_random_uuid(), 'a', '{}', '', now(), now())`,
    'DELETE FROM service_accounts',
  ],
  [
    'a second factor',
    `INSERT INTO users (id, email, full_name, roles, password_hash, created_at, totp_enabled)
     VALUES (gen_random_uuid(), 'a', 'A', '{}', '', now(), true)`,
    'UPDATE users SET totp_enabled = false',
  ],
])('%s keeps the migration that made its place from being undone, and no other', async (_what, add, remove) => {
  const urls = await emptyDatabase(auth)
  const names = (await migrateUp(auth, urls)).toReversed()
  expect(await tryAll(urls.DATABASE_URL, [add])).toEqual(['good'])
  const down = () => migrateCommand(auth, ['down'], urls)
  for (const name of names.slice(0, names.indexOf('Identity1795549347496')))
    expect(await down()).toEqual([`undone ${name}`])
  await expect(down()).rejects.toThrow('would destroy second factors and service accounts')
  expect(await tryAll(urls.DATABASE_OWNER_URL, [remove])).toEqual(['good'])
  expect(await down()).toEqual(['undone Identity1795549347496'])
})

test('a log from before there were partitions is kept as it is, as the first of them', async () => {
  const urls = await emptyDatabase(audit)
  await migrateUp(audit, urls)
  for (let undone = ''; !undone.includes('Partitions');)
    [undone = 'nothing'] = await migrateCommand(audit, ['down'], urls)
  const owner = async <T extends object>(sql: string) =>
    as(urls.DATABASE_OWNER_URL, async (client) => (await client.query<T>(sql)).rows)
  await owner(anEvent)
  await owner(anEvent.replace('(1, ', '(2, ').replace('now()', `now() - interval '9 years'`))
  const [table] = await owner<{ file: string }>(`SELECT pg_relation_filepath('events') AS file`)
  await migrateUp(audit, urls)
  expect(await migrateCommand(audit, ['status'], urls)).toEqual(clean)
  const [partition] = await owner<{ file: string }>(
    `SELECT DISTINCT pg_relation_filepath(tableoid) AS file FROM events WHERE sequence <= 2`,
  )
  expect(partition).toEqual(table)
  expect(await tryAll(urls.DATABASE_URL, [anEvent.replace('(1, ', '(3, ')])).toEqual(['good'])
  await expect(migrateCommand(audit, ['down'], urls)).rejects.toThrow('The log has events in it')
})

test('code of before leaves tables of a later version as they are: nothing is applied, and no right taken away', async () => {
  const migrations = await mkdtemp(join(tmpdir(), 'caregate-migrations-'))
  await cp(auth.migrations, migrations, { recursive: true })
  const up = `async up(runner) { await runner.query('CREATE TABLE "notes" ("id" uuid)') }`
  await writeFile(
    join(migrations, '9000000000000-notes.ts'),
    `export class Notes9000000000000 { ${up}; async down() {} }`,
  )
  const later = { ...auth, migrations, grants: { ...auth.grants, notes: 'SELECT' } }
  const urls = await emptyDatabase(auth)
  await migrateUp(auth, urls)
  expect(await migrateUp(later, urls)).toEqual(['Notes9000000000000'])
  expect(await migrateCommand(auth, ['up'], urls)).toEqual(['nothing to apply'])
  expect(await tryAll(urls.DATABASE_URL, ['SELECT FROM notes', 'SELECT FROM users'])).toEqual(['good', 'good'])
  await rm(migrations, { recursive: true })
})

describe('create', () => {
  const inFolder = async (work: (spec: DatabaseSpec) => Promise<void>) => {
    const migrations = await mkdtemp(join(tmpdir(), 'caregate-migrations-'))
    try {
      await work({ ...auth, migrations })
    } finally {
      await rm(migrations, { recursive: true })
    }
  }

  test('writes the difference to the entities as a migration that goes up and down', () =>
    inFolder(async (spec) => {
      const urls = await emptyDatabase(spec)
      const [wrote] = await migrateCommand(spec, ['create', 'all-of-it', '--from-entities'], urls)
      const [file] = await readdir(spec.migrations)
      expect(wrote).toBe(`wrote ${join(spec.migrations, file!)}`)
      expect(file).toMatch(/^\d{13}-all-of-it\.ts$/)
      expect(await readFile(join(spec.migrations, file!), 'utf8')).toMatch(/^export class AllOfIt\d{13} /m)
      await migrateUp(spec, urls)
      expect(await migrateCommand(spec, ['status'], urls)).toEqual(clean)
      await migrateCommand(spec, ['down'], urls)
      expect(await tables(urls.DATABASE_OWNER_URL)).toEqual(['migrations'])
    }))

  test.each(['../escape', 'Upper', 'two words', '7days', '-a', 'a-', 'a--b', 'é', ''])(
    'refuses the name %j, and writes nothing',
    (name) =>
      inFolder(async (spec) => {
        const urls = await emptyDatabase(spec)
        await expect(migrateCommand(spec, ['create', name, '--from-entities'], urls)).rejects.toThrow(
          'usage: migrate auth',
        )
        expect(await readdir(spec.migrations)).toEqual([])
      }),
  )
})
