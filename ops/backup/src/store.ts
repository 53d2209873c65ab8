/** The folder of backups: `<name>.dump.age`, and beside it `<name>.json`, which is written last. */
import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Service } from '@caregate/common/services'
import type { Facts } from './postgres.ts'

/** What is known of a backup without opening it. */
export interface Manifest extends Facts {
  format: 'caregate-backup/1'
  name: string
  service: Service
  startedAt: string
  finishedAt: string
  /** Of the encrypted file. */
  bytes: number
  sha256: string
}

export const fileOf = (folder: string, name: string) => join(folder, `${name}.dump.age`)
const manifestOf = (folder: string, name: string) => join(folder, `${name}.json`)
const dayMs = 86_400_000

/** Written and on the disk when this is over. @returns its size and hash */
export async function writeDump(
  folder: string,
  name: string,
  dump: AsyncIterable<Uint8Array>,
): Promise<{ bytes: number; sha256: string }> {
  mkdirSync(folder, { recursive: true })
  const partial = `${fileOf(folder, name)}.partial`
  const hash = createHash('sha256')
  let bytes = 0
  async function* counted(source: AsyncIterable<Uint8Array>) {
    for await (const chunk of source) {
      hash.update(chunk)
      bytes += chunk.length
      yield chunk
    }
  }
  try {
    const file = await open(partial, 'wx', 0o600)
    await pipeline(dump, counted, file.createWriteStream({ flush: true }))
    renameSync(partial, fileOf(folder, name))
  } catch (error) {
    rmSync(partial, { force: true })
    throw error
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** Makes a dump a backup. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const draft = `${manifestOf(folder, manifest.name)}.partial`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  renameSync(draft, manifestOf(folder, manifest.name))
}

/** The whole ones, the newest first. What has no manifest, or not the size that it says, is none. */
export function readBackups(folder: string, service?: Service): Manifest[] {
  return readdirSync(folder)
    .filter((file) => /^[a-z]+-[\dT.]+Z\.json$/.test(file))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Manifest)
    .filter((one) => !service || one.service === service)
    .filter(({ name, bytes }) => statSync(fileOf(folder, name), { throwIfNoEntry: false })?.size === bytes)
    .sort((a, b) => (a.at < b.at ? 1 : -1))
}

export async function sha256Of(folder: string, name: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(fileOf(folder, name)), hash)
  return hash.digest('hex')
}

/**
 * Deletes a service's backups that are older than `keepDays`, but never the newest, and what interrupted runs have left a
 * day ago. @returns the names of those deleted
 */
export function prune(folder: string, service: Service, keepDays: number, now = Date.now()): string[] {
  const [, ...older] = readBackups(folder, service)
  const over = older.filter(({ at }) => Date.parse(at) < now - keepDays * dayMs).map(({ name }) => name)
  for (const name of over) {
    // without its manifest the rest is no backup any more
    rmSync(manifestOf(folder, name))
    rmSync(fileOf(folder, name))
  }
  const kept = new Set(readBackups(folder).flatMap(({ name }) => [fileOf(folder, name), manifestOf(folder, name)]))
  for (const file of readdirSync(folder).map((entry) => join(folder, entry))) {
    const leftover = /\.(partial|dump\.age)$/.test(file) && !kept.has(file)
    if (leftover && statSync(file).mtimeMs < now - dayMs) rmSync(file)
  }
  return over
}
