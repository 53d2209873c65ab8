#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { commandConfig } from '@caregate/common/command'
import { ConfigError, loadConfig } from '@caregate/common/config'
import { isService, SERVICES, type Service } from '@caregate/common/services'
import { backUp } from './backup.ts'
import { keys } from './config.ts'
import { BackupError } from './errors.ts'
import { restore, verify } from './restore.ts'
import { prune, readBackups, type Manifest } from './store.ts'

const usage = `Usage: caregate-backup backup SERVICE
       caregate-backup list
       caregate-backup verify SERVICE [NAME]
       caregate-backup restore SERVICE [NAME] [--force]
       caregate-backup keygen

SERVICE is ${SERVICES.join(', ')}; without a NAME the newest backup is taken. keygen prints a key pair: BACKUP_RECIPIENTS is the public
half, and BACKUP_IDENTITY the secret one, which only verify and restore need. Names of settings: docs/backup.md.`

const describe = ({ name, bytes, startedAt, finishedAt, migration, outbox, mark }: Manifest): string => {
  const [origin, size] = mark?.split('\n') ?? []
  const seconds = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000
  const log = mark ? `, ${origin} of ${size} events` : ''
  return `${name}: ${(bytes / 1e6).toFixed(2)} MB in ${seconds.toFixed(1)} s, ${migration}, ${outbox} events to pass on${log}`
}

function find(folder: string, service: Service, name: string | undefined): Manifest {
  const backups = existsSync(folder) ? readBackups(folder, service) : []
  const found = name ? backups.find((one) => one.name === name) : backups[0]
  if (found) return found
  throw new BackupError(`${folder} has no whole backup ${name ?? `of ${service}`}.`)
}

const commands: Record<string, (service: Service, name: string | undefined, force: boolean) => Promise<void>> = {
  async backup(service) {
    const config = commandConfig(keys.backup)
    console.log(describe(await backUp(service, config)))
    for (const name of prune(config.BACKUP_FOLDER, service, config.BACKUP_KEEP_DAYS)) console.log(`${name}: deleted`)
  },
  async verify(service, name) {
    const config = commandConfig(keys.verify)
    const manifest = find(config.BACKUP_FOLDER, service, name)
    await verify(manifest, config)
    console.log(`${describe(manifest)}: whole`)
  },
  async restore(service, name, force) {
    const config = commandConfig(keys.restore)
    const manifest = find(config.BACKUP_FOLDER, service, name)
    await restore(manifest, config, force)
    console.log(`${describe(manifest)}: restored. What was committed after ${manifest.at} is not in it.`)
  },
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { force: { type: 'boolean' } } })
  const [command = '', service, name, ...more] = positionals
  if (command === 'keygen' && !service) {
    const identity = await generateX25519Identity()
    console.log(`BACKUP_RECIPIENTS=${await identityToRecipient(identity)}\nBACKUP_IDENTITY=${identity}`)
  } else if (command === 'list' && !service) {
    for (const one of readBackups(loadConfig(keys.list, process.env).BACKUP_FOLDER)) console.log(describe(one))
  } else if (command in commands && isService(service) && !more.length) {
    await commands[command]!(service, name, values.force ?? false)
  } else throw new BackupError(usage)
}

try {
  await main()
} catch (error) {
  const isKnown = error instanceof BackupError || error instanceof ConfigError
  // the system's and the database's own say enough
  const isCoded = error instanceof Error && 'code' in error
  console.error(isKnown || isCoded ? error.message : error)
  process.exitCode = 1
}
