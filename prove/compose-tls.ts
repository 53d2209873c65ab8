/**
 * `npm run prove -- compose-tls`: the platform in containers with `docker-compose.tls.yml` laid over it. Everybody is asked by
 * TLS alone, with certificates that are verified, and these are made anew while charts are read.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { trustAuthorities } from '@caregate/common/tls'
import { bringChart, bringPeople, soon } from './compose/people.ts'
import { openCompose } from './compose/project.ts'
import { conclude } from './load.ts'
import { buildAsk } from './people.ts'

const processes = ['gateway:8000', 'auth:8001', 'patients:8002', 'audit:8003']
const places = [...processes, 'consul:8501', 'rabbitmq:5671', 'rabbitmq:15671', 'rabbitmq:15691', 'redis:6379']
/** Where the same listen without TLS when it isn't asked for. */
const closed = ['consul:8500', 'consul:8600', 'rabbitmq:5672', 'rabbitmq:15672', 'rabbitmq:15692']

const claims: Record<string, boolean> = {}
const claim = (what: string, holds: boolean) => (claims[what] = holds)
const folder = mkdtempSync(join(tmpdir(), 'caregate-tls-'))
const project = await openCompose('caregate-tls', '172.30.84', ['docker-compose.tls.yml'])
const { compose, env, query, ports } = project
const gateway = `https://localhost:${ports.gateway}`
const ask = buildAsk(gateway)
const job = (service: string, ...args: string[]) => compose('run', '--rm', '--no-deps', '-T', service, ...args)

/** Of the certificate that the gateway shows. */
const serial = () =>
  new Promise<string>((resolve, reject) => {
    const socket = connect({ port: ports.gateway, host: 'localhost' }, () => {
      resolve(socket.getPeerCertificate().serialNumber)
      socket.destroy()
    }).on('error', reject)
  })

/** Whether all that answers does so by TLS, to whoever verifies it, and nothing else. */
async function probeAll(): Promise<void> {
  const outcomes = await project.probe<Record<string, Record<string, string>>>(
    'audit',
    'tls-probe.mjs',
    ...places,
    ...closed,
  )
  for (const [place, { verified, another, unknown, plain }] of Object.entries(outcomes)) {
    const refused = another === 'ERR_TLS_CERT_ALTNAME_INVALID' && /SELF_SIGNED|UNABLE_TO_VERIFY/.test(unknown!)
    const secure = verified === 'secure' && refused && !/HTTP\/1\.1 [1-3]|AMQP/.test(plain!)
    claim(
      `${place}: by TLS ${verified}; for another’s name ${another}; without the authority ${unknown}; plain ${plain}`,
      places.includes(place) ? secure : plain === 'ECONNREFUSED',
    )
  }
}

try {
  await compose('--profile', 'backup', 'build')
  const keys = await job('backup-auth', 'keygen')
  env.BACKUP_RECIPIENTS = /^BACKUP_RECIPIENTS=(.*)$/m.exec(keys)![1]
  await compose('up', '--detach', '--wait')
  const ca = join(folder, 'ca.crt')
  writeFileSync(ca, await compose('exec', '-T', 'gateway', 'cat', '/secrets/ca.crt'))
  const stranger = await fetch(`${gateway}/health`).then(
    ({ status }) => String(status),
    (error: Error) => (error.cause as Error).message,
  )
  claim(`who doesn’t know the authority hears: ${stranger}`, /self-signed|unable to verify/.test(stranger))
  trustAuthorities(ca)

  const token = (await bringPeople(project, ask)).tokens.accessToken
  const { chart, same, isRecorded } = await bringChart(ask, token)
  claim(
    'an admin makes a clinician, a chart is made and read, and the log has both',
    same && (await soon(() => isRecorded(token))),
  )
  claim('the witness signs', (await project.witnessed()) > 0)
  await probeAll()

  const sessions = await query(
    'auth',
    "SELECT ssl, count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename LIKE 'caregate_%' AND client_addr IS NOT NULL GROUP BY 1",
  )
  claim(`sessions of Postgres, by whether they are encrypted: ${sessions}`, /^t \d+$/.test(sessions))
  const plainly = await compose(
    'exec',
    '-T',
    'postgres',
    'psql',
    'host=postgres user=caregate_auth sslmode=disable',
  ).catch(String)
  claim('and who asks plainly is refused', plainly.includes('no encryption'))

  claim('audit-retain', (await job('audit-retain')).includes('nothing to'))
  const backup = await job('backup-patients')
  claim(`a backup of charts: ${backup}`, backup.includes('MB'))

  const before = await serial()
  const statuses = new Map<unknown, number>()
  let on = true
  const reading = (async () => {
    const headers = { authorization: `Bearer ${token}` }
    for (; on; await sleep(10)) {
      const answer = await fetch(`${gateway}/api/v1/patients/${chart.id}`, { headers }).catch(String)
      const status = typeof answer === 'string' ? answer : answer.status
      if (typeof answer !== 'string') await answer.arrayBuffer()
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  })()
  // all that is good for fewer days than that
  await job('certificates', '400')
  const renewed = await soon(async () => (await serial()) !== before)
  // whose instances prove anew who they are
  await project.roll('patients')
  on = false
  await reading
  const said = [...statuses].map(([status, times]) => `${times} × ${String(status)}`).join(', ')
  claim(
    `certificates are made anew, and patients is rolled, while charts are read: ${said}`,
    renewed && [...statuses.keys()].join() === '200',
  )
} catch (error) {
  claim(`all of it runs: ${(error as Error).message}`, false)
} finally {
  const left = await project.close(Object.values(claims).every(Boolean))
  if (left !== undefined) claim(`down --volumes leaves nothing: ${left || 'nothing'}`, left === '')
  rmSync(folder, { recursive: true })
  conclude(claims, [])
}
