import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import pg from 'pg'
import { openBackingContext } from './backing/open.ts'
import { openPostgres } from './backing/postgres.ts'
import { freePort } from './processes.ts'
import { quietProgress } from './progress.ts'
import { provision } from './provision.ts'
import { makeFolder } from './state.ts'
import { openSupervisor } from './supervisor.ts'

const secrets = { postgres: 'for-this-test-alone', rabbitmq: '', rabbitmq_stream: '' }
let folder: string
let supervisor: ReturnType<typeof openSupervisor>
let given: URL
let admin: string

function open(DATABASE_URL: string): Promise<string> {
  const options = { folder, env: { DATABASE_URL }, secrets, supervisor, progress: quietProgress, disposable: true }
  return openBackingContext(options).then(openPostgres)
}

async function ask(url: string, ...statements: string[]): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const answers = []
    for (const statement of statements) answers.push((await client.query(statement)).rows)
    return answers.flat()
  } finally {
    await client.end()
  }
}

beforeAll(async () => {
  folder = makeFolder(mkdtempSync(join(tmpdir(), 'caregate-provision-')))
  supervisor = openSupervisor({ folder })
  given = new URL(`postgresql://care:p%40ss@localhost:${await freePort()}/ignored`)
  admin = await open(given.href.replace('postgresql:', 'postgresql+asyncpg:'))
}, 60_000)
afterAll(async () => {
  await supervisor.close({ force: true })
  rmSync(folder, { recursive: true })
})

test('DATABASE_URL names a port of this machine where nothing listens: our own server stands there, with that user', async () => {
  const as = new URL(given)
  as.pathname = '/postgres'
  expect(
    await ask(as.href, 'SELECT rolsuper, current_user AS name FROM pg_roles WHERE rolname = current_user'),
  ).toEqual([{ rolsuper: true, name: 'care' }])
})

test('a server that answers is used as it is', async () => {
  expect(await open(given.href)).toBe(given.href.replace('/ignored', '/postgres'))
})

test('what is wrong with DATABASE_URL is said in a sentence that names it', async () => {
  const refused = new URL(given)
  refused.password = 'wrong'
  await expect(open(refused.href)).rejects.toThrow(/^DATABASE_URL: localhost:\d+ refuses its user and password/)
  await expect(open('postgresql://care:x@nowhere.invalid/db')).rejects.toThrow(
    /^DATABASE_URL: nowhere.invalid:5432 doesn't answer/,
  )
  await expect(open('mysql://care:x@localhost/db')).rejects.toThrow(/^DATABASE_URL must look like postgresql:/)
})

test('provisioning is repeatable, and the app role uses what it is granted and changes no structure', async () => {
  const names = { database: 'clinic', role: 'clinic' }
  const passwords = { app: 'app', owner: 'owner' }
  const urls = await provision(admin, names, passwords)
  await ask(
    urls.DATABASE_OWNER_URL,
    'CREATE TABLE chart (id int)',
    'INSERT INTO chart VALUES (1)',
    'GRANT SELECT ON chart TO clinic',
  )
  expect(await provision(admin, names, { ...passwords, app: 'changed' })).not.toEqual(urls)
  const { DATABASE_URL } = await provision(admin, names, passwords)

  expect(await ask(DATABASE_URL, 'SELECT id FROM chart')).toEqual([{ id: 1 }])
  for (const forbidden of [
    'CREATE TABLE mine (id int)',
    'CREATE TEMPORARY TABLE mine (id int)',
    'CREATE SCHEMA mine',
    'ALTER TABLE chart ADD COLUMN more int',
    'DROP TABLE chart',
    'INSERT INTO chart VALUES (2)',
    'CREATE DATABASE mine',
    'CREATE ROLE mine',
  ]) {
    await expect(ask(DATABASE_URL, forbidden)).rejects.toThrow(/permission denied|must be owner/)
  }
})

test('a service can not enter another one’s database', async () => {
  const passwords = { app: 'app', owner: 'owner' }
  const one = await provision(admin, { database: 'one', role: 'one' }, passwords)
  await provision(admin, { database: 'two', role: 'two' }, passwords)
  for (const url of [one.DATABASE_URL, one.DATABASE_OWNER_URL]) {
    await expect(ask(url.replace(/one$/, 'two'))).rejects.toThrow('permission denied for database')
  }
})

test('a database can be cloned from a template, with the rights of its roles', async () => {
  const passwords = { app: 'app', owner: 'owner' }
  const source = await provision(admin, { database: 'source', role: 'cloned' }, passwords)
  await ask(source.DATABASE_OWNER_URL, 'CREATE TABLE chart (id int)', 'GRANT SELECT ON chart TO cloned')
  const copy = await provision(admin, { database: 'copy', role: 'cloned', template: 'source' }, passwords)
  expect(await ask(copy.DATABASE_URL, 'SELECT count(*)::int FROM chart')).toEqual([{ count: 0 }])
})
