import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrateUp } from '@caregate/common/migrate'
import { spec as audit } from '../services/audit/src/database.ts'
import { spec as auth } from '../services/auth/src/database.ts'
import { spec as patients } from '../services/patients/src/database.ts'
import { provision } from './provision.ts'
import { buildConsole } from './services.ts'
import { openTestBacking } from './testing.ts'

/** Backing services for the whole run, and a migrated database of each service for the test files to clone. */
export default async function setup(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'caregate-test-'))
  const [backing] = await Promise.all([openTestBacking(folder), buildConsole(process.env)])
  for (const spec of [auth, patients, audit]) {
    const names = { database: `template_${spec.service}`, role: `caregate_${spec.service}` }
    await migrateUp(spec, await provision(backing.postgres, names, { app: 'app', owner: 'owner' }))
  }
  const { postgres, amqp, vhosts, consul, redis } = backing
  process.env.CAREGATE_TEST_BACKING = JSON.stringify({ postgres, amqp, vhosts, consul, redis })
  ;(globalThis as { closeTestBacking?: () => Promise<void> }).closeTestBacking = async () => {
    await backing.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
