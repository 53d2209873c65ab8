import { PlatformError, runTool } from './errors.ts'
import { handOver } from './services.ts'
import { openDataFolder, readInfo } from './state.ts'

await runTool(async () => {
  const info = readInfo(openDataFolder())
  if (!info)
    throw new PlatformError('The broker is reached through the running platform: `npm start`, then this again.')
  const args = ['dead-letters', ...process.argv.slice(2)]
  await handOver('services/audit/src/cli.ts', args, { ...process.env, AMQP_URL: info.backing.amqp })
})
