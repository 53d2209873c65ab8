/** `npm run prove -- alerts [FACTOR]`: each alert's fault is caused on a running platform, seen to fire, put right and seen to clear; each query of the dashboards has an answer. */
import { setTimeout as sleep } from 'node:timers/promises'
import { dashboardQueries, readRules } from '../platform/monitoring/rules.ts'
import { freePort } from '../platform/processes.ts'
import { processEnvironment, processSpec, type Ports } from '../platform/services.ts'
import { openSecrets } from '../platform/state.ts'
import { buildFaults, type Fault } from './alerts/faults.ts'
import { openHurried, type Alert } from './alerts/prometheus.ts'
import { buildCall, startTraffic } from './alerts/traffic.ts'
import { openUptime } from './alerts/uptime.ts'
import { bringPeople, openAuditStage } from './audit/stage.ts'
import { conclude, readAmount } from './load.ts'
import { buildAsk } from './people.ts'

const factor = readAmount(40)
const calmMs = 30_000
const patienceMs = 240_000

const nameOf = ({ labels }: Alert) => `${labels.alertname} ${labels.severity}`
const seconds = (ms: number | undefined) => (ms === undefined ? 'never' : (ms / 1000).toFixed(0))
const began = performance.now()
const redis = `redis://127.0.0.1:${await freePort()}`
const stage = await openAuditStage({ REDIS_URL: redis, SIGN_IN_ATTEMPTS: '5', SIGN_IN_ATTEMPTS_PER_ADDRESS: '100' })
const { supervisor, info, folder } = stage
let stopTraffic = async () => {}
try {
  // a second instance of one service: so that one can go, and one can be left alone
  const second = await freePort()
  const portOf = (url: string) => Number(new URL(url).port)
  const own = Object.entries(info.services).map(([name, { url }]) => [name, portOf(url)])
  const ports = { ...Object.fromEntries(own), metrics: portOf(info.metrics), patients: second } as Ports
  const inputs = { env: stage.env, secrets: openSecrets(folder), ports, backing: info.backing }
  const spec = processSpec('patients', processEnvironment('patients', inputs), false)
  await supervisor.start({ ...spec, name: 'patients-2' })
  await supervisor.waitUntil('patients-2', async () => (await fetch(`http://127.0.0.1:${second}/health/ready`)).ok, 60)

  const hostOf = (url: string) => new URL(url).host
  const targets = Object.fromEntries(Object.entries(info.services).map(([name, { url }]) => [name, [hostOf(url)]]))
  targets.gateway = [hostOf(info.metrics)]
  targets.patients!.push(`127.0.0.1:${second}`)
  const prometheus = await openHurried(folder, stage.beside, targets, factor)
  const ask = buildAsk(info.gateway)
  const call = buildCall(info.gateway)
  const { tokens, admin, accounts } = await bringPeople(stage)
  const account = accounts.nurse
  stopTraffic = await startTraffic(ask, call, tokens, account)

  const firing = async () => (await prometheus.alerts()).filter(({ state }) => state === 'firing')
  /** @returns milliseconds, or undefined when it takes too long */
  async function until(from: number, condition: (names: Set<string>) => boolean): Promise<number | undefined> {
    for (; performance.now() - from < patienceMs; await sleep(500))
      if (condition(new Set((await firing()).map(nameOf)))) return performance.now() - from
    return undefined
  }

  const scraped = Object.values(targets).flat().length
  while ((await prometheus.query('up == 1')).length < scraped) await sleep(500)
  const calm = new Set<string>()
  for (const from = performance.now(); performance.now() - from < calmMs; await sleep(500))
    for (const alert of await firing()) calm.add(nameOf(alert))

  const rows: { alert: string; what: string; fired?: number; cleared?: number }[] = []
  const withoutPage = new Set<string>()
  const cell = (text: string, width: number) => text.padEnd(width)
  console.log(
    `${cell('alert', 36)}${cell('fault', 50)}${'fired after s'.padStart(14)}${'cleared after s'.padStart(17)}`,
  )

  /** Each at the same time as the others of its round. */
  async function see({ what, alerts, cause }: Fault): Promise<void> {
    const caused = performance.now()
    const undo = await cause()
    const fired = await Promise.all(alerts.map((alert) => until(caused, (names) => names.has(alert))))
    for (const { annotations, labels } of await firing()) {
      const page = await fetch(annotations.runbook_url)
      if (!(await page.text()).startsWith(`# ${labels.alertname}\n`)) withoutPage.add(labels.alertname)
    }
    const undone = performance.now()
    await undo()
    const cleared = await Promise.all(alerts.map((alert) => until(undone, (names) => !names.has(alert))))
    alerts.forEach((alert, n) => {
      rows.push({ alert, what, fired: fired[n], cleared: cleared[n] })
      console.log(
        `${cell(alert, 36)}${cell(what, 50)}${seconds(fired[n]).padStart(14)}${seconds(cleared[n]).padStart(17)}`,
      )
    })
  }
  for (const round of buildFaults({ stage, ask, call, account, admin })) {
    await Promise.all(round.map(see))
    await until(performance.now(), (names) => names.size === 0)
  }

  const queries = dashboardQueries('15s')
  let empty = queries
  // the log's verification, say, takes a while after a restart
  for (const from = performance.now(); empty.length && performance.now() - from < patienceMs; await sleep(1000)) {
    const answers = await Promise.all(empty.map(({ expr }) => prometheus.query(expr)))
    empty = empty.filter((_, n) => !answers[n]!.length)
  }
  const left = (await firing()).map(nameOf)
  const probe = await openUptime(stage.beside, info.gateway)
  const wellUp = await probe()
  await supervisor.stop('audit', { force: true })
  await sleep(5000)
  const withoutAudit = await probe()
  const all = readRules().groups.flatMap(({ rules }) =>
    rules.flatMap(({ alert, labels }) => (alert ? `${alert} ${labels!.severity}` : [])),
  )
  const seen = (which: 'fired' | 'cleared') =>
    all.filter((alert) => rows.some((row) => row.alert === alert && row[which] !== undefined)).length
  console.log(
    `\n${all.length} alerts, ${Math.round((performance.now() - began) / 1000)} s, durations ${factor} times shorter than shipped`,
  )
  conclude(
    {
      [`with everything well none fires, for ${calmMs / 1000} s: ${[...calm].join(', ') || 'none did'}`]: !calm.size,
      [`each alert was raised by its fault: ${seen('fired')} of ${all.length}`]: seen('fired') === all.length,
      [`each was gone when that was put right: ${seen('cleared')} of ${all.length}`]: seen('cleared') === all.length,
      [`each leads to its page: ${[...withoutPage].join(', ') || 'all do'}`]: !withoutPage.size,
      [`none is left: ${left.join(', ') || 'none is'}`]: !left.length,
      [`each of the ${queries.length} queries of the dashboards has an answer: ${empty.map(({ where }) => where).join('; ') || 'all have'}`]:
        !empty.length,
      [`a monitor outside finds all well: ${wellUp.join(', ') || 'it does'}`]: !wellUp.length,
      [`… and not without audit: ${withoutAudit.join(', ')}`]:
        String(withoutAudit) === 'caregate_health,caregate_checkpoint',
    },
    [],
  )
} finally {
  await stopTraffic()
  await stage.close()
}
