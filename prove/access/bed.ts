/** What the proof of the matrix runs on: a platform, and an account for everybody in it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { roles, type Role } from '@caregate/common/auth'
import { openDatabase } from '@caregate/common/database'
import type { AuditEvent } from '@caregate/common/events'
import { buildLogger } from '@caregate/common/logger'
import { byService, type Service } from '@caregate/common/services'
import { newPassword, type Account } from '../../platform/client.ts'
import { startPlatform } from '../../platform/platform.ts'
import { openProgress } from '../../platform/progress.ts'
import { runScript, serviceDatabaseUrls } from '../../platform/services.ts'
import { makeFolder, openSecrets } from '../../platform/state.ts'
import { buildAsk, logIn, settle } from '../people.ts'
import { makeChart, type House, type Query } from './charts.ts'
import type { Targets } from './other-plans.ts'
import type { Caller, Send } from './shape.ts'
import { unlimited } from '../unlimited.ts'

type Bed = Awaited<ReturnType<typeof openBed>>

const env = { ...unlimited, BCRYPT_COST: '4', LOG_LEVEL: 'WARNING', ACCESS_TOKEN_EXPIRE_MINUTES: '1440' }

export async function openBed() {
  const folder = makeFolder(mkdtempSync(join(tmpdir(), 'caregate-prove-')))
  const progress = openProgress(process.stderr)
  const platform = await startPlatform({ folder, env, ports: 'free', progress }).finally(() => progress.close())
  const { info } = platform
  const log = buildLogger('prove', 'ERROR', 'text')
  const open = (service: Service) => {
    const url = new URL(info.backing.postgres)
    url.pathname = `caregate_${service}`
    const options = { DATABASE_URL: url.href, DB_POOL_MAX: 4, DB_STATEMENT_TIMEOUT_MS: 60_000 }
    return openDatabase(options, [], log, AbortSignal.timeout(60_000))
  }
  const opened = byService(open)
  const { patients, audit } = { patients: await opened.patients, audit: await opened.audit }
  const secrets = openSecrets(folder)

  /** Through the gateway, once. */
  const send: Send = async (method, path, { token, body, headers = {} } = {}) => {
    const answer = await fetch(info.gateway + path, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      body: typeof body === 'object' ? JSON.stringify(body) : (body ?? null),
      signal: AbortSignal.timeout(30_000),
    })
    const isEndless = answer.headers.get('content-type')?.startsWith('text/event-stream')
    if (isEndless) await answer.body!.cancel()
    return { status: answer.status, headers: answer.headers, text: isEndless ? '' : await answer.text() }
  }

  return {
    info,
    send,
    supervisor: platform.supervisor,
    /** As the administrator of a service's database. */
    queryOf: async (service: Service): Promise<Query> => {
      const database = await opened[service]
      return (sql, values = []) => database.query(sql, values)
    },
    /** `npm run migrate`, on this platform. @throws with what it says when it refuses */
    migrate: (service: Service, command: 'up' | 'down' | 'status') =>
      runScript(`services/${service}/src/migrate.ts`, [command], {
        ...env,
        ...serviceDatabaseUrls(info.backing.postgres, service, secrets),
      }),
    /** As the administrator of the patients' database. */
    query: ((sql, values = []) => patients.query(sql, values)) as Query,
    /** What the log has of these requests, once it has something of each that is awaited, or after a minute. */
    async eventsOf(ids: readonly string[], awaited: readonly string[]): Promise<AuditEvent[]> {
      for (const deadline = Date.now() + 60_000; ; await sleep(500)) {
        const rows = await audit.query<{ request_id: string; entry: string }[]>(
          'SELECT request_id, entry FROM events WHERE request_id = ANY($1)',
          [ids],
        )
        const there = new Set(rows.map((row) => row.request_id))
        if (awaited.every((id) => there.has(id)) || Date.now() > deadline)
          return rows.map(({ entry }) => JSON.parse(entry) as AuditEvent)
      }
    },
    async close(): Promise<void> {
      for (const database of Object.values(opened)) await (await database).destroy()
      await platform.close({ force: true })
      if (process.exitCode) console.error(`What the processes logged is in ${join(folder, 'logs')}.`)
      else rmSync(folder, { recursive: true })
    },
  }
}

/** Somebody of each role and of each pair of roles of the staff, a patient with a chart, and those whose token is good for little. */
export async function bringPeople({ info, send }: Bed): Promise<{ callers: Caller[]; house: House; targets: Targets }> {
  const ask = buildAsk(info.gateway)
  const administrator = await settle(ask, info.admin!.email, info.admin!.password)
  let count = 0

  async function add(given: readonly Role[]) {
    const email = `${(count += 1)}@prove.test`
    const body = { email, fullName: `A ${given.join(' and ')}`, roles: given }
    const { accessToken } = administrator.tokens
    const made = await ask<{ id: string; oneTimePassword: string }>(
      201,
      'POST',
      '/api/v1/auth/users',
      body,
      accessToken,
    )
    return { id: made.id, email, password: made.oneTimePassword }
  }
  async function addSettled(given: readonly Role[]): Promise<Caller> {
    const { id, email, password } = await add(given)
    const { account, tokens } = await settle(ask, email, password)
    return {
      name: given.join(' and '),
      userId: id,
      roles: given,
      kind: 'whole',
      token: tokens.accessToken,
      spare: spareOf(account),
    }
  }
  const spareOf = (account: Account) => async () => (await logIn(ask, account)).accessToken
  async function register() {
    const account = { email: `${(count += 1)}@prove.test`, password: newPassword() }
    const { id } = await ask<{ id: string }>(201, 'POST', '/api/v1/auth/register', {
      ...account,
      fullName: 'A Patient',
    })
    return { id, account }
  }

  const [clinician, registrar] = [await addSettled(['clinician']), await addSettled(['registrar'])]
  const house = { clinician: clinician.token!, registrar: registrar.token! }

  const callers: Caller[] = [{ name: 'nobody', userId: null, roles: [], kind: 'none', token: undefined }]
  const staff = roles.filter((role) => role !== 'patient')
  for (const role of staff) callers.push(await addSettled([role]))
  for (const [n, one] of staff.entries())
    for (const other of staff.slice(n + 1)) callers.push(await addSettled([one, other]))

  const { id: userId, account } = await register()
  const own = await makeChart(send, house)
  await ask(200, 'PUT', `/api/v1/auth/users/${userId}/patient`, { patientId: own.id }, house.registrar)
  const spare = spareOf(account)
  callers.push({ name: 'patient', userId, roles: ['patient'], kind: 'whole', own, token: await spare(), spare })

  const newcomer = await add(staff)
  const token = (await logIn(ask, newcomer)).accessToken
  callers.push({ name: 'one-time password', userId: newcomer.id, roles: staff, kind: 'password', token })

  const targets = {
    staff: (await add(['nurse'])).id,
    patient: (await register()).id,
    account: (await register()).account,
  }
  return { callers, house, targets }
}
