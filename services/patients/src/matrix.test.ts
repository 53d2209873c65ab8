import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { DataSource } from 'typeorm'
import { roles, type Claims, type Role } from '@caregate/common/auth'
import type { Description } from '@caregate/common/openapi'
import { testToken } from '@caregate/common/testing/service'
import { chartPlans } from '../../../prove/access/chart-plans.ts'
import { makeChart, openCharts } from '../../../prove/access/charts.ts'
import { operationsOf, type Operation } from '../../../prove/access/expected.ts'
import { isStaff, tryLists } from '../../../prove/access/lists.ts'
import { judgeBlindness, judgeEvents, lettersOf, runMatrix, type Cell } from '../../../prove/access/matrix.ts'
import type { Caller, Send } from '../../../prove/access/shape.ts'
import { openPatients } from './testing.ts'

let service: Awaited<ReturnType<typeof openPatients>>
let admin: DataSource
let charts: Awaited<ReturnType<typeof openCharts>>
let callers: Caller[]
let operations: Operation[]
let cells: Cell[]

const house = { clinician: testToken(['clinician']), registrar: testToken(['registrar']) }
const send: Send = async (method, path, { token, body, headers = {} } = {}) => {
  const answer = await service.call(method, path, { headers, body, ...(token ? { token } : {}) })
  return { ...answer, text: typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body) }
}

/** Whoever has these roles, and says a chart to be their own whether they are a patient or not. */
async function callerOf(given: readonly Role[], more: Pick<Claims, 'scope'> | object = {}): Promise<Caller> {
  const userId = randomUUID()
  const own = await makeChart(send, house)
  const kind = (more as Pick<Claims, 'scope'>).scope ?? 'whole'
  const name = [given.join(' and ') || 'no role', ...(kind === 'whole' ? [] : [`for ${kind}`])].join(' ')
  return {
    name,
    userId,
    roles: given,
    kind,
    own,
    token: testToken([...given], { sub: userId, patientId: own.id, ...more }),
  }
}

beforeAll(async () => {
  service = await openPatients()
  admin = await new DataSource({ type: 'postgres', url: service.urls.admin }).initialize()
  const sets: Role[][] = [[], ...roles.map((role) => [role])]
  for (const [n, one] of roles.entries()) for (const other of roles.slice(n + 1)) sets.push([one, other])
  callers = [{ name: 'nobody', userId: null, roles: [], kind: 'none', token: undefined }]
  for (const given of sets) callers.push(await callerOf(given))
  for (const scope of ['password', 'totp'] as const) callers.push(await callerOf(roles, { scope }))
  charts = await openCharts(send, (sql, values) => admin.query(sql, values), house, callers)
  const { paths } = (await service.call('GET', '/internal/description')).body as Description
  operations = operationsOf(paths, chartPlans(await charts.aGrant()))
  await service.events()
  cells = await runMatrix(send, charts, operations, callers)
  judgeEvents(cells, await service.events())
  judgeBlindness(cells)
}, 240_000)
afterAll(async () => {
  await admin.destroy()
  await service.close()
})

test('each of the roles, and of their pairs, comes to what the policy says of it: in the answer and in its event', () => {
  const wrong = cells.filter(({ problems }) => problems.length)
  expect(
    wrong.map(({ operation, caller, place, problems }) =>
      [operation.key, caller.name, place.name, ...problems].join(': '),
    ),
  ).toEqual([])
  expect(cells.length).toBeGreaterThan(operations.length * 20)
})

/**
 * What the policy means, by hand: whoever edits the table wrongly is told here. Charts: open, open to its care team, voided,
 * missing; restricted: to a stranger, its care team, by break-glass, to who was or will be close, voided; one's own: open, restricted,
 * voided. By which right: role, care team, glass, self; `.` refused, `-` not found, `x` gone. Other roles are always refused.
 */
const treating = { clinician: 'rcx-.cg..r.x', nurse: 'rcx-.c...r.x' }
const registrar = 'rrx-rrrrxrrx'
const patient = '.........ssx'
const lasting = { clinician: 'rcr-.cg..r.r', nurse: 'rcr-.c...r.r', registrar: 'rrr-rrrrrrrr', patient: '.........sss' }
const golden: Record<string, Partial<Record<Role, string>>> = {
  'GET /api/v1/patients/{id}': { ...treating, registrar, patient },
  'PUT /api/v1/patients/{id}': { ...treating, registrar },
  'PATCH /api/v1/patients/{id}': { ...treating, registrar },
  'PATCH /api/v1/patients/{id} restricted': { clinician: '.cx-.c.....x', nurse: '..x-.......x', registrar },
  'POST /api/v1/patients/{id}/void': { clinician: 'rcx-.c...r.x' },
  'POST /api/v1/patients/{id}/restore': { clinician: 'rcr-.c...r.r' },
  'POST /api/v1/patients/{id}/merge': { registrar },
  'POST /api/v1/patients/{id}/unmerge': { registrar },
  'GET /api/v1/patients/{id}/allergies': { ...treating, patient },
  'POST /api/v1/patients/{id}/allergies': treating,
  'PUT /api/v1/patients/{id}/allergies/{itemId}': treating,
  'GET /api/v1/patients/{id}/conditions': { ...treating, patient },
  'POST /api/v1/patients/{id}/conditions': treating,
  'PUT /api/v1/patients/{id}/conditions/{itemId}': treating,
  'GET /api/v1/patients/{id}/care-team': { clinician: 'rcx-.cg..r.x', registrar },
  'POST /api/v1/patients/{id}/care-team': { clinician: 'rcx-.c...r.x', registrar },
  'DELETE /api/v1/patients/{id}/care-team/{memberId}': { clinician: 'rcx-.c...r.x', registrar },
  'POST /api/v1/patients/{id}/break-glass': { clinician: registrar },
  'GET /fhir/R4/Patient/{id}': { ...treating, registrar, patient },
  'GET /fhir/R4/Patient/{id}/_history/{version}': lasting,
  ...Object.fromEntries(
    ['AllergyIntolerance', 'Condition'].flatMap((type) =>
      [`GET /fhir/R4/${type}`, `POST /fhir/R4/${type}/_search`, `GET /fhir/R4/${type}/{itemId}`].map((key) => [
        key,
        { ...treating, patient },
      ]),
    ),
  ),
  'GET /api/v1/patients/{id}/history': lasting,
  'GET /api/v1/patients/{id}/history/{version}': lasting,
  'GET /api/v1/patients/{id}/history/{version}/diff': lasting,
}
test('the policy is the one that is meant', () => {
  const found: typeof golden = {}
  for (const { key } of operations.filter(({ rights }) => rights)) {
    found[key] = {}
    for (const role of roles) {
      const came = lettersOf(cells, key, role)
      if (/[^.]/.test(came)) found[key][role] = came
    }
  }
  expect(found).toEqual(Object.fromEntries(Object.keys(found).map((key) => [key, golden[key]])))
})

test('creating, listing and searching are the staff’s, matching and importing the registrar’s, exporting theirs and the clinician’s', () => {
  const mayOf = (key: string) =>
    roles.filter((role) => cells.some((cell) => cell.operation.key === key && lettersOf([cell], key, role) === '+'))
  expect(mayOf('POST /api/v1/patients')).toEqual(['clinician', 'nurse', 'registrar'])
  expect(mayOf('GET /api/v1/patients')).toEqual(['clinician', 'nurse', 'registrar'])
  expect(mayOf('POST /api/v1/patients/search')).toEqual(['clinician', 'nurse', 'registrar'])
  expect(mayOf('POST /api/v1/patients/match')).toEqual(['registrar'])
  expect(mayOf('POST /api/v1/patients/import')).toEqual(['registrar'])
  expect(mayOf('GET /api/v1/patients/export')).toEqual(['clinician', 'registrar'])
})

test('lists and searches show what may be read and nothing else, and of what is restricted its number at most', async () => {
  const read = operations.find(({ key }) => key === 'GET /api/v1/patients/{id}')!
  const { shown, problems } = await tryLists(send, charts, read, callers.filter(isStaff))
  expect(problems).toEqual([])
  const told = (await service.events()).map(({ request, patientIds }) => [request.id, patientIds])
  expect(told).toEqual([...shown])
}, 120_000)
