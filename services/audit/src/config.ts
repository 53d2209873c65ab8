import { createPrivateKey } from 'node:crypto'
import Joi from 'joi'
import {
  databaseKeys,
  integer,
  postgresUrl,
  processKeys,
  tokenKeys,
  type Config,
  type Key,
} from '@caregate/common/config'
import { factsOf } from '@caregate/common/services'
import { isKeyName, parseVerifier, type Signer } from './log/note.ts'

const signingKey = (): Key<string> =>
  Joi.string()
    .required()
    .custom((pem: string, helpers) => {
      try {
        if (createPrivateKey(pem).asymmetricKeyType === 'ed25519') return pem
      } catch {
        // said below
      }
      return helpers.message({
        custom: '{{#label}} must be an Ed25519 key in PEM; make one with: openssl genpkey -algorithm ed25519',
      })
    })
const origin = (): Key<string> =>
  Joi.string()
    .default('caregate.local/audit')
    .custom((name: string, helpers) =>
      isKeyName(name) ? name : helpers.message({ custom: '{{#label}} must have neither spaces nor plus signs in it' }),
    )

const verifierKey = (): Joi.StringSchema =>
  Joi.string().custom((text: string, helpers) => {
    try {
      if (parseVerifier(text).type === 'witness') return text
    } catch {
      // said below
    }
    return helpers.message({ custom: '{{#label}} must be the key of a witness: name+id+key' })
  })

export const keys = {
  ...processKeys,
  ...databaseKeys,
  ...tokenKeys,
  PORT: integer(factsOf('audit').port, 0, 65_535),
  /** Signs the checkpoints; usually in a file, named by AUDIT_SIGNING_KEY_FILE. */
  AUDIT_SIGNING_KEY: signingKey(),
  /** What the log is called in its checkpoints: an address without https://, say. Not to be changed later. */
  AUDIT_LOG_ORIGIN: origin(),
  /** Where a witness takes checkpoints (C2SP tlog-witness), and its key, `name+id+key`. */
  WITNESS_URL: Joi.string().uri({ scheme: ['http', 'https'] }) as Key<string | undefined>,
  WITNESS_KEY: verifierKey().when('WITNESS_URL', { is: Joi.exist(), then: Joi.required() }) as Key<string | undefined>,
}

/** Of the owner's command that makes partitions and applies retention. */
export const retainKeys = {
  DATABASE_OWNER_URL: postgresUrl(),
  /** How long events are kept, in whole months of storage: six years if nothing is said. */
  AUDIT_RETENTION_DAYS: integer(2192, 1, 36_500),
}

export const signerOf = (config: Pick<Config<typeof keys>, 'AUDIT_SIGNING_KEY' | 'AUDIT_LOG_ORIGIN'>): Signer => ({
  name: config.AUDIT_LOG_ORIGIN,
  privateKey: createPrivateKey(config.AUDIT_SIGNING_KEY),
})
