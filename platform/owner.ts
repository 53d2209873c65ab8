import type { Service } from '@caregate/common/services'
import { PlatformError } from './errors.ts'
import { handOver, serviceDatabaseUrls } from './services.ts'
import { openDataFolder, openSecrets, readEnv, readInfo, type Secrets } from './state.ts'

/**
 * Runs a script of a service on the running platform's database, as its owner, and ends as it ends.
 * @param keys which of the platform's own keys it needs
 */
export async function runAsOwner(
  service: Service,
  script: string,
  args: readonly string[],
  keys: readonly (keyof Secrets)[] = [],
): Promise<void> {
  const folder = openDataFolder()
  const info = readInfo(folder)
  if (!info)
    throw new PlatformError('The database is reached through the running platform: `npm start`, then this again.')
  const secrets = openSecrets(folder)
  const urls = serviceDatabaseUrls(info.backing.postgres, service, secrets)
  const own = Object.fromEntries(keys.map((key) => [key, secrets[key]]))
  await handOver(`services/${service}/src/${script}`, args, { ...own, ...readEnv(), ...urls })
}
