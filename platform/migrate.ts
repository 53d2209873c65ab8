import { SERVICES, isService } from '@caregate/common/services'
import { PlatformError, runTool } from './errors.ts'
import { runAsOwner } from './owner.ts'

await runTool(async () => {
  const [service, ...args] = process.argv.slice(2)
  if (!isService(service) || args.length === 0) {
    throw new PlatformError(
      `Usage: npm run migrate -- ${SERVICES.join('|')} up|down|status|create NAME [--from-entities]`,
    )
  }
  await runAsOwner(service, 'migrate.ts', args)
})
