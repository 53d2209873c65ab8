import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Patient } from '../patient.ts'
import { day, openPatients, registrar, someone, type Person } from '../testing.ts'
import type { Member } from './repository.ts'

let service: Awaited<ReturnType<typeof openPatients>>
const [clinician, other, nurse] = [someone(['clinician']), someone(['clinician']), someone(['nurse'])]

beforeAll(async () => {
  service = await openPatients()
})
beforeEach(() => service.events())
afterAll(() => service.close())

const add = (by: Person, { id }: Patient, whom: Person, more: object = {}) =>
  service.as(by, 'POST', `/${id}/care-team`, { userId: whom.id, role: 'Oncologist', ...more })
const list = async (by: Person, { id }: Patient, query = ''): Promise<{ items: Member[]; nextCursor: string | null }> =>
  (await service.as(by, 'GET', `/${id}/care-team${query}`)).body
const remove = (by: Person, { id }: Patient, member: string) => service.as(by, 'DELETE', `/${id}/care-team/${member}`)

test('somebody is assigned, listed and removed, each on the record, and the row stays', async () => {
  const chart = await service.create()
  await service.events()
  const added = await add(clinician, chart, nurse)
  expect(added.status).toBe(201)
  expect(added.body).toEqual({
    id: expect.any(String),
    userId: nurse.id,
    role: 'Oncologist',
    from: day(0),
    to: null,
    addedBy: clinician.id,
    addedAt: expect.any(String),
  })
  expect(await list(registrar, chart)).toEqual({ items: [added.body], nextCursor: null })
  expect([(await remove(clinician, chart, added.body.id)).status, (await list(registrar, chart)).items]).toEqual([
    204,
    [],
  ])
  expect((await remove(clinician, chart, added.body.id)).body.code).toBe('not_found')

  const resource = { type: 'care-team', id: added.body.id }
  expect(await service.events()).toMatchObject([
    { type: 'patients.care-team.created', action: 'C', basis: 'role', resource, actor: { id: clinician.id } },
    { type: 'patients.care-team.read', action: 'R', resource: { type: 'patient', id: chart.id } },
    { type: 'patients.care-team.deleted', action: 'D', outcome: 'success', resource },
    { type: 'patients.care-team.read' },
    { type: 'patients.care-team.deleted', outcome: 'failure', code: 'not_found', resource, patientIds: [chart.id] },
  ])
  const rows = await service.db.query('SELECT removed_by, removed_at FROM care_team WHERE id = $1', [added.body.id])
  expect(rows).toEqual([{ removed_by: clinician.id, removed_at: expect.any(Date) }])
  await expect(service.db.query(`UPDATE care_team SET "to" = NULL`)).rejects.toThrow('permission denied')
  await expect(service.db.query('DELETE FROM care_team')).rejects.toThrow('permission denied')
})

describe('who assigns', () => {
  test('nobody themself', async () => {
    const chart = await service.create()
    for (const person of [clinician, registrar]) expect((await add(person, chart, person)).body.code).toBe('forbidden')
    // an id has one spelling
    expect((await add(clinician, chart, { ...clinician, id: clinician.id.toUpperCase() })).status).toBe(422)
    expect((await list(registrar, chart)).items).toEqual([])
    expect((await service.events())[1]).toMatchObject({ outcome: 'denied', patientIds: [chart.id] })
  })

  test('on a restricted chart its care team and registrars; on others every clinician', async () => {
    const chart = await service.create({ restricted: true })
    const accomplice = someone(['clinician'])
    expect((await add(clinician, chart, accomplice)).body.code).toBe('restricted')
    const { id } = await service.assign(chart, clinician)
    const assigned = await add(clinician, chart, accomplice)
    expect((await add(accomplice, chart, other)).status).toBe(201)
    // who was removed can't come back by whom they assign, nor see who is of it
    expect((await remove(accomplice, chart, id)).status).toBe(204)
    expect((await add(clinician, chart, someone(['clinician']))).body.code).toBe('restricted')
    expect((await remove(clinician, chart, assigned.body.id)).body.code).toBe('restricted')
    expect((await service.as(clinician, 'GET', `/${chart.id}/care-team`)).body.code).toBe('restricted')
    expect((await add(clinician, await service.create(), accomplice)).status).toBe(201)
  })

  test('no other role, of the care team or not', async () => {
    const chart = await service.create()
    await service.assign(chart, nurse)
    const { id } = await service.assign(chart, other)
    for (const person of [
      nurse,
      someone(['patient'], { patientId: chart.id }),
      someone(['auditor']),
      someone(['admin']),
    ]) {
      const answers = [
        await add(person, chart, clinician),
        await remove(person, chart, id),
        await service.as(person, 'GET', `/${chart.id}/care-team`),
      ]
      expect(answers.map(({ body }) => body.code)).toEqual(['forbidden', 'forbidden', 'forbidden'])
    }
  })
})

test('nobody is of it twice on one day, also when they are assigned eight times at once', async () => {
  const chart = await service.create()
  const eight = await Promise.all(Array.from({ length: 8 }, () => add(clinician, chart, nurse, { from: day(0) })))
  expect(eight.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(7).fill(409)])
  expect((await add(registrar, chart, nurse, { from: day(-9), to: day(0) })).body.code).toBe('conflict')
  expect((await add(registrar, chart, nurse, { from: day(400) })).body.code).toBe('conflict')
  expect((await add(registrar, chart, nurse, { from: day(-9), to: day(-1) })).status).toBe(201)
  expect((await add(registrar, await service.create(), nurse)).status).toBe(201)
  const current = eight.find(({ status }) => status === 201)!.body
  await remove(clinician, chart, current.id)
  expect((await add(clinician, chart, nurse, { to: day(3) })).status).toBe(201)
})

test('what is not valid is named', async () => {
  const chart = await service.create()
  for (const [more, path] of [
    [{ userId: 'me' }, 'userId'],
    [{ role: ' ' }, 'role'],
    [{ role: '<script>' }, 'role'],
    [{ from: '2023-02-30' }, 'from'],
    [{ from: 'today' }, 'from'],
    [{ to: day(-1) }, 'to'],
    [{ from: day(5), to: day(4) }, 'to'],
    [{ addedBy: clinician.id }, 'addedBy'],
  ] as const) {
    const { status, body } = await add(clinician, chart, nurse, more)
    expect([more, status, body.errors?.[0].path]).toEqual([more, 422, path])
  }
})

test('a member of one chart is not removed by way of another, and a voided one has no care team to change', async () => {
  const [chart, elsewhere] = [await service.create(), await service.create()]
  const { id } = await service.assign(chart, nurse)
  expect((await remove(clinician, elsewhere, id)).status).toBe(404)
  expect((await remove(clinician, chart, 'me')).status).toBe(422)
  expect((await list(clinician, chart)).items).toHaveLength(1)
  await service.as(clinician, 'POST', `/${chart.id}/void`, { reason: 'made twice' })
  for (const { body } of [await add(registrar, chart, other), await remove(registrar, chart, id)])
    expect(body.code).toBe('gone')
})

test('it is listed in pages, whose cursors are no other chart’s', async () => {
  const chart = await service.create()
  const ids = []
  for (const offset of [0, -9, 9]) ids.push((await service.assign(chart, someone(['nurse']), { from: day(offset) })).id)
  const first = await list(clinician, chart, '?limit=2')
  const second = await list(clinician, chart, `?limit=2&cursor=${first.nextCursor}`)
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids)
  expect(second.nextCursor).toBeNull()
  const { id } = await service.create()
  expect((await service.as(clinician, 'GET', `/${id}/care-team?cursor=${first.nextCursor}`)).status).toBe(422)
})
