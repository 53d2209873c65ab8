/**
 * A process that runs test files against one changed file after another. All modules of ours are loaded anew each time, packages
 * once. It ends when a run leaves something open, since that could fall into the next one.
 */
import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { addEventHandler, getState, resetState, run } from 'jest-circus'
import { applied, type Mutant } from './mutate.ts'

/** @param file and what tests of it: URLs. Without a mutant it is as it is */
export interface Job {
  file: string
  tests: string[]
  mutant?: Mutant
}
export interface Result {
  /** The first test that failed. */
  failed: string | undefined
  /** What it leaves open: this process is not to be used again. */
  ends: boolean
}

const root = new URL('../..', import.meta.url).href
const own = new URL('.', import.meta.url).href
const isFresh = (url: string): boolean =>
  url.startsWith(root) && !url.startsWith(own) && !url.includes('/node_modules/') && url.endsWith('.ts')

let runs = 0
let job: Job
registerHooks({
  resolve(specifier, context, next) {
    if (specifier === '@jest/globals') return { url: `${own}jest.ts`, shortCircuit: true }
    const found = next(specifier, context)
    return isFresh(found.url) ? { ...found, url: `${found.url}?${runs}` } : found
  },
  load(url, context, next) {
    if (!job?.mutant || url !== `${job.file}?${runs}`) return next(url, context)
    const source = stripTypeScriptTypes(applied(readFileSync(new URL(job.file), 'utf8'), job.mutant))
    return { format: 'module', source, shortCircuit: true }
  },
})

let failed: string | undefined
addEventHandler((event) => {
  if (event.name === 'test_start' && failed !== undefined) event.test.mode = 'skip'
  if (event.name === 'test_done' && event.test.errors.length) failed ??= event.test.name
  if (event.name === 'hook_failure') failed ??= `${event.hook.type}: ${String(event.error)}`
})

async function runFile(file: string): Promise<void> {
  resetState()
  getState().testTimeout = 30_000
  try {
    await import(file)
    const { unhandledErrors } = await run()
    if (unhandledErrors.length) failed ??= unhandledErrors[0]!
  } catch (error) {
    failed ??= String(error)
  }
}

const openThings = (): number =>
  process.getActiveResourcesInfo().filter((name) => /^(TCP|Timeout|TLS|Process|Worker)/.test(name)).length

async function runJob(): Promise<void> {
  runs++
  failed = undefined
  for (const file of job.tests) if (failed === undefined) await runFile(file)
  // what was closed is gone a turn later
  for (let tries = 0; openThings() && tries < 10; tries++) await sleep(10)
  const result: Result = { failed, ends: openThings() > 0 || runs >= 100 }
  process.send!(result, () => result.ends && process.exit())
}
process.on('message', (given: Job) => {
  job = given
  void runJob()
})
