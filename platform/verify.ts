/** `npm run verify`: everything that can be said of the code without running it. `-- lint types` runs those checks only. */
import { spawn } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SERVICES } from '@caregate/common/services'
import { checkAll } from './k8s/check.ts'
import { checkMigrations } from './migrations.ts'
import { checkByPromtool, checkMonitoring } from './monitoring/check.ts'
import { checkLicences } from './supply/licences.ts'
import { checkLockfile } from './supply/lockfile.ts'
import { checkSecrets } from './supply/secrets.ts'

interface Result {
  passed: boolean
  output: string
}

const root = fileURLToPath(new URL('..', import.meta.url))
const PATH = [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter)

/** The packages Caregate is built on, and the places of each: in every place at least one file uses it. */
const homes: Record<string, string[]> = {
  express: ['libs/common/src/http.ts', 'gateway/src/*.ts'],
  helmet: ['libs/common/src/http.ts', 'gateway/src/*.ts'],
  cors: ['gateway/src/*.ts'],
  'http-proxy-middleware': ['gateway/src/proxy.ts'],
  jsonwebtoken: ['libs/common/src/auth.ts', 'services/auth/src/tokens.ts'],
  bcrypt: ['services/auth/src/passwords.ts'],
  typeorm: ['libs/common/src/database.ts', ...eachService('{database,repository}.ts')],
  pg: ['platform/provision.ts'],
  joi: ['libs/common/src/config.ts', 'libs/common/src/validate.ts', ...eachService('**/*.ts')],
  winston: ['libs/common/src/logger.ts'],
  consul: ['libs/common/src/registry.ts'],
  amqplib: ['libs/common/src/broker.ts'],
  '@jest/globals': ['libs/common/src/**/*.test.ts', 'platform/**/*.test.ts', ...eachService('**/*.test.ts')],
  testcontainers: ['platform/**/*.ts'],
}

function eachService(files: string): string[] {
  return SERVICES.map((service) => `services/${service}/src/${files}`)
}

/** Importing types alone, or naming a package in a comment, is no use of it. */
function uses(file: string, name: string): boolean {
  const imports = new RegExp(`^import (?!type\\b)[^'"]*?from '${name}'|^[^/*]*\\bimport\\('${name}'\\)`, 'm')
  return imports.test(readFileSync(join(root, file), 'utf8'))
}

function checkPackages(): string[] {
  return Object.entries(homes).flatMap(([name, places]) =>
    places
      .filter((place) => !globSync(place, { cwd: root }).some((file) => uses(file, name)))
      .map((place) => `${name} is not imported in ${place}`),
  )
}

/** A check that answers a line for each thing that is wrong. */
async function list(check: (root: string) => string[] | Promise<string[]>): Promise<Result> {
  try {
    const problems = await check(root)
    return { passed: problems.length === 0, output: problems.join('\n') }
  } catch (error) {
    return { passed: false, output: (error as Error).message }
  }
}

async function run(tool: string, ...args: string[]): Promise<Result> {
  const child = spawn(tool, args, { cwd: root, env: { ...process.env, PATH }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ passed: code === 0, output }))
  })
}

/** The slowest first: a check starts when a core is free. */
const checks: Record<string, () => Promise<Result>> = {
  lint: () => run('eslint', '.', '--max-warnings', '0'),
  types: () => run('tsc', '--project', '.'),
  console: () => run('tsc', '--project', 'services/audit/console'),
  format: () => run('prettier', '--check', '.'),
  imports: () => run('depcruise', '.'),
  'dead code': () => run('knip', '--no-progress'),
  secrets: () => list(checkSecrets),
  lockfile: () => list(checkLockfile),
  licences: () => list(checkLicences),
  migrations: () => list(checkMigrations),
  packages: () => list(checkPackages),
  k8s: () => list(() => checkAll()),
  monitoring: () => list(() => checkMonitoring()),
  promtool: () => list(checkByPromtool),
}

const secondsSince = (from: number): string => ((performance.now() - from) / 1000).toFixed(1)
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in checks))
if (unknown.length > 0) throw new Error(`No check ${unknown.join(', ')}; there are: ${Object.keys(checks).join(', ')}`)
const queue = Object.entries(checks).filter(([name]) => asked.length === 0 || asked.includes(name))
const failed: string[] = []
const started = performance.now()

async function work(): Promise<void> {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const [name, check] = next
    const from = performance.now()
    const { passed, output } = await check()
    console.log(`${passed ? '✓' : '✗'} ${name.padEnd(10)}${secondsSince(from).padStart(5)} s`)
    if (passed) continue
    failed.push(name)
    console.log(output.replace(/^\s*\n/, '').trimEnd())
  }
}

await Promise.all(Array.from({ length: availableParallelism() }, work))
console.log(`${failed.length > 0 ? `failed: ${failed.join(', ')}` : 'all clean'}, ${secondsSince(started)} s`)
process.exitCode = failed.length > 0 ? 1 : 0
