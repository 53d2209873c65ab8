import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { unpackProgram } from '../backing/packages.ts'
import { PlatformError } from '../errors.ts'
import type { Progress } from '../progress.ts'
import { ROOT } from '../state.ts'

const run = promisify(execFile)

/** A kustomize 5: its own program, or a kubectl that has one within, or the program of Debian 13, fetched. */
async function findKustomize(progress: Progress): Promise<string[]> {
  const ask = (program: string, ...args: string[]): Promise<string> =>
    run(program, args).then(
      ({ stdout }) => stdout,
      () => '',
    )
  // Debian's says that it is (devel)
  if (/^(v5\.|\(devel\))/.test(await ask('kustomize', 'version'))) return ['kustomize', 'build']
  if (/Kustomize Version: v5\./.test(await ask('kubectl', 'version', '--client'))) return ['kubectl', 'kustomize']
  const program = await unpackProgram(progress, 'kustomize', 'trixie')
  if (program) return [program, 'build']
  throw new PlatformError('There is no kustomize 5: install it, or a kubectl of 1.27 or later, and try again.')
}

/** Renders folders of manifests, as `kubectl apply -k` would send them. */
export async function openKustomize(progress: Progress): Promise<(folder: string) => Promise<string>> {
  const [program = '', ...args] = await findKustomize(progress)
  return async (folder) => {
    try {
      return (await run(program, [...args, join(ROOT, folder)], { maxBuffer: 2 ** 26 })).stdout
    } catch (error) {
      throw new PlatformError(`${folder} can't be rendered: ${(error as { stderr?: string }).stderr?.trim()}`)
    }
  }
}
