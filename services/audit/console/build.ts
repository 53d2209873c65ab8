/** `npm run build:console`: builds the console, unless what was built is of the same sources. */
import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { consoleFile, findConsole, type BuiltConsole } from '../src/console.ts'

const root = import.meta.dirname
// what it takes of libs, and which packages
const others = ['../../../libs/common/src/events.ts', '../../../package-lock.json']

function describeSources(): string {
  const own = globSync(['build.ts', 'index.html', 'src/**/*'], { cwd: root, withFileTypes: false })
  const hash = createHash('sha256')
  for (const file of [...own.filter((name) => /\.\w+$/.test(name)).sort(), ...others])
    hash.update(`${file}\n`).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

async function build(): Promise<BuiltConsole['files']> {
  process.env.NODE_ENV = 'production'
  // not loaded where there is nothing to do, nor needed then
  const vite = await import('vite')
  const result = await vite.build({
    root,
    configFile: false,
    logLevel: 'warn',
    base: '/console/',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: { write: false, target: ['chrome125', 'firefox128', 'safari18'], modulePreload: false },
  })
  const outputs = Array.isArray(result) ? result : [result]
  return Object.fromEntries(
    outputs
      .flatMap((one) => ('output' in one ? one.output : []))
      .map((file) => [file.fileName, file.type === 'chunk' ? file.code : file.source.toString()]),
  )
}

const sources = describeSources()
if (findConsole()?.sources !== sources) {
  const text = JSON.stringify({ sources, files: await build() } satisfies BuiltConsole)
  const fresh = `${consoleFile}.${process.pid}`
  mkdirSync(dirname(consoleFile), { recursive: true })
  writeFileSync(fresh, text)
  // in one step: others may be building or reading it
  renameSync(fresh, consoleFile)
}
