import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { PlatformError, runTool } from './errors.ts'
import { isService, serviceDatabaseUrls, SERVICES } from './services.ts'
import { openDataFolder, openSecrets, readEnv, readInfo, ROOT } from './state.ts'

await runTool(async () => {
  const [service, ...args] = process.argv.slice(2)
  if (!isService(service) || args.length === 0) {
    throw new PlatformError(
      `Usage: npm run migrate -- ${SERVICES.join('|')} up|down|status|create NAME [--from-entities]`,
    )
  }
  const folder = openDataFolder()
  const info = readInfo(folder)
  if (!info)
    throw new PlatformError('The database is reached through the running platform: `npm start`, then this again.')
  const urls = serviceDatabaseUrls(info.backing.postgres, service, openSecrets(folder))
  const script = join(ROOT, 'services', service, 'src/migrate.ts')
  const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit', env: { ...readEnv(), ...urls } })
  const [code] = (await once(child, 'exit')) as [number | null]
  process.exitCode = code ?? 1
})
