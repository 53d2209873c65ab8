/** `npm run bench -- gateway [BLOCKS] [PEER…]`: CPU and time per request of the gateway and its peers, alternated in one run. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, openSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SignJWT } from 'jose'
import { Pool } from 'undici'
import { freePort } from '../platform/processes.ts'
import { cpuOf, median, spread } from './figures.ts'

const folder = join(import.meta.dirname, 'gateway')
const peers = {
  caregate: 'caregate.ts',
  'caregate, watched': 'caregate.ts',
  bare: 'bare.mjs',
  '@fastify/http-proxy': 'fastify.mjs',
  'fast-gateway': 'fast-gateway.mjs',
  'express + http-proxy-middleware': 'express-proxy.mjs',
  haproxy: 'haproxy.cfg',
} as const
type Peer = keyof typeof peers
type Algorithm = 'HS256' | 'ES256'

interface Figures {
  /** Milliseconds that it adds to the median when little is asked. */
  added: number
  cpu: number
  rate: number
  p50: number
  p99: number
}

const blocks = Number(process.argv[2] ?? 5)
const chosen = process.argv.slice(3)
const roundsOfBlock = 5
/** So few that the machine is about as busy for each of a round, so many that a hundredth of a second of CPU is little. */
const requests = 6000
const connections = 64
const children: ChildProcess[] = []

function start(command: string, args: string[], env: Record<string, string> = {}): ChildProcess {
  const log = openSync(join(tmpdir(), 'caregate-bench.log'), 'a')
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', log, log] })
  children.push(child)
  return child
}

async function untilItAnswers(name: string, port: number, token: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/patients`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(1000),
    }).catch(() => undefined)
    if (answer?.status === 200) return void (await answer.arrayBuffer())
    await sleep(100)
  }
  throw new Error(`${name} does not answer with 200; see ${join(tmpdir(), 'caregate-bench.log')}`)
}

/** A key for whoever checks, and a token. */
async function credentials(algorithm: Algorithm): Promise<{ key: string; token: string }> {
  const unsigned = new SignJWT({
    sid: '0190a000-0000-7000-8000-000000000002',
    jti: 'j',
    name: 'A nurse',
    roles: ['nurse'],
  })
    .setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid: 'bench' })
    .setSubject('0190a000-0000-7000-8000-000000000001')
    .setIssuer('caregate')
    .setAudience('caregate')
    .setExpirationTime('1d')
  if (algorithm === 'HS256') {
    const key = randomBytes(32).toString('hex')
    return { key, token: await unsigned.sign(Buffer.from(key)) }
  }
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { key: publicKey.export({ type: 'spki', format: 'pem' }) as string, token: await unsigned.sign(privateKey) }
}

/** One thread, the token checked at each request, a stick table that counts, and the headers. */
function haproxyConfig(port: number, upstream: number, algorithm: Algorithm, key: string): string {
  const keyFile = join(tmpdir(), 'caregate-bench-key.pem')
  writeFileSync(keyFile, key)
  return `global
  nbthread 1
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 2s
  http-reuse always
frontend in
  bind 127.0.0.1:${port}
  http-request set-var(txn.bearer) http_auth_bearer
  http-request set-var(txn.sub) var(txn.bearer),jwt_payload_query('$.sub')
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_verify("${algorithm}","${algorithm === 'HS256' ? key : keyFile}") 1 }
  stick-table type string len 64 size 100k expire 60s store http_req_rate(60s)
  http-request track-sc0 var(txn.sub)
  http-request deny deny_status 429 if { sc0_http_req_rate gt 1000000000 }
  http-request set-header X-Request-Id %[uuid()]
  http-request set-header X-Forwarded-For %[src]
  http-response set-header Content-Security-Policy "default-src 'none'"
  http-response set-header Strict-Transport-Security "max-age=31536000; includeSubDomains"
  http-response set-header X-Content-Type-Options nosniff
  http-response set-header X-Frame-Options SAMEORIGIN
  http-response set-header Access-Control-Allow-Origin *
  default_backend up
backend up
  server one 127.0.0.1:${upstream}
`
}

function startPeer(peer: Peer, port: number, upstream: number, algorithm: Algorithm, key: string): ChildProcess {
  if (peer === 'haproxy') {
    const file = join(tmpdir(), 'caregate-bench-haproxy.cfg')
    writeFileSync(file, haproxyConfig(port, upstream, algorithm, key))
    return start('haproxy', ['-db', '-f', file])
  }
  const env = { PORT: String(port), UPSTREAM: `http://127.0.0.1:${upstream}`, ALGORITHM: algorithm, KEY: key }
  const WATCHED = String(peer === 'caregate, watched')
  return start(process.execPath, [join(folder, peers[peer])], { ...env, WATCHED, NODE_ENV: 'production' })
}

interface Load {
  requests: { total: number }
  latency: { average: number; p50: number; p99: number }
  non2xx: number
  errors: number
}

async function measure(pid: number, port: number, token: string): Promise<Omit<Figures, 'added'>> {
  const autocannon = createRequire(join(folder, 'package.json'))('autocannon') as (options: object) => Promise<Load>
  const before = cpuOf(pid)
  const load = await autocannon({
    url: `http://127.0.0.1:${port}/api/v1/patients`,
    connections,
    amount: requests,
    headers: { authorization: `Bearer ${token}` },
  })
  if (load.non2xx || load.errors) throw new Error(`${load.non2xx} answers other than 2xx, ${load.errors} errors`)
  return {
    cpu: ((cpuOf(pid) - before) / load.requests.total) * 1e6,
    rate: (connections / load.latency.average) * 1000,
    p50: load.latency.p50,
    p99: load.latency.p99,
  }
}

/** Median of the milliseconds that an answer takes when two connections ask, each for one thing after another. */
async function measureTwo(port: number, token: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 })
  const options = { port, path: '/api/v1/patients', agent, headers: { authorization: `Bearer ${token}` } }
  const times: number[] = []
  async function ask(): Promise<void> {
    for (let n = 0; n < 500; n++) {
      const from = performance.now()
      await new Promise<void>((resolve, reject) =>
        get(options, (answer) => answer.resume().on('end', resolve)).on('error', reject),
      )
      times.push(performance.now() - from)
    }
  }
  await Promise.all([ask(), ask()])
  agent.destroy()
  return median(times)
}

type Measured = Map<Peer, Figures[]>

/** One block, each gateway in a fresh process: how its code was compiled is luck that lasts as long as the process. */
async function measureBlock(algorithm: Algorithm, names: Peer[], into: Measured): Promise<void> {
  const { key, token } = await credentials(algorithm)
  const upstream = await freePort()
  start(process.execPath, [join(folder, 'upstream.mjs')], { PORT: String(upstream) })
  const running = new Map<Peer, { port: number; pid: number }>()
  for (const name of names) {
    const port = await freePort()
    running.set(name, { port, pid: startPeer(name, port, upstream, algorithm, key).pid! })
    await untilItAnswers(name, port, token)
  }
  // the first round warms up; every other goes the other way round
  for (let round = 0; round <= roundsOfBlock; round++) {
    for (const name of round % 2 ? names : names.toReversed()) {
      const { port, pid } = running.get(name)!
      const loaded = await measure(pid, port, token)
      const direct = await measureTwo(upstream, token)
      const added = (await measureTwo(port, token)) - direct
      if (round) into.get(name)!.push({ ...loaded, added })
    }
  }
  for (const child of children.splice(0)) child.kill()
}

async function bench(algorithm: Algorithm, names: Peer[]): Promise<void> {
  const measured: Measured = new Map(names.map((name) => [name, []]))
  for (let block = 0; block < blocks; block++) await measureBlock(algorithm, names, measured)
  const all = (name: Peer, figure: keyof Figures) => measured.get(name)!.map((one) => one[figure])
  const of = (name: Peer, figure: keyof Figures) => median(all(name, figure))
  /** Of CPU, round by round: what disturbs the machine disturbs neighbours alike. */
  const ratio = (name: Peer, base: Peer) =>
    names.includes(base) ? median(all(name, 'cpu').map((cpu, round) => cpu / all(base, 'cpu')[round]!)).toFixed(2) : '–'
  console.log(
    `\n${algorithm}, ${connections} connections, medians of ${blocks * roundsOfBlock} alternated rounds of ${requests} requests\n`,
  )
  console.log(
    '| | CPU µs/request | × bare | caregate × it | req/s | p50 ms | p99 ms | added at 2 connections, ms |\n|---|---|---|---|---|---|---|---|',
  )
  for (const name of names) {
    const cells = [
      of(name, 'cpu').toFixed(0),
      ratio(name, 'bare'),
      ratio('caregate', name),
      of(name, 'rate').toFixed(0),
      of(name, 'p50').toFixed(1),
      of(name, 'p99').toFixed(1),
      of(name, 'added').toFixed(2),
    ]
    console.log(`| ${[name, ...cells].join(' | ')} |`)
  }
}

/**
 * What metrics and a line in the log cost: two fresh processes side by side, which are asked in turn so shortly that neither what
 * disturbs the machine nor a collection of garbage is in one of them alone.
 * @returns percent of the CPU of a request without them
 */
async function measureCost(algorithm: Algorithm): Promise<number> {
  const { key, token } = await credentials(algorithm)
  const upstream = await freePort()
  start(process.execPath, [join(folder, 'upstream.mjs')], { PORT: String(upstream) })
  const open = async (peer: Peer) => {
    const port = await freePort()
    const pid = startPeer(peer, port, upstream, algorithm, key).pid!
    await untilItAnswers(peer, port, token)
    return { pid, pool: new Pool(`http://127.0.0.1:${port}`, { connections }), cpu: 0 }
  }
  const [plain, watched] = [await open('caregate'), await open('caregate, watched')]
  const headers = { authorization: `Bearer ${token}` }
  async function burst(pool: Pool, left: number): Promise<void> {
    const ask = async () => {
      while (left-- > 0) {
        const { statusCode, body } = await pool.request({ method: 'GET', path: '/api/v1/patients', headers })
        await body.dump()
        if (statusCode !== 200) throw new Error(`answered with ${statusCode}`)
      }
    }
    await Promise.all(Array.from({ length: connections }, ask))
  }
  for (const { pool } of [plain, watched]) await burst(pool, 10_000)
  for (let turn = 0; turn < 150; turn++) {
    for (const one of turn % 2 ? [plain, watched] : [watched, plain]) {
      const before = cpuOf(one.pid)
      await burst(one.pool, 500)
      one.cpu += cpuOf(one.pid) - before
    }
  }
  for (const { pool } of [plain, watched]) await pool.destroy()
  for (const child of children.splice(0)) child.kill()
  return (watched.cpu / plain.cpu - 1) * 100
}

async function benchCost(): Promise<void> {
  const costs: number[] = []
  for (let pair = 0; pair < blocks; pair++)
    for (const algorithm of ['HS256', 'ES256'] as const) costs.push(await measureCost(algorithm))
  console.log(
    `\nMetrics and a line in the log cost ${spread(costs, 1)} % CPU a request, in ${costs.length} pairs of processes; aimed at 8 % at most.`,
  )
}

process.on('exit', () => children.forEach((child) => child.kill()))
if (!existsSync(join(folder, 'node_modules'))) {
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], { cwd: folder, stdio: 'inherit' })
}
const hasHaproxy = process.env.PATH!.split(':').some((path) => existsSync(join(path, 'haproxy')))
if (!hasHaproxy) console.log('haproxy is not installed (apt-get install haproxy): measured without it')
const there = (Object.keys(peers) as Peer[]).filter(
  (name) => name !== 'caregate, watched' && (name !== 'haproxy' || hasHaproxy),
)
const names = there.filter((name) => !chosen.length || chosen.includes(name))
for (const algorithm of ['HS256', 'ES256'] as const) await bench(algorithm, names)
await benchCost()
