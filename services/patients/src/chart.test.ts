import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { DataSource, type QueryRunner } from 'typeorm'
import { roles } from '@caregate/common/auth'
import type { Route } from '@caregate/common/route'
import { testToken } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { idParams, nothing } from '@caregate/common/validate'
import { buildChartRoutes, checkChartRoutes } from './chart.ts'
import { openPatients } from './testing.ts'

let service: Awaited<ReturnType<typeof openPatients>>
let admin: DataSource
const registrar = testToken(['registrar'])
const doctor = '0190a000-0000-7000-8000-00000000d0c0'
const clinician = testToken(['clinician'], { sub: doctor })
const ada = { name: { given: ['Ada'], family: 'Lovelace' }, birthDate: '1975-12-10', sex: 'female' }
const unknownId = '0190a000-0000-7000-8000-000000000000'

beforeAll(async () => {
  service = await openPatients()
  admin = await new DataSource({ type: 'postgres', url: service.urls.admin }).initialize()
})
beforeEach(() => service.events())
afterAll(async () => {
  await admin.destroy()
  await service.close()
})

async function create(more: object = {}): Promise<{ id: string; path: string }> {
  const { body } = await service.call('POST', '/api/v1/patients?force=true', {
    token: registrar,
    body: { ...ada, ...more },
  })
  await service.events()
  return { id: body.id, path: `/api/v1/patients/${body.id}` }
}
const join = (id: string) =>
  admin.query(
    `INSERT INTO care_team (id, patient_id, user_id, role, "from", added_by, added_at)
     VALUES (gen_random_uuid(), $1, $2, 'nurse', (now() AT TIME ZONE 'UTC')::date, $2, now())`,
    [id, doctor],
  )

test('a route with a chart’s id that chart.ts did not make can not start, whatever it says of itself', () => {
  const { read } = buildChartRoutes(service.db)
  const definition = {
    method: 'get',
    path: '/patients/{id}/secrets',
    summary: 'Read secrets',
    access: 'demographics.read',
    event: { type: 'patients.patient.read', action: 'R', subject: 'patient' },
    params: idParams,
    query: nothing,
    body: nothing,
    answer: { status: 200, description: 'Secrets' },
    errors: [],
    handle: async () => ({}),
  } as const
  expect(() => checkChartRoutes([read(definition)])).not.toThrow()
  const byHand: Route = { ...definition, policy: ['nurse'] }
  expect(() => checkChartRoutes([byHand])).toThrow('GET /patients/{id}/secrets is not one of chart.ts')
  expect(() => checkChartRoutes([{ ...read(definition) }])).toThrow()
})

/** Sends a change that waits for the chart while `meanwhile` is done to it. */
async function changedMeanwhile(id: string, path: string, meanwhile: (tx: QueryRunner) => Promise<unknown>) {
  const tx = admin.createQueryRunner()
  await tx.startTransaction()
  await tx.query('SELECT FROM patients WHERE id = $1 FOR UPDATE', [id])
  const answer = service.call('PATCH', path, { token: clinician, body: { race: 'x' }, headers: { 'if-match': '"1"' } })
  const waits = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  await until(async () => (await admin.query(waits))[0].n > 0, 5)
  await meanwhile(tx)
  await tx.commitTransaction()
  await tx.release()
  return answer
}

test('a chart that is restricted while a change waits for it is not changed', async () => {
  const { id, path } = await create()
  const answer = await changedMeanwhile(id, path, (tx) =>
    tx.query('UPDATE patients SET restricted = true WHERE id = $1', [id]),
  )
  expect(answer.body.code).toBe('restricted')
  expect(await service.events()).toMatchObject([{ outcome: 'denied', code: 'restricted', basis: null }])
})

test('whoever leaves the care team while their change waits does not make it any more', async () => {
  const { id, path } = await create({ restricted: true })
  await join(id)
  const answer = await changedMeanwhile(id, path, (tx) =>
    tx.query('UPDATE care_team SET removed_at = now() WHERE patient_id = $1', [id]),
  )
  expect(answer.body.code).toBe('restricted')
})

test('an id in capitals is the same chart, with the same policy and on the same record', async () => {
  const { id, path } = await create({ restricted: true })
  const capitals = path.replace(id, id.toUpperCase())
  expect((await service.call('GET', capitals, { token: clinician })).body.code).toBe('restricted')
  const own = testToken(['patient'], { patientId: id })
  expect((await service.call('GET', capitals, { token: own })).status).toBe(200)
  expect(await service.events()).toMatchObject([
    { code: 'restricted', patientIds: [id], resource: { id } },
    { basis: 'self', patientIds: [id], resource: { id } },
  ])
  // auth writes small letters: what says it otherwise is not its token
  const odd = testToken(['patient'], { patientId: id.toUpperCase() })
  expect((await service.call('GET', path, { token: odd })).status).toBe(401)
})

test('no other spelling of a path, and no method in disguise, leads to a restricted chart', async () => {
  const { id, path } = await create({ restricted: true })
  const tried: [status: number, method: string, path: string, headers?: Record<string, string>][] = [
    [404, 'GET', `${path}/`],
    [404, 'GET', `${path}//`],
    [404, 'GET', path.replace('/patients', '/Patients')],
    [404, 'GET', path.replace('/patients/', '/patients//')],
    [422, 'GET', `${path}%2Fhistory`],
    [422, 'GET', `${path}%00`],
    [422, 'GET', `${path};v=1`],
    [422, 'GET', `${path}?id=${unknownId}`],
    [422, 'GET', `${path}?id=${unknownId}&id=${id}`],
    [422, 'GET', path.replaceAll('-', '')],
    [404, 'GET', path.replace('/patients', '/%70atients')],
    [405, 'OPTIONS', path],
    [405, 'DELETE', path],
    [405, 'POST', path, { 'x-http-method-override': 'GET' }],
    [
      403,
      'GET',
      path,
      { 'x-http-method-override': 'OPTIONS', 'x-original-url': '/api/v1/patients', 'x-rewrite-url': '/' },
    ],
    [403, 'GET', path, { 'x-user-id': doctor, 'x-user-roles': 'registrar', 'x-break-glass': unknownId }],
    [403, 'GET', path, { 'if-none-match': '"1"' }],
  ]
  for (const [status, method, spelling, headers = {}] of tried) {
    const answer = await service.call(method, spelling, { token: clinician, headers })
    expect([spelling, method, answer.status]).toEqual([spelling, method, status])
    expect(JSON.stringify(answer.body)).not.toContain('Lovelace')
    expect(answer.headers.get('etag')).toBeNull()
  }
  expect((await service.events()).map(({ request: { status } }) => status)).toEqual(tried.map(([status]) => status))
})

test('HEAD reads a chart as GET does, on the record', async () => {
  const { id, path } = await create()
  const answer = await fetch(service.url + path, { method: 'HEAD', headers: { authorization: `Bearer ${clinician}` } })
  expect([answer.status, await answer.text()]).toEqual([200, ''])
  expect(await service.events()).toMatchObject([
    { type: 'patients.patient.read', outcome: 'success', patientIds: [id], request: { method: 'HEAD' } },
  ])
})

test('a body says nothing of the chart that the path does not say, and comes in the types of the operation', async () => {
  const { path } = await create()
  const patch = (body: string, type: string) =>
    service.call('PATCH', path, { token: clinician, body, headers: { 'if-match': '"1"', 'content-type': type } })
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
    expect((await patch('{"race":"x"}', type)).status).toBe(415)
  const put = {
    token: clinician,
    body: JSON.stringify(ada),
    headers: { 'content-type': 'application/merge-patch+json' },
  }
  expect((await service.call('PUT', path, put)).status).toBe(415)
  for (const body of [
    `{"id":"${unknownId}"}`,
    '{"version":7}',
    '{"mrn":"x"}',
    '{"voided":true}',
    '{"__proto__":{"restricted":false}}',
  ])
    expect((await patch(body, 'application/json')).status).toBe(422)
  // of two members of one name the last counts, for the policy as for the chart
  expect((await patch('{"restricted":false,"restricted":true}', 'application/json')).body.code).toBe('forbidden')
  expect((await patch('{"restricted":null}', 'application/json')).status).toBe(422)
  expect((await service.call('GET', path, { token: clinician })).body).toMatchObject({ version: 1, restricted: false })
})

test('a member of the care team opens the chart to all; nobody else but a registrar does, by any part of the body', async () => {
  const { id, path } = await create({ restricted: true })
  const change = (token: string, body: object, version: number, method = 'PATCH') =>
    service.call(method, path, { token, body, headers: { 'if-match': `"${version}"` } })
  expect((await change(clinician, { restricted: false }, 1)).body.code).toBe('restricted')
  await admin.query(
    `INSERT INTO break_glass_grants (id, patient_id, clinician_id, clinician_name, reason, created_at, expires_at)
     VALUES (gen_random_uuid(), $1, $2, 'A doctor', 'unconscious', now(), now() + interval '1 hour')`,
    [id, doctor],
  )
  for (const method of ['PATCH', 'PUT']) {
    const answer = await change(clinician, { ...ada, restricted: false }, 1, method)
    expect([answer.body.code, answer.headers.get('x-break-glass')]).toEqual(['forbidden', expect.any(String)])
  }
  // what is left out stays as it is
  expect((await change(clinician, ada, 1, 'PUT')).body).toMatchObject({ version: 2, restricted: true })
  await join(id)
  expect((await change(clinician, { restricted: false }, 2)).body.restricted).toBe(false)
})

test('a token without a role opens nothing, nor does one whose role this release does not know', async () => {
  const { path } = await create()
  expect((await service.call('GET', path, { token: testToken([]) })).body.code).toBe('forbidden')
  expect((await service.call('GET', path, { token: testToken(['superuser' as never]) })).status).toBe(401)
  for (const odd of [
    { roles: 'clinician' },
    { roles: [[...roles]] },
    { roles: { 0: 'clinician', length: 1 } },
  ] as never[])
    expect((await service.call('GET', path, { token: testToken(['clinician'], odd) })).status).toBe(401)
})
