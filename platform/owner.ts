import { PlatformError } from './errors.ts'
import { handOver, serviceDatabaseUrls, type Service } from './services.ts'
import { openDataFolder, openSecrets, readEnv, readInfo } from './state.ts'

/** Runs a script of a service on the running platform's database, as its owner, and ends as it ends. */
export async function runAsOwner(service: Service, script: string, args: readonly string[]): Promise<void> {
  const folder = openDataFolder()
  const info = readInfo(folder)
  if (!info)
    throw new PlatformError('The database is reached through the running platform: `npm start`, then this again.')
  const urls = serviceDatabaseUrls(info.backing.postgres, service, openSecrets(folder))
  await handOver(`services/${service}/src/${script}`, args, { ...readEnv(), ...urls })
}
