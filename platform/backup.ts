/** `npm run backup` and `npm run restore`: the commands of ops/backup, on the databases of the platform of this checkout. */
import { join } from 'node:path'
import { SERVICES, isService } from '@caregate/common/services'
import { PlatformError, runTool } from './errors.ts'
import { withServer } from './server.ts'
import { handOver, serviceDatabaseUrls } from './services.ts'
import { openDataFolder } from './state.ts'

await runTool(async () => {
  const [command = '', name, ...args] = process.argv.slice(2)
  // the log comes last: it has the events of all that the others have
  const services = name === 'all' && command === 'backup' ? SERVICES : [name].filter(isService)
  if (!services.length)
    throw new PlatformError(
      `Usage: npm run backup -- ${SERVICES.join('|')}|all\n       npm run restore -- ${SERVICES.join('|')} [NAME] [--force]`,
    )
  await withServer(async ({ postgres, env, secrets, running }) => {
    if (running && command === 'restore')
      throw new PlatformError('What is served meanwhile would be lost: `npm run stop`, then this again.')
    for (const service of services) {
      const { DATABASE_OWNER_URL } = serviceDatabaseUrls(postgres, service, secrets)
      const settings = { BACKUP_FOLDER: join(openDataFolder(), 'backups'), ...env, DATABASE_OWNER_URL }
      await handOver('ops/backup/src/cli.ts', [command, service, ...args], settings)
      if (process.exitCode) return
    }
  })
})
