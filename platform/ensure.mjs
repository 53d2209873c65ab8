// Installs the npm packages where they are missing, stale or half-installed; otherwise it is done at once.
// Runs before the scripts of package.json, so on whatever Node the machine has and without any package.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stampFile = join(root, 'node_modules/.caregate-installed')
const lockFile = join(tmpdir(), `caregate-install-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`)

const expected = describe()
if (!isInstalled()) {
  await lock()
  try {
    if (!isInstalled()) await install()
  } finally {
    rmSync(lockFile, { force: true })
  }
}

/** Everything that decides what is to be installed, as one hash. */
function describe() {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const folders = workspaces.flatMap((pattern) => {
    if (!pattern.endsWith('/*')) return [pattern]
    const parent = pattern.slice(0, -2)
    return readdirSync(join(root, parent)).map((name) => `${parent}/${name}`)
  })
  const manifests = ['.', ...folders].map((folder) => `${folder}/package.json`)
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  for (const file of ['package-lock.json', ...manifests.sort()]) {
    if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

/** The stamp is written last, and a new installation begins by removing it. */
function isInstalled() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === expected
}

async function lock() {
  for (let told = false; ; await sleep(200)) {
    try {
      return writeFileSync(lockFile, String(process.pid), { flag: 'wx' })
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const holder = Number(existsSync(lockFile) && readFileSync(lockFile, 'utf8'))
    if (holder > 0 && !isAlive(holder)) rmSync(lockFile, { force: true })
    else if (!told) console.log(`Waiting for another installation (pid ${holder}) to end.`)
    told = true
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

async function install() {
  console.log('Installing the npm packages; the first time this takes a minute or so.')
  rmSync(stampFile, { force: true })
  const began = Date.now()
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`
  // On a terminal npm shows its own progress.
  const timer = setInterval(() => process.stdout.isTTY || console.log(`… still installing after ${seconds()}`), 10_000)
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  const [command, ...args] = [...npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error']
  const child = spawn(command, args, { cwd: root, stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  clearInterval(timer)
  if (code !== 0) {
    console.error(`npm ci failed after ${seconds()}: its own messages are above. The same command may be repeated.`)
    process.exitCode = 1
    return
  }
  writeFileSync(stampFile, expected)
  console.log(`Installed after ${seconds()}.`)
}
