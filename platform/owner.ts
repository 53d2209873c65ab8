import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { PlatformError } from './errors.ts'
import { serviceDatabaseUrls, type Service } from './services.ts'
import { openDataFolder, openSecrets, readEnv, readInfo, ROOT } from './state.ts'

/** Runs a script of a service on the running platform's database, as its owner, and ends as it ends. */
export async function runAsOwner(service: Service, script: string, args: readonly string[]): Promise<void> {
  const folder = openDataFolder()
  const info = readInfo(folder)
  if (!info)
    throw new PlatformError('The database is reached through the running platform: `npm start`, then this again.')
  const urls = serviceDatabaseUrls(info.backing.postgres, service, openSecrets(folder))
  const file = join(ROOT, 'services', service, 'src', script)
  const child = spawn(process.execPath, [file, ...args], { stdio: 'inherit', env: { ...readEnv(), ...urls } })
  const [code] = (await once(child, 'exit')) as [number | null]
  process.exitCode = code ?? 1
}
