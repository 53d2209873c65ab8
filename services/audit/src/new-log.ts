import { commandConfig } from '@caregate/common/command'
import { openDatabase, type Database } from '@caregate/common/database'
import { serializeEvent } from '@caregate/common/events'
import { buildLogger } from '@caregate/common/logger'
import { unattendedEvent } from '@caregate/common/unattended'
import { keys, signerOf } from './config.ts'
import { spec } from './database.ts'
import type { Signer } from './log/note.ts'
import { receive } from './received.ts'
import { getHead, lockLog } from './repository.ts'
import { readHead, store } from './sequencer.ts'

/**
 * Goes on under a new name with a log that has lost its end, by a restore say: under the old one no witness would sign it any
 * more, and rightly. What there is stays as it is; the first event under the new name tells of the head that it goes on from.
 * @throws when the log goes by that name already
 */
async function beginLog(db: Pick<Database, 'transaction'>, signer: Signer): Promise<string> {
  return db.transaction(async (tx) => {
    await lockLog(tx)
    const head = await getHead(tx)
    const { origin, size, root } = readHead(head)
    if (origin === signer.name)
      throw new Error(`AUDIT_LOG_ORIGIN must be a new name: the log in the database is ${origin} already.`)
    const oldHead = `${origin} ${size} ${root.toString('base64')}`
    const resource = { type: 'log', id: oldHead }
    const event = unattendedEvent('new-log', { service: 'audit', type: 'audit.log.created', action: 'C', resource })
    await store(tx, signer, head, [receive(Buffer.from(serializeEvent(event)))])
    return `${signer.name} goes on from ${oldHead}`
  })
}

/** The command: as the service, with the new name. */
export async function runNewLog(): Promise<string> {
  // it serves nobody, so it needs none of the keys for that
  const { DATABASE_URL, DB_POOL_MAX, DB_STATEMENT_TIMEOUT_MS, ...rest } = keys
  const { AUDIT_SIGNING_KEY, AUDIT_LOG_ORIGIN, LOG_LEVEL, LOG_FORMAT } = rest
  const own = { AUDIT_SIGNING_KEY, AUDIT_LOG_ORIGIN, LOG_LEVEL, LOG_FORMAT }
  const config = commandConfig({ DATABASE_URL, DB_POOL_MAX, DB_STATEMENT_TIMEOUT_MS, ...own })
  const log = buildLogger('audit', config.LOG_LEVEL, config.LOG_FORMAT)
  const db = await openDatabase(config, spec.entities, log, AbortSignal.timeout(10_000))
  return beginLog(db, signerOf(config)).finally(() => db.destroy())
}
