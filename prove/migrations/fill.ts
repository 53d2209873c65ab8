/** Something in every table that a client's request can fill, and what is answered of it. */
import { createHmac, randomUUID } from 'node:crypto'
import type { Problem } from '@caregate/common/errors'
import { buildSender, newPassword } from '../../platform/client.ts'
import type { bringPeople, openBed } from '../access/bed.ts'
import { coded } from '../access/charts.ts'
import { buildChance } from '../chance.ts'
import { makePeople } from '../matching/people.ts'
import { buildAsk } from '../people.ts'

type Bed = Awaited<ReturnType<typeof openBed>>
type People = Awaited<ReturnType<typeof bringPeople>>
export interface Chart {
  id: string
  version: number
}

/** The code of this moment (RFC 6238: SHA-1, six digits, 30 s). @param secret Base32 */
function codeOf(secret: string): string {
  const bits = [...secret]
    .map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0'))
    .join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const mac = createHmac('sha1', key).update(step).digest()
  return String((mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

/** A second factor, a service account, a forgotten password, a wrong one, and a hold on the log. @returns how to be rid of the first two */
export async function fillAccounts({ info }: Bed, { callers, targets }: People) {
  const ask = buildAsk(info.gateway)
  const [nurse, admin] = ['nurse', 'admin'].map((name) => callers.find((caller) => caller.name === name)!)
  const enrolled = await ask<{ secret: string }>(201, 'POST', '/api/v1/auth/totp', undefined, nurse!.token)
  await ask(204, 'POST', '/api/v1/auth/totp/confirm', { totp: codeOf(enrolled.secret) }, nurse!.token)
  const machine = { name: 'a machine', roles: ['auditor'] }
  const { id } = await ask<{ id: string }>(201, 'POST', '/api/v1/auth/service-accounts', machine, admin!.token)
  await ask(202, 'POST', '/api/v1/auth/password/forgot', { email: targets.account.email })
  await ask(401, 'POST', '/api/v1/auth/login', { ...targets.account, password: newPassword() })
  const auditor = callers.find(({ name }) => name === 'auditor')!
  await ask(201, 'PUT', `/api/v1/audit/holds/${randomUUID()}`, { reason: 'a lawsuit' }, auditor.token)
  return async () => {
    await ask(204, 'DELETE', `/api/v1/auth/users/${nurse!.userId}/totp`, undefined, admin!.token)
    await ask(204, 'DELETE', `/api/v1/auth/service-accounts/${id}`, undefined, admin!.token)
  }
}

/** Charts of people of whom some have two, with all that a chart can have. @returns those that were not merged into others */
export async function fillCharts({ send }: Bed, { house, callers }: People, seed: number): Promise<Chart[]> {
  const chance = buildChance(seed, 1)
  const { registrar, clinician } = house
  async function ask<T>(token: string, status: number, method: string, path: string, body: object, etag?: Chart) {
    const headers: Record<string, string> = etag ? { 'if-match': `"${etag.version}"` } : {}
    const answer = await send(method, `/api/v1/patients${path}`, { token, body, headers })
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return JSON.parse(answer.text) as T
  }
  const charts = new Map<number, Chart>()
  for (const [n, { person, chart }] of makePeople(60, seed).entries()) {
    const source = { system: 'source:clinic', value: String(n) }
    const body = { ...chart, identifiers: [...chart.identifiers, source] }
    const { status } = await send('POST', '/api/v1/patients', { token: registrar, body })
    // the number is taken by now, unless it was refused as somebody's duplicate
    const again = { ...body, identifiers: [...chart.identifiers, { ...source, value: `${n} again` }] }
    const made = await ask<Chart>(registrar, 201, 'POST', '?force=true', status === 201 ? again : body)
    const { id } = made
    for (const kind of ['allergies', 'conditions']) await ask(clinician, 201, 'POST', `/${id}/${kind}`, coded)
    const member = { userId: chance.pick(callers.filter(({ userId }) => userId)).userId, role: 'a nurse' }
    await ask(registrar, 201, 'POST', `/${id}/care-team`, member)
    let now = await ask<Chart>(registrar, 200, 'PATCH', `/${id}`, { language: 'es' }, made)
    const other = charts.get(person)
    if (other) {
      const merge = { sourceId: id, sourceVersion: now.version }
      now = await ask<Chart>(registrar, 200, 'POST', `/${other.id}/merge`, merge, other)
    }
    charts.set(person, now)
  }
  for (const chart of charts.values()) {
    if (!chance.chance(0.3)) continue
    await ask(registrar, 200, 'PATCH', `/${chart.id}`, { restricted: true }, chart)
    if (chance.chance(0.5))
      await ask(clinician, 201, 'POST', `/${chart.id}/break-glass`, { reason: 'found unconscious at the station' })
  }
  return [...charts.values()]
}

/** Answered to a request that was sent at another time, too; by path. */
export type Answers = Map<string, string>

/** What the API says of charts, accounts and the log. @param events ids of those that are asked for */
export async function askAll({ info }: Bed, { callers, house }: People, charts: Chart[], events: string[]) {
  const tokenOf = (name: string) => callers.find((caller) => caller.name === name)!.token!
  const answers: Answers = new Map()
  // asks again where a service that was stopped isn't found yet
  const send = buildSender(info.gateway)
  async function ask(who: string, token: string, path: string): Promise<void> {
    const { status, body } = await send('GET', `/api/v1${path}`, undefined, { authorization: `Bearer ${token}` })
    answers.set(`${who} ${path}`, `${status} ${status < 300 ? JSON.stringify(body) : (body as Problem).code}`)
  }
  for (const { id } of charts) {
    await ask('registrar', house.registrar, `/patients/${id}`)
    for (const part of ['', '/allergies', '/conditions', '/care-team', '/history'])
      await ask('clinician', house.clinician, `/patients/${id}${part}`)
  }
  for (const { name, token, userId } of callers.filter((caller) => caller.userId && caller.kind === 'whole')) {
    await ask(name, token!, '/auth/me')
    await ask('admin', tokenOf('admin'), `/auth/users/${userId}`)
  }
  for (const id of events) await ask('auditor', tokenOf('auditor'), `/audit/events/${id}`)
  return answers
}

/** Writes as before: a chart that is made and changed. @returns whether its history tells both */
export async function writeOne({ info }: Bed, { house }: People): Promise<boolean> {
  const ask = buildAsk(info.gateway)
  const person = { name: { given: ['Ada'], family: randomUUID().replaceAll(/[^a-f]/g, '') }, birthDate: '1975-12-10' }
  const path = '/api/v1/patients'
  const made = await ask<Chart>(201, 'POST', `${path}?force=true`, { ...person, sex: 'female' }, house.registrar)
  const reason = { reason: 'made in a proof' }
  await ask(200, 'POST', `${path}/${made.id}/void`, reason, house.clinician)
  await ask(200, 'POST', `${path}/${made.id}/restore`, reason, house.clinician)
  const past = await ask<{ items: object[] }>(200, 'GET', `${path}/${made.id}/history`, undefined, house.registrar)
  return past.items.length === 3
}
