import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PlatformError } from '../errors.ts'
import { openToolsFolder } from '../state.ts'
import type { Progress } from '../progress.ts'

const run = promisify(execFile)
const POLICY = '/usr/sbin/policy-rc.d'

/**
 * Installs Debian packages as root, without the daemons that they would start.
 * @param key the setting that names one elsewhere, if there is one
 */
export async function installPackages(
  progress: Progress,
  what: string,
  names: readonly string[],
  key?: string,
): Promise<void> {
  const command = `apt-get install --no-install-recommends ${names.join(' ')}`
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    const instead = key ? `, or start a Docker engine, or set ${key},` : ''
    throw new PlatformError(`${what} is missing: install it with \`sudo ${command}\`${instead} and try again.`)
  }
  await progress.step(`installing ${what}`, async () => {
    const allow = existsSync(POLICY) ? readFileSync(POLICY) : undefined
    writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
    try {
      await apt(['update', '-qq'])
      await apt(['install', '-y', '-qq', '--no-install-recommends', ...names])
    } finally {
      if (allow) writeFileSync(POLICY, allow)
      else rmSync(POLICY)
    }
    // Kept from starting now, the daemon would still come up with the machine.
    if (existsSync('/run/systemd/system')) await run('systemctl', ['disable', '--now', ...names]).catch(() => {})
  })
}

async function apt(args: string[]): Promise<void> {
  const options = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3']
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  try {
    await run('apt-get', [...options, ...args], { env, maxBuffer: 2 ** 26 })
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    throw new PlatformError(`apt-get ${args.join(' ')} failed:\n${stderr?.trim()}`)
  }
}

/**
 * A package of a Debian release that need not be this machine's: one program, which is unpacked and not installed, so
 * that any user may. The mirror is the machine's own. Undefined where there is none, or it no longer has that release.
 */
export async function unpackProgram(progress: Progress, name: string, release: string): Promise<string | undefined> {
  const tools = openToolsFolder()
  const program = join(tools, name)
  if (existsSync(program)) return program
  if (!existsSync('/usr/bin/apt-get')) return undefined
  const work = join(tools, `${name}.${process.pid}`)
  try {
    return await progress.step(`fetching ${name}`, async () => {
      const { stdout } = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)'])
      const mirror = stdout.split('\n').find((uri) => /\/debian\/?$/.test(uri))
      if (!mirror) return undefined
      rmSync(work, { recursive: true, force: true })
      mkdirSync(join(work, 'lists/partial'), { recursive: true })
      mkdirSync(join(work, 'cache/archives/partial'), { recursive: true })
      const keys = '/usr/share/keyrings/debian-archive-keyring.gpg'
      writeFileSync(join(work, 'sources.list'), `deb [signed-by=${keys}] ${mirror} ${release} main\n`)
      const settings = {
        'Dir::Etc::sourcelist': join(work, 'sources.list'),
        'Dir::Etc::sourceparts': '-',
        'Dir::State::lists': join(work, 'lists'),
        'Dir::Cache': join(work, 'cache'),
        'APT::Sandbox::User': 'root',
        'Acquire::Languages': 'none',
      }
      const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
      await run('apt-get', [...options, 'update', '-qq'], { cwd: work })
      await run('apt-get', [...options, 'download', '-qq', name], { cwd: work })
      const archive = readdirSync(work).find((name) => name.endsWith('.deb'))
      await run('dpkg', ['-x', join(work, archive ?? ''), join(work, 'unpacked')])
      renameSync(join(work, 'unpacked/usr/bin', name), program)
      return program
    })
  } catch {
    return undefined
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
