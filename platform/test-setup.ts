import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrateUp, type DatabaseSpec } from '@caregate/common/migrate'
import { SERVICES } from '@caregate/common/services'
import { provision } from './provision.ts'
import { buildConsole } from './services.ts'
import { openTestBacking } from './testing.ts'

/** Backing services for the whole run, and a migrated database of each service for the test files to clone. */
export default async function setup(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'caregate-test-'))
  const [backing] = await Promise.all([openTestBacking(folder), buildConsole(process.env)])
  for (const service of SERVICES) {
    const { spec } = (await import(`../services/${service}/src/database.ts`)) as { spec: DatabaseSpec }
    const names = { database: `template_${service}`, role: `caregate_${service}` }
    await migrateUp(spec, await provision(backing.postgres, names, { app: 'app', owner: 'owner' }))
  }
  const { postgres, amqp, vhosts, consul, redis } = backing
  process.env.CAREGATE_TEST_BACKING = JSON.stringify({ postgres, amqp, vhosts, consul, redis })
  ;(globalThis as { closeTestBacking?: () => Promise<void> }).closeTestBacking = async () => {
    await backing.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
