import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { removeVolumes } from './backing/docker.ts'
import { PlatformError, runTool } from './errors.ts'
import { openDataFolder } from './state.ts'
import { stopPlatform } from './stop.ts'

await runTool(async () => {
  const folder = openDataFolder()
  if (!process.argv.includes('--yes')) {
    if (!process.stdin.isTTY) throw new PlatformError('Nothing was removed: without a terminal to ask on, say --yes.')
    const terminal = createInterface({ input: process.stdin, output: process.stdout })
    const answer = await terminal.question(
      `This removes all databases, queues, keys and logs in ${folder}. Type yes to go on: `,
    )
    terminal.close()
    if (answer.trim() !== 'yes') throw new PlatformError('Nothing was removed.')
  }
  await stopPlatform()
  const entries = readdirSync(folder)
  if (entries.includes('backing') && readFileSync(join(folder, 'backing'), 'utf8') === 'docker')
    await removeVolumes(folder)
  for (const entry of entries) if (entry !== 'tools') rmSync(join(folder, entry), { recursive: true })
  console.log('All data are removed.')
})
