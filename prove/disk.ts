/** `npm run prove -- disk [SEED]`: under traffic the disks of Postgres are full, and their fsync fails; nothing is lost. */
import { randomInt } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { checkPostgres } from '../platform/backing/postgres.ts'
import { buildVitals } from '../platform/vitals.ts'
import { judge, until } from './audit/judge.ts'
import { bringPeople, openAuditStage, type AuditStage } from './audit/stage.ts'
import { startTraffic, type Sent } from './audit/traffic.ts'
import { buildChance } from './chance.ts'
import { enterOwnMounts, openVolume } from './disk/volume.ts'
import { conclude, printRow } from './load.ts'

const clients = 8
const boundMs = 30_000

/** Puts the data of all, the write-ahead log and the tables of the audit service on three disks. */
async function spread({ supervisor, info, folder }: AuditStage, mounts: string) {
  const on = (name: string, megabytes: number) => openVolume(join(mounts, name), megabytes)
  const [data, wal, log] = [on('data', 1024), on('wal', 192), on('log', 512)]
  const superuser = async (...statements: string[]) => {
    const client = new pg.Client(info.backing.postgres)
    await client.connect()
    for (const statement of statements) await client.query(statement)
    await client.end()
  }
  const { spec: audit } = await supervisor.stop('audit')
  // segments are made with holes, so that each commit takes room of the disk
  const settings = ['wal_init_zero = off', 'wal_recycle = off', 'min_wal_size = 32', 'max_wal_size = 64']
  await superuser(...settings.map((setting) => `ALTER SYSTEM SET ${setting}`))
  const { spec: postgres } = await supervisor.stop('postgres')
  const there = join(folder, 'postgres/data')
  wal.take(join(there, 'pg_wal'))
  data.take(there)
  const { uid, gid } = statSync(there)
  log.give(uid, gid)
  await supervisor.start(postgres)
  await supervisor.waitUntil('postgres', () => checkPostgres(info.backing.postgres), 60)
  await superuser(
    `CREATE TABLESPACE log LOCATION '${log.disk}/data'`,
    'ALTER DATABASE caregate_audit SET TABLESPACE log',
  )
  await supervisor.start(audit)
  return { data, wal, log }
}

const mounts = enterOwnMounts()
if (mounts) {
  const seed = Number(process.argv[2] ?? randomInt(2 ** 31))
  console.log(`seed ${seed}: npm run prove -- disk ${seed}`)
  const chance = buildChance(seed, 1_000_000)
  const stage = await openAuditStage()
  const { supervisor, folder, info } = stage
  try {
    if (supervisor.list().some(({ name, container }) => name === 'postgres' && container))
      throw new Error('A Postgres in a container has its data elsewhere: this needs one that is a process.')
    const { data, wal, log } = await spread(stage, mounts)
    const { isWhole } = buildVitals(info)
    await until('all is well', isWhole)
    const { tokens, exporter } = await bringPeople(stage)
    const traffic = startTraffic(stage, tokens, clients, seed)
    const { sent } = traffic
    await until('the traffic flows', () => traffic.acknowledged() > 500)

    const full = (...volumes: (typeof data)[]) => {
      return () => {
        const undo = volumes.map((volume) => volume.fill())
        return () => undo.forEach((free) => free())
      }
    }
    /** @param said by Postgres, of it */
    const faults: [what: string, said: RegExp, cause: () => () => void][] = [
      ['the log’s tables: full', /ERROR: .*No space left/, full(log)],
      ['all tables: full', /ERROR: .*No space left/, full(data, log)],
      ['write-ahead log: full', /PANIC: .*No space left/, full(wal)],
      ['everything: full', /(ERROR|PANIC): .*No space left/, full(data, log, wal)],
      ['write-ahead log: fsync fails', /PANIC: .*could not f\w*sync/, () => wal.fail()],
    ]
    const claims: Record<string, boolean> = {}
    const postgresLog = () => readFileSync(join(folder, 'logs/postgres.log'), 'utf8')
    const isRefused = ({ status }: Sent) => status >= 500 || status === 0
    printRow('fault'.padEnd(8), 'seconds', 'operations', 'others', 'back s', '  refused')
    for (let left = [...faults]; left.length;) {
      const [what, said, cause] = left.splice(chance.int(left.length), 1)[0]!
      const [start, from] = [postgresLog().length, performance.now()]
      const undo = cause()
      await until(`Postgres has noticed: ${what}`, () => said.test(postgresLog().slice(start)))
      await sleep(4000 + chance.int(4000))
      undo()
      const to = performance.now()
      const before = traffic.acknowledged()
      await until(`all is well after ${what}`, async () => traffic.acknowledged() - before >= 50 && (await isWhole()))
      const backMs = performance.now() - to
      const due = sent.filter(({ at }) => at >= from && at < to)
      const refused = due.filter(isRefused)
      const codes = Map.groupBy(refused, ({ status, code, by }) => `${status} ${code} by ${by}`)
      const isLogAlone = what.startsWith('the log')
      const others = refused.filter(({ service }) => service !== 'audit').length
      const list = [...codes].map(([code, { length }]) => `${length} × ${code}`).join(', ')
      const figures = [((to - from) / 1000).toFixed(1), due.length, others, (backMs / 1000).toFixed(1)]
      printRow(what, ...figures, `  ${list}`)
      claims[
        `${what}: ${refused.length} were refused, and ${(backMs / 1000).toFixed(1)} s after it was over all was well (at most ${boundMs / 1000})`
      ] = (isLogAlone || refused.length > 0) && backMs < boundMs
      if (isLogAlone) claims['… and none but the audit service refused anything'] = !others
      if (what.includes('fsync')) {
        const { spec } = await supervisor.stop('postgres', { force: true })
        await wal.forget()
        await supervisor.start(spec)
        await until('all is well after a loss of power', isWhole)
      }
    }
    await traffic.stop()
    const verdict = await judge(stage, exporter, sent, { gatewayKills: [], broker: [] })
    console.log()
    verdict.print()
    conclude({ ...claims, ...verdict.claims }, [])
    verdict.accuse()
  } finally {
    await stage.close()
  }
}
