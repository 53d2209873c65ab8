import { generateKeyPairSync } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { DataSource, type EntityManager } from 'typeorm'
import type { Logger } from '@caregate/common/logger'
import type { Fields } from '@caregate/common/request-context'
import { quietLog } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { spec } from './database.ts'
import { again, inspect, uninspected, type Inspected, type Problem } from './inspect.ts'
import { verifierOf } from './log/note.ts'
import { openAudit, received, signer } from './testing.ts'
import { openVerification } from './verification.ts'

const pace = { pauseMs: 50, restPerWork: 0 }
const key = verifierOf(signer, 'log')
let service: Awaited<ReturnType<typeof openAudit>>
/** A superuser of the database, who may do anything. */
let intruder: DataSource
beforeAll(async () => {
  service = await openAudit()
  intruder = await new DataSource({
    type: 'postgres',
    url: service.urls.admin,
    entities: [...spec.entities],
  }).initialize()
  for (const size of [1, 200, 99, 300, 7]) await service.append(...Array.from({ length: size }, () => received()))
})
afterAll(async () => {
  await intruder.destroy()
  await service.close()
})

async function inspectAll(tx: EntityManager, from = uninspected): Promise<{ found: Problem[]; at: Inspected }> {
  const found: Problem[] = []
  for (let at = from; ;) {
    const { now, problems, done } = await inspect(tx, at, key)
    found.push(...problems)
    at = now
    if (done) return { found, at }
  }
}

/** What is found after somebody has done this, which is undone again. */
async function findAfter(...deeds: string[]): Promise<string[]> {
  const runner = intruder.createQueryRunner()
  await runner.startTransaction()
  try {
    for (const deed of deeds) await runner.query(deed)
    return (await inspectAll(runner.manager)).found.map(({ text }) => text)
  } finally {
    await runner.rollbackTransaction()
    await runner.release()
  }
}

describe('an inspection', () => {
  test('finds nothing in what nobody has touched', async () => {
    expect(await findAfter()).toEqual([])
  })

  test.each([
    [
      'a changed byte',
      [`UPDATE events SET entry = replace(entry, '"status":200', '"status":201') WHERE sequence = 250`],
      ['event 250 is not what the log has: its hash differs'],
    ],
    [
      'a changed column',
      [`UPDATE events SET actor_id = 'another', ip = '1.1.1.1' WHERE sequence = 3`],
      ['event 3 is searched by what it does not say: actorId, ip'],
    ],
    ['a deleted event', ['DELETE FROM events WHERE sequence = 601'], ['event 601 is missing']],
    [
      'two that changed places',
      [
        'UPDATE events SET sequence = -1 WHERE sequence = 10',
        'UPDATE events SET sequence = 10 WHERE sequence = 11',
        'UPDATE events SET sequence = 11 WHERE sequence = -1',
      ],
      [
        'event 10 is not what the log has: its hash differs',
        'the id of event 10 is not kept: it could be stored again',
        'event 10 is searched by what it does not say: sequence',
        'event 11 is not what the log has: its hash differs',
        'the id of event 11 is not kept: it could be stored again',
        'event 11 is searched by what it does not say: sequence',
      ],
    ],
    [
      'an event behind the last',
      [
        `INSERT INTO events SELECT 608, gen_random_uuid(), stored_at, occurred_at, type, action, outcome, actor_id, patient_ids, method, path, ip, request_id, entry FROM events WHERE sequence = 607`,
      ],
      ['1 events stand beyond the tree, which has 607'],
    ],
    [
      'an id that was forgotten',
      ['DELETE FROM event_ids WHERE sequence = 77'],
      ['the id of event 77 is not kept: it could be stored again'],
    ],
    [
      'an event and its hash',
      [
        `UPDATE events SET entry = replace(entry, '"status":200', '"status":201') WHERE sequence = 250`,
        `UPDATE leaves SET hashes = overlay(hashes PLACING sha256('\\x00'::bytea || convert_to((SELECT entry FROM events WHERE sequence = 250), 'UTF8')) FROM 48 * 32 + 1 FOR 32) WHERE start = 201`,
      ],
      [
        'checkpoint 300 does not hold: events 202–300 are not those that it was signed for',
        'the node over events 1–256 is not their hash',
      ],
    ],
    [
      'hashes that are gone',
      ['DELETE FROM leaves WHERE start = 600'],
      Array.from({ length: 7 }, (_, n) => `the hash of event ${601 + n} is missing`),
    ],
    [
      'a node',
      [`UPDATE nodes SET hash = sha256('x') WHERE position = 1`],
      ['the node over events 257–512 is not their hash'],
    ],
    [
      'a checkpoint',
      [`UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE size = 1) WHERE size = 600`],
      ['checkpoint 600 does not hold: it says 1'],
    ],
    [
      'a checkpoint’s time',
      [`UPDATE checkpoints SET stored_at = stored_at + interval '1 year' WHERE size = 300`],
      ['checkpoint 300 is of another time than event 300'],
    ],
    [
      'a signature',
      [`UPDATE checkpoints SET note = overlay(note PLACING 'AAAA' FROM length(note) - 20) WHERE size = 201`],
      ['checkpoint 201 does not hold: the log’s key did not sign it'],
    ],
  ])('finds %s', async (_name, deeds, expected) => {
    expect(await findAfter(...deeds)).toEqual(expected)
  })

  test('finds what is said to be gone by retention, when no event has told of it by the end of the next one', async () => {
    const runner = intruder.createQueryRunner()
    await runner.startTransaction()
    try {
      await runner.query('DELETE FROM events WHERE sequence BETWEEN 20 AND 30')
      await runner.query('INSERT INTO retained (first, last) VALUES (1, 30)')
      const { found, at } = await inspectAll(runner.manager)
      expect(found).toEqual([])
      expect((await inspectAll(runner.manager, again(at))).found).toEqual([
        {
          text: 'events 20–30 are gone, and no event of the log says that retention has covered them',
          first: 20,
          last: 30,
        },
      ])
    } finally {
      await runner.rollbackTransaction()
      await runner.release()
    }
  })

  test('finds that another key has signed', async () => {
    const other = verifierOf({ ...signer, privateKey: generateKeyPairSync('ed25519').privateKey }, 'log')
    const { problems } = await inspect(intruder.manager, uninspected, other)
    expect(problems[0]).toEqual({
      text: 'checkpoint 1 does not hold: the log’s key did not sign it',
      first: 1,
      last: 1,
    })
  })
})

describe('the service', () => {
  const alarms: string[] = []
  const log: Logger = Object.assign(Object.create(quietLog) as Logger, {
    error: (_message: string, fields: Fields) => alarms.push(String(fields['event.reason'])),
  })
  const status = (entry: string) =>
    intruder.query(
      `UPDATE events SET entry = replace(entry, '"status":${entry === 'bad' ? 200 : 201}', '"status":${entry === 'bad' ? 201 : 200}') WHERE sequence = 5`,
    )

  test('verifies the log and what is new, says once what differs, and when it is well again', async () => {
    const verification = openVerification(service.db, key, log, pace)
    try {
      expect(verification.status).toMatchObject({ state: 'verifying', completedAt: null })
      await until(() => verification.status.state === 'verified')
      await service.append(received(), received())
      await until(() => verification.status.size === 609)
      await service.events()

      await status('bad')
      await until(() => verification.status.state === 'failed', 20)
      const reason = 'event 5 is not what the log has: its hash differs'
      expect(verification.status.problems).toEqual([reason])
      const done = verification.status.completedAt
      await until(() => verification.status.completedAt !== done, 20)
      expect(alarms).toEqual([reason])
      expect(await service.events()).toMatchObject([
        { type: 'audit.verification.failed', outcome: 'failure', resource: { type: 'event', id: '5' } },
      ])

      await status('good')
      await until(() => verification.status.state === 'verified', 20)
    } finally {
      await verification.close()
    }
  }, 60_000)

  test('lets the process end in the midst of a pass', async () => {
    const verification = openVerification(service.db, key, log, { pauseMs: 50, restPerWork: 1e6 })
    await until(() => verification.status.size > 0)
    await verification.close()
    expect(verification.status.size).toBeLessThan(607)
  })

  test('remembers what it has seen: an end that is gone, or that was written anew', async () => {
    const verification = openVerification(service.db, key, log, pace)
    const forget = async (size: number): Promise<void> => {
      for (const table of ['events', 'event_ids']) await intruder.query(`DELETE FROM ${table} WHERE sequence > ${size}`)
      await intruder.query(`DELETE FROM checkpoints WHERE size > ${size}`)
      await intruder.query(`DELETE FROM leaves WHERE start >= ${size}`)
    }
    try {
      await until(() => verification.status.state === 'verified', 20)
      await forget(607)
      await until(() => verification.status.problems.includes('the log had 609 events once: its end is gone'), 20)
      await service.append(received(), received())
      const both = ['the log had 609 events once: its end is gone', 'the log had other events up to 609 once']
      await until(() => isDeepStrictEqual(verification.status.problems, both), 20)
      // nor does it forget when the log has grown further
      await service.append(received(), received())
      const done = verification.status.completedAt
      await until(() => verification.status.completedAt !== done && verification.status.size === 611, 20)
      await until(() => verification.status.completedAt !== done, 20)
      expect(verification.status).toMatchObject({ state: 'failed', problems: both })
    } finally {
      await verification.close()
    }
  }, 60_000)
})
