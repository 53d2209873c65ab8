import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Decrypter } from 'age-encryption'
import { BackupError } from './errors.ts'
import { checkTool, readFacts, startTool, withDatabase, type Client } from './postgres.ts'
import { factsOf } from './services.ts'
import { fileOf, sha256Of, type Manifest } from './store.ts'

interface Source {
  BACKUP_FOLDER: string
  BACKUP_IDENTITY: string
}

/** Opens a backup into pg_restore. @throws {BackupError} when it can't be opened, or isn't whole */
async function feed({ name }: Manifest, source: Source, args: string[], url?: string): Promise<void> {
  const decrypter = new Decrypter()
  decrypter.addIdentity(source.BACKUP_IDENTITY)
  const sealed = ReadableStream.from(createReadStream(fileOf(source.BACKUP_FOLDER, name)) as AsyncIterable<Buffer>)
  const opened = await decrypter.decrypt(sealed).catch((error: Error) => {
    throw new BackupError(`${name} can't be opened with this identity: ${error.message}`)
  })
  const restoring = startTool('pg_restore', args, url)
  restoring.stdout.resume()
  // where the tool gives up, what it says is the reason, and not that nobody reads any more
  const fed = pipeline(opened, restoring.stdin).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw new BackupError(`${name} is damaged: ${error.message}`)
  })
  const [said, read] = await Promise.allSettled([restoring.ended, fed])
  if (read.status === 'rejected') throw read.reason
  if (said.status === 'rejected') throw said.reason
}

/** Reads a backup to its end: hash, encryption and archive. @throws {BackupError} that says what is wrong with it */
export async function verify(manifest: Manifest, source: Source): Promise<void> {
  const { name, sha256 } = manifest
  if ((await sha256Of(source.BACKUP_FOLDER, name)) !== sha256)
    throw new BackupError(`${name} is damaged: its SHA-256 is not the one in its manifest.`)
  await feed(manifest, source, ['--file=/dev/null'])
}

/**
 * Brings a backup back into the database that its owner's URL names: all of it or nothing.
 * @param force also where there are tables: they are gone when the restore has succeeded
 */
export async function restore(
  manifest: Manifest,
  { DATABASE_OWNER_URL: url, ...source }: Source & { DATABASE_OWNER_URL: string },
  force: boolean,
): Promise<void> {
  await verify(manifest, source)
  await withDatabase(url, async (client) => {
    await checkTool('pg_restore', client)
    await refuseConnected(client)
    if (!force && (await hasTables(client)))
      throw new BackupError('There are tables in the database: with --force they are replaced by those of the backup.')
    await refuseInterrupted(client)
    await client.query('ALTER SCHEMA public RENAME TO replaced; CREATE SCHEMA public')
    try {
      const flags = ['--single-transaction', '--exit-on-error', '--no-owner', '--no-password']
      await feed(manifest, source, flags, url)
      await checkRestored(client, manifest)
    } catch (error) {
      await client.query('DROP SCHEMA public CASCADE; ALTER SCHEMA replaced RENAME TO public')
      throw error
    }
    await client.query('DROP SCHEMA replaced CASCADE')
  })
}

async function hasTables(client: Client): Promise<boolean> {
  const { rows } = await client.query(`SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace LIMIT 1`)
  return rows.length > 0
}

/** What a service writes meanwhile would be lost. */
async function refuseConnected(client: Client): Promise<void> {
  const { rows } = await client.query<{ usename: string }>(
    `SELECT DISTINCT usename FROM pg_stat_activity JOIN pg_roles ON rolname = usename
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND NOT rolsuper`,
  )
  if (rows.length)
    throw new BackupError(
      `Stop what uses the database first: ${rows.map(({ usename }) => usename).join(', ')} is connected.`,
    )
}

/** A restore that was killed has left what there was before. */
async function refuseInterrupted(client: Client): Promise<void> {
  const { rows } = await client.query(`SELECT FROM pg_namespace WHERE nspname = 'replaced'`)
  if (rows.length)
    throw new BackupError(
      'A restore was interrupted: what there was before it is in the schema replaced. Keep what you need of it, then DROP SCHEMA replaced CASCADE.',
    )
}

async function checkRestored(client: Client, { service, migration, outbox, mark }: Manifest): Promise<void> {
  const found = await readFacts(client, service)
  if (found.migration !== migration || found.outbox !== outbox || found.mark !== mark)
    throw new BackupError('What was restored is not what the manifest says.')
  const { afterRestore } = factsOf(service)
  if (afterRestore) await client.query(afterRestore)
}
