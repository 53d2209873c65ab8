import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { withoutNames } from '@caregate/common/paths'
import { until } from '@caregate/common/testing/until'
import { newPassword } from '../platform/client.ts'
import type { ReadEvent } from '../services/audit/src/repository.ts'
import { openTestPlatform, type Sent } from './platform.ts'

let platform: Awaited<ReturnType<typeof openTestPlatform>>
let registrar: string
let clinician: string
const unknownId = '0190a000-0000-7000-8000-000000000000'
const ana = { name: { given: ['Ana'], family: 'Quispe' }, birthDate: '1991-02-03', sex: 'female' }
const account = { email: 'ana@e2e.caregate.local', password: newPassword() }
const registration = { ...account, fullName: 'Ana Quispe' }

beforeAll(async () => {
  platform = await openTestPlatform()
  registrar = (await platform.addStaff('registrar')).token
  clinician = (await platform.addStaff('clinician')).token
}, 60_000)
afterAll(() => platform.close())

const logIn = async () => (await platform.call('POST', '/api/v1/auth/login', { body: account })).body.accessToken

/** The events of one request, waited for: the log is written behind the answer. */
async function eventsOf({ id }: Sent) {
  let events: ReadEvent[] = []
  await until(async () => (events = await platform.events({ requestId: id })).length > 0, 5)
  return events
}
const last = (): Sent => platform.sent.at(-1)!

test('a patient registers, signs in and sees their own account', async () => {
  const registered = await platform.call('POST', '/api/v1/auth/register', { body: registration })
  expect(registered).toMatchObject({ status: 201, body: { email: account.email, roles: ['patient'] } })
  expect(JSON.stringify(registered.body)).not.toMatch(/password/i)
  expect(await platform.call('POST', '/api/v1/auth/register', { body: registration })).toMatchObject({
    status: 409,
    body: { code: 'conflict' },
  })

  const wrong = { email: account.email, password: newPassword() }
  expect((await platform.call('POST', '/api/v1/auth/login', { body: wrong })).status).toBe(401)
  const signedIn = await platform.call('POST', '/api/v1/auth/login', { body: account })
  expect(signedIn).toMatchObject({ status: 200, body: { tokenType: 'Bearer', refreshToken: expect.any(String) } })
  const me = await platform.call('GET', '/api/v1/auth/me', { token: signedIn.body.accessToken })
  expect(me).toMatchObject({ status: 200, body: registered.body })
  expect(me.headers.get('x-request-id')).toBe(last().id)
  expect(me.headers.get('x-process-time')).toMatch(/^\d+\.\d{4}$/)
})

test('without a token it is 401, with another role 403', async () => {
  const token = await logIn()
  const anonymous = await platform.call('GET', '/api/v1/patients')
  expect(anonymous).toMatchObject({ status: 401, body: { code: 'unauthorized', requestId: last().id } })
  expect(anonymous.headers.get('www-authenticate')).toMatch(/^Bearer/)
  expect(await platform.call('GET', '/api/v1/patients', { token })).toMatchObject({
    status: 403,
    body: { code: 'forbidden', requestId: last().id },
  })
  expect((await platform.call('GET', '/api/v1/audit/events', { token: clinician })).status).toBe(403)
})

test('each bad field is named', async () => {
  const body = { name: { given: [], family: '' }, birthDate: '1991-02-30', sex: 'f', shoeSize: 38 }
  const answer = await platform.call('POST', '/api/v1/patients?force=true', { token: registrar, body })
  expect(answer).toMatchObject({ status: 422, body: { code: 'validation_failed' } })
  expect(answer.headers.get('content-type')).toMatch('application/problem+json')
  const paths = answer.body.errors.map(({ path }: { path: string }) => path).sort()
  expect(paths).toEqual(['birthDate', 'name.family', 'name.given', 'sex', 'shoeSize'])
})

test('who changes what they have not seen is refused, what is not there is not found', async () => {
  const created = await platform.call('POST', '/api/v1/patients?force=true', { token: registrar, body: ana })
  expect(created).toMatchObject({ status: 201, body: { version: 1 } })
  const path = created.headers.get('location')!
  const read = await platform.call('GET', path, { token: clinician })
  expect(read).toMatchObject({ status: 200, body: created.body })

  const ifMatch = { 'if-match': read.headers.get('etag')! }
  const change = (language: string) =>
    platform.call('PATCH', path, { token: clinician, body: { language }, headers: ifMatch })
  const changed = await change('es')
  expect(changed).toMatchObject({ status: 200, body: { version: 2, language: 'es' } })
  expect(changed.headers.get('etag')).toBe('"2"')
  expect(await change('qu')).toMatchObject({ status: 412, body: { code: 'stale' } })
  expect(await platform.call('GET', `/api/v1/patients/${unknownId}`, { token: clinician })).toMatchObject({
    status: 404,
    body: { code: 'not_found' },
  })
})

test('a token is dead within a second of its logout', async () => {
  const token = await logIn()
  expect((await platform.call('GET', '/api/v1/auth/me', { token })).status).toBe(200)
  expect((await platform.call('POST', '/api/v1/auth/logout', { token })).status).toBe(204)
  const loggedOut = Date.now()
  const isAlive = async () => (await platform.call('GET', '/api/v1/auth/me', { token })).status === 200
  while ((await isAlive()) && Date.now() - loggedOut < 1000) await sleep(10)
  expect(last()).toMatchObject({ path: '/api/v1/auth/me', status: 401 })
  expect(Date.now() - loggedOut).toBeLessThan(1000)
})

test('the log tells of a read within seconds who opened which chart, from where and when', async () => {
  const created = await platform.call('POST', '/api/v1/patients?force=true', { token: registrar, body: ana })
  await platform.call('GET', `/api/v1/patients/${created.body.id}`, { token: clinician })
  const request = last()
  const events = await eventsOf(request)
  expect(events).toHaveLength(1)
  expect(events[0]).toMatchObject({
    type: 'patients.patient.read',
    action: 'R',
    outcome: 'success',
    actor: { name: 'The clinician', roles: ['clinician'] },
    patientIds: [created.body.id],
    request: { path: `/api/v1/patients/${created.body.id}`, status: 200, ip: '127.0.0.1' },
  })
  // reading the log names the chart too
  const type = 'patients.patient.read'
  expect(await platform.events({ patientId: created.body.id, type })).toEqual(events)
})

test('an auditor sees who was at a chart, and decides about who was refused', async () => {
  const { token } = await platform.addStaff('auditor')
  const created = await platform.call('POST', '/api/v1/patients?force=true', { token: registrar, body: ana })
  const accesses = async () =>
    (await platform.call('GET', `/api/v1/audit/patients/${created.body.id}/accesses`, { token })).body.items
  await until(async () => (await accesses()).length > 0, 5)
  const [made] = (await accesses()).toReversed()
  expect(made).toMatchObject({ type: 'patients.patient.created', actor: { name: 'The registrar' }, ip: '127.0.0.1' })

  // who was kept out of the log above
  const { body } = await platform.call('GET', '/api/v1/audit/reviews?state=open&kind=denial', { token })
  const ofClinician = body.items.filter(({ actor }: { actor: { name: string } }) => actor.name === 'The clinician')
  expect(ofClinician).toMatchObject([{ code: 'forbidden', route: '/audit/events', count: 1 }])
  const decided = await platform.call('PATCH', `/api/v1/audit/reviews/${ofClinician[0].id}`, {
    token,
    body: { state: 'justified', note: 'Looked for the wrong page.' },
    headers: { 'if-match': '"1"' },
  })
  expect(decided).toMatchObject({ status: 200, body: { state: 'justified', reviewedBy: { name: 'The auditor' } } })
  const { buckets } = (await platform.call('GET', '/api/v1/audit/activity', { token })).body
  expect(buckets.at(-1).success).toBeGreaterThan(5)
  const csv = await platform.call('GET', '/api/v1/audit/export?format=csv&outcome=denied', { token })
  expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
  expect(csv.body).toContain(',denied,forbidden,')
})

/** Create, read, update or execute, which signing in and out, searches and what the edge refuses are. */
function actionOf(method: string, path: string, status: number): string {
  if (method === 'PATCH' || path.endsWith('/password')) return 'U'
  if (method === 'POST') return /\/(register|users|patients)$/.test(path) ? 'C' : 'E'
  return status === 401 || path.endsWith('/patients') ? 'E' : 'R'
}

test('every request of this story stands in the log exactly once', async () => {
  const requests = [...platform.sent]
  // each status that the story is about
  expect(new Set(requests.map(({ status }) => status))).toEqual(new Set([200, 201, 204, 401, 403, 404, 409, 412, 422]))
  let events: ReadEvent[] = []
  const ofStory = new Set(requests.map(({ id }) => id))
  const readLog = async () => {
    events = []
    for (let page: ReadEvent[] | undefined; !page || page.length === 200; events.push(...page)) {
      page = await platform.events({ afterSequence: String(events.at(-1)?.sequence ?? 0) })
    }
    return events.filter(({ request }) => ofStory.has(request.id)).length
  }
  await until(async () => (await readLog()) >= requests.length, 5)

  const told = events.filter(({ request }) => ofStory.has(request.id))
  expect(told).toHaveLength(requests.length)
  expect(new Set(told.map(({ request }) => request.id)).size).toBe(requests.length)
  // beside them: what nobody asked for over HTTP, and the readings of the log that came after
  const beside = Object.groupBy(
    events.filter(({ request }) => !ofStory.has(request.id)),
    ({ request }) => (request.method === 'NONE' ? 'unattended' : 'others'),
  )
  expect(beside.unattended!.map(({ type }) => type).sort()).toEqual(['auth.key.created', 'auth.user.created'])
  // none yet where the first reading found everything
  for (const { type, request } of beside.others ?? []) {
    expect(type).toBe('audit.event.read')
    expect(platform.sent.filter(({ id }) => id === request.id)).toHaveLength(1)
  }
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_event, index) => index + 1))

  for (const { id, method, path, status, token, from, to } of requests) {
    const { request, actor, outcome, action, occurredAt } = told.find((event) => event.request.id === id)!
    expect(request).toMatchObject({ method, path, status, ip: '127.0.0.1', userAgent: 'node' })
    expect(outcome).toBe(status < 300 ? 'success' : [401, 403].includes(status) ? 'denied' : 'failure')
    expect(action).toBe(actionOf(method, path, status))
    // the claims of its token say who; a token that died is still somebody's
    if (token) expect(actor.id).toBe(JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).sub)
    expect(Date.parse(occurredAt)).toBeGreaterThanOrEqual(from)
    expect(Date.parse(occurredAt)).toBeLessThanOrEqual(to)
  }
  const text = JSON.stringify(events)
  for (const secret of ['Quispe', account.password, '1991-02', '?']) expect(text).not.toContain(secret)
})

test('events keep every path of the document that is served, and no name in it', async () => {
  const { paths } = (await platform.call('GET', '/openapi.json')).body
  const asked = Object.keys(paths)
    .filter((path) => !path.startsWith('/console/'))
    .map((path) => path.replaceAll(/\{\w+\}/g, unknownId))
  expect(asked.length).toBeGreaterThan(50)
  expect(asked.map((path) => withoutNames(path, 'unknown'))).toEqual(asked)
  expect(withoutNames('/api/v1/patients/Quispe/history', 'unknown')).toBe('/api/v1/patients/*/history')
})
