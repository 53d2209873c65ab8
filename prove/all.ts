import { spawn, spawnSync } from 'node:child_process'
import { createWriteStream, mkdtempSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { ROOT } from '../platform/state.ts'
import { proofs } from './proofs.ts'

interface Result {
  proof: string
  claim: string
  command: string
  /** What it printed of each of its claims, `✓` or `✗` first: the figures. */
  figures: readonly string[]
  seconds: number
  /** `absent` where there is no engine for containers. */
  outcome: 'proved' | 'failed' | 'absent'
}

/**
 * Runs every proof, one after the other, each with a platform of its own, and prints a table. All of it writes
 * docs/proofs.md and docs/proofs.json. The exit code is 1 unless everything was proved.
 * @param short less of each, without those that have no shorter form
 */
export async function proveAll(seed: number, short: boolean): Promise<void> {
  console.log(`seed ${seed}: npm run prove -- ${short ? 'short ' : ''}${seed}\n`)
  const folder = mkdtempSync(join(tmpdir(), 'caregate-proofs-'))
  const results: Result[] = []
  for (const [proof, { claim, full, short: less, containers }] of Object.entries(proofs)) {
    const amount = short ? less : full
    if (amount === undefined) continue
    const args = amount.replace('SEED', String(seed)).split(' ').filter(Boolean)
    const command = ['npm run prove --', proof, ...args].join(' ')
    const from = performance.now()
    const { outcome, figures } =
      containers && !hasEngine()
        ? ({ outcome: 'absent', figures: ['– no Docker engine answers'] } as const)
        : await prove(proof, args, join(folder, `${proof}.log`), containers ?? false)
    const result: Result = { proof, claim, command, figures, seconds: (performance.now() - from) / 1000, outcome }
    results.push(result)
    print(result)
  }
  const proved = results.filter(({ outcome }) => outcome === 'proved').length
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0)
  console.log(
    `${proved} of ${results.length} proved in ${Math.ceil(seconds / 60)} min; what they printed is in ${folder}`,
  )
  if (!short) write(seed, results)
  if (proved < results.length) process.exitCode = 1
}

const hasEngine = (): boolean => spawnSync('docker', ['info'], { stdio: 'ignore' }).status === 0

async function prove(
  proof: string,
  args: string[],
  log: string,
  containers: boolean,
): Promise<Pick<Result, 'outcome' | 'figures'>> {
  // processes that are killed and suspended are those of this machine, whatever engine there is
  const env = { ...process.env, ...(!containers && { DOCKER_HOST: 'unix:///none' }) }
  const child = spawn(process.execPath, [join(import.meta.dirname, 'prove.ts'), proof, ...args], { env, cwd: ROOT })
  const file = createWriteStream(log)
  child.stdout.pipe(file, { end: false })
  child.stderr.pipe(file, { end: false })
  const [code, printed] = await Promise.all([
    new Promise<number | null>((resolve) => child.once('close', resolve)),
    text(child.stdout),
  ])
  file.end()
  // the verdict comes last, after an empty line; what brought the platform up is said in the same way
  const verdict = printed.slice(Math.max(0, printed.lastIndexOf('\n\n')))
  const figures = verdict.split('\n').filter((line) => /^[✓✗] /.test(line))
  const isProved = code === 0 && figures.length > 0 && figures.every((line) => line.startsWith('✓'))
  return { outcome: isProved ? 'proved' : 'failed', figures: figures.length ? figures : [`✗ ended with ${code}`] }
}

function print({ claim, command, figures, seconds, outcome }: Result): void {
  const mark = { proved: '✓', failed: '✗', absent: '–' }[outcome]
  console.log(`${mark} ${claim}: ${command}, ${seconds.toFixed(0)} s`)
  for (const figure of figures) console.log(`    ${figure}`)
}

function write(seed: number, results: readonly Result[]): void {
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).stdout.trim()
  const machine = `${cpus().length} × ${cpus()[0]!.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
  const run = { seed, commit, date: new Date().toISOString().slice(0, 10), machine }
  writeFileSync(join(ROOT, 'docs/proofs.json'), `${JSON.stringify({ ...run, results }, undefined, 2)}\n`)
  const sections = results.map(
    ({ claim, command, figures, seconds, outcome }) =>
      `## ${claim}\n\n    ${command}\n\n${outcome}, ${seconds.toFixed(0)} s:\n\n${figures.map((line) => `- ${line}`).join('\n')}\n`,
  )
  const proved = results.filter(({ outcome }) => outcome === 'proved').length
  const page = `# Proofs

Written by \`npm run prove -- ${seed}\` on ${run.date}, at ${commit}: ${proved} of ${results.length} proved, on ${machine}. Each proof
brings up a platform of its own and tears it down; another seed makes other requests, edits and moments. [proofs.json](proofs.json) is the same
for programs. \`npm run prove -- short\` does less of each.

${sections.join('\n')}`
  writeFileSync(join(ROOT, 'docs/proofs.md'), page)
}
