import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '@caregate/common/database'
import { buildCall, quietLog, type Call } from '@caregate/common/testing/service'
import { newPassword, type Account } from '../platform/client.ts'
import { startPlatform, type PlatformOptions } from '../platform/platform.ts'
import { quietProgress } from '../platform/progress.ts'
import { makeFolder } from '../platform/state.ts'
import type { ReadEvent } from '../services/audit/src/repository.ts'

/** A request that a test has sent, with the milliseconds before and after it. */
export interface Sent {
  id: string
  method: string
  /** Without the query string. */
  path: string
  status: number
  token: string | undefined
  from: number
  to: number
}

/** Where a platform of a test keeps its data: every user may pass. */
export const freshFolder = (): string => makeFolder(mkdtempSync(join(tmpdir(), 'caregate-e2e-')))

/** Asks a database on the server with this administrator's URL. */
export async function ask<Row>(server: string, database: string, query: string): Promise<Row[]> {
  const url = new URL(server)
  url.pathname = database
  const settings = { DATABASE_URL: url.href, DB_POOL_MAX: 2, DB_STATEMENT_TIMEOUT_MS: 5000 }
  const db = await openDatabase(settings, [], quietLog, AbortSignal.timeout(10_000))
  return db.query<Row[]>(query).finally(() => db.destroy())
}

const raised = { RATE_LIMIT_PER_MINUTE: '100000', RATE_LIMIT_PER_MINUTE_SIGNED_IN: '100000', BCRYPT_COST: '4' }
const { PATH, HOME } = process.env

/** A whole platform of this test's own: backing services, processes and data. */
export async function openTestPlatform({
  env = {},
  progress = quietProgress,
  folder = freshFolder(),
}: Partial<PlatformOptions> = {}) {
  const platform = await startPlatform({ folder, env: { PATH, HOME, ...raised, ...env }, ports: 'free', progress })
  const { gateway, admin } = platform.info
  const callGateway = buildCall(gateway)
  const sent: Sent[] = []

  /** Through the gateway; the request's id is the client's own. */
  const call: Call = async (method, path, options = {}) => {
    const id = randomUUID()
    const from = Date.now()
    const answer = await callGateway(method, path, { ...options, headers: { 'x-request-id': id, ...options.headers } })
    const [pathAlone = ''] = path.split('?')
    const { token } = options
    sent.push({ id, method, path: pathAlone, status: answer.status, token, from, to: Date.now() })
    return answer
  }

  async function ok(status: number, ...request: Parameters<Call>) {
    const answer = await call(...request)
    if (answer.status === status) return answer.body
    throw new Error(`${request[0]} ${request[1]}: ${answer.status} ${JSON.stringify(answer.body)}`)
  }

  /** As people do it: the one-time password is changed at the first login. */
  async function settle(email: string, oneTimePassword: string): Promise<Account & { token: string }> {
    const first = await ok(200, 'POST', '/api/v1/auth/login', { body: { email, password: oneTimePassword } })
    const password = newPassword()
    const change = { currentPassword: oneTimePassword, newPassword: password }
    await ok(204, 'POST', '/api/v1/auth/password', { token: first.accessToken, body: change })
    const { accessToken } = await ok(200, 'POST', '/api/v1/auth/login', { body: { email, password } })
    return { email, password, token: accessToken }
  }

  const administrator = await settle(admin!.email, admin!.password)
  let users = 0

  /** Somebody new of the staff, signed in. */
  async function addStaff(...roles: string[]): Promise<Account & { token: string }> {
    const email = `${roles[0]}-${(users += 1)}@e2e.caregate.local`
    const body = { email, fullName: `The ${roles[0]}`, roles }
    const { oneTimePassword } = await ok(201, 'POST', '/api/v1/auth/users', { token: administrator.token, body })
    return settle(email, oneTimePassword)
  }

  const auditor = await addStaff('auditor')

  return {
    ...platform,
    gateway,
    administrator,
    call,
    addStaff,
    /** Every request that went through `call`. */
    sent,
    /** Events by what the audit log can be searched for. */
    async events(filter: Record<string, string>): Promise<ReadEvent[]> {
      const query = new URLSearchParams({ limit: '200', ...filter }).toString()
      return (await ok(200, 'GET', `/api/v1/audit/events?${query}`, { token: auditor.token })).items
    },
    async close() {
      await platform.close()
      rmSync(folder, { recursive: true })
    },
  }
}
