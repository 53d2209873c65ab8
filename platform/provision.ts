import pg from 'pg'
import { connectionOf } from '@caregate/common/database'

export interface DatabaseNames {
  database: string
  /** The app role; the owner role is `<role>_owner`. */
  role: string
  /** A database to clone when this one doesn't exist yet. */
  template?: string
}

export interface DatabaseUrls {
  /** Of the app role, which may use what it is granted and change no structure. */
  DATABASE_URL: string
  /** Of the role that owns the database and its tables: for migrations. */
  DATABASE_OWNER_URL: string
}

interface Passwords {
  app: string
  owner: string
}

/** Makes a service's database and its two roles where they are missing, and sets passwords and rights as they should be. */
export async function provision(adminUrl: string, names: DatabaseNames, passwords: Passwords): Promise<DatabaseUrls> {
  const { database, role, template } = names
  const owner = `${role}_owner`
  const [db, app, own] = [database, role, owner].map(pg.escapeIdentifier)

  await withClient(adminUrl, async (client) => {
    await ensureRole(client, owner, passwords.owner)
    await ensureRole(client, role, passwords.app)
    const exists = await client.query('SELECT FROM pg_database WHERE datname = $1', [database])
    if (exists.rowCount === 0) {
      const source = template ? `TEMPLATE ${pg.escapeIdentifier(template)}` : ''
      await client.query(`CREATE DATABASE ${db} OWNER ${own} ${source}`)
    }
    await client.query(`REVOKE ALL ON DATABASE ${db} FROM PUBLIC`)
    await client.query(`GRANT CONNECT ON DATABASE ${db} TO ${app}`)
  })
  const inDatabase = new URL(adminUrl)
  inDatabase.pathname = `/${database}`
  await withClient(inDatabase.href, async (client) => {
    await client.query(`ALTER SCHEMA public OWNER TO ${own}`)
    await client.query('REVOKE ALL ON SCHEMA public FROM PUBLIC')
    await client.query(`GRANT USAGE ON SCHEMA public TO ${app}`)
  })
  return databaseUrls(adminUrl, names, passwords)
}

/** The URLs of a database that has been provisioned. */
export function databaseUrls(adminUrl: string, { database, role }: DatabaseNames, passwords: Passwords): DatabaseUrls {
  const as = (user: string, password: string) => {
    const url = new URL(adminUrl)
    url.username = user
    url.password = password
    url.pathname = `/${database}`
    return url.href
  }
  return { DATABASE_URL: as(role, passwords.app), DATABASE_OWNER_URL: as(`${role}_owner`, passwords.owner) }
}

async function ensureRole(client: pg.Client, name: string, password: string): Promise<void> {
  const role = pg.escapeIdentifier(name)
  const exists = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [name])
  if (exists.rowCount === 0) await client.query(`CREATE ROLE ${role}`)
  await client.query(`ALTER ROLE ${role} LOGIN PASSWORD ${pg.escapeLiteral(password)}`)
  // An administrator who isn't a superuser may give databases and schemas to roles of which it is a member only.
  const { rows } = await client.query<{ rolsuper: boolean }>(
    'SELECT rolsuper FROM pg_roles WHERE rolname = current_user',
  )
  if (!rows[0]?.rolsuper) await client.query(`GRANT ${role} TO CURRENT_USER`)
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client(connectionOf(url))
  client.on('error', () => {})
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
