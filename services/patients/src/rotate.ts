import { commandConfig } from '@caregate/common/command'
import { asOwner } from '@caregate/common/migrate'
import { rotateKeys } from './config.ts'
import { spec } from './database.ts'
import { buildFieldKeys } from './field-keys.ts'
import { rotate } from './rotation.ts'

// after FIELD_KEY was changed: once it is through, FIELD_KEY_PREVIOUS isn't needed any more
try {
  const config = commandConfig(rotateKeys)
  await asOwner(spec, config.DATABASE_OWNER_URL, async (owner) => {
    for await (const line of rotate(owner, buildFieldKeys(config))) console.log(line)
  })
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
