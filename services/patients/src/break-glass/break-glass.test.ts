import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { samplesOf } from '@caregate/common/testing/samples'
import type { Patient } from '../patient.ts'
import { openPatients, registrar, someone, type Person } from '../testing.ts'

let service: Awaited<ReturnType<typeof openPatients>>
const auditor = someone(['auditor'])
const reason = 'Unconscious in the emergency room'

beforeAll(async () => {
  service = await openPatients()
})
beforeEach(() => service.events())
afterAll(() => service.close())

const breakGlass = (person: Person, { id }: Patient, why = reason) =>
  service.as(person, 'POST', `/${id}/break-glass`, { reason: why })
const read = (person: Person, { id }: Patient) => service.as(person, 'GET', `/${id}`)

/** A restricted chart whose glass a clinician has broken. */
async function broken() {
  const chart = await service.create({ restricted: true })
  const clinician = someone(['clinician'])
  const { body } = await breakGlass(clinician, chart)
  await service.events()
  return { chart, clinician, grantId: body.grantId as string }
}

test('a clinician breaks the glass for an hour, and the event says everything but why', async () => {
  const chart = await service.create({ restricted: true })
  const clinician = someone(['clinician'])
  expect((await read(clinician, chart)).body.code).toBe('restricted')
  await service.events()
  const granted = async () => samplesOf(await service.metrics.scrape()).get('caregate_patients_break_glass_total') ?? 0
  const before = await granted()
  const { status, body, headers } = await breakGlass(clinician, chart)
  expect(await granted()).toBe(before + 1)
  expect([status, body]).toEqual([201, { grantId: expect.any(String), expiresAt: expect.any(String) }])
  expect(headers.get('x-break-glass')).toBe(body.grantId)
  const minutes = (Date.parse(body.expiresAt) - Date.now()) / 60_000
  expect(minutes).toBeGreaterThan(59)
  expect(minutes).toBeLessThanOrEqual(60.1)
  const events = await service.events()
  expect(events).toMatchObject([
    {
      type: 'patients.break-glass.created',
      action: 'C',
      outcome: 'success',
      breakGlass: { grantId: body.grantId },
      resource: { type: 'patient', id: chart.id },
      patientIds: [chart.id],
      actor: { id: clinician.id, name: 'A clinician' },
    },
  ])
  expect(JSON.stringify(events)).not.toContain('Unconscious')
  expect((await read(clinician, chart)).status).toBe(200)
})

describe('under it', () => {
  test('the chart is read and changed, and every answer and event carries the grant, whatever it says', async () => {
    const { chart, clinician, grantId } = await broken()
    const ask = async (method: string, path: string, body?: object, version?: string) => {
      const headers = { ...(version && { [method === 'GET' ? 'if-none-match' : 'if-match']: version }) }
      const answer = await service.as(clinician, method, `/${chart.id}${path}`, body, headers)
      expect(answer.headers.get('x-break-glass')).toBe(grantId)
      return answer.status
    }
    const statuses = [
      await ask('GET', ''),
      await ask('GET', '', undefined, '"1"'),
      await ask('PATCH', '', { language: 'es' }, '"1"'),
      await ask('PATCH', '', { language: 'qu' }, '"1"'),
      await ask('PATCH', '', { language: 'qu' }),
      await ask('PATCH', '', { name: { family: null } }, '"2"'),
      await ask('GET', '/care-team'),
      await ask('PATCH', '', { restricted: false }, '"2"'),
    ]
    expect(statuses).toEqual([200, 304, 200, 412, 428, 422, 200, 403])
    const events = await service.events()
    expect(events.map(({ request }) => request.status)).toEqual(statuses)
    for (const event of events)
      expect(event).toMatchObject({ basis: 'break-glass', breakGlass: { grantId }, patientIds: [chart.id] })
    await service.as(registrar, 'PATCH', `/${chart.id}`, { restricted: false }, { 'if-match': '"2"' })
    // it opens without
    expect((await read(clinician, chart)).headers.get('x-break-glass')).toBeNull()
  })

  test('neither the care team, nor the restriction, nor whether the chart is in use can be changed', async () => {
    const { chart, clinician } = await broken()
    const { id: member } = await service.assign(chart, someone(['nurse']))
    const answers = [
      await service.as(clinician, 'POST', `/${chart.id}/care-team`, { userId: randomUUID(), role: 'accomplice' }),
      await service.as(clinician, 'DELETE', `/${chart.id}/care-team/${member}`),
      await service.as(clinician, 'POST', `/${chart.id}/void`, { reason: 'in the way' }),
      await service.as(clinician, 'POST', `/${chart.id}/restore`, { reason: 'in the way' }),
      await service.as(clinician, 'PATCH', `/${chart.id}`, { restricted: false }, { 'if-match': '"1"' }),
    ]
    expect(answers.map(({ body }) => body.code)).toEqual(Array(5).fill('forbidden'))
    expect((await read(registrar, chart)).body).toMatchObject({ version: 1, restricted: true, status: 'active' })
    expect((await service.as(registrar, 'GET', `/${chart.id}/care-team`)).body.items).toHaveLength(1)
  })

  test('lists and searches go on without the chart', async () => {
    const { chart, clinician } = await broken()
    const { id, mrn } = chart
    const search = async (body: object) =>
      (await service.as(clinician, 'POST', '/search', body)).body.items as Partial<Patient>[]
    expect((await search({ q: 'gomez', limit: 200 })).map((found) => found.id)).not.toContain(id)
    expect(await search({ mrn })).toEqual([{ id, mrn, restricted: true }])
  })
})

describe('it opens nothing', () => {
  test('to somebody else, of another chart, or to who has no longer the role', async () => {
    const { chart, clinician } = await broken()
    const nowNurse = someone(['nurse'], { sub: clinician.id })
    for (const person of [someone(['clinician']), someone(['nurse']), nowNurse])
      expect((await read(person, chart)).status).toBe(403)
    expect((await read(clinician, await service.create({ restricted: true }))).body.code).toBe('restricted')
  })

  test('when it has ended, but for another one', async () => {
    const { chart, clinician, grantId } = await broken()
    await service.asOwner('UPDATE break_glass_grants SET expires_at = now() WHERE id = $1', [grantId])
    const refused = await read(clinician, chart)
    expect([refused.body.code, refused.headers.get('x-break-glass')]).toEqual(['restricted', null])
    expect((await breakGlass(clinician, chart)).status).toBe(201)
    const { body } = await breakGlass(clinician, chart)
    expect((await read(clinician, chart)).headers.get('x-break-glass')).toBe(body.grantId)
  })

  test('that the care team opens, which shows in what is recorded', async () => {
    const { chart, clinician } = await broken()
    await service.assign(chart, clinician)
    await service.events()
    expect((await read(clinician, chart)).headers.get('x-break-glass')).toBeNull()
    expect(await service.events()).toMatchObject([{ basis: 'care-team', breakGlass: null }])
  })

  test('voided', async () => {
    const { chart, clinician, grantId } = await broken()
    const member = someone(['clinician'])
    await service.assign(chart, member)
    await service.as(member, 'POST', `/${chart.id}/void`, { reason: 'made twice' })
    const gone = await read(clinician, chart)
    expect([gone.body.code, gone.headers.get('x-break-glass')]).toEqual(['gone', grantId])
    expect((await breakGlass(clinician, chart)).body.code).toBe('gone')
  })
})

test('where the chart opens without there is no glass to break', async () => {
  const clinician = someone(['clinician'])
  const open = await service.create()
  expect((await breakGlass(clinician, open)).body.code).toBe('conflict')
  const own = await service.create({ restricted: true })
  await service.assign(own, clinician)
  const { body, headers } = await breakGlass(clinician, own)
  expect([body.code, headers.get('x-break-glass')]).toEqual(['conflict', null])
  expect(
    (await service.db.query('SELECT FROM break_glass_grants WHERE clinician_id = $1', [clinician.id])).length,
  ).toBe(0)
})

test('only clinicians break it, and say why in ten characters at least', async () => {
  const chart = await service.create({ restricted: true })
  for (const person of [
    someone(['nurse']),
    registrar,
    auditor,
    someone(['admin']),
    someone(['patient'], { patientId: chart.id }),
  ])
    expect((await breakGlass(person, chart)).body.code).toBe('forbidden')
  const clinician = someone(['clinician'])
  for (const why of ['', 'urgent', `  short${' '.repeat(20)}`, '<b></b><i></i>x', 'x'.repeat(501)])
    expect((await breakGlass(clinician, chart, why)).body.errors?.[0].path).toBe('reason')
  expect((await breakGlass(clinician, { ...chart, id: randomUUID() })).status).toBe(404)
  expect((await read(clinician, chart)).status).toBe(403)
})

test('an auditor reads by its id who broke the glass of which chart, and why; nobody else does', async () => {
  const { chart, clinician, grantId } = await broken()
  const { status, body } = await service.as(auditor, 'GET', `/break-glass/${grantId}`)
  expect([status, body]).toEqual([
    200,
    {
      grantId,
      patientId: chart.id,
      clinicianId: clinician.id,
      clinicianName: 'A clinician',
      reason,
      createdAt: expect.any(String),
      expiresAt: expect.any(String),
    },
  ])
  expect(Date.parse(body.expiresAt) - Date.parse(body.createdAt)).toBe(3_600_000)
  const resource = { type: 'break-glass', id: grantId }
  expect(await service.events()).toMatchObject([
    { type: 'patients.break-glass.read', action: 'R', resource, patientIds: [chart.id], basis: 'role' },
  ])
  for (const person of [clinician, registrar, someone(['admin'])])
    expect((await service.as(person, 'GET', `/break-glass/${grantId}`)).status).toBe(403)
  expect((await service.as(auditor, 'GET', `/break-glass/${randomUUID()}`)).status).toBe(404)
  await expect(service.db.query('UPDATE break_glass_grants SET reason = $1', [''])).rejects.toThrow('permission denied')
})
