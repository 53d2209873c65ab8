/** Everywhere that something could have been left: what lies on disks, in databases and brokers, and what processes show. */
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect as connectSocket, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect } from 'amqplib'
import { streamExchange } from '@caregate/common/broker'
import { openDatabase, type Database } from '@caregate/common/database'
import { buildLogger } from '@caregate/common/logger'
import { SERVICES, type Service } from '@caregate/common/services'
import type { Platform } from '../../platform/platform.ts'

const piece = 16 * 2 ** 20
const overlap = 256

/** All files below a folder, in pieces that overlap. */
export function* filesIn(folder: string, without: (path: string) => boolean = () => false): Generator<Buffer> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || without(path)) continue
    // what a service removes meanwhile is gone
    let file: number
    try {
      file = openSync(path, 'r')
    } catch {
      continue
    }
    for (let at = 0, read = overlap + 1; read > overlap; at += piece) {
      const buffer = Buffer.alloc(piece + overlap)
      read = readSync(file, buffer, 0, buffer.length, at)
      if (read) yield buffer.subarray(0, read)
    }
    closeSync(file)
  }
}

/** A collector of traces. What comes is text where it is text, in protobuf too. */
export async function collectTraces() {
  const bodies: Buffer[] = []
  const take = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    bodies.push(Buffer.concat(await req.toArray()))
    res.end()
  }
  const server = createServer((req, res) => void take(req, res))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies: () => Buffer.concat(bodies),
    close: () => server.close(),
  }
}

/** Command lines and names of all processes of this machine. */
export function* processes(): Generator<Buffer> {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const file of ['cmdline', 'comm']) {
      try {
        yield readFileSync(`/proc/${pid}/${file}`)
      } catch {
        // it has ended
      }
    }
  }
}

/** @param commands to Redis, in its inline form */
export async function tellRedis(url: string, commands: readonly string[]): Promise<void> {
  const { hostname, port } = new URL(url)
  const socket = connectSocket({ host: hostname, port: Number(port) })
  socket.write(commands.map((command) => `${command}\r\n`).join(''))
  let answer = ''
  while (answer.split('\r\n').length <= commands.length) answer += String((await once(socket, 'data'))[0])
  socket.destroy()
  if (answer.includes('-ERR')) throw new Error(`Redis says ${answer}`)
}

/** Every message of the exchanges, as it is published. */
export async function listen(amqp: string): Promise<{ bodies: Buffer[]; close(): Promise<void> }> {
  const model = await connect(amqp)
  // the broker ends before its listeners do where the proof broke off, and that is what is to be told
  model.on('error', () => {})
  const channel = await model.createChannel()
  const { queue } = await channel.assertQueue('', { exclusive: true })
  for (const exchange of ['audit.events', streamExchange, 'audit.dead', 'auth.revocations'])
    await channel.bindQueue(queue, exchange, '#')
  const bodies: Buffer[] = []
  await channel.consume(
    queue,
    (message) => {
      if (message) bodies.push(Buffer.from(JSON.stringify([message.fields, message.properties])), message.content)
    },
    { noAck: true },
  )
  return { bodies, close: () => model.close() }
}

export type Databases = Awaited<ReturnType<typeof openDatabases>>

/** The databases of all services as the administrator sees them, each with a copy of whatever passes through its outbox. */
export async function openDatabases({ backing }: Platform['info']) {
  const log = buildLogger('prove', 'ERROR', 'text')
  const opened = await Promise.all(
    SERVICES.map(async (service) => {
      const url = new URL(backing.postgres)
      url.pathname = `caregate_${service}`
      const options = { DATABASE_URL: url.href, DB_POOL_MAX: 2, DB_STATEMENT_TIMEOUT_MS: 60_000 }
      return [service, await openDatabase(options, [], log, AbortSignal.timeout(60_000))] as const
    }),
  )
  const of = Object.fromEntries(opened) as Record<Service, Database>
  for (const [, db] of opened) {
    await db.query('CREATE SCHEMA nophi')
    await db.query('CREATE TABLE nophi.passed (body text)')
    await db.query(
      `CREATE FUNCTION nophi.copy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
       $$ BEGIN INSERT INTO nophi.passed VALUES (NEW::text); RETURN NULL; END $$`,
    )
    await db.query('CREATE TRIGGER nophi AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION nophi.copy()')
  }

  const rows = async (service: Service, sql: string): Promise<Buffer[]> =>
    (await of[service].query<{ text: string | null }[]>(sql)).map(({ text }) => Buffer.from(text ?? ''))

  return {
    of,
    rows,
    /** Every row of every table. */
    async dump(service: Service): Promise<Buffer[]> {
      const tables = await of[service].query<{ name: string }[]>(
        `SELECT c.oid::regclass::text AS name FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace`,
      )
      const all: Buffer[][] = []
      for (const { name } of tables) all.push(await rows(service, `SELECT t::text AS text FROM ${name} t`))
      return all.flat()
    },
    /** Where Postgres keeps its files, and those of a service. */
    async folders(): Promise<{ data: string } & Record<Service, string>> {
      const [setting] = await of.audit.query<{ data_directory: string }[]>('SHOW data_directory')
      const data = setting!.data_directory
      const found = await of.audit.query<{ oid: number; service: Service }[]>(
        `SELECT oid, replace(datname, 'caregate_', '') AS service FROM pg_database WHERE datname LIKE 'caregate%'`,
      )
      const own = found.map(({ oid, service }) => [service, join(data, 'base', String(oid))])
      return { data, ...(Object.fromEntries(own) as Record<Service, string>) }
    },
    close: () => Promise.all(opened.map(([, db]) => db.destroy())),
  }
}
