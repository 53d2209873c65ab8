import Joi from 'joi'
import { integer, list, postgresUrl, type Key } from '@caregate/common/config'

/** Not secret: who has them can make backups, and read none. */
const recipients = (): Key<string[]> =>
  (list('') as Joi.Schema)
    .required()
    .custom((keys: string[], helpers) =>
      keys.length && keys.every((key) => /^age1[0-9a-z]{50,}$/.test(key))
        ? keys
        : helpers.message({ custom: '{{#label}} must be public keys of age, age1…, by commas' }),
    )
const identity = (): Key<string> =>
  Joi.string()
    .required()
    .pattern(/^AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]{50,}$/)
    .messages({ 'string.pattern.base': '{{#label}} must be a secret key of age, AGE-SECRET-KEY-1…' })

const folder = { BACKUP_FOLDER: Joi.string().default('/backups') as Key<string> }
const database = { DATABASE_OWNER_URL: postgresUrl() }

/** By command. */
export const keys = {
  list: folder,
  backup: { ...folder, ...database, BACKUP_RECIPIENTS: recipients(), BACKUP_KEEP_DAYS: integer(35, 1, 3660) },
  verify: { ...folder, BACKUP_IDENTITY: identity() },
  restore: { ...folder, ...database, BACKUP_IDENTITY: identity() },
}
