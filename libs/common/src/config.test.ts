import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { databaseKeys, integer, list, loadConfig, processKeys, secret, tokenKeys, url } from './config.ts'

const good = 'kU6cVb3sQm9xT1zR7wPj4yLd8nHf2aGe'
const keys = { SECRET_KEY: secret(), DATABASE_URL: url('postgres'), DB_POOL_MAX: integer(10, 2, 200), HOSTS: list('*') }
const env = { SECRET_KEY: good, DATABASE_URL: 'postgres://db/x' }

test('defaults, numbers and comma lists come out typed; an empty value counts as unset', () => {
  expect(loadConfig(keys, { ...env, DB_POOL_MAX: '', OTHER: 'ignored' })).toEqual({
    ...env,
    DB_POOL_MAX: 10,
    HOSTS: ['*'],
  })
  expect(loadConfig(keys, { ...env, DB_POOL_MAX: '7', HOSTS: 'a.example, b.example,' })).toMatchObject({
    DB_POOL_MAX: 7,
    HOSTS: ['a.example', 'b.example'],
  })
})

test('every bad key is named at once, and no value', () => {
  const bad = { SECRET_KEY: 'hunter2', DATABASE_URL: 'mysql://root:hunter2@db', DB_POOL_MAX: 'many' }
  expect(() => loadConfig(keys, bad)).toThrow(/SECRET_KEY[^]*DATABASE_URL[^]*DB_POOL_MAX/)
  expect(() => loadConfig(keys, bad)).not.toThrow(/hunter2|many/)
})

test.each([
  ['missing', undefined],
  ['short', 'x7Q'.repeat(10)],
  ['one letter', 'a'.repeat(40)],
  ['a placeholder', 'change-me-please-change-me-please-1'],
  ['from a tutorial', '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7'],
])('a secret that is %s is refused', (_what, SECRET_KEY) => {
  expect(() => loadConfig(keys, { ...env, SECRET_KEY })).toThrow('SECRET_KEY')
})

test('a secret may come from a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'caregate-config-'))
  const SECRET_KEY_FILE = join(folder, 'secret')
  const given = { DATABASE_URL: env.DATABASE_URL, SECRET_KEY_FILE }
  expect(() => loadConfig(keys, given)).toThrow("SECRET_KEY_FILE can't be read: ENOENT")
  writeFileSync(SECRET_KEY_FILE, `${good}\n`)
  expect(loadConfig(keys, given).SECRET_KEY).toBe(good)
  rmSync(folder, { recursive: true })
})

test('the file of a value that stands in the environment is not followed', () => {
  const { DATABASE_URL, DATABASE_URL_FILE } = databaseKeys
  const both = { DATABASE_URL: env.DATABASE_URL, DATABASE_URL_FILE: '/elsewhere' }
  expect(loadConfig({ DATABASE_URL, DATABASE_URL_FILE }, both)).toEqual({ DATABASE_URL: env.DATABASE_URL })
})

test.each([
  ['sslmode=no-verify', 'sslmode=verify-full, or disable'],
  ['sslmode=prefer', 'sslmode=verify-full, or disable'],
  ['ssl=true', 'must not have ssl:'],
  ['sslmode=verify-full&sslrootcert=/ca.crt', 'must not have sslrootcert:'],
  ['uselibpqcompat=true&sslmode=require', 'must not have uselibpqcompat:'],
])('a database is asked with its certificate verified, or plainly: %s is refused', (query, why) => {
  const { DATABASE_URL } = databaseKeys
  const load = (given: string) => loadConfig({ DATABASE_URL }, { DATABASE_URL: `postgres://db/x?${given}` })
  expect(() => load(query)).toThrow(why)
  for (const mode of ['disable', 'require', 'verify-full']) expect(() => load(`sslmode=${mode}`)).not.toThrow()
})

test('with HS256 the shared key is required, otherwise the address of the public keys', () => {
  expect(() => loadConfig(tokenKeys, { ALGORITHM: 'HS256' })).toThrow(/SECRET_KEY is required/)
  expect(() => loadConfig(tokenKeys, {})).toThrow(/JWKS_URL is required/)
  expect(loadConfig(tokenKeys, { JWKS_URL: 'http://auth/jwks' }).ALGORITHM).toBe('ES256')
  expect(() => loadConfig(tokenKeys, { ALGORITHM: 'none' })).toThrow('ALGORITHM')
})

test('a file with nothing in it counts as unset', () => {
  const folder = mkdtempSync(join(tmpdir(), 'caregate-config-'))
  const DB_POOL_MAX_FILE = join(folder, 'empty')
  writeFileSync(DB_POOL_MAX_FILE, '\n')
  expect(loadConfig(keys, { ...env, DB_POOL_MAX_FILE })).toMatchObject({ DB_POOL_MAX: 10 })
  rmSync(folder, { recursive: true })
})

test('the address may be given by the network in which this machine has it', () => {
  const advertised = (ADVERTISE_ADDRESS: string) =>
    loadConfig({ ADVERTISE_ADDRESS: processKeys.ADVERTISE_ADDRESS }, { ADVERTISE_ADDRESS }).ADVERTISE_ADDRESS
  expect(advertised('127.0.0.0/8')).toBe('127.0.0.1')
  expect(advertised('patients-7.internal')).toBe('patients-7.internal')
  expect(() => advertised('203.0.113.0/24')).toThrow('ADVERTISE_ADDRESS: this machine has no address in that network')
  expect(() => advertised('10.0.0.0/33')).toThrow('ADVERTISE_ADDRESS must be an address, a name or a network')
})
