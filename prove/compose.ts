/**
 * `npm run prove -- compose [RATE]`: the platform in containers, from nothing to nothing. It comes up by one command, outlives
 * a crash and a restart of all that keeps data, is rolled under load, scaled, taken down and brought up again.
 */
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { bringChart, bringPeople, soon, type Chart } from './compose/people.ts'
import { openCompose } from './compose/project.ts'
import { checkTrace, conclude, failed, printRow, readAmount, startLoad, summarise } from './load.ts'
import { buildAsk, logIn } from './people.ts'

/** Requests a second during each roll; a machine that is shared may be asked for fewer. */
const claimed = readAmount(300)
const rolled = ['patients', 'auth', 'audit', 'gateway'] as const
const claims: Record<string, boolean> = {}
const claim = (what: string, holds: boolean) => (claims[what] = holds)
let load: Awaited<ReturnType<typeof startLoad>> | undefined
const offenders: Parameters<typeof conclude>[1] = []
const since = (from: number) => `${((performance.now() - from) / 1000).toFixed(1)} s`

const project = await openCompose()
const { compose } = project
const gateway = `http://127.0.0.1:${project.ports.gateway}`
const ask = buildAsk(gateway)

/** What those hear who ask all the time, from the first answer on. */
function listen() {
  const statuses = new Map<number, number>()
  const count = (status: number) => statuses.set(status, (statuses.get(status) ?? 0) + 1)
  let on = true
  const once = (path: string) =>
    new Promise<void>((resolve) => {
      const sent = request(gateway + path, { agent: false, timeout: 2000 }, (answer) => {
        count(answer.statusCode!)
        answer.resume().on('close', resolve)
      })
      sent
        // nobody listens yet; once somebody did, no answer is as bad as a 5xx
        .on('error', () => resolve(void (statuses.size && count(599))))
        .on('timeout', () => sent.destroy())
        .end()
    })
  const work = (async () => {
    for (; on; await sleep(50)) for (const path of ['/.well-known/jwks.json', '/api/v1/audit/key']) await once(path)
  })()
  return async () => {
    on = false
    await work
    return statuses
  }
}

/** Milliseconds until a chart can be read again. */
async function recovery(id: string, token: string): Promise<number> {
  for (const from = performance.now(); ; await sleep(50)) {
    const answer = await fetch(`${gateway}/api/v1/patients/${id}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(5000),
    }).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer?.status === 200) return performance.now() - from
    if (performance.now() - from > 60_000) return Infinity
  }
}

async function rollAll(): Promise<void> {
  load = await startLoad(project, claimed * 1.1)
  const rates: number[] = []
  await sleep(3000)
  printRow('rolled', 'seconds', 'requests', 'rate/s', 'non-2xx', 'errors', 'p50 ms', 'p99 ms', 'max ms')
  for (const name of rolled) {
    const from = performance.now()
    await project.roll(name)
    const to = performance.now()
    const answered = load.samples.filter((one) => one.at + one.ms >= from && one.at + one.ms < to && !failed(one))
    rates.push((answered.length / (to - from)) * 1000)
    // what is in flight belongs to the roll as well
    await sleep(1000)
    const { requests, refused, errors, p50, p99, max } = summarise(load.samples, from, to)
    printRow(name, ((to - from) / 1000).toFixed(1), requests, rates.at(-1)!.toFixed(0), refused, errors, p50, p99, max)
  }
  await load.stop()
  const { samples } = load
  const { requests, refused, errors } = summarise(samples)
  const lowest = Math.min(...rates)
  const { missing, several } = await checkTrace(project, samples)
  claim(`${rolled.join(', ')} rolled: of ${requests} requests ${refused + errors} failed`, refused + errors === 0)
  claim(`at least ${claimed} a second were answered during each roll: ${lowest.toFixed(0)}`, lowest >= claimed)
  claim(
    `each has exactly one event: ${missing.length} have none, ${several.length} several`,
    !missing.length && !several.length,
  )
  offenders.push(...samples.filter(failed), ...missing, ...several)
}

/** A release with newer tables is deployed, and the one before again, which goes on with the tables as they are. */
async function deployTwice(token: string): Promise<void> {
  const { env, imageOf, query } = project
  const next = await project.buildNext('patients')
  load = await startLoad(project, 100)
  await sleep(2000)
  const steps: string[] = []
  for (const version of [next, undefined]) {
    if (version) env.PATIENTS_VERSION = version
    else delete env.PATIENTS_VERSION
    const said = await project.roll('patients')
    const { chart, isRecorded } = await bringChart(ask, token)
    // as the newer tables have it, whoever wrote the row
    const reminded = await query('patients', `SELECT reminded FROM patients WHERE id = '${chart.id}'`)
    const recorded = await soon(() => isRecorded(token))
    steps.push([await imageOf('patients'), said, reminded, recorded].join(', '))
    await sleep(2000)
  }
  await load.stop()
  const { samples } = load
  const { requests, refused, errors } = summarise(samples)
  const { missing, several } = await checkTrace(project, samples)
  const expected = [
    'caregate/patients:next, applied NextRelease9000000000000, f, true',
    'caregate/patients:1.0.0, nothing to apply, f, true',
  ]
  claim(
    `patients deployed with newer tables, and rolled back to the code of before on them: ${steps.join('; ')}`,
    steps.join() === expected.join(),
  )
  claim(`of ${requests} requests meanwhile ${refused + errors} failed`, refused + errors === 0)
  claim(`and ${missing.length} have no event, ${several.length} several`, !missing.length && !several.length)
  offenders.push(...samples.filter(failed), ...missing, ...several)
}

/** Everything that keeps data or knows the instances is restarted, while charts are read and written. */
async function restartBacking(): Promise<void> {
  load = await startLoad(project, 50)
  await sleep(2000)
  const from = performance.now()
  await compose('restart', '--timeout', '30', 'postgres', 'rabbitmq', 'consul', 'redis')
  const to = performance.now()
  await sleep(15_000)
  await load.stop()
  const before = summarise(load.samples, 0, from)
  const after = summarise(load.samples, performance.now() - 5000)
  const answered = load.samples.filter((one) => !failed(one))
  const { missing } = await checkTrace(project, answered)
  claim(
    `postgres, rabbitmq, consul and redis restarted in ${((to - from) / 1000).toFixed(1)} s: none of ${before.requests} requests failed before, ${after.refused + after.errors} of ${after.requests} at the end`,
    before.refused + before.errors + after.refused + after.errors === 0 && after.requests > 0,
  )
  claim(`of ${answered.length} answered with 2xx meanwhile ${missing.length} have no event`, missing.length === 0)
  offenders.push(...missing)
}

try {
  let from = performance.now()
  await compose('build')
  console.log(`images built in ${since(from)}: ${await project.imageSizes()}`)

  from = performance.now()
  const heard = listen()
  await compose('up', '--build', '--detach', '--wait')
  console.log(`up in ${since(from)}`)
  await sleep(2000)
  const statuses = await heard()
  const said = [...statuses].map(([status, times]) => `${times} × ${status}`).join(', ')
  claim(
    `from its first answer on it says no 5xx: ${said}`,
    statuses.has(200) && ![...statuses.keys()].some((status) => status >= 500),
  )

  const clinician = await bringPeople(project, ask)
  const token = clinician.tokens.accessToken
  const { chart, same, isRecorded } = await bringChart(ask, token)
  claim(
    'the first admin, made in the container of auth, makes a clinician; a chart is made and read, and the log has both',
    same && (await soon(() => isRecorded(token))),
  )
  const tries = await project.probe<Record<string, unknown>>('patients', 'broker-probe.mjs')
  const outcomes = Object.entries(tries).map(([what, outcome]) => `${what}: ${String(outcome)}`)
  claim(
    `the broker refuses patients to ${outcomes.join(', ')}`,
    Object.values(tries).every((outcome) => outcome === 403),
  )
  const witnessed = await project.witnessed()
  claim(`the witness has signed ${witnessed} checkpoints`, witnessed > 0)

  for (const name of ['patients', 'gateway'] as const) {
    await project.crash(name)
    const ms = await recovery(chart.id, token)
    claim(`${name} is killed and comes back: a chart can be read again after ${(ms / 1000).toFixed(1)} s`, ms < 30_000)
  }

  await restartBacking()
  await rollAll()
  await deployTwice(token)

  const shares = await project.shareOf('patients', 3, async () => {
    for (let n = 0; n < 300; n++) await ask(200, 'GET', `/api/v1/patients/${chart.id}`, undefined, token)
  })
  claim(
    `--scale patients=3: 300 reads go to ${shares.join(', ')}`,
    shares.length === 3 && shares.every((share) => share >= 30),
  )

  from = performance.now()
  await compose('down')
  const down = since(from)
  from = performance.now()
  await compose('up', '--detach', '--wait')
  const { accessToken } = await logIn(ask, clinician.account)
  const kept = await ask<Chart>(200, 'GET', `/api/v1/patients/${chart.id}`, undefined, accessToken)
  const remembered = await isRecorded(accessToken)
  claim(
    `down in ${down} and up in ${since(from)}: account, chart and its events are there`,
    kept.id === chart.id && remembered,
  )
} catch (error) {
  claim(`all of it runs: ${(error as Error).message}`, false)
} finally {
  await load?.stop()
  const left = await project.close(Object.values(claims).every(Boolean))
  if (left !== undefined) claim(`down --volumes leaves nothing: ${left || 'nothing'}`, left === '')
  conclude(claims, offenders)
}
