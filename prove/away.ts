/** `npm run prove -- away [SECONDS]`: Redis, RabbitMQ and each service go away for SECONDS under load, and come back. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import type { Problem } from '@caregate/common/errors'
import { freePort } from '../platform/processes.ts'
import { SERVICES, type Service } from '@caregate/common/services'
import { checkTrace, conclude, failed, printRow, readAmount, startLoad, summarise, type Sample } from './load.ts'
import { openStage } from './stage.ts'

const away = readAmount(60) * 1000
const rate = 100
const boundMs = 15_000
const REDIS_URL = `redis://127.0.0.1:${await freePort()}`

const codeOf = ({ problem }: Sample): string =>
  problem.startsWith('{') ? (JSON.parse(problem) as Problem).code : 'no answer'
const ownerOf = ({ what }: Sample): Service =>
  what.includes('/auth/') ? 'auth' : what.includes('/audit/') ? 'audit' : 'patients'

async function until(what: string, condition: () => Promise<boolean>): Promise<number> {
  const from = performance.now()
  for (; !(await condition().catch(() => false)); await sleep(100))
    if (performance.now() - from > 120_000) throw new Error(`${what}: not within two minutes`)
  return performance.now() - from
}

const stage = await openStage({ REDIS_URL })
const { supervisor } = stage
const claims: Record<string, boolean> = {}
const offenders: Sample[] = []
function claim(what: string, ...against: Sample[]): void {
  claims[what] = !against.length
  offenders.push(...against)
}
try {
  if (supervisor.list().some(({ container }) => container))
    throw new Error('What runs in a container can’t be suspended: this needs backing services that are processes.')
  const { samples, stop } = await startLoad(stage, rate)
  await sleep(5000)

  printRow('phase', 'seconds', 'requests', '2xx', 'p50 ms', 'p99 ms', 'max ms', '  refused')
  /** @returns what was due meanwhile */
  async function phase(label: string, work: Promise<unknown>): Promise<Sample[]> {
    const from = performance.now()
    await work
    const to = performance.now()
    // what is in flight belongs to the phase as well
    await until(
      'all are answered',
      async () => summarise(samples, from, to).requests >= ((to - from) * rate) / 1000 - 1,
    )
    const { requests, refused, errors, p50, p99, max } = summarise(samples, from, to)
    const due = samples.filter(({ at }) => at >= from && at < to)
    const codes = Map.groupBy(due.filter(failed), (one) => `${one.status} ${codeOf(one)}`)
    const said = [...codes].map(([code, { length }]) => `${length} × ${code}`).join(', ')
    const seconds = ((to - from) / 1000).toFixed(1)
    printRow(label, seconds, requests, requests - refused - errors, p50, p99, max, `  ${said || '–'}`)
    return due
  }
  const recovered = (what: string, ms: number) =>
    (claims[`${what} ${(ms / 1000).toFixed(1)} s after it was started (at most ${boundMs / 1000})`] = ms < boundMs)

  await phase('before', sleep(10_000))

  async function isCounting(): Promise<boolean> {
    const client = createClient({ url: REDIS_URL })
    client.on('error', () => {})
    await client.connect()
    // it comes back empty
    return (await client.dbSize().finally(() => client.destroy())) > 0
  }
  async function isCaughtUp(since: number): Promise<boolean> {
    const events = await stage.countEvents()
    return samples.every(({ id, at }) => at > since || events.has(id))
  }
  const backing = {
    redis: ['counts for the gateways again', isCounting],
    rabbitmq: ['has passed on all that waited', isCaughtUp],
  } as const
  for (const [name, [what, isBack]] of Object.entries(backing)) {
    const group = -supervisor.pid(name)!
    process.kill(group, 'SIGSTOP')
    const hanging = await phase(`${name} hangs`, sleep(away / 4))
    process.kill(group, 'SIGCONT')
    const goneOn = await phase('it goes on', sleep(5000))
    const { spec } = await supervisor.stop(name, { force: true })
    const gone = await phase(`${name} is gone`, sleep((away * 3) / 4))
    const since = performance.now()
    await supervisor.start(spec)
    let ms = 0
    const back = await phase(
      'it is back',
      until(name, () => isBack(since)).then((took) => (ms = took)),
    )
    const after = await phase('after that', sleep(5000))
    claim(
      `without ${name} every request was answered with 2xx`,
      ...[hanging, goneOn, gone, back, after].flat().filter(failed),
    )
    recovered(`${name} ${what}`, ms)
  }

  for (const name of SERVICES) {
    const id = stage.idOf(name)
    let spec: Awaited<ReturnType<typeof supervisor.stop>>['spec']
    const leaving = await phase(
      `${name} is stopped`,
      supervisor.stop(id).then((stopped) => (spec = stopped.spec)),
    )
    const gone = await phase(`${name} is away`, sleep(away))
    await supervisor.start(spec!)
    const own = (due: Sample[]) => due.filter((one) => ownerOf(one) === name)
    let ms = 0
    const back = await phase(
      'it is back',
      until(name, stage.isWhole).then((took) => (ms = took)),
    )
    const after = await phase('after that', sleep(5000))
    const refused = [leaving, gone, back].flat().filter(failed)
    const isRight = (one: Sample) =>
      ownerOf(one) === name && one.status === 503 && codeOf(one) === 'unavailable' && one.retryAfter
    claim(
      `without ${name} its ${own(gone).length} requests were refused, by 503 \`unavailable\` and Retry-After`,
      ...own(gone).filter((one) => !failed(one)),
      ...refused.filter((one) => ownerOf(one) === name && !isRight(one)),
    )
    claim(`… and no request to another service was`, ...refused.filter((one) => ownerOf(one) !== name))
    claim(`… nor any once ${name} was found again`, ...after.filter(failed))
    recovered(`${name} is found`, ms)
  }
  await stop()

  // asked to stop, it publishes the refusals that it counts together
  await stage.roll('gateway')
  const { missing, several } = await checkTrace(
    stage,
    samples.filter((one) => !failed(one)),
  )
  const refused = samples.filter(failed)
  const [{ counted }] = (await stage.query<{ counted: number }>(
    `SELECT coalesce(sum((entry::json->>'count')::int), 0)::int AS counted FROM events
      WHERE type = 'gateway.request.denied' AND request_id LIKE 'prove-load-%'`,
  )) as [{ counted: number }]
  claim(
    `each of ${samples.length - refused.length} acknowledged requests has exactly one event: ${missing.length} have none, ${several.length} several`,
    ...missing,
    ...several,
  )
  claims[`of ${refused.length} refused ones the edge’s events count ${counted}`] = counted === refused.length
  conclude(claims, offenders)
} finally {
  await stage.close()
}
