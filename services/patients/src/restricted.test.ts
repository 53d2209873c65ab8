import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { until } from '@caregate/common/testing/until'
import type { Patient } from './patient.ts'
import { aPatient, day, openPatients, registrar, someone, type Person } from './testing.ts'

let service: Awaited<ReturnType<typeof openPatients>>
const [member, nurse, stranger] = [someone(['clinician']), someone(['nurse']), someone(['clinician'])]
const otherNurse = someone(['nurse'])
let families = 0
/** A family that nobody else has. */
const family = () => `Family${String.fromCharCode(97 + (families += 1))}`
const named = (name: string) => ({ name: { given: ['A'], family: name } })

beforeAll(async () => {
  service = await openPatients()
})
beforeEach(() => service.events())
afterAll(() => service.close())

/** A restricted chart with a clinician and a nurse in its care team. */
async function restricted(more: object = {}): Promise<Patient> {
  const chart = await service.create({ restricted: true, ...more })
  await service.assign(chart, member)
  await service.assign(chart, nurse)
  await service.events()
  return chart
}
const read = (person: Person, { id }: Patient) => service.as(person, 'GET', `/${id}`)
const search = async (person: Person, body: object) => (await service.as(person, 'POST', '/search', body)).body
const patch = ({ id, version }: Patient, person: Person, body: object) =>
  service.as(person, 'PATCH', `/${id}`, body, { 'if-match': `"${version}"` })

test('a restricted chart opens to its care team, to registrars and to its patient, and others are told that it is', async () => {
  const chart = await restricted()
  const own = someone(['patient'], { patientId: chart.id })
  const seen = []
  for (const person of [member, nurse, registrar, own, stranger, otherNurse, someone(['patient'])]) {
    const { status, body } = await read(person, chart)
    seen.push([status, body.code])
    if (status !== 200) expect(JSON.stringify(body)).not.toMatch(/Gómez|1989/)
  }
  expect(seen).toEqual([
    ...Array<unknown>(4).fill([200, undefined]),
    [403, 'restricted'],
    [403, 'restricted'],
    [403, 'forbidden'],
  ])
  const events = await service.events()
  expect(events.map(({ basis, outcome }) => basis ?? outcome)).toEqual([
    ...['care-team', 'care-team', 'role', 'self'],
    ...['denied', 'denied', 'denied'],
  ])
  for (const { patientIds } of events) expect(patientIds).toEqual([chart.id])
  // and not by the way of what it would answer
  expect((await service.as(stranger, 'GET', `/${chart.id}`, undefined, { 'if-none-match': '"1"' })).status).toBe(403)
  expect((await patch({ ...chart, version: 9 }, stranger, { sex: 'other' })).status).toBe(403)
})

describe('to others there is no such chart', () => {
  test('in searches, but for its exact MRN and nothing else', async () => {
    const name = family()
    const { id, mrn } = await restricted({ ...named(name), birthDate: '1903-03-03' })
    for (const person of [stranger, otherNurse]) {
      for (const body of [{ q: name }, { birthDate: '1903-03-03' }, { mrn, q: name }, { mrn, birthDate: '1903-03-03' }])
        expect(await search(person, body)).toEqual({ items: [], nextCursor: null })
      expect(await search(person, { mrn, status: 'active' })).toEqual({ items: [], nextCursor: null })
      expect(await search(person, { mrn: mrn.slice(0, -1) })).toEqual({ items: [], nextCursor: null })
      await service.events()
      expect(await search(person, { mrn })).toEqual({ items: [{ id, mrn, restricted: true }], nextCursor: null })
      expect(await service.events()).toMatchObject([{ type: 'patients.search.read', patientIds: [id] }])
    }
    for (const person of [member, nurse, registrar])
      for (const body of [{ q: name }, { mrn }, { mrn, q: name, status: 'active' }])
        expect((await search(person, body)).items).toMatchObject([{ id, name: { family: name } }])
  })

  test('on pages, which are as full as if there were none', async () => {
    const name = family()
    const hidden: string[] = []
    const open: string[] = []
    for (const isHidden of [true, false, true, true, false, false, true, false, false, true]) {
      const { id } = await service.create({ ...named(name), restricted: isHidden })
      ;(isHidden ? hidden : open).push(id)
    }
    const pages: string[][] = []
    const seals: string[] = []
    let cursor: string | null = null
    do {
      const page = await search(stranger, { q: name, limit: 2, ...(cursor ? { cursor } : {}) })
      pages.push(page.items.map(({ id }: Patient) => id))
      cursor = page.nextCursor
      if (cursor) seals.push(cursor)
    } while (cursor)
    expect(pages).toEqual([open.slice(0, 2), open.slice(2, 4), open.slice(4)])
    // five fill a page, and no more follow
    expect((await search(stranger, { q: name, limit: 5 })).nextCursor).toBeNull()
    for (const seal of seals)
      expect(Buffer.from(seal, 'base64url').toString('latin1')).not.toMatch(/family|[0-9a-f]{8}-/)

    // nor by a cursor of somebody who sees more: it ended with a hidden one
    const whole = await search(registrar, { q: name, limit: 4 })
    expect(whole.items.at(-1).id).toBe(hidden[2])
    const rest = await search(stranger, { q: name, cursor: whole.nextCursor })
    expect(rest.items.map(({ id }: Patient) => id)).toEqual(open.slice(1))
    const shown = (await service.events()).filter(({ actor }) => actor.id === stranger.id)
    expect(shown.flatMap(({ patientIds }) => patientIds).filter((id) => hidden.includes(id))).toEqual([])
  })

  test('in the list', async () => {
    const chart = await restricted()
    const listed = async (person: Person) => {
      const ids: string[] = []
      let query = '?limit=200'
      for (;;) {
        const { items, nextCursor } = (await service.as(person, 'GET', query)).body
        ids.push(...items.map(({ id }: Patient) => id))
        if (!nextCursor) return ids
        query = `?limit=200&cursor=${nextCursor}`
      }
    }
    expect(await listed(member)).toContain(chart.id)
    expect(await listed(stranger)).not.toContain(chart.id)
  })

  test('when it is voided, which they are not told', async () => {
    const chart = await restricted()
    expect((await service.as(stranger, 'POST', `/${chart.id}/void`, { reason: 'made twice' })).body.code).toBe(
      'restricted',
    )
    expect((await service.as(member, 'POST', `/${chart.id}/void`, { reason: 'made twice' })).status).toBe(200)
    expect((await read(stranger, chart)).body.code).toBe('restricted')
    expect((await read(member, chart)).body.code).toBe('gone')
    const found = async (person: Person) => (await search(person, { mrn: chart.mrn, status: 'voided' })).items.length
    expect([await found(member), await found(stranger)]).toEqual([1, 0])
    expect((await search(stranger, { mrn: chart.mrn })).items).toEqual([])
    expect((await service.as(stranger, 'POST', `/${chart.id}/restore`, { reason: 'not at all' })).status).toBe(403)
    expect((await service.as(member, 'POST', `/${chart.id}/restore`, { reason: 'not at all' })).status).toBe(200)
  })

  test('when it has the source id that they want: that is taken, by nobody', async () => {
    const identifiers = [{ system: 'source:registry', value: family() }]
    const chart = await restricted({ identifiers })
    const open = await service.create()
    await service.events()
    const posted = await service.as(stranger, 'POST', '', { ...aPatient, identifiers })
    const patched = await patch(open, stranger, { identifiers })
    for (const { status, headers, body } of [posted, patched]) {
      expect([status, body.code, headers.get('location')]).toEqual([409, 'already_exists', null])
      expect(JSON.stringify(body)).not.toContain(chart.id)
    }
    expect(await service.events()).toMatchObject([{ patientIds: [chart.id] }, { patientIds: [open.id, chart.id] }])
    for (const person of [member, nurse, registrar]) {
      const { headers } = await service.as(person, 'POST', '', { ...aPatient, identifiers })
      expect(headers.get('location')).toBe(`/api/v1/patients/${chart.id}`)
    }
  })
})

describe('restricting', () => {
  test('is for registrars and the clinicians of the care team, and so is lifting it', async () => {
    const chart = await service.create()
    await service.assign(chart, member)
    await service.assign(chart, nurse)
    for (const restricting of [true, false]) {
      for (const person of [nurse, ...(restricting ? [stranger, otherNurse] : [])]) {
        const current = (await read(registrar, chart)).body
        expect((await patch(current, person, { restricted: restricting })).body.code).toBe('forbidden')
        const put = await service.as(
          person,
          'PUT',
          `/${chart.id}`,
          { ...aPatient, restricted: restricting },
          {
            'if-match': `"${current.version}"`,
          },
        )
        expect(put.status).toBe(403)
      }
      for (const person of [registrar, member]) {
        const current = (await read(registrar, chart)).body
        await service.events()
        expect((await patch(current, person, { restricted: restricting })).body.restricted).toBe(restricting)
        expect((await service.events())[0]).toMatchObject({ changed: ['restricted'], patientIds: [chart.id] })
        const back = await patch({ ...current, version: current.version + 1 }, person, { restricted: !restricting })
        expect(back.body.restricted).toBe(!restricting)
      }
      const current = (await read(registrar, chart)).body
      expect((await patch(current, registrar, { restricted: restricting })).status).toBe(200)
    }
  })

  test('at once when a chart is made is for registrars', async () => {
    const make = async (person: Person, isRestricted: boolean) =>
      (await service.as(person, 'POST', '?force=true', { ...aPatient, restricted: isRestricted })).status
    expect(await Promise.all([registrar, stranger, nurse].map((person) => make(person, true)))).toEqual([201, 403, 403])
    expect(await Promise.all([stranger, nurse].map((person) => make(person, false)))).toEqual([201, 201])
  })

  test('stays when it is left out, or sent back as it was read', async () => {
    const chart = await restricted()
    expect((await patch(chart, nurse, { language: 'es' })).body.restricted).toBe(true)
    const put = (version: number, more: object) =>
      service.as(nurse, 'PUT', `/${chart.id}`, { ...aPatient, ...more }, { 'if-match': `"${version}"` })
    expect((await put(2, {})).body).toMatchObject({ version: 3, restricted: true })
    expect((await put(3, { restricted: true })).body).toMatchObject({ version: 4, restricted: true })
    expect((await patch({ ...chart, version: 4 }, registrar, { restricted: null })).status).toBe(422)
  })
})

test('a member is one from the first day to the last', async () => {
  const chart = await service.create({ restricted: true })
  const spans: [from: number, to: number | null, status: number][] = [
    [0, null, 200],
    [0, 0, 200],
    [-9, 0, 200],
    [-9, null, 200],
    [1, null, 403],
    [-9, -1, 403],
  ]
  for (const [from, to, status] of spans) {
    const person = someone(['clinician'])
    await service.assign(chart, person, { from: day(from), to: to === null ? null : day(to) })
    expect([from, to, (await read(person, chart)).status]).toEqual([from, to, status])
    expect((await search(person, { q: 'gomez', mrn: chart.mrn })).items.length).toBe(status === 200 ? 1 : 0)
  }
})

test('who is removed is out at once, also when they are waiting to change the chart', async () => {
  const chart = await service.create({ restricted: true })
  const leaving = someone(['clinician'])
  const { id } = await service.assign(chart, leaving)
  expect((await read(leaving, chart)).status).toBe(200)

  let waiting: ReturnType<typeof patch>
  await service.db.transaction(async (tx) => {
    await tx.query('SELECT FROM patients WHERE id = $1 FOR UPDATE', [chart.id])
    waiting = patch(chart, leaving, { sex: 'other' })
    const blocked = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    await until(async () => (await service.db.query<unknown[]>(blocked)).length > 0, 5)
    await tx.query('UPDATE care_team SET removed_by = $2, removed_at = now() WHERE id = $1', [id, registrar.id])
  })
  expect((await waiting!).body.code).toBe('restricted')
  expect((await read(leaving, chart)).body.code).toBe('restricted')
  expect((await search(leaving, { mrn: chart.mrn })).items).toEqual([
    { id: chart.id, mrn: chart.mrn, restricted: true },
  ])
  expect((await read(registrar, chart)).body.version).toBe(1)
})
