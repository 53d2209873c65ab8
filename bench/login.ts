/** `npm run bench -- login [SECONDS]`: sign-ins against what bcrypt allows, and what else auth does meanwhile. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { newPassword } from '../platform/client.ts'
import { startPlatform } from '../platform/platform.ts'
import { openProgress } from '../platform/progress.ts'
import { makeFolder } from '../platform/state.ts'
import { conclude } from '../prove/load.ts'
import { median, quantile } from './figures.ts'

const seconds = Number(process.argv[2] ?? 20)
if (!(seconds > 0)) {
  console.error('Usage: npm run bench -- login [SECONDS]')
  process.exit(1)
}
const rounds = 3
const connections = 32
const probesPerSecond = 50
const cost = 12
const targets = { share: 0.85, slowdown: 5 }

const folder = makeFolder(mkdtempSync(join(tmpdir(), 'caregate-bench-')))
const { PATH, HOME } = process.env
const plenty = '1000000'
const env = { PATH, HOME, SIGN_IN_ATTEMPTS: plenty, SIGN_IN_ATTEMPTS_PER_ADDRESS: plenty }
const progress = openProgress(process.stderr)
const platform = await startPlatform({ folder, env, ports: 'free', progress }).finally(() => progress.close())
const port = Number(new URL(platform.info.services.auth!.url).port)
const agent = new Agent({ keepAlive: true })

interface Sample {
  /** When it was sent, by performance.now(). */
  at: number
  ms: number
  status: number
  body: string
}

/** Straight to the service. */
function send(method: string, path: string, { token, body }: { token?: string; body?: object }): Promise<Sample> {
  const at = performance.now()
  const json = body && JSON.stringify(body)
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(json && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }),
  }
  return new Promise((resolve, reject) => {
    const sent = request({ port, agent, method, path: `/api/v1${path}`, headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      answer.on('end', () => resolve({ at, ms: performance.now() - at, status: answer.statusCode!, body: text }))
      answer.on('error', reject)
    })
    sent.on('error', reject).end(json)
  })
}

interface Account {
  email: string
  password: string
}

async function addAccount(_: unknown, n: number): Promise<Account> {
  const account = { email: `storm-${n}@caregate.local`, password: newPassword() }
  const { status, body } = await send('POST', '/auth/register', { body: { ...account, fullName: 'Somebody' } })
  if (status !== 201) throw new Error(`register: ${status} ${body}`)
  return account
}

async function ceiling(): Promise<{ rate: number; cores: number }> {
  const script = join(import.meta.dirname, 'login/ceiling.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, String(cost), String(seconds)])
  return JSON.parse(stdout) as { rate: number; cores: number }
}

/** The other route, at a steady rate however long its answers take. */
async function probe(token: string): Promise<Sample[]> {
  const from = performance.now()
  const asked: Promise<Sample>[] = []
  for (let n = 0; n < seconds * probesPerSecond; n++) {
    await sleep(Math.max(0, from + (n * 1000) / probesPerSecond - performance.now()))
    asked.push(send('GET', '/auth/me', { token }))
  }
  const samples = await Promise.all(asked)
  const wrong = samples.find(({ status }) => status !== 200)
  if (wrong) throw new Error(`GET /auth/me: ${wrong.status} ${wrong.body}`)
  return samples
}

/** Every account signs in again and again: for a while alone, then while the other route is probed. */
async function storm(accounts: readonly Account[], token: string) {
  const signIns: Sample[] = []
  let on = true
  const work = accounts.map(async (body) => {
    while (on) signIns.push(await send('POST', '/auth/login', { body }))
  })
  async function during<T>(meanwhile: Promise<T>) {
    const from = performance.now()
    const result = await meanwhile
    const to = performance.now()
    const within = signIns.filter(({ at, ms }) => at + ms >= from && at + ms < to)
    return { rate: (within.filter(({ status }) => status === 200).length / (to - from)) * 1000, result }
  }
  // until the queue is as long as it gets
  while (signIns.length < accounts.length) await sleep(50)
  const alone = await during(sleep(seconds * 1000))
  const beside = await during(probe(token))
  on = false
  await Promise.all(work)
  return { alone: alone.rate, beside: beside.rate, probes: beside.result, signIns }
}

const timeAt = (share: number, samples: readonly Sample[]): number =>
  quantile(
    samples.map(({ ms }) => ms),
    share,
  )
const row = (...cells: (string | number)[]) =>
  console.log(cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(1) : cell).padStart(11)).join(''))
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
const among = (statuses: Map<number, number>): string =>
  [...statuses].map(([status, times]) => `${status}×${times}`).join(' ')

try {
  const accounts = await Promise.all(Array.from({ length: connections }, addAccount))
  const { body } = await send('POST', '/auth/login', { body: accounts[0]! })
  const { accessToken: token } = JSON.parse(body) as { accessToken: string }
  console.log(
    `\n${availableParallelism()} cores, bcrypt at cost ${cost}, ${connections} connections that sign in, ` +
      `GET /auth/me ${probesPerSecond} times a second; ${rounds} rounds, each ${seconds} s of bcrypt alone, of the probe alone, ` +
      `of sign-ins alone and of both; times in ms\n`,
  )
  row(
    'bcrypt/s',
    'sign-ins/s',
    'share',
    'with probe',
    'share',
    'p50',
    'p99',
    'p50 idle',
    'p99 idle',
    'p50 storm',
    'p99 storm',
    '× idle',
  )
  const shares: number[] = []
  /** Of the cores, what bcrypt got when nothing of the bench ran beside it. */
  let fewest = 1
  const slowdowns: number[] = []
  const all = { idle: [] as Sample[], storm: [] as Sample[], signIns: [] as Sample[] }
  // warms up
  await probe(token)
  for (let round = 0; round < rounds; round++) {
    const { rate: most, cores } = await ceiling()
    fewest = Math.min(fewest, cores / availableParallelism())
    const idle = await probe(token)
    const { alone, beside, signIns, probes } = await storm(accounts, token)
    all.idle.push(...idle)
    all.storm.push(...probes)
    all.signIns.push(...signIns)
    shares.push(alone / most)
    slowdowns.push(timeAt(0.99, probes) / timeAt(0.99, idle))
    const times = [signIns, idle, probes].flatMap((samples) => [timeAt(0.5, samples), timeAt(0.99, samples)])
    row(most, alone, percent(alone / most), beside, percent(beside / most), ...times, slowdowns.at(-1)!)
  }
  const statuses = new Map(
    [...Map.groupBy(all.signIns, ({ status }) => status)].map(([status, same]) => [status, same.length]),
  )
  const [share, slowdown] = [median(shares), median(slowdowns)]
  const [idle, busy] = [timeAt(0.99, all.idle), timeAt(0.99, all.storm)]
  console.log(`\nanswers to sign-ins: ${among(statuses)}`)
  console.log(
    `GET /auth/me of all rounds: p99 ${idle.toFixed(1)} ms idle, ${busy.toFixed(1)} ms in the storm: ${(busy / idle).toFixed(1)} ×`,
  )
  conclude(
    {
      [`nobody else used the machine: bcrypt alone had ${percent(fewest)} of it (at least 95 %), without which the rest says little`]:
        fewest >= 0.95,
      [`sign-ins are ${percent(share)} of what bcrypt allows (median; at least ${percent(targets.share)})`]:
        share >= targets.share,
      [`p99 of another route is ${slowdown.toFixed(1)} × idle in the storm (median; at most ${targets.slowdown})`]:
        slowdown <= targets.slowdown,
      'every sign-in was answered 200 or, where too many wait, 503': [...statuses.keys()].every(
        (status) => status === 200 || status === 503,
      ),
    },
    [],
  )
} finally {
  agent.destroy()
  await platform.close()
  rmSync(folder, { recursive: true })
}
