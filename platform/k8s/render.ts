import { globSync } from 'node:fs'
import { basename } from 'node:path'
import { PlatformError, runTool } from '../errors.ts'
import { openProgress } from '../progress.ts'
import { ROOT } from '../state.ts'
import { openKustomize } from './kustomize.ts'

/** `npm run k8s:render -- patients`: what `kubectl apply -k` would send, on a machine without a cluster. */
await runTool(async () => {
  const folders = globSync('k8s/{services,overlays}/*', { cwd: ROOT }).sort()
  const folder = folders.find((path) => basename(path) === process.argv[2])
  if (!folder)
    throw new PlatformError(`Usage: npm run k8s:render -- ${folders.map((path) => basename(path)).join('|')}`)
  const progress = openProgress(process.stderr)
  try {
    const render = await openKustomize(progress)
    process.stdout.write(await render(folder))
  } finally {
    progress.close()
  }
})
