import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { AuditEvent, Outcome } from '@caregate/common/events'
import { testToken, type Answer } from '@caregate/common/testing/service'
import type { Bucket } from './activity.ts'
import { anEvent, openAudit, received } from './testing.ts'

let service: Awaited<ReturnType<typeof openAudit>>
const auditor = testToken(['auditor'])
const base = '/api/v1/audit'

beforeAll(async () => {
  service = await openAudit()
})
afterAll(() => service.close())

const get = (path: string, token = auditor) => service.call('GET', `${base}${path}`, { token })
const nurse = { id: randomUUID(), name: 'Nell Nurse', roles: ['nurse'], sessionId: randomUUID() }
const seen = (chart: string, more: Partial<AuditEvent> = {}) =>
  received({ actor: nurse, patientIds: [chart], basis: 'role', ...more })

describe('activity', () => {
  test('is counted by outcome in buckets without a gap, each event in the one in which it occurred', async () => {
    const at = (occurredAt: string, outcome: AuditEvent['outcome']) => received({ occurredAt, outcome })
    await service.append(
      at('2020-05-01T08:00:00.000Z', 'success'),
      at('2020-05-01T08:00:29.999Z', 'success'),
      at('2020-05-01T08:00:30Z', 'denied'),
      at('2020-05-01T08:59:59.9999Z', 'failure'),
      at('2020-05-01T09:00:00Z', 'success'),
      at('2020-05-01T07:59:59.999Z', 'success'),
    )
    await service.events()
    const { body, status } = await get('/activity?from=2020-05-01T08:00:00Z&to=2020-05-01T09:00:00Z')
    expect([status, body.bucketSeconds, body.buckets.length]).toEqual([200, 30, 120])
    expect(body.buckets.slice(0, 3)).toEqual([
      { start: '2020-05-01T08:00:00.000Z', success: 2, denied: 0, failure: 0 },
      { start: '2020-05-01T08:00:30.000Z', success: 0, denied: 1, failure: 0 },
      { start: '2020-05-01T08:01:00.000Z', success: 0, denied: 0, failure: 0 },
    ])
    expect(body.buckets.at(-1)).toEqual({ start: '2020-05-01T08:59:30.000Z', success: 0, denied: 0, failure: 1 })
    expect(await service.events()).toMatchObject([{ type: 'audit.activity.read', outcome: 'success', patientIds: [] }])
  })

  test('is that of the last 24 hours, and of a filter, when asked so', async () => {
    const chart = randomUUID()
    await service.append(seen(chart), seen(chart, { outcome: 'denied' }), received())
    await service.events()
    const { body } = await get(`/activity?patientId=${chart}&outcome=denied`)
    expect([body.bucketSeconds, [96, 97].includes(body.buckets.length)]).toEqual([900, true])
    const sum = (outcome: Outcome) => (body.buckets as Bucket[]).reduce((all, bucket) => all + bucket[outcome], 0)
    expect((['success', 'denied', 'failure'] as const).map(sum)).toEqual([0, 1, 0])
    expect(await service.events()).toMatchObject([{ patientIds: [chart] }])
  })

  test.each([
    ['00:00:10Z', 1, 10],
    ['00:03:20Z', 1, 200],
    ['00:03:21Z', 5, 41],
    ['12:00:00.001Z', 300, 145],
  ])('until %s comes in buckets of %i s', async (to, seconds, many) => {
    const { body } = await get(`/activity?from=2019-01-01T00:00:00Z&to=2019-01-01T${to}`)
    expect([body.bucketSeconds, body.buckets.length]).toEqual([seconds, many])
  })

  test('of 400 days comes by the week, and of more not at all', async () => {
    const { body } = await get('/activity?from=2019-01-01T00:00:00Z&to=2020-02-05T00:00:00Z')
    expect([body.bucketSeconds, body.buckets.length]).toEqual([604_800, 58])
    for (const query of ['from=2019-01-01T00:00:00Z&to=2020-02-05T00:00:00.001Z', 'from=2050-01-01T00:00:00Z'])
      expect(await get(`/activity?${query}`)).toMatchObject({ status: 422, body: { errors: [{ path: 'from' }] } })
  })

  test('is for auditors', async () => {
    expect((await get('/activity', testToken(['admin', 'nurse']))).status).toBe(403)
  })
})

describe('accesses to a chart', () => {
  test('say who was there, when and by what right, newest first', async () => {
    const chart = randomUUID()
    const grantId = randomUUID()
    const batch = [
      seen(chart),
      seen(chart, { type: 'patients.patient.updated', action: 'U', changed: ['telecom'] }),
      seen(chart, { basis: 'break-glass', breakGlass: { grantId } }),
      seen(chart, { outcome: 'denied', code: 'restricted' }),
      seen(randomUUID()),
    ]
    await service.append(...batch)
    await service.events()
    const { body } = await get(`/patients/${chart}/accesses`)
    const ids = batch.map(({ event }) => event.id)
    expect(body.items.map(({ eventId }: { eventId: string }) => eventId)).toEqual([ids[2], ids[1], ids[0]])
    const { id, name, roles } = nurse
    expect(body.items[0]).toEqual({
      eventId: ids[2],
      sequence: expect.any(Number),
      occurredAt: batch[2]!.event.occurredAt,
      type: 'patients.patient.read',
      action: 'R',
      outcome: 'success',
      actor: { id, name, roles },
      basis: 'break-glass',
      breakGlass: { grantId },
      changed: [],
      count: 1,
      ip: '::1',
    })
    expect(body.items[1].changed).toEqual(['telecom'])
    const denied = await get(`/patients/${chart}/accesses?outcome=denied`)
    expect(denied.body.items).toMatchObject([{ eventId: ids[3], outcome: 'denied' }])
    const resource = { type: 'patient', id: chart }
    expect(await service.events()).toMatchObject(
      Array(2).fill({ type: 'audit.access.read', basis: 'role', resource, patientIds: [chart] }),
    )
  })

  test('are told to the patient, but not where staff work', async () => {
    const patientId = randomUUID()
    const patient = testToken(['patient'], { patientId })
    await service.append(seen(patientId))
    await service.events()
    const { body, status } = await get(`/patients/${patientId}/accesses`, patient)
    expect([status, body.items.length]).toEqual([200, 1])
    expect(body.items[0]).toMatchObject({ actor: { name: 'Nell Nurse' }, ip: null })
    expect(JSON.stringify(body)).not.toMatch(new RegExp(`${nurse.sessionId}|::1|userAgent`))
    expect(await service.events()).toMatchObject([{ basis: 'self', patientIds: [patientId] }])
  })

  test('are told without what auditors look into, and to the patient without whoever else is a patient', async () => {
    const patientId = randomUUID()
    const [own, other] = [randomUUID(), randomUUID()].map((id) => ({
      id,
      name: null,
      roles: ['patient'],
      sessionId: null,
    }))
    const refused = { outcome: 'denied', code: 'forbidden' } as const
    await service.append(
      seen(patientId),
      ...(['audit.hold.created', 'audit.review.created', 'audit.event.read'] as const).map((type) =>
        seen(patientId, { type }),
      ),
      seen(patientId, { type: 'audit.access.read' }),
      seen(patientId, { ...refused, actor: other! }),
      seen(patientId, { ...refused, actor: own! }),
    )
    const patient = testToken(['patient'], { patientId, sub: own!.id })
    const told = async (query: string, token: string) => {
      const { body } = await get(`/patients/${patientId}/accesses${query}`, token)
      return body.items.map(({ type, actor }: { type: string; actor: { id: string } }) => [type, actor.id])
    }
    const read = 'patients.patient.read'
    expect(await told('', patient)).toEqual([
      ['audit.access.read', nurse.id],
      [read, nurse.id],
    ])
    expect(await told('?outcome=denied', patient)).toEqual([
      [read, own!.id],
      [read, null],
    ])
    expect(await told('?outcome=denied', auditor)).toEqual([
      [read, own!.id],
      [read, other!.id],
    ])
    expect(await told('', auditor)).toHaveLength(2)
    await service.events()
  })

  test('to another’s chart are told to no patient, and nobody else but auditors gets them', async () => {
    const other = randomUUID()
    for (const token of [
      testToken(['patient'], { patientId: randomUUID() }),
      testToken(['patient']),
      testToken(['nurse']),
      testToken(['admin']),
    ]) {
      const path = `/patients/${other}/accesses`
      expect(await get(path, token)).toMatchObject({ status: 403, body: { code: 'forbidden' } })
      expect(await service.events()).toMatchObject([{ outcome: 'denied', code: 'forbidden', patientIds: [other] }])
    }
  })

  test('come in pages that neither lose nor repeat one, also of the same moment', async () => {
    const chart = randomUUID()
    const { occurredAt } = anEvent()
    const batch = Array.from({ length: 23 }, () => seen(chart, { occurredAt }))
    await service.append(...batch.slice(0, 20))
    const found: string[] = []
    let cursor: string | null = ''
    do {
      const { body }: Answer = await get(
        `/patients/${chart}/accesses?limit=5${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      )
      found.push(...body.items.map(({ eventId }: { eventId: string }) => eventId))
      cursor = body.nextCursor
      // what comes meanwhile is newer than what is still to come
      if (found.length === 5) await service.append(...batch.slice(20))
    } while (cursor)
    expect(found).toEqual(
      batch
        .slice(0, 20)
        .map(({ event }) => event.id)
        .toReversed(),
    )
  })

  test('of a time are those that occurred in it', async () => {
    const chart = randomUUID()
    await service.append(
      seen(chart, { occurredAt: '2021-01-01T00:00:00.000Z' }),
      seen(chart, { occurredAt: '2021-01-02T00:00:00.000Z' }),
      seen(chart, { occurredAt: '2021-01-03T00:00:00.000Z' }),
    )
    const { body } = await get(`/patients/${chart}/accesses?from=2021-01-02T00:00:00Z&to=2021-01-03T00:00:00Z`)
    expect(body.items).toMatchObject([{ occurredAt: '2021-01-02T00:00:00.000Z' }])
  })
})
