import { databaseKeys, integer, processKeys, tokenKeys, type Config } from '@caregate/common/config'

export const keys = {
  ...processKeys,
  ...databaseKeys,
  ...tokenKeys,
  PORT: integer(8002, 0, 65_535),
  /** How long a broken glass opens a restricted chart. */
  BREAK_GLASS_MINUTES: integer(60, 1, 1440),
}
export type PatientsConfig = Config<typeof keys>
