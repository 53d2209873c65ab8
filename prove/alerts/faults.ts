/** What is done to a running platform, so that somebody should be told. */
import { connect, type ConfirmChannel } from 'amqplib'
import { auditExchange, deadLetterQueue } from '@caregate/common/broker'
import { openDatabase, type Database } from '@caregate/common/database'
import { buildLogger } from '@caregate/common/logger'
import type { Service } from '@caregate/common/services'
import { freePort } from '../../platform/processes.ts'
import { runScript, serviceDatabaseUrls } from '../../platform/services.ts'
import { openSecrets } from '../../platform/state.ts'
import type { ChildSpec, Supervisor } from '../../platform/supervisor.ts'
import type { Account } from '../../platform/client.ts'
import type { AuditStage } from '../audit/stage.ts'
import type { Ask } from '../people.ts'
import { repeat, type Call } from './traffic.ts'

export interface Fault {
  what: string
  /** With their severity, as `CaregateBrokerAway ticket`. */
  alerts: string[]
  /** @returns what puts it right */
  cause(): Promise<() => Promise<unknown>>
}

interface Means {
  stage: AuditStage
  ask: Ask
  call: Call
  account: Account
  /** A token of an admin. */
  admin: string
}

export function buildFaults({ stage, ask, call, account, admin }: Means) {
  const { supervisor, beside, info, folder } = stage
  const { consul } = info.backing

  /** Works on a service's database with the rights of a superuser. */
  async function superuser<T>(service: Service, work: (db: Database) => Promise<T>): Promise<T> {
    const url = new URL(info.backing.postgres)
    url.pathname = `caregate_${service}`
    const settings = { DATABASE_URL: url.href, DB_POOL_MAX: 1, DB_STATEMENT_TIMEOUT_MS: 60_000 }
    const db = await openDatabase(settings, [], buildLogger('prove', 'ERROR', 'text'), AbortSignal.timeout(10_000))
    return work(db).finally(() => db.destroy())
  }
  const sql = (service: Service, text: string) => superuser(service, (db) => db.query<Record<string, string>[]>(text))

  /** Killed, and started again in the order of their names. */
  const killing =
    (from: Supervisor, ...names: string[]) =>
    async () => {
      const specs: ChildSpec[] = []
      for (const name of names) specs.push((await from.stop(name, { force: true })).spec)
      return async () => {
        for (const spec of specs) await from.start(spec)
      }
    }
  const agent = async (path: string, body?: object) => {
    const answer = await fetch(`${consul}/v1/agent/service/${path}`, { method: 'PUT', body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`Consul: ${answer.status} ${await answer.text()}`)
  }
  const amqp = async <T>(work: (channel: ConfirmChannel) => Promise<T>) => {
    const model = await connect(info.backing.amqp)
    const channel = await model.createConfirmChannel()
    return work(channel).finally(() => model.close())
  }

  async function registerUnreachable() {
    const [ID, Port] = ['unreachable', await freePort()]
    const Check = { HTTP: `${info.services.patients!.url}/health/ready`, Interval: '1s', Status: 'passing' }
    await agent('register', { ID, Name: 'patients', Address: '127.0.0.1', Port, Meta: { scheme: 'http' }, Check })
    return () => agent(`deregister/${ID}`)
  }

  async function publishNonEvent() {
    await amqp(async (channel) => {
      channel.publish(auditExchange, 'patients.patient.read', Buffer.from('no event'), { persistent: true })
      await channel.waitForConfirms()
    })
    return () => amqp((channel) => channel.purgeQueue(deadLetterQueue))
  }

  async function reuseRefreshToken() {
    const refresh = (refreshToken: string) =>
      ask<{ refreshToken: string }>(200, 'POST', '/api/v1/auth/refresh', { refreshToken })
    const first = await ask<{ refreshToken: string }>(200, 'POST', '/api/v1/auth/login', account)
    await refresh((await refresh(first.refreshToken)).refreshToken)
    await call('POST', '/auth/refresh', undefined, { refreshToken: first.refreshToken })
    return async () => {}
  }

  async function ageKey() {
    // as new as any by its making, so that auth sees no need for another
    await sql('auth', `UPDATE signing_keys SET active_from = now() - interval '101 days'`)
    return () => ask(201, 'POST', '/api/v1/auth/keys/rotate', undefined, admin)
  }

  async function dropPartitions() {
    const [month] = await sql('audit', `SELECT to_char(now() AT TIME ZONE 'UTC', '"events_"YYYY_MM') AS name`)
    const all = await sql(
      'audit',
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'events'::regclass`,
    )
    for (const { name } of all) if (name! > month!.name!) await sql('audit', `DROP TABLE ${name}`)
    const urls = serviceDatabaseUrls(info.backing.postgres, 'audit', openSecrets(folder))
    return () => runScript('services/audit/src/retain.ts', [], { ...process.env, ...urls })
  }

  async function revokeRight() {
    await sql('audit', 'REVOKE SELECT ON retained FROM caregate_audit')
    return () => sql('audit', 'GRANT SELECT ON retained TO caregate_audit')
  }

  /** A session that somebody has left open, with a lock. */
  async function lockCharts() {
    const locked = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    const done = superuser('patients', (db) =>
      db.transaction(async (tx) => {
        await tx.query('SET LOCAL idle_in_transaction_session_timeout = 0')
        await tx.query('LOCK TABLE patients IN ACCESS EXCLUSIVE MODE')
        locked.resolve()
        await released.promise
      }),
    )
    await Promise.race([locked.promise, done])
    return () => {
      released.resolve()
      return done
    }
  }

  /** Begins its verification from the first event. */
  const restartAudit = () => process.kill(supervisor.pid('audit')!, 'SIGKILL')
  async function editEvent() {
    const edit = (from: string, to: string) =>
      superuser('audit', (db) =>
        db.transaction(async (tx) => {
          await tx.query(`SET LOCAL session_replication_role = replica`)
          await tx.query(`UPDATE events SET entry = replace(entry, $1, $2) WHERE sequence = 5`, [from, to])
        }),
      )
    await edit('"outcome":"success"', '"outcome":"denied"')
    restartAudit()
    return async () => {
      await edit('"outcome":"denied"', '"outcome":"success"')
      restartAudit()
    }
  }

  const guess = () =>
    Promise.resolve(
      repeat(25, (n) => {
        const email = `guessed-${n % 500}@prove.test`
        return call('POST', '/auth/login', undefined, { email, password: `wrong password ${n}` })
      }),
    )

  const fault = (what: string, cause: Fault['cause'], ...alerts: string[]): Fault => ({ what, cause, alerts })
  /** Those of a round at the same time. */
  const rounds: Fault[][] = [
    // while there is little to verify
    [fault('an event is edited by a superuser', editEvent, 'CaregateAuditLogChanged page')],
    [
      fault('one of two instances is killed', killing(supervisor, 'patients-2'), 'CaregateInstanceDown ticket'),
      fault('an instance is registered that can’t be reached', registerUnreachable, 'CaregateInstanceEjected ticket'),
      fault('Redis is killed', killing(supervisor, 'redis'), 'CaregateLimitsNotShared ticket'),
      fault('something is published that is no event', publishNonEvent, 'CaregateAuditDeadLetters ticket'),
      fault('passwords are guessed, 25 a second', guess, 'CaregatePasswordGuessing ticket'),
      fault('a refresh token is used twice', reuseRefreshToken, 'CaregateRefreshTokenReused ticket'),
      fault('the witness is killed', killing(beside, 'witness'), 'CaregateAuditWitnessBehind ticket'),
      fault('the signing key is 101 days old', ageKey, 'CaregateSigningKeyOld ticket'),
      fault('the tables of the months to come are dropped', dropPartitions, 'CaregateAuditPartitionsEnd ticket'),
      fault('the app role loses a right of the log', revokeRight, 'CaregateAuditUnverified ticket'),
    ],
    [fault('Consul is killed', killing(supervisor, 'consul'), 'CaregateDiscoveryStale ticket')],
    [
      fault(
        'RabbitMQ is killed',
        killing(supervisor, 'rabbitmq'),
        'CaregateBrokerAway ticket',
        'CaregateOutboxStuck ticket',
        'CaregateAuditLogStalled page',
      ),
    ],
    [fault('auth is killed', killing(supervisor, 'auth'), 'CaregateRevocationsStale page')],
    [
      fault(
        'all instances of patients are killed',
        killing(supervisor, 'patients', 'patients-2'),
        'CaregateServiceDown page',
        'CaregateEdgeErrors page',
        'CaregateEdgeErrors ticket',
      ),
    ],
    [fault('the table of charts is locked', lockCharts, 'CaregatePoolExhausted ticket', 'CaregateEdgeSlow page')],
  ]
  return rounds
}
