import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { connect } from 'amqplib'
import { until } from '@caregate/common/testing/until'
import { quietProgress } from '../platform/progress.ts'
import { openTestPlatform } from './platform.ts'

let platform: Awaited<ReturnType<typeof openTestPlatform>>
const children: ChildProcess[] = []
beforeAll(async () => {
  // the supervisor notes each of the deaths
  platform = await openTestPlatform({ progress: { ...quietProgress, note: () => {} } })
}, 60_000)
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
})
afterAll(() => platform.close())

interface Seen {
  sequence: number
  type: string
}

/** Runs an example, and collects what it prints. */
function follow(script: string, ...args: string[]): Seen[] {
  const child = spawn(process.execPath, [`samples/${script}`, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const seen: Seen[] = []
  createInterface(child.stdout).on('line', (line) => seen.push(JSON.parse(line) as Seen))
  return seen
}
const numbers = (seen: Seen[]) => seen.map(({ sequence }) => sequence)
const inOrder = (from: number, count: number) => Array.from({ length: count }, (_, n) => from + n)

async function admit(name: string): Promise<string> {
  const token = platform.administrator.token
  const body = { name, roles: ['auditor'] }
  const { clientId, clientSecret } = (await platform.call('POST', '/api/v1/auth/service-accounts', { token, body }))
    .body
  return JSON.stringify({ clientId, clientSecret })
}
/** So many events that somebody's requests leave. */
async function cause(count: number): Promise<void> {
  const { token } = platform.administrator
  for (let n = 0; n < count; n++) await platform.call('GET', '/api/v1/auth/me', { token })
}

test('a service account follows the log in ten lines: everything, in order, within a second', async () => {
  const seen = follow('follow.mjs', `${platform.gateway}/api/v1`, await admit('dashboard'))
  await until(() => seen.length > 5)
  await cause(20)
  await until(() => seen.filter(({ type }) => type === 'auth.user.read').length >= 20, 1)
  expect(numbers(seen)).toEqual(inOrder(1, seen.length))
})

test('so does a reader by AMQP, who may do nothing else there; what it missed waits for it', async () => {
  const url = platform.info.backing.stream!
  const seen = follow('follow-amqp.mjs', url)
  const [child] = children.slice(-1)
  await until(async () => {
    await cause(1)
    return seen.length > 0
  })
  child!.kill('SIGKILL')
  await cause(10)
  const later = follow('follow-amqp.mjs', url)
  await until(() => later.length >= 10)
  // what was printed and not acknowledged comes again
  const all = [...new Set([...numbers(seen), ...numbers(later)])]
  expect(all).toEqual(inOrder(all[0]!, all.length))

  const refused = async (act: (channel: Awaited<ReturnType<typeof open>>) => Promise<unknown>): Promise<number> => {
    const channel = await open()
    return act(channel).then(
      () => 200,
      ({ code }: { code: number }) => code,
    )
  }
  const model = await connect(url)
  model.on('error', () => {})
  const open = async () => {
    const channel = await model.createConfirmChannel()
    channel.on('error', () => {})
    return channel
  }
  const codes = [
    await refused((channel) => channel.consume('audit.store', () => {})),
    await refused((channel) => channel.assertQueue('mine')),
    await refused((channel) => channel.bindQueue('stream.example', 'audit.events', '#')),
    await refused((channel) => channel.deleteExchange('audit.stream')),
    await refused((channel) => {
      channel.publish('audit.events', 'a.b.c', Buffer.from('{}'))
      return new Promise((_resolve, reject) => channel.once('error', reject))
    }),
  ]
  expect(codes).toEqual([403, 403, 403, 403, 403])
  await model.close()

  // nor take the broker's connections from the services
  const taken: Awaited<ReturnType<typeof connect>>[] = []
  const takeAll = async () => {
    while (taken.length < 60) taken.push(await connect(url))
  }
  await expect(takeAll()).rejects.toThrow('ConnectionClose')
  await Promise.all(taken.map((one) => one.close()))
})

test('nothing is missed while the audit service dies and comes back', async () => {
  const account = await admit('another dashboard')
  const api = `${platform.gateway}/api/v1`
  const seen: Seen[] = []
  let stopped = false
  /** The example ends where the connection breaks; whoever starts it again says where it was. */
  const again = (async () => {
    while (!stopped) {
      const after = String(seen.at(-1)?.sequence ?? 0)
      const child = execFile(process.execPath, ['samples/follow.mjs', api, account, after])
      children.push(child)
      createInterface(child.stdout!).on('line', (line) => seen.push(JSON.parse(line) as Seen))
      await new Promise((resolve) => child.once('close', resolve))
    }
  })()
  for (let turn = 0; turn < 3; turn++) {
    await cause(10)
    const size = seen.length
    await until(() => seen.length > size || seen.length > 30)
    const pid = platform.supervisor.pid('audit')!
    process.kill(pid, turn === 1 ? 'SIGTERM' : 'SIGKILL')
    await cause(10)
    await until(() => ![undefined, pid].includes(platform.supervisor.pid('audit')))
  }
  const sent = platform.sent.length
  await until(() => seen.length >= sent, 20)
  stopped = true
  children.at(-1)!.kill()
  await again
  expect(numbers(seen)).toEqual(inOrder(1, seen.length))
}, 60_000)
