import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { Service } from '@caregate/common/services'
import { fileOf, prune, readBackups, writeDump, writeManifest } from './store.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caregate-backups-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const dayMs = 86_400_000
const now = Date.parse('2026-11-27T12:00:00Z')

async function add(service: Service, daysAgo: number): Promise<string> {
  const at = new Date(now - daysAgo * dayMs).toISOString()
  const name = `${service}-${at.replaceAll(/[-:]/g, '')}`
  const written = await writeDump(folder, name, Readable.from([Buffer.from(name)]))
  const times = { at, startedAt: at, finishedAt: at }
  await writeManifest(folder, {
    ...{ format: 'caregate-backup/1', name, service, ...times, migration: 'Initial1', outbox: 0, ...written },
  })
  return name
}
const names = (service?: Service) => readBackups(folder, service).map(({ name }) => name)

test('a dump is written whole, with its size and hash, or not at all', async () => {
  const text = Buffer.from('a dump')
  const sha256 = createHash('sha256').update(text).digest('hex')
  expect(await writeDump(folder, 'good', Readable.from([text]))).toEqual({ bytes: 6, sha256 })
  const broken = Readable.from(
    (function* () {
      yield text
      throw new Error('pg_dump failed')
    })(),
  )
  await expect(writeDump(folder, 'bad', broken)).rejects.toThrow('pg_dump failed')
  expect(readdirSync(folder)).toEqual(['good.dump.age'])
})

test('what has no manifest is no backup, and neither is what has lost its end or its file', async () => {
  const [first, second, third] = [await add('auth', 3), await add('auth', 2), await add('auth', 1)]
  await writeDump(folder, 'auth-interrupted', Readable.from([Buffer.from('x')]))
  expect(names()).toEqual([third, second, first])
  truncateSync(fileOf(folder, third), 3)
  rmSync(fileOf(folder, second))
  expect(names()).toEqual([first])
})

test('what is older than it is kept for goes, of that service alone', async () => {
  const kept = [await add('auth', 1), await add('auth', 34)]
  const old = [await add('auth', 36), await add('auth', 400)]
  const other = [await add('patients', 1), await add('patients', 36)]
  expect(prune(folder, 'auth', 35, now)).toEqual(old)
  expect(names('auth')).toEqual(kept)
  expect(names('patients')).toEqual(other)
  expect(old.some((name) => existsSync(fileOf(folder, name)))).toBe(false)
})

test('the newest good one never goes, however old, and a broken newer one doesn’t replace it', async () => {
  const [older, newest, broken] = [await add('audit', 500), await add('audit', 400), await add('audit', 1)]
  truncateSync(fileOf(folder, broken), 3)
  expect(prune(folder, 'audit', 35, now)).toEqual([older])
  expect(names()).toEqual([newest])
})

test('what an interrupted run has left goes a day later', async () => {
  const good = await add('auth', 1)
  const left = [fileOf(folder, 'auth-x'), `${fileOf(folder, 'auth-y')}.partial`]
  for (const file of left) writeFileSync(file, 'half')
  prune(folder, 'auth', 35, Date.now())
  expect(left.every((file) => existsSync(file))).toBe(true)
  const longAgo = new Date(Date.now() - 2 * dayMs)
  for (const file of left) utimesSync(file, longAgo, longAgo)
  prune(folder, 'auth', 35, Date.now())
  expect(left.some((file) => existsSync(file))).toBe(false)
  expect(existsSync(fileOf(folder, good))).toBe(true)
})
