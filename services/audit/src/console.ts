import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The console as it was built: all of it in one file, so that it is replaced in one step. */
export interface BuiltConsole {
  /** SHA-256 of what it was built from. */
  sources: string
  /** Text by path: `index.html`, `assets/index-….js`, `assets/index-….css`. */
  files: Record<string, string>
}

export const consoleFile = join(import.meta.dirname, '../console/dist/console.json')

/** Undefined when it isn't built. */
export function findConsole(): BuiltConsole | undefined {
  try {
    return JSON.parse(readFileSync(consoleFile, 'utf8')) as BuiltConsole
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
