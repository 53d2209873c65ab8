import { openBackingContext } from './backing/open.ts'
import { openPostgres } from './backing/postgres.ts'
import { quietProgress } from './progress.ts'
import { provisionServices } from './services.ts'
import { lockDataFolder, openDataFolder, openSecrets, readEnv, readInfo, type Secrets } from './state.ts'
import { openSupervisor } from './supervisor.ts'

interface Server {
  /** Of the administrator. */
  postgres: string
  env: NodeJS.ProcessEnv
  secrets: Secrets
  /** Whether the services run as well. */
  running: boolean
}

/** Works on the database server of the checkout's platform, which is brought up for that while the platform doesn't run. */
export async function withServer<T>(work: (server: Server) => Promise<T>): Promise<T> {
  const folder = openDataFolder()
  const env = readEnv()
  const secrets = openSecrets(folder)
  const info = readInfo(folder)
  if (info) return work({ postgres: info.backing.postgres, env, secrets, running: true })

  const lock = await lockDataFolder(folder)
  const supervisor = openSupervisor({ folder })
  try {
    const context = await openBackingContext({ folder, env, secrets, supervisor, progress: quietProgress })
    const postgres = await openPostgres(context)
    await provisionServices(postgres, secrets)
    return await work({ postgres, env, secrets, running: false })
  } finally {
    await supervisor.close()
    lock.release()
  }
}
