import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { until } from '@caregate/common/testing/until'
import { openSupervisor, type ChildSpec } from './supervisor.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caregate-supervisor-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const shell = (name: string, script: string): ChildSpec => ({
  name,
  command: ['sh', '-c', script],
  cwd: folder,
  env: { PATH: process.env.PATH },
  stopSignal: 'SIGTERM',
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

test('a launcher that is killed leaves no process behind, not even one that ignores its signal', async () => {
  const program = `
    import { openSupervisor } from ${JSON.stringify(join(import.meta.dirname, 'supervisor.ts'))};
    const [folder] = process.argv.slice(1);
    const supervisor = openSupervisor({ folder });
    const start = (name, script) =>
      supervisor.start({ name, command: ['sh', '-c', script], cwd: folder, env: process.env, stopSignal: 'SIGTERM' });
    await start('polite', 'sleep 300');
    await start('stubborn', 'trap "" TERM; sleep 300 & wait; sleep 300');
    console.log(JSON.stringify(supervisor.list().map(({ pid }) => pid)));`
  const launcher = spawn(process.execPath, ['--input-type=module', '-e', program, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(launcher.stdout, 'data')) as [Buffer]
  const guard = (JSON.parse(readFileSync(join(folder, 'guard.json'), 'utf8')) as { pid: number }).pid
  const pids = [...(JSON.parse(line.toString()) as number[]), guard]
  expect(pids.map(isAlive)).toEqual([true, true, true])

  launcher.kill('SIGKILL')
  await until(() => !isAlive(pids[0]!), 2)
  await until(() => !pids.some(isAlive), 20)
}, 30_000)

test('a child that dies comes back, at once at first and then ever later', async () => {
  const supervisor = openSupervisor({ folder })
  await supervisor.start(shell('mayfly', 'date +%s%N >> starts; exit 3'))
  const starts = () =>
    readFileSync(join(folder, 'starts'), 'utf8')
      .trim()
      .split('\n')
      .map((time) => Number(time) / 1e6)
  await until(() => existsSync(join(folder, 'starts')) && starts().length === 4)
  const waits = starts()
    .map((time, index, all) => time - (all[index - 1] ?? time))
    .slice(1)
  await supervisor.close()
  ;[200, 400, 800].forEach((least, index) => expect(waits[index]).toBeGreaterThanOrEqual(least))
  const after = starts().length
  await sleep(300)
  expect(starts()).toHaveLength(after)
})

test('a killed child is replaced and its new pid reported', async () => {
  let changes = 0
  const supervisor = openSupervisor({ folder, onChange: () => (changes += 1) })
  await supervisor.start(shell('worker', 'exec sleep 300'))
  const first = supervisor.pid('worker')!
  process.kill(first, 'SIGKILL')
  await until(() => supervisor.pid('worker') !== undefined && supervisor.pid('worker') !== first, 2)
  expect(changes).toBe(3)
  await supervisor.close()
  expect(supervisor.list()).toEqual([])
})

test('children stop in the reverse order of their start', async () => {
  const supervisor = openSupervisor({ folder })
  for (const name of ['first', 'second', 'third']) {
    await supervisor.start(
      shell(name, `trap 'echo ${name} >> ends; exit' TERM; touch ${name}; while :; do sleep 0.05; done`),
    )
    await supervisor.waitUntil(name, () => Promise.resolve(isFile(name)), 5)
  }
  await supervisor.close()
  expect(readFileSync(join(folder, 'ends'), 'utf8')).toBe('third\nsecond\nfirst\n')
})

function isFile(name: string): boolean {
  try {
    readFileSync(join(folder, name))
    return true
  } catch {
    return false
  }
}

test('a child that can not start is told with the end of its log', async () => {
  const supervisor = openSupervisor({ folder })
  await supervisor.start(shell('broken', 'echo SECRET_KEY is missing; exit 1'))
  await expect(supervisor.waitUntil('broken', () => Promise.resolve(false), 30)).rejects.toThrow(
    /broken keeps ending.*\n(SECRET_KEY is missing\n?)+$/,
  )
  await supervisor.close()
})
