import { setTimeout as sleep } from 'node:timers/promises'
import { PlatformError, runTool } from './errors.ts'
import { launcherPid, openDataFolder } from './state.ts'

/** Asks the running platform to stop and waits until it has. */
export async function stopPlatform(): Promise<void> {
  const folder = openDataFolder()
  const pid = launcherPid(folder)
  if (pid === undefined) return console.log('Caregate is not running.')
  process.kill(pid, 'SIGTERM')
  for (const deadline = Date.now() + 60_000; launcherPid(folder) !== undefined; await sleep(100)) {
    if (Date.now() > deadline) throw new PlatformError(`Caregate (pid ${pid}) doesn't stop.`)
  }
  console.log('Caregate has stopped.')
}

if (import.meta.main) await runTool(stopPlatform)
