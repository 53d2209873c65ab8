import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { patientEntity, spec, type PatientRow } from '../../../services/patients/src/database.ts'
import { newId, openDatabase, queryPrepared, type Database } from './database.ts'
import { cloneDatabase, quietLog } from './testing/service.ts'

let db: Database

beforeAll(async () => {
  const { app } = await cloneDatabase(spec)
  const config = { DATABASE_URL: app, DB_POOL_MAX: 3, DB_STATEMENT_TIMEOUT_MS: 5000 }
  db = await openDatabase(config, spec.entities, quietLog, AbortSignal.timeout(10_000))
})
afterAll(() => db.destroy())

const aRow = (id: string): PatientRow => ({
  id,
  mrn: id,
  version: 1,
  status: 'active',
  voided: false,
  voidReason: null,
  restricted: false,
  mergedInto: null,
  merges: 0,
  demographics: { name: { family: 'Gómez' } } as PatientRow['demographics'],
  searchName: ' gomez',
  birthDate: '1989-05-25',
  createdAt: new Date(),
  updatedAt: new Date('2026-01-02T03:04:05.678Z'),
  changedById: null,
  changedByName: 'Clara',
})

test('in a transaction what it has written is found, and nobody else finds it', async () => {
  const id = newId()
  const find = { name: 'find a patient', text: 'SELECT id, updated_at AS "updatedAt" FROM patients WHERE id = $1' }
  await db.transaction(async (tx) => {
    await tx.insert(patientEntity, aRow(id))
    expect(await queryPrepared(tx, find, [id])).toEqual([{ id, updatedAt: new Date('2026-01-02T03:04:05.678Z') }])
    expect(await queryPrepared(db.manager, find, [id])).toEqual([])
  })
})

test('ids sort by when they were made', () => {
  const ids = Array.from({ length: 500 }, newId)
  expect(ids.toSorted()).toEqual(ids)
})

test('a prepared statement is prepared once a connection', async () => {
  const statement = { name: 'three times', text: 'SELECT $1::int * 3 AS six, current_setting($2) AS setting' }
  await db.transaction(async (tx) => {
    expect(await queryPrepared(tx, statement, [2, 'server_version_num'])).toEqual([
      { six: 6, setting: expect.any(String) },
    ])
    await queryPrepared(tx, statement, [3, 'server_version_num'])
    const known = await tx.query<{ name: string }[]>('SELECT name FROM pg_prepared_statements')
    expect(known.filter(({ name }) => name === statement.name)).toHaveLength(1)
  })
})

test('a transaction that nobody goes on with ends, and others go on', async () => {
  const [limit] = await db.query<[object]>('SHOW idle_in_transaction_session_timeout')
  expect(limit).toEqual({ idle_in_transaction_session_timeout: '1min' })
  const forgotten = db.transaction(async (tx) => {
    await tx.query('LOCK TABLE outbox')
    // a minute would be long for a test
    await tx.query('SET LOCAL idle_in_transaction_session_timeout = 100')
    await sleep(500)
    await tx.query('SELECT 1')
  })
  await expect(forgotten).rejects.toThrow()
  expect(await db.query('SELECT 1 AS one FROM (SELECT count(*) FROM outbox) AS unlocked')).toEqual([{ one: 1 }])
})
