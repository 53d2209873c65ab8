import { loadConfig } from '@caregate/common/config'
import { asOwner } from '@caregate/common/migrate'
import { retainKeys } from './config.ts'
import { spec } from './database.ts'
import { makePartitions } from './partitions.ts'
import { applyRetention } from './retention.ts'

// once a day, say: makes partitions ahead, and drops what is older than its retention
try {
  const config = loadConfig(retainKeys, process.env)
  const lines = await asOwner(spec, config.DATABASE_OWNER_URL, async (owner) => {
    const now = new Date()
    const made = await makePartitions(owner, now)
    const dropped = await applyRetention(owner, config.AUDIT_RETENTION_DAYS, now)
    return [...made.map((name) => `${name}: made`), ...dropped]
  })
  for (const line of lines.length ? lines : ['nothing to make, nothing to drop']) console.log(line)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
