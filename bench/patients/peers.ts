import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { installPackages } from '../../platform/backing/packages.ts'
import { PlatformError } from '../../platform/errors.ts'
import { freePort } from '../../platform/processes.ts'
import { openProgress } from '../../platform/progress.ts'
import { provision } from '../../platform/provision.ts'
import { processEnvironment, processSpec, serviceDatabaseUrls, type Ports } from '../../platform/services.ts'
import { ROOT } from '../../platform/state.ts'
import type { Stage } from '../audit/stage.ts'
import type { Chart } from './charts.ts'

interface PgClient {
  connect(): Promise<void>
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
  end(): Promise<void>
}
const { Client } = createRequire(join(ROOT, 'platform/package.json'))('pg') as {
  Client: new (url: string) => PgClient
}

/** Debian's Python, whatever else the machine has. */
const python = '/usr/bin/python3'
const modules = ['fastapi', 'uvicorn', 'sqlalchemy', 'asyncpg', 'jwt', 'uvloop', 'httptools']
/** The fastest event loop and parser that uvicorn knows, which it takes when they are there. */
const uvicorn = [python, '-m', 'uvicorn', '--app-dir', import.meta.dirname, '--no-access-log', '--log-level', 'warning']

export const peers = ['express + typeorm', 'express + pg', 'fastapi'] as const
export type Peer = (typeof peers)[number]
/** The service as it is shipped; and once more on a database that drops every event: what is left is the plain write. */
export const ours = ['caregate', 'caregate, no events'] as const
export type Name = (typeof ours)[number] | Peer
const isOurs = (name: Name): name is (typeof ours)[number] => ours.includes(name as (typeof ours)[number])

const commands: Record<Peer, (port: number) => string[]> = {
  'express + typeorm': () => [process.execPath, join(import.meta.dirname, 'express-typeorm.mjs')],
  'express + pg': () => [process.execPath, join(import.meta.dirname, 'express-pg.mjs')],
  fastapi: (port) => [...uvicorn, '--port', String(port), 'fastapi-app:app'],
}

/** Whether FastAPI can be measured; as root what is missing is installed. */
export async function ensureFastapi(): Promise<boolean> {
  const isThere = (): boolean => {
    try {
      execFileSync(python, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }
  if (isThere()) return true
  const progress = openProgress(process.stderr)
  try {
    const packages = modules.map((name) => `python3-${name}`)
    await installPackages(progress, 'FastAPI', packages)
    return isThere()
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error
    console.log(`${error.message} Measured without it.`)
    return false
  } finally {
    progress.close()
  }
}

/** The table that the peers share, with the indexes that ours has. @returns its URL */
export async function openPeerTable({ info }: Stage, charts: readonly Chart[]): Promise<string> {
  const passwords = { app: randomBytes(12).toString('hex'), owner: randomBytes(12).toString('hex') }
  const names = { database: 'bench_patients', role: 'bench_patients' }
  const { DATABASE_OWNER_URL: url } = await provision(info.backing.postgres, names, passwords)
  const client = new Client(url)
  await client.connect()
  await client.query(`
    CREATE SEQUENCE mrn START 100000000;
    CREATE TABLE patients (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), mrn text NOT NULL UNIQUE DEFAULT nextval('mrn'),
      version int NOT NULL DEFAULT 1, status text NOT NULL DEFAULT 'active', restricted boolean NOT NULL DEFAULT false,
      name json NOT NULL, "otherNames" json NOT NULL, "birthDate" date NOT NULL, "deathDate" date, sex text NOT NULL,
      identifiers json NOT NULL, telecom json NOT NULL, addresses json NOT NULL, contacts json NOT NULL, language text,
      "maritalStatus" text, race text, ethnicity text,
      "createdAt" timestamptz NOT NULL DEFAULT now(), "updatedAt" timestamptz NOT NULL DEFAULT now());
    CREATE INDEX ON patients ((name->>'family'), id);
    CREATE INDEX ON patients ("birthDate")`)
  const fill = 'INSERT INTO patients SELECT * FROM json_populate_recordset(null::patients, $1)'
  await client.query(fill, [JSON.stringify(charts)])
  await client.query('ANALYZE patients')
  await client.end()
  return url
}

/** A database of charts as ours, with the same charts under the same ids, in which no event is kept. @returns its URL */
export async function openEventless({ info, secrets }: Stage): Promise<string> {
  const passwords = { app: secrets.caregate_patients, owner: secrets.caregate_patients_owner }
  const names = { database: 'bench_eventless', role: 'caregate_patients', template: 'caregate_patients' }
  const urls = await provision(info.backing.postgres, names, passwords)
  const client = new Client(urls.DATABASE_OWNER_URL)
  await client.connect()
  await client.query(`
    CREATE FUNCTION drop_event() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER drop_event BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION drop_event()`)
  await client.end()
  return urls.DATABASE_URL
}

/** Waits until every event is on its way: passing them on is part of what a request costs. */
export async function openSettle({ info, secrets }: Stage) {
  const client = new Client(serviceDatabaseUrls(info.backing.postgres, 'patients', secrets).DATABASE_URL)
  await client.connect()
  async function settle(): Promise<void> {
    while ((await client.query('SELECT FROM outbox LIMIT 1')).rows.length) await sleep(20)
    // until the log has stored them, too
    await sleep(200)
  }
  return Object.assign(settle, { close: () => client.end() })
}

/** A further process, of our service or of a peer, under a name by which it can be stopped. */
export async function start(stage: Stage, name: Name, id: string, urls: { peers: string; eventless: string }) {
  const { info, env, secrets, supervisor, portOf } = stage
  const port = await freePort()
  const ports = { ...Object.fromEntries(Object.keys(info.services).map((one) => [one, portOf(one)])), patients: port }
  const shipped = processEnvironment('patients', { env, secrets, ports: ports as Ports, backing: info.backing })
  const { PATH, HOME, SECRET_KEY } = env
  const theirs = { PATH, HOME, SECRET_KEY, PORT: String(port), DATABASE_URL: urls.peers, NODE_ENV: 'production' }
  const eventless = name === 'caregate' ? {} : { DATABASE_URL: urls.eventless }
  const spec = processSpec('patients', isOurs(name) ? { ...shipped, ...eventless } : theirs, false)
  await supervisor.start({ ...spec, name: id, ...(!isOurs(name) && { command: commands[name](port) }) })
  await supervisor.waitUntil(id, async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).status > 0, 30)
  return { id, port, pid: supervisor.pid(id)! }
}
