import {
  databaseKeys,
  integer,
  otherSecret,
  postgresUrl,
  processKeys,
  secret,
  tokenKeys,
  type Config,
} from '@caregate/common/config'
import { factsOf } from '@caregate/common/services'

export const fieldKeys = {
  /** Seals the identifiers that a government gave, and makes the index by which identifiers are found. */
  FIELD_KEY: secret(),
  FIELD_KEY_PREVIOUS: otherSecret(),
}
export const keys = {
  ...processKeys,
  ...databaseKeys,
  ...tokenKeys,
  ...fieldKeys,
  PORT: integer(factsOf('patients').port, 0, 65_535),
  /** How long a broken glass opens a restricted chart. */
  BREAK_GLASS_MINUTES: integer(60, 1, 1440),
}
export type PatientsConfig = Config<typeof keys>
export const rotateKeys = { ...fieldKeys, DATABASE_OWNER_URL: postgresUrl() }
