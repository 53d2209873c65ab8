/**
 * `npm run prove -- restore [MINUTES]`: the platform in containers is written to for MINUTES, backed up meanwhile, written
 * to for as long again, and loses its databases. They are brought back, and what is there is compared with what was answered.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SERVICES } from '@caregate/common/services'
import { dockerAnswers } from '../platform/backing/docker.ts'
import { bringPeople } from './compose/people.ts'
import { openCompose } from './compose/project.ts'
import { conclude, printRow, readAmount } from './load.ts'
import { buildAsk, logIn } from './people.ts'
import { as, readCharts, verifyExport } from './restore/compare.ts'
import { startWriters, type Write } from './restore/writers.ts'

const minutes = readAmount(0.5)
const newOrigin = 'caregate.local/audit-2'
const claims: Record<string, boolean> = {}
const claim = (what: string, holds: boolean) => (claims[what] = holds)
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

if (!(await dockerAnswers())) {
  console.error(
    'No Docker engine answers: nothing was proved. The databases of this proof are those of docker-compose.yml.',
  )
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), 'caregate-restore-'))
const inFolder = (name: string) => join(folder, name)
const project = await openCompose('caregate-restore', '172.30.82')
const { compose, env } = project
const gateway = `http://127.0.0.1:${project.ports.gateway}`
const ask = buildAsk(gateway)

const backup = (service: string, ...args: string[]) =>
  compose('run', '--rm', '--no-deps', '-T', '-e', 'BACKUP_IDENTITY', `backup-${service}`, ...args)
const migrate = (service: string, command: string) =>
  compose('run', '--rm', '--no-deps', '-T', `${service}-migrations`, 'node', 'src/migrate.ts', command)

/** When the state was that is in a backup, by the name of it. */
function momentOf(line: string): number {
  const parts = /-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)([\d.]+)Z/.exec(line)!.slice(1)
  return Date.parse(`${parts.slice(0, 3).join('-')}T${parts.slice(3).join(':')}Z`)
}

/** By the log's key of now, and with what the witness has seen of it. */
async function verify(name: string, token: string, witnessKey: string) {
  const logKey = (await (await fetch(`${gateway}/api/v1/audit/key`)).text()).trim()
  const seen = inFolder('seen.ndjson')
  writeFileSync(seen, await compose('exec', '-T', 'witness', 'cat', '/data/checkpoints'))
  const keys = ['--log-key', logKey, '--witness-key', witnessKey, '--checkpoints', seen]
  return verifyExport(gateway, token, inFolder(name), keys)
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 120_000; !(await isSo().catch(() => false)); await sleep(200))
    if (Date.now() > deadline) throw new Error(`after two minutes it is not so that ${what}`)
}

const logSize = async (token: string) =>
  (await ask<{ size: number }>(200, 'GET', '/api/v1/audit/status', undefined, token)).size

try {
  await compose('--profile', 'backup', 'build')
  const keys = await backup('auth', 'keygen')
  const [BACKUP_RECIPIENTS, BACKUP_IDENTITY] = keys.split('\n').map((line) => line.slice(line.indexOf('=') + 1))
  env.BACKUP_RECIPIENTS = BACKUP_RECIPIENTS
  await compose('up', '--detach', '--wait')
  const { account, tokens } = await bringPeople(project, ask)
  const witnessKey = await compose('exec', '-T', 'audit', 'cat', '/secrets/WITNESS_KEY')

  const writers = startWriters(gateway, tokens.accessToken, 8)
  await sleep(minutes * 60_000)
  const backups: Record<string, number> = {}
  // the log comes last
  for (const service of SERVICES) {
    const line = await backup(service, 'backup', service)
    console.log(line)
    backups[service] = momentOf(line)
  }
  await sleep(minutes * 60_000)
  const sizeBefore = await logSize(tokens.accessToken)
  await sleep(11_000) // the witness is shown the log every ten seconds

  await compose('kill', 'postgres')
  const disaster = Date.now()
  await writers.stop()
  await compose('stop', 'gateway', ...SERVICES)
  await compose('rm', '--force', '--stop', 'postgres')
  await project.removeVolume('postgres-data')
  console.log(`\nthe databases are gone, after ${writers.writes.length} writes that were answered with 2xx`)

  // from here on somebody works against the clock
  const from = Date.now()
  await compose('up', '--detach', '--wait', 'postgres')
  await compose('run', '--rm', '--no-deps', '-T', 'databases')
  env.BACKUP_IDENTITY = BACKUP_IDENTITY
  for (const service of SERVICES) console.log(await backup(service, 'restore', service))
  delete env.BACKUP_IDENTITY
  await compose('up', '--detach', '--wait')
  const token = (await logIn(ask, account)).accessToken
  const firstChart = writers.writes[0]!.chartId
  await ask(200, 'GET', `/api/v1/patients/${firstChart}`, undefined, token)
  const rto = Date.now() - from

  const stale = await fetch(`${gateway}/api/v1/auth/me`, as(tokens.accessToken))
  claim(`an access token from before the restore is answered with ${stale.status}`, stale.status === 401)

  // the log has lost its end: nothing is appended, and it is said
  const restoredSize = await logSize(token)
  await sleep(3000)
  const appended = (await logSize(token)) - restoredSize
  claim(`the log, of ${sizeBefore} events and more before, has ${restoredSize}: nothing is appended`, appended === 0)
  const before = await verify('restored.ndjson', token, witnessKey)
  console.log(`\nby the old name, with what the witness has seen (exit code ${before.code}):\n${before.said}`)
  claim('caregate-audit verify says by the witness’s word that the end is gone', before.code === 1)

  await compose('stop', 'audit')
  env.AUDIT_LOG_ORIGIN = newOrigin
  const newLog = ['node', 'src/cli.ts', 'new-log']
  console.log(`\n${await compose('run', '--rm', '--no-deps', '-T', 'audit', ...newLog)}`)
  await compose('run', '--rm', '--no-deps', '-T', 'witness-keys')
  await compose('restart', 'witness')
  await compose('up', '--detach', '--wait')
  await until('the log grows again', async () => (await logSize(token)) > restoredSize + 1)

  // one migration back and forth, of what was restored
  for (const service of SERVICES) {
    await compose('stop', service)
    const down = await migrate(service, 'down').catch((error: Error) => error.message.split('\n').at(-1)!)
    const up = await migrate(service, 'up')
    const status = await migrate(service, 'status')
    console.log(`${service}: ${down}; ${up.split('\n').join(', ')}; ${status}`)
    // the log's would destroy events
    const refused = service === 'audit'
    claim(
      `${service}: a migration ${refused ? 'down is refused' : 'down and up'}`,
      down.startsWith('undone') !== refused && status === 'all migrations are applied',
    )
    await compose('up', '--detach', '--wait', service)
  }
  await until('a chart can be read', async () => {
    await ask(200, 'GET', `/api/v1/patients/${firstChart}`, undefined, token)
    return true
  })

  const { writes } = writers
  const { versions, same, different } = await readCharts(gateway, token, writes)
  const isThere = ({ chartId, version }: Write) => versions.get(chartId)! >= version
  const cut = backups.patients!
  const kept = writes.filter(({ answeredAt }) => answeredAt < cut)
  const later = writes.filter(({ askedAt }) => askedAt > cut + 1000)
  const lost = writes.filter((write) => !isThere(write))
  const ages = lost.map(({ answeredAt }) => disaster - answeredAt)

  await until('the log is settled', async () => {
    const size = await logSize(token)
    await sleep(2000)
    return (await logSize(token)) - size < 5
  })
  await sleep(11_000)
  const after = await verify('gone-on.ndjson', token, witnessKey)
  console.log(`\nby the new name (exit code ${after.code}):\n${after.said}\n`)
  const untold = writes.filter((write) => isThere(write) && !after.requestIds.has(write.requestId))
  const toldOnly = lost.filter(({ requestId }) => after.requestIds.has(requestId))

  printRow('writes answered with 2xx', writes.length)
  printRow('… before the backup', kept.length)
  printRow('… lost', lost.length)
  printRow('… of which the log tells', toldOnly.length)
  printRow('RPO', seconds(Math.max(0, ...ages)))
  printRow('… the backup’s age', seconds(disaster - cut))
  printRow('RTO', seconds(rto))

  claim(`all ${kept.length} writes from before the backup are there`, kept.length > 0 && kept.every(isThere))
  claim(
    `${same} charts are, by their hashes, as they were answered, and ${different.length} are not`,
    same > 0 && different.length === 0,
  )
  claim(`what was written after it is gone: ${later.length} writes`, later.length > 0 && !later.some(isThere))
  claim(
    `no chart is there without its event: of ${writes.length - lost.length} writes ${untold.length} have none`,
    untold.length === 0,
  )
  claim(
    `the log goes on as ${newOrigin}, verified, by the witness too`,
    after.code === 0 && after.said.includes(`verified: ${newOrigin}, `),
  )
  claim(`RPO ${seconds(Math.max(0, ...ages))} is no more than the backup’s age`, Math.max(0, ...ages) <= disaster - cut)
} catch (error) {
  claim(`all of it runs: ${(error as Error).message}`, false)
} finally {
  await project.close(Object.values(claims).every(Boolean))
  conclude(claims, [])
  if (process.exitCode) console.error(`The exports are in ${folder}.`)
  else rmSync(folder, { recursive: true })
}
