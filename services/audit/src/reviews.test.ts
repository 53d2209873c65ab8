import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { AuditEvent } from '@caregate/common/events'
import { testToken, type Answer } from '@caregate/common/testing/service'
import { openAudit, received } from './testing.ts'

let service: Awaited<ReturnType<typeof openAudit>>
const base = '/api/v1/audit/reviews'
const reviewer = { sub: randomUUID(), name: 'Rita Reviewer' }
const token = testToken(['auditor'], reviewer)

beforeAll(async () => {
  service = await openAudit()
})
afterAll(() => service.close())
beforeEach(() => service.events())

const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  service.call(method, base + path, { token, body, headers })
const someone = (roles = ['nurse']) => ({ id: randomUUID(), name: 'Nell Nurse', roles, sessionId: randomUUID() })
type Actor = ReturnType<typeof someone>
const denied = (actor: Actor, more: Partial<AuditEvent> = {}) =>
  received({ actor, outcome: 'denied', code: 'forbidden', ...more })
/** The reviews of somebody, newest first. */
async function reviewsOf({ id }: Actor) {
  const { body } = await call('GET', '?limit=200')
  return body.items.filter(({ actor }: { actor: { id: string } }) => actor.id === id)
}
const decide = ({ id, version }: { id: string; version: number }, state: string, note = 'She covered for the ward.') =>
  call('PATCH', `/${id}`, { state, note }, { 'If-Match': `"${version}"` })

describe('a review is opened', () => {
  test('of a denial of who was signed in, as the event tells it', async () => {
    const actor = someone()
    const patientIds = [randomUUID()]
    const { event, body } = denied(actor, { code: 'restricted', patientIds })
    await service.append({ event, body })
    const [review] = await reviewsOf(actor)
    const { sessionId, ...told } = actor
    expect(review).toEqual({
      id: expect.any(String),
      kind: 'denial',
      state: 'open',
      eventId: event.id,
      lastEventId: event.id,
      sequence: expect.any(Number),
      count: 1,
      actor: told,
      code: 'restricted',
      route: '/x',
      patientIds,
      note: null,
      reviewedBy: null,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
      version: 1,
    })
    expect(await service.events()).toMatchObject([{ type: 'audit.review.read', patientIds }])
  })

  test('of a glass that was broken', async () => {
    const actor = someone(['clinician'])
    const type = 'patients.break-glass.created'
    const broken = received({ actor, type, patientIds: [randomUUID()] })
    // too short a reason breaks no glass
    await service.append(broken, received({ actor, type, outcome: 'failure', code: 'validation_failed' }))
    expect(await reviewsOf(actor)).toMatchObject([{ kind: 'break-glass', eventId: broken.event.id, count: 1 }])
  })

  test('of each chart whose glass was broken', async () => {
    const actor = someone(['clinician'])
    const type = 'patients.break-glass.created' as AuditEvent['type']
    const charts = [randomUUID(), randomUUID()]
    const broken = charts.map((chart) => received({ actor, type, patientIds: [chart] }))
    await service.append(...broken, received({ actor, type, patientIds: [charts[0]!] }))
    expect(await reviewsOf(actor)).toMatchObject([
      { patientIds: [charts[1]], count: 1 },
      { patientIds: [charts[0]], count: 2 },
    ])
  })

  test('of nothing else', async () => {
    const before = (await call('GET', '?limit=200')).body.items.length
    const actor = someone()
    const nobody = { id: null, name: null, roles: [], sessionId: null }
    await service.append(
      received({ actor }),
      denied(actor, { code: 'rate_limited' }),
      denied(actor, { code: 'password_change_required' }),
      denied(actor, { outcome: 'failure', code: 'stale' }),
      received({ actor: nobody, outcome: 'denied', code: 'forbidden' }),
    )
    expect((await call('GET', '?limit=200')).body.items.length).toBe(before)
  })

  test('once for a flood, which it counts, and the same batch again changes nothing', async () => {
    const actor = someone()
    const charts = Array.from({ length: 300 }, () => randomUUID())
    const flood = charts.map((chart) => denied(actor, { patientIds: [chart] }))
    for (const batch of [flood.slice(0, 150), flood.slice(150)]) await service.append(...batch)
    const [review, ...others] = await reviewsOf(actor)
    const [first, last] = [flood[0]!.event.id, flood.at(-1)!.event.id]
    expect(review).toMatchObject({ count: 300, eventId: first, lastEventId: last, version: 2 })
    expect([others, review.patientIds]).toEqual([[], charts.slice(0, 200)])

    await Promise.all([service.append(...flood), service.append(...flood.slice(20, 40))])
    expect(await reviewsOf(actor)).toEqual([review])
    // partly known
    const more = denied(actor, { patientIds: [charts[7]!] })
    await service.append(...flood.slice(100), more, more)
    const { count, lastEventId, patientIds, version } = (await reviewsOf(actor))[0]
    expect([count, lastEventId, patientIds, version]).toEqual([301, more.event.id, review.patientIds, 3])
  })

  test('apart for who, why and where; and what stands for many counts as many', async () => {
    const [actor, other] = [someone(), someone()]
    const { request } = received().event
    await service.append(
      denied(actor, { count: 7 }),
      denied(actor, { code: 'restricted' }),
      denied(actor, { request: { ...request, route: '/y' } }),
      denied(other),
      denied(actor, { count: Number.MAX_SAFE_INTEGER }),
      denied(actor, { request: { ...request, route: '/'.padEnd(20_000, 'é€') } }),
    )
    const counts = (await reviewsOf(actor)).map(({ count }: { count: number }) => count)
    expect(counts).toEqual([1, 1, 1, Number.MAX_SAFE_INTEGER])
    expect(await reviewsOf(other)).toHaveLength(1)
    await service.append(denied(actor))
    expect((await reviewsOf(actor)).at(-1).count).toBe(Number.MAX_SAFE_INTEGER)
  })

  test('with its event or not at all', async () => {
    const own = await openAudit()
    // where the tree can't grow nothing is stored
    await own.db.query(`INSERT INTO leaves (start, hashes) VALUES (0, '')`)
    await expect(own.append(denied(someone()))).rejects.toThrow('duplicate key')
    expect(await own.db.query('SELECT FROM reviews')).toEqual([])
    await own.close()
  })
})

describe('a decision', () => {
  const opened = async (actor = someone(), more: Partial<AuditEvent> = {}) => {
    await service.append(denied(actor, more))
    const [review] = await reviewsOf(actor)
    await service.events()
    return review
  }

  test('says who decided what and why, and the event says which fields', async () => {
    const patientIds = [randomUUID()]
    const review = await opened(someone(), { patientIds })
    const escalated = await decide(review, 'escalated', 'Ask the ward.')
    expect(escalated).toMatchObject({
      status: 200,
      body: { state: 'escalated', note: 'Ask the ward.', version: 2, count: 1 },
    })
    expect(escalated.body.reviewedBy).toEqual({ id: reviewer.sub, name: reviewer.name })
    expect(escalated.headers.get('etag')).toBe('"2"')
    const justified = await decide(escalated.body, 'justified', 'Ask the ward.')
    expect(justified.body).toMatchObject({ state: 'justified', version: 3 })
    const resource = { type: 'review', id: review.id }
    expect(await service.events()).toMatchObject([
      { type: 'audit.review.updated', resource, patientIds, changed: ['state', 'note', 'reviewedBy'] },
      { type: 'audit.review.updated', resource, patientIds, changed: ['state'] },
    ])
    const read = await call('GET', `/${review.id}`)
    expect([read.body, read.headers.get('etag')]).toEqual([justified.body, '"3"'])
    expect(await service.events()).toMatchObject([{ type: 'audit.review.read', resource, patientIds }])
  })

  test('is final when it justifies, and none goes back', async () => {
    const review = await opened()
    const { body: escalated } = await decide(review, 'escalated')
    expect(await decide(escalated, 'escalated')).toMatchObject({ status: 409, body: { code: 'conflict' } })
    const { body: justified } = await decide(escalated, 'justified')
    for (const state of ['escalated', 'justified'])
      expect(await decide(justified, state)).toMatchObject({ status: 409, body: { code: 'conflict' } })
    expect(await decide(justified, 'open')).toMatchObject({ status: 422, body: { errors: [{ path: 'state' }] } })
  })

  test('needs a note and the version that was looked at', async () => {
    const review = await opened()
    const path = `/${review.id}`
    const body = { state: 'justified', note: 'x' }
    expect((await call('PATCH', path, body)).body.code).toBe('precondition_required')
    expect((await call('PATCH', path, body, { 'If-Match': '*' })).status).toBe(428)
    expect((await call('PATCH', path, body, { 'If-Match': '"2"' })).body.code).toBe('stale')
    expect((await call('PATCH', path, { state: 'justified' }, { 'If-Match': '"1"' })).status).toBe(422)
    expect((await call('PATCH', `/${randomUUID()}`, body, { 'If-Match': '"1"' })).status).toBe(404)
    expect((await call('GET', path)).body).toEqual(review)
  })

  test('is not on what came after it was looked at', async () => {
    const actor = someone()
    const review = await opened(actor)
    await service.append(denied(actor))
    expect((await decide(review, 'justified')).status).toBe(412)
    expect(await reviewsOf(actor)).toMatchObject([{ state: 'open', count: 2 }])
  })

  test('closes it: the next denial opens another', async () => {
    const actor = someone()
    const { body: justified } = await decide(await opened(actor), 'justified')
    const next = denied(actor)
    await service.append(next)
    const reviews = await reviewsOf(actor)
    expect(reviews).toMatchObject([
      { state: 'open', count: 1, eventId: next.event.id },
      { state: 'justified', count: 1 },
    ])
    expect(reviews[1]).toEqual(justified)
  })

  test('is one auditor’s when ten decide at once', async () => {
    const review = await opened()
    const states = Array.from({ length: 10 }, (_, n) => (n % 2 ? 'justified' : 'escalated'))
    const answers = await Promise.all(states.map((state, n) => decide(review, state, `number ${n}`)))
    const won = answers.filter(({ status }) => status === 200)
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array<number>(9).fill(412)])
    expect((await call('GET', `/${review.id}`)).body).toEqual(won[0]!.body)
  })

  test('and denials that come at the same time lose none', async () => {
    const actor = someone()
    let review = await opened(actor)
    const stored = (async () => {
      for (let n = 0; n < 40; n++) await service.append(denied(actor))
    })()
    let decided = 0
    for (let n = 0; n < 40; n++) {
      if ((await decide(review, 'justified')).status === 200) decided++
      review = (await reviewsOf(actor))[0]
    }
    await stored
    const reviews = await reviewsOf(actor)
    expect(decided).toBeGreaterThan(0)
    expect(reviews.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(41)
    expect(reviews.filter(({ state }: { state: string }) => state === 'justified')).toHaveLength(decided)
  })
})

describe('by hand', () => {
  test('a review is opened of any event, once', async () => {
    const patientIds = [randomUUID()]
    const { event, body } = received({ patientIds })
    await service.append({ event, body })
    const made = await call('POST', '', { eventId: event.id, note: 'Why at night?' })
    const { id } = made.body
    expect(made).toMatchObject({
      status: 201,
      body: { kind: 'manual', state: 'open', eventId: event.id, note: 'Why at night?', patientIds, reviewedBy: null },
    })
    expect([made.headers.get('location'), made.headers.get('etag')]).toEqual([`${base}/${id}`, '"1"'])
    const resource = { type: 'review', id }
    expect(await service.events()).toMatchObject([{ type: 'audit.review.created', resource, patientIds }])
    const again = await call('POST', '', { eventId: event.id })
    expect(again).toMatchObject({ status: 409, body: { code: 'already_exists' } })
    expect(again.headers.get('location')).toBe(`${base}/${id}`)
  })

  test('it is not opened of what a review counts already, and of what none does it is', async () => {
    const actor = someone()
    const [first, second, third, later] = [1, 2, 3, 4].map(() => denied(actor))
    await service.append(first!, second!, third!)
    const [review] = await reviewsOf(actor)
    for (const { event } of [first!, second!, third!]) {
      const answer = await call('POST', '', { eventId: event.id })
      expect([answer.status, answer.headers.get('location')]).toEqual([409, `${base}/${review.id}`])
    }
    await decide(review, 'justified')
    await service.append(later!)
    expect((await reviewsOf(actor)).map(({ kind }: { kind: string }) => kind)).toEqual(['denial', 'denial'])
    const between = received({ actor })
    await service.append(between)
    expect((await call('POST', '', { eventId: between.event.id })).status).toBe(201)
  })

  test('ten at once open one', async () => {
    const { event, body } = received()
    await service.append({ event, body })
    const answers = await Promise.all(Array.from({ length: 10 }, () => call('POST', '', { eventId: event.id })))
    const made = answers.find(({ status }) => status === 201)!
    for (const answer of answers.filter((one) => one !== made))
      expect([answer.status, answer.headers.get('location')]).toEqual([409, `${base}/${made.body.id}`])
  })

  test('of an event that is not in the log there is none', async () => {
    const answer = await call('POST', '', { eventId: randomUUID() })
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'eventId' }] } })
  })
})

describe('the list', () => {
  const pages = async (query: string) => {
    const found: { id: string; state: string; kind: string; patientIds: string[] }[][] = []
    let cursor: string | null = ''
    do {
      const { body }: Answer = await call('GET', `?${query}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
      found.push(body.items)
      cursor = body.nextCursor
    } while (cursor)
    return found
  }

  test('has each once, newest first, also those of the same moment, by state and kind', async () => {
    const batch = Array.from({ length: 23 }, () => denied(someone()))
    await service.append(...batch)
    const found = (await pages('limit=7&state=open&kind=denial')).flat()
    const ids = found.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual(ids.toSorted().toReversed())
    expect(found.every(({ state, kind }) => state === 'open' && kind === 'denial')).toBe(true)
    const events = batch.map(({ event }) => event.id)
    expect(found.slice(0, 23)).toMatchObject(events.toReversed().map((eventId) => ({ eventId })))
    const all = (await pages('limit=200')).flat()
    const justified = (await pages('limit=2&state=justified')).flat()
    expect(justified).toEqual(all.filter(({ state }) => state === 'justified'))
    expect(justified.length).toBeGreaterThan(2)
    expect((await call('GET', '?state=closed')).status).toBe(422)
  })

  test('shows no more charts at once than its event can name', async () => {
    const chart = () => randomUUID()
    const batch = [150, 60, 40].map((many) => denied(someone(), { patientIds: Array.from({ length: many }, chart) }))
    await service.append(...batch)
    await service.events()
    const [first, second] = await pages('limit=3&state=open&kind=denial')
    expect(first!.map(({ patientIds }) => patientIds.length)).toEqual([40, 60])
    expect(second![0]!.patientIds.length).toBe(150)
    const [named] = await service.events()
    expect(named!.patientIds).toEqual(first!.flatMap(({ patientIds }) => patientIds))
  })
})

test.each(['admin', 'clinician', 'nurse', 'registrar', 'patient'] as const)(
  'a %s has nothing to do with reviews',
  async (role) => {
    const eventId = randomUUID()
    for (const [method, path, body] of [
      ['GET', ''],
      ['POST', '', { eventId }],
      ['GET', `/${randomUUID()}`],
      ['PATCH', `/${randomUUID()}`, { state: 'justified', note: 'x' }],
    ] as const)
      expect((await service.call(method, base + path, { token: testToken([role]), body })).status).toBe(403)
    expect(await service.events()).toMatchObject(Array(4).fill({ outcome: 'denied', code: 'forbidden' }))
  },
)
