import { execFile, execFileSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import type { DatabaseSpec } from '@caregate/common/migrate'
import { cloneDatabase, testBacking } from '@caregate/common/testing/service'
import { provision } from '../../../platform/provision.ts'
import { spec as audit } from '../../../services/audit/src/database.ts'
import { spec as auth } from '../../../services/auth/src/database.ts'
import { spec as patients } from '../../../services/patients/src/database.ts'

const cli = join(import.meta.dirname, 'cli.ts')
const fails = (output: RegExp) => ({ code: 1, output: expect.stringMatching(output) as unknown })
const succeeds = (output: RegExp) => ({ code: 0, output: expect.stringMatching(output) as unknown })
const folder = mkdtempSync(join(tmpdir(), 'caregate-backup-'))
const backups = join(folder, 'backups')
const tools = join(folder, 'tools')
afterAll(() => rmSync(folder, { recursive: true }))

interface Ran {
  code: number
  output: string
}

function run(args: string[], env: NodeJS.ProcessEnv = {}, path = `${tools}${delimiter}${process.env.PATH}`) {
  return new Promise<Ran>((resolve) => {
    const settings = { PATH: path, HOME: process.env.HOME, BACKUP_FOLDER: backups, ...env }
    execFile(process.execPath, [cli, ...args], { env: settings }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    )
  })
}

async function newKeys(): Promise<{ BACKUP_RECIPIENTS: string; BACKUP_IDENTITY: string }> {
  const { output } = await run(['keygen'])
  return Object.fromEntries(
    output
      .trim()
      .split('\n')
      .map((line) => line.split('=')),
  ) as Awaited<ReturnType<typeof newKeys>>
}

async function query<T extends object>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client(url)
  await client.connect()
  return client.query<T>(sql).then(({ rows }) => rows).finally(() => client.end()) // prettier-ignore
}

/** An empty database of the same roles. */
const emptyDatabase = ({ service }: DatabaseSpec) =>
  provision(
    testBacking().postgres,
    { database: `test_restored_${randomUUID().slice(0, 8)}`, role: `caregate_${service}` },
    { app: 'app', owner: 'owner' },
  )

test('settings that are missing or wrong are all named, and no value is shown', async () => {
  const { code, output } = await run(['backup', 'auth'], {
    DATABASE_OWNER_URL: 'http://somewhere',
    BACKUP_RECIPIENTS: 'AGE-SECRET-KEY-1QQQQ',
    BACKUP_KEEP_DAYS: '0',
  })
  expect(code).toBe(1)
  expect(output).toMatch(/DATABASE_OWNER_URL .*\n.*BACKUP_RECIPIENTS .*\n.*BACKUP_KEEP_DAYS /)
  expect(output).not.toContain('QQQQ')
})

test('what is no command says what there is', async () => {
  for (const args of [[], ['backup'], ['backup', 'nobody'], ['restore', 'auth', 'x', 'y']])
    expect(await run(args)).toEqual(fails(/^Usage: /))
})

test('without the tools of Postgres it says what to install', async () => {
  const { owner } = await cloneDatabase(auth)
  const { BACKUP_RECIPIENTS } = await newKeys()
  expect(await run(['backup', 'auth'], { DATABASE_OWNER_URL: owner, BACKUP_RECIPIENTS }, folder)).toEqual(
    fails(/^pg_dump is not on the PATH: install/),
  )
})

test('tools that are older than the server say so', async () => {
  const { owner } = await cloneDatabase(auth)
  const { BACKUP_RECIPIENTS } = await newKeys()
  const old = mkdtempSync(join(folder, 'old-'))
  writeFileSync(join(old, 'pg_dump'), '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6"\n', { mode: 0o755 })
  const path = `${old}${delimiter}${process.env.PATH}`
  expect(await run(['backup', 'auth'], { DATABASE_OWNER_URL: owner, BACKUP_RECIPIENTS }, path)).toEqual(
    fails(/^The server is Postgres \d+, and pg_dump on the PATH is of 9/),
  )
})

test('a server that isn’t there, and a folder that can’t be written to, are a line each', async () => {
  const { BACKUP_RECIPIENTS } = await newKeys()
  const away = { DATABASE_OWNER_URL: 'postgresql://owner@127.0.0.1:1/x', BACKUP_RECIPIENTS }
  expect(await run(['backup', 'auth'], away)).toEqual(fails(/^The database can't be reached: .*ECONNREFUSED.*\n$/))
  expect(await run(['list'], { BACKUP_FOLDER: '/nowhere' })).toEqual(fails(/^ENOENT: .*\n$/))
})

test('another service’s database is not taken for this one’s', async () => {
  const { owner } = await cloneDatabase(auth)
  const { BACKUP_RECIPIENTS } = await newKeys()
  expect(await run(['backup', 'patients'], { DATABASE_OWNER_URL: owner, BACKUP_RECIPIENTS })).toEqual(
    fails(/no table patients: it is not that of patients/),
  )
})

/** The tools of the image that the server of the tests runs in; there are none where it comes from npm. */
function findImage(): string | undefined {
  try {
    execFileSync('docker', ['image', 'inspect', 'postgres:17'], { stdio: 'ignore' })
    return 'postgres:17'
  } catch {
    return undefined
  }
}
const image = findImage()

// a server from npm has no tools of its version on any Debian: there `npm run prove -- restore` has to do
;(image ? describe : describe.skip)('with the tools of the server', () => {
  let keys: Awaited<ReturnType<typeof newKeys>>

  beforeAll(async () => {
    mkdirSync(tools)
    for (const tool of ['pg_dump', 'pg_restore']) {
      const script = `#!/bin/sh\nexec docker run --rm -i --network host -e PGPASSWORD ${image} ${tool} "$@"\n`
      writeFileSync(join(tools, tool), script, { mode: 0o755 })
    }
    keys = await newKeys()
  })

  /** Everything in a database and who may do what to it, as text. */
  async function contents(admin: string): Promise<string[]> {
    const tables = await query<{ name: string }>(
      admin,
      `SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 1`,
    )
    const rows = await Promise.all(
      tables.map(async ({ name }) => {
        const found = await query<{ row: string }>(admin, `SELECT t::text AS row FROM "${name}" t ORDER BY 1`)
        return `${name}: ${found.map(({ row }) => row).join(' ')}`
      }),
    )
    const rights = await query<{ line: string }>(
      admin,
      `SELECT concat_ws(' ', relname, pg_get_userbyid(relowner),
         coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))::text) AS line
       FROM pg_class WHERE relnamespace = 'public'::regnamespace
       UNION ALL SELECT concat_ws(' ', proname, pg_get_userbyid(proowner), proacl::text) FROM pg_proc
       WHERE pronamespace = 'public'::regnamespace
       UNION ALL SELECT concat_ws(' ', 'schema', pg_get_userbyid(nspowner), nspacl::text) FROM pg_namespace
       WHERE nspname = 'public' ORDER BY 1`,
    )
    const sequences = await query<{ line: string }>(
      admin,
      `SELECT concat_ws(' ', sequencename, last_value) AS line FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1`,
    )
    return [...rows, ...[...sequences, ...rights].map(({ line }) => line)]
  }

  async function addChart(url: string, family: string): Promise<void> {
    const columns =
      'id, mrn, version, status, demographics, search_name, birth_date, created_at, updated_at, changed_by_id'
    const demographics = JSON.stringify({ name: { given: ['José'], family }, identifiers: [] })
    await query(
      url,
      `INSERT INTO patients (${columns}) VALUES ('${randomUUID()}', '${family}', 1, 'active', '${demographics}',
         '${family}', '1989-05-25', now(), now(), NULL)`,
    )
  }

  const asAdmin = (owner: string): string => {
    const url = new URL(testBacking().postgres)
    url.pathname = new URL(owner).pathname
    return url.href
  }
  const backUp = (service: string, owner: string, more: NodeJS.ProcessEnv = {}) =>
    run(['backup', service], { DATABASE_OWNER_URL: owner, BACKUP_RECIPIENTS: keys.BACKUP_RECIPIENTS, ...more })
  const restore = (service: string, owner: string, ...args: string[]) =>
    run(['restore', service, ...args], { DATABASE_OWNER_URL: owner, BACKUP_IDENTITY: keys.BACKUP_IDENTITY })

  test('what is restored is what was backed up: rows, rights, triggers', async () => {
    const { owner, app, admin } = await cloneDatabase(patients)
    await addChart(app, 'Gómez')
    const before = await contents(admin)
    const { code, output } = await backUp('patients', owner)
    expect([code, output]).toEqual([0, expect.stringMatching(/^patients-\d{8}T\d{6}\.\d{3}Z: 0\.\d\d MB in /)])
    const [, name] = /^(\S+):/.exec(output)!
    const file = readFileSync(join(backups, `${name}.dump.age`))
    expect(file.includes('Gómez')).toBe(false)
    expect(file.subarray(0, 21).toString()).toBe('age-encryption.org/v1')

    const empty = await emptyDatabase(patients)
    const restored = await restore('patients', empty.DATABASE_OWNER_URL, name!)
    expect(restored).toEqual(succeeds(/: restored\./))
    expect(await contents(asAdmin(empty.DATABASE_OWNER_URL))).toEqual(before)
    await addChart(empty.DATABASE_URL, 'O’Conner')
    expect(await query(empty.DATABASE_URL, 'SELECT FROM patient_versions')).toHaveLength(2)
  })

  test('the log comes back with the head that it had, and open sessions end', async () => {
    const log = await cloneDatabase(audit)
    const note = 'log.example/audit\n7\nAAAA\n'
    await query(log.owner, `INSERT INTO checkpoints (size, stored_at, roots, note) VALUES (7, now(), '[]', '${note}')`)
    const { output } = await backUp('audit', log.owner)
    expect(output).toContain('log.example/audit of 7 events')
    const [empty, accounts] = [await emptyDatabase(audit), await cloneDatabase(auth)]
    expect((await restore('audit', empty.DATABASE_OWNER_URL)).code).toBe(0)
    expect(await query(empty.DATABASE_URL, 'SELECT note FROM checkpoints')).toEqual([{ note }])

    const session = `INSERT INTO sessions (id, user_id, generation, rotated_at, created_at, expires_at)
      VALUES ('${randomUUID()}', '${randomUUID()}', 1, now(), now(), now() + interval '1 day')`
    await query(accounts.owner, session)
    expect((await backUp('auth', accounts.owner)).code).toBe(0)
    expect((await restore('auth', accounts.owner, '--force')).code).toBe(0)
    expect(await query(accounts.owner, 'SELECT FROM sessions WHERE ended_at IS NULL')).toEqual([])
  })

  test('a database that has tables, or is in use, is left alone', async () => {
    const { owner, app, admin } = await cloneDatabase(patients)
    await addChart(app, 'Byron')
    expect((await backUp('patients', owner)).code).toBe(0)
    await addChart(app, 'Later')
    const before = await contents(admin)
    expect(await restore('patients', owner)).toEqual(fails(/--force/))

    const service = new pg.Client(app)
    await service.connect()
    const refused = await restore('patients', owner, '--force').finally(() => service.end())
    expect(refused).toEqual(fails(/^Stop what uses the database first: caregate_patients is connected\.$/m))
    expect(await contents(admin)).toEqual(before)

    expect((await restore('patients', owner, '--force')).code).toBe(0)
    expect(await query(app, 'SELECT mrn FROM patients')).toEqual([{ mrn: 'Byron' }])
    expect(await query(admin, `SELECT FROM pg_namespace WHERE nspname = 'replaced'`)).toEqual([])

    await query(owner, 'CREATE SCHEMA replaced')
    expect(await restore('patients', owner, '--force')).toEqual(fails(/^A restore was interrupted/))
    expect(await query(app, 'SELECT mrn FROM patients')).toEqual([{ mrn: 'Byron' }])
  })

  test('a restore that fails leaves what was there', async () => {
    const { owner, app, admin } = await cloneDatabase(patients)
    await addChart(app, 'Kept')
    const { output } = await backUp('patients', owner)
    const [, name] = /^(\S+):/.exec(output)!
    const before = await contents(admin)
    // a manifest that says something else than what comes back
    const file = join(backups, `${name}.json`)
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as { outbox: number }
    writeFileSync(file, JSON.stringify({ ...manifest, outbox: 99 }))
    expect(await restore('patients', owner, name!, '--force')).toEqual(fails(/not what the manifest says/))
    expect(await contents(admin)).toEqual(before)
    const empty = await emptyDatabase(patients)
    expect(await restore('patients', empty.DATABASE_OWNER_URL, name!)).toEqual(fails(/not what the manifest says/))
    expect(await query(empty.DATABASE_OWNER_URL, 'SELECT FROM pg_tables WHERE tableowner = current_user')).toEqual([])
    rmSync(file)
  })

  test('a backup with a bit turned, by another key or of a role that isn’t there says so', async () => {
    const { owner } = await cloneDatabase(auth)
    const [, name] = /^(\S+):/.exec((await backUp('auth', owner)).output)!
    const open = (identity: string) => run(['verify', 'auth', name!], { BACKUP_IDENTITY: identity })
    expect((await open(keys.BACKUP_IDENTITY)).output).toMatch(/: whole\n$/)
    const stranger = await newKeys()
    expect(await open(stranger.BACKUP_IDENTITY)).toEqual(fails(/can't be opened with this identity/))

    const [file, manifestFile] = [join(backups, `${name}.dump.age`), join(backups, `${name}.json`)]
    const bytes = readFileSync(file)
    bytes[bytes.length - 40]! ^= 1
    writeFileSync(file, bytes)
    expect(await open(keys.BACKUP_IDENTITY)).toEqual(fails(/damaged: its SHA-256/))
    // whoever turned the bit has the manifest as well
    const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as object
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    writeFileSync(manifestFile, JSON.stringify({ ...manifest, sha256 }))
    expect(await open(keys.BACKUP_IDENTITY)).toEqual(fails(/damaged: invalid tag/))
    rmSync(manifestFile)
  })

  test('a dump that breaks off leaves no backup, and deletes none', async () => {
    const { owner } = await cloneDatabase(auth)
    expect((await backUp('auth', owner)).code).toBe(0)
    const before = readdirSync(backups)
    const broken = mkdtempSync(join(folder, 'broken-'))
    const script = `#!/bin/sh\ncase "$1" in --version) echo 'pg_dump (PostgreSQL) 99';; *) echo half; echo 'no space' >&2; exit 1;; esac\n`
    writeFileSync(join(broken, 'pg_dump'), script, { mode: 0o755 })
    const settings = { DATABASE_OWNER_URL: owner, BACKUP_RECIPIENTS: keys.BACKUP_RECIPIENTS }
    expect(await run(['backup', 'auth'], settings, `${broken}${delimiter}${process.env.PATH}`)).toEqual({
      code: 1,
      output: 'pg_dump failed: no space\n',
    })
    expect(readdirSync(backups)).toEqual(before)
  })
})
