import { Encrypter } from 'age-encryption'
import type { Service } from '@caregate/common/services'
import { startTool, withSnapshot } from './postgres.ts'
import { writeDump, writeManifest, type Manifest } from './store.ts'

export interface BackupOptions {
  DATABASE_OWNER_URL: string
  BACKUP_FOLDER: string
  BACKUP_RECIPIENTS: string[]
}

/** Dumps a service's database, encrypted to the recipients: nothing of it reaches a disk in plain. */
export async function backUp(service: Service, options: BackupOptions): Promise<Manifest> {
  const { DATABASE_OWNER_URL, BACKUP_FOLDER, BACKUP_RECIPIENTS } = options
  const startedAt = new Date().toISOString()
  return withSnapshot(DATABASE_OWNER_URL, service, async (facts, snapshot) => {
    const name = `${service}-${facts.at.replaceAll(/[-:]/g, '')}`
    // who owns what is for the database that it comes back to to say; who may do what comes along
    const flags = ['--format=custom', '--no-owner', '--no-password', `--snapshot=${snapshot}`]
    const dump = startTool('pg_dump', flags, DATABASE_OWNER_URL)
    const encrypter = new Encrypter()
    for (const recipient of BACKUP_RECIPIENTS) encrypter.addRecipient(recipient)
    const sealed = await encrypter.encrypt(ReadableStream.from(whole(dump)))
    const written = await writeDump(BACKUP_FOLDER, name, sealed)
    const manifest = {
      format: 'caregate-backup/1',
      ...{ name, service, ...facts, startedAt, finishedAt: new Date().toISOString(), ...written },
    } as const
    await writeManifest(BACKUP_FOLDER, manifest)
    return manifest
  })
}

/** What a tool prints, which ends well only if the tool does. */
async function* whole({ stdout, ended }: Pick<ReturnType<typeof startTool>, 'stdout' | 'ended'>) {
  yield* stdout as AsyncIterable<Buffer>
  await ended
}
