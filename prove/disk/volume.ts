/** A disk of its own for a folder, that can be full, or fail in its fsyncs. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  ftruncateSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type Volume = ReturnType<typeof openVolume>

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' })
const wasteMs = 50

/** Takes all the room there is below a folder, and what becomes free, until it is told to stop. */
function fill(folder: string): () => void {
  const file = join(folder, 'waste')
  const fd = openSync(file, 'w')
  const megabyte = Buffer.alloc(2 ** 20)
  function take(): void {
    for (let size = megabyte.length; size >= 512;) {
      try {
        writeSync(fd, megabyte, 0, size)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        size /= 2
      }
    }
  }
  take()
  const timer = setInterval(take, wasteMs)
  return () => {
    clearInterval(timer)
    ftruncateSync(fd)
    closeSync(fd)
    rmSync(file)
  }
}

/**
 * An ext4 on a loop device, the image of which lies, with holes, on a tmpfs. While the tmpfs has no room left, writing to the
 * ext4 goes well, into the page cache, and the fsync that follows fails. Without a journal: it would give up for good.
 */
export function openVolume(folder: string, megabytes: number) {
  const [store, disk] = [join(folder, 'store'), join(folder, 'disk')]
  const image = join(store, 'image')
  for (const one of [store, disk]) mkdirSync(one, { recursive: true, mode: 0o711 })
  run('mount', '-t', 'tmpfs', '-o', `size=${megabytes + 64}m`, 'none', store)
  const fd = openSync(image, 'w')
  ftruncateSync(fd, megabytes * 2 ** 20)
  closeSync(fd)
  run('mkfs.ext4', '-q', '-m', '0', '-O', '^has_journal', image)
  const mount = () => run('mount', '-o', 'loop', image, disk)
  mount()

  return {
    disk,
    /** Moves a folder onto it that nobody uses meanwhile. */
    take(path: string): void {
      const [owner, there] = [statSync(path), join(disk, 'data')]
      run('cp', '-a', path, there)
      renameSync(path, `${path}.before`)
      rmSync(`${path}.before`, { recursive: true })
      symlinkSync(there, path)
      lchownSync(path, owner.uid, owner.gid)
      run('sync', '-f', disk)
    },
    /** Makes it somebody else's. */
    give(uid: number, gid: number): void {
      const there = join(disk, 'data')
      mkdirSync(there)
      chownSync(there, uid, gid)
    },
    /** @returns what makes room again */
    fill: () => fill(disk),
    /** @returns what mends it */
    fail(): () => void {
      // what was written once lies on the tmpfs for good otherwise, and can be written again
      run('fstrim', disk)
      return fill(store)
    },
    /** As after a loss of power: from here on there is what is on the disk, and not what the page cache thinks is. */
    async forget(): Promise<void> {
      for (let tries = 0; ; await sleep(100)) {
        try {
          run('umount', disk)
          return void mount()
        } catch (error) {
          // whoever was killed still has files open
          if ((tries += 1) > 100) throw error
        }
      }
    },
  }
}

/** Runs this proof once more where mounts are nobody else's and end with it. @returns there, a folder for them */
export function enterOwnMounts(): string | undefined {
  if (process.env.CAREGATE_OWN_MOUNTS) return process.env.CAREGATE_OWN_MOUNTS
  const needed = ['/dev/loop-control', '/usr/bin/unshare', '/usr/sbin/mkfs.ext4']
  const missing = needed.filter((path) => !existsSync(path))
  if (process.getuid?.() !== 0 || missing.length) {
    const why = missing.length ? `${missing.join(', ')} missing` : 'not root'
    console.error(
      `Disks of this proof’s own are mounted: Linux, root, loop devices and e2fsprogs (${why}). Nothing was proved.`,
    )
    process.exitCode = 2
    return undefined
  }
  const mounts = mkdtempSync(join(tmpdir(), 'caregate-disks-'))
  chmodSync(mounts, 0o711)
  try {
    const env = { ...process.env, CAREGATE_OWN_MOUNTS: mounts }
    const [, script, ...args] = process.argv
    execFileSync('unshare', ['--mount', process.execPath, script!, 'disk', ...args], { stdio: 'inherit', env })
  } catch (error) {
    process.exitCode = (error as { status: number | null }).status ?? 1
  } finally {
    rmSync(mounts, { recursive: true })
  }
  return undefined
}
