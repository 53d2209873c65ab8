/**
 * `npm run mutate -- [SHARE] [SEED] [FILE…]`: whether the tests notice when a rule is changed. Each file of
 * `mutants/targets.ts` is changed in one place at a time, and its tests are run; what none of them notices is listed.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import setup from '../platform/test-setup.ts'
import teardown from '../platform/test-teardown.ts'
import { buildChance } from './chance.ts'
import { applied, mutantsOf, type Mutant } from './mutants/mutate.ts'
import type { Job, Result } from './mutants/runner.ts'
import { targets } from './mutants/targets.ts'

const [share = 1, seed = 1] = process.argv.slice(2, 4).map(Number)
const wanted = process.argv.slice(4)
const root = new URL('..', import.meta.url)
const urlOf = (path: string): string => new URL(path, root).href
const sourceOf = (path: string): string => readFileSync(new URL(path, root), 'utf8')

interface Tally {
  file: string
  killed: number
  slow: number
  survived: Mutant[]
  /** As long as its tests take where nothing is changed, in milliseconds. */
  takes: number
}
type Verdict = Pick<Result, 'failed'> & { slow?: true }

/** @param n which of the workers: each has a virtual host of the broker to itself */
function openRunner(n: number) {
  let child: ChildProcess | undefined
  const runner = {
    /** @param limit in milliseconds: who takes longer is taken to hang */
    async run(job: Job, limit: number): Promise<Verdict> {
      const isNew = !child
      child ??= fork(new URL('mutants/runner.ts', import.meta.url), {
        env: { ...process.env, JEST_WORKER_ID: String(n + 1) },
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      })
      const running = child
      const done = new AbortController()
      const timer = setTimeout(() => running.kill('SIGKILL'), limit)
      const began = performance.now()
      running.send(job)
      const [result] = (await Promise.race([
        once(running, 'message', { signal: done.signal }),
        once(running, 'exit', { signal: done.signal }).then(() => [undefined]),
      ])) as [Result | undefined]
      clearTimeout(timer)
      done.abort()
      if (!result || result.ends) child = undefined
      if (result) return result
      if (performance.now() - began >= limit) return { failed: 'it took too long', slow: true }
      // it may have been brought down by the one before
      return isNew ? { failed: 'it crashed' } : runner.run(job, limit)
    },
    close: () => child?.kill(),
  }
  return runner
}

await setup()
const runners = Array.from({ length: availableParallelism() }, (_, n) => openRunner(n))
const tallies: Tally[] = []
const queue: { tally: Tally; mutant: Mutant }[] = []
// who has seen enough is told what there is so far
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (queue.length = 0))
const began = performance.now()
try {
  const files = Object.keys(targets)
  for (const [n, file] of files.entries()) {
    if (wanted.length && !wanted.some((part) => file.includes(part))) continue
    const tests = targets[file]!.map(urlOf)
    const from = performance.now()
    const { failed } = await runners[0]!.run({ file: urlOf(file), tests }, 120_000)
    if (failed !== undefined) throw new Error(`${file}: its tests fail as it is: ${failed}`)
    const tally = { file, killed: 0, slow: 0, survived: [], takes: performance.now() - from }
    tallies.push(tally)
    console.log(`${file}: its tests take ${(tally.takes / 1000).toFixed(1)} s`)
    const { chance } = buildChance(seed, n)
    for (const mutant of mutantsOf(sourceOf(file))) if (chance(share)) queue.push({ tally, mutant })
  }
  console.log(`${queue.length} mutants of ${tallies.length} files, seed ${seed}`)
  await Promise.all(
    runners.map(async (runner) => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const { tally, mutant } = next
        const job = { file: urlOf(tally.file), tests: targets[tally.file]!.map(urlOf), mutant }
        const { failed, slow } = await runner.run(job, 3000 + 4 * tally.takes)
        if (failed === undefined) tally.survived.push(mutant)
        else tally.killed++
        if (slow) tally.slow++
        if (queue.length && queue.length % 100 === 0) console.log(`${queue.length} to go`)
      }
    }),
  )
} finally {
  for (const runner of runners) runner.close()
  await teardown()
}

function describe(file: string, mutant: Mutant): string {
  const source = sourceOf(file)
  const from = source.lastIndexOf('\n', mutant.start - 1) + 1
  const to = (text: string, at: number): number => (text.indexOf('\n', at) + 1 || text.length + 1) - 1
  const changed = applied(source, mutant)
  const before = source.slice(from, to(source, mutant.end))
  const after = changed.slice(from, to(changed, mutant.start + mutant.text.length))
  const flat = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
  return `${file}:${mutant.line}\n  - ${flat(before)}\n  + ${flat(after)}`
}

for (const { file, survived } of tallies)
  for (const mutant of survived.toSorted((a, b) => a.start - b.start)) console.log(describe(file, mutant))
console.log('\n| file | mutants | killed | of them by time | survived | score |\n|---|---|---|---|---|---|')
const row = (name: string, list: Tally[]): void => {
  const sum = (of: (tally: Tally) => number): number => list.reduce((all, tally) => all + of(tally), 0)
  const [killed, slow, survived] = [sum((t) => t.killed), sum((t) => t.slow), sum((t) => t.survived.length)]
  const score = Math.round((100 * killed) / (killed + survived))
  console.log(`| ${[name, killed + survived, killed, slow, survived, `${score} %`].join(' | ')} |`)
}
for (const tally of tallies) row(`\`${tally.file}\``, [tally])
row('all', tallies)
console.log(`${((performance.now() - began) / 60_000).toFixed(1)} min`)
