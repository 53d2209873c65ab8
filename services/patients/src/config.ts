import { databaseKeys, integer, processKeys, tokenKeys } from '@caregate/common/config'

export const keys = { ...processKeys, ...databaseKeys, ...tokenKeys, PORT: integer(8002, 0, 65_535) }
