import { commandConfig } from '@caregate/common/command'
import { asOwner } from '@caregate/common/migrate'
import { retainKeys } from './config.ts'
import { spec } from './database.ts'
import { makePartitions } from './partitions.ts'
import { applyRetention } from './retention.ts'

// once a day, say: makes partitions ahead, and drops what is older than its retention
try {
  const config = commandConfig(retainKeys)
  await asOwner(spec, config.DATABASE_OWNER_URL, async (owner) => {
    const now = new Date()
    const made = await makePartitions(owner, now)
    for (const name of made) console.log(`${name}: made`)
    let dropped = 0
    for await (const line of applyRetention(owner, config.AUDIT_RETENTION_DAYS, now)) {
      console.log(line)
      dropped++
    }
    if (!made.length && !dropped) console.log('nothing to make, nothing to drop')
  })
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
