import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { DataSource } from 'typeorm'
import { testToken } from '@caregate/common/testing/service'
import { openPatients } from './testing.ts'

let service: Awaited<ReturnType<typeof openPatients>>
const clinician = testToken(['clinician'])
const registrar = testToken(['registrar'])
const jose = { name: { given: ['José', 'Eduardo'], family: 'Gómez' }, birthDate: '1989-05-25', sex: 'male' }
const unknownId = '0190a000-0000-7000-8000-000000000000'

/** Of ISO/IEC 7812-1: a multiple of ten where the last digit checks the others. */
const luhnSum = (digits: string): number =>
  [...digits].reverse().reduce((sum, digit, place) => {
    const weighed = Number(digit) * (1 + (place % 2))
    return sum + (weighed > 9 ? weighed - 9 : weighed)
  }, 0)

beforeAll(async () => {
  service = await openPatients()
})
beforeEach(() => service.events())
afterAll(() => service.close())

const create = async (more: object = {}) =>
  (await service.call('POST', '/api/v1/patients?force=true', { token: registrar, body: { ...jose, ...more } })).body

describe('creating', () => {
  test('answers the whole chart with its place and version, and records who made it', async () => {
    const answer = await service.call('POST', '/api/v1/patients?force=true', {
      token: registrar,
      body: { ...jose, addresses: [{ city: 'Boston' }] },
    })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('etag')).toBe('"1"')
    expect(answer.headers.get('location')).toBe(`/api/v1/patients/${answer.body.id}`)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.body).toMatchObject({
      version: 1,
      status: 'active',
      restricted: false,
      name: { ...jose.name, prefix: null },
      telecom: [],
    })
    expect(answer.body.addresses).toEqual([{ line: [], city: 'Boston', state: null, postalCode: null, country: null }])
    expect(answer.body.mrn).toMatch(/^\d{8,}$/)
    expect(luhnSum(answer.body.mrn) % 10).toBe(0)
    const events = await service.events()
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({
      type: 'patients.patient.created',
      action: 'C',
      outcome: 'success',
      actor: { name: 'A registrar', roles: ['registrar'] },
      patientIds: [answer.body.id],
      request: { method: 'POST', path: '/api/v1/patients', status: 201, ip: '127.0.0.1' },
    })
    expect(JSON.stringify(events)).not.toContain('Gómez')
  })

  test('a source id is one chart, also when eight arrive at once', async () => {
    const body = { ...jose, identifiers: [{ system: 'source:synthea', value: 'one of eight' }] }
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => service.call('POST', '/api/v1/patients?force=true', { token: registrar, body })),
    )
    const created = answers.filter(({ status }) => status === 201)
    const known = answers.filter(({ status, body: problem }) => status === 409 && problem.code === 'already_exists')
    expect([created.length, known.length]).toEqual([1, 7])
    for (const { headers } of known) expect(headers.get('location')).toBe(`/api/v1/patients/${created[0]!.body.id}`)
    const outcomes = (await service.events()).map(({ outcome }) => outcome).sort()
    expect(outcomes).toEqual([...Array<string>(7).fill('failure'), 'success'])
  })

  test('every broken rule is named, and nothing is written', async () => {
    const body = {
      name: { given: [], family: ' ' },
      birthDate: '2023-02-30',
      deathDate: '2999-01-01',
      sex: 'm',
      addresses: [{}, { city: 7 }],
      shoeSize: 9,
    }
    const answer = await service.call('POST', '/api/v1/patients?force=true', { token: registrar, body })
    expect(answer.status).toBe(422)
    expect(answer.headers.get('content-type')).toMatch('application/problem+json')
    const paths = answer.body.errors.map(({ path }: { path: string }) => path).sort()
    expect(paths).toEqual([
      'addresses.1.city',
      'birthDate',
      'deathDate',
      'name.family',
      'name.given',
      'sex',
      'shoeSize',
    ])
    expect(await service.events()).toMatchObject([
      { type: 'patients.patient.created', outcome: 'failure', code: 'validation_failed', patientIds: [] },
    ])
  })

  test('a dangerous pattern is refused by its name and noted in the event, not echoed', async () => {
    const answer = await service.call('POST', '/api/v1/patients?force=true', {
      token: registrar,
      body: { ...jose, race: '<script>alert(1)</script>' },
    })
    expect(answer.status).toBe(422)
    expect(answer.body.errors).toEqual([{ path: 'race', message: 'race contains a forbidden pattern: script element' }])
    expect(await service.events()).toMatchObject([{ outcome: 'failure', threats: ['script element'] }])
  })

  test('markup is taken out, honest names stay', async () => {
    const chart = await create({
      name: { given: ['<b>Ann</b>', 'a < b'], family: "O'Conner" },
      maritalStatus: 'Smith & Sons',
    })
    expect(chart.name).toEqual({ given: ['Ann', 'a < b'], family: "O'Conner", prefix: null, suffix: null })
    expect(chart.maritalStatus).toBe('Smith & Sons')
  })

  test('a date of death makes it deceased, and must follow birth', async () => {
    expect((await create({ deathDate: '2020-01-01' })).status).toBe('deceased')
    const answer = await service.call('POST', '/api/v1/patients?force=true', {
      token: registrar,
      body: { ...jose, deathDate: '1980-01-01' },
    })
    expect(answer.body.errors).toEqual([{ path: 'deathDate', message: 'deathDate must not be before birthDate' }])
  })
})

describe('reading', () => {
  test('is recorded before it is answered, 304 too', async () => {
    const { id } = await create()
    await service.events()
    expect((await service.call('GET', `/api/v1/patients/${id}`, { token: clinician })).headers.get('etag')).toBe('"1"')
    const unchanged = await service.call('GET', `/api/v1/patients/${id}`, {
      token: clinician,
      headers: { 'if-none-match': '"1"' },
    })
    expect([unchanged.status, unchanged.body]).toEqual([304, ''])
    expect(await service.events()).toMatchObject([
      {
        type: 'patients.patient.read',
        outcome: 'success',
        basis: 'role',
        patientIds: [id],
        request: { status: 200, route: '/patients/{id}' },
      },
      { type: 'patients.patient.read', outcome: 'success', patientIds: [id], request: { status: 304 } },
    ])
  })

  test('a patient reads their own chart and no other', async () => {
    const [own, other] = [await create(), await create()]
    const token = testToken(['patient'], { patientId: own.id })
    await service.events()
    expect((await service.call('GET', `/api/v1/patients/${own.id}`, { token })).status).toBe(200)
    expect((await service.call('GET', `/api/v1/patients/${other.id}`, { token })).status).toBe(403)
    expect(await service.events()).toMatchObject([
      { basis: 'self', actor: { name: null } },
      { outcome: 'denied', code: 'forbidden', patientIds: [other.id] },
    ])
  })

  test('what is not there, not valid or not allowed is said and recorded', async () => {
    const { id } = await create()
    await service.events()
    const statuses = []
    for (const [method, path, token] of [
      ['GET', `/api/v1/patients/${unknownId}`, clinician],
      ['GET', '/api/v1/patients/17', clinician],
      ['GET', `/api/v1/patients/${id}`, testToken(['auditor'])],
      ['GET', `/api/v1/patients/${id}`, testToken(['admin'])],
      ['GET', `/api/v1/patients/${id}`, undefined],
      ['GET', `/api/v1/patients/${id}?q=x`, clinician],
      ['GET', '/api/v1/patients/search', clinician],
      ['DELETE', `/api/v1/patients/${id}`, clinician],
      ['GET', '/api/v1/nothing', clinician],
    ] as const) {
      const answer = await service.call(method, path, { token })
      expect(answer.body).toMatchObject({ status: answer.status, requestId: answer.headers.get('x-request-id') })
      statuses.push(answer.status)
    }
    expect(statuses).toEqual([404, 422, 403, 403, 401, 422, 405, 405, 404])
    const events = await service.events()
    expect(events.map(({ request }) => request.status)).toEqual(statuses)
    expect(events[7]).toMatchObject({ code: 'method_not_allowed', patientIds: [id] })
    expect(JSON.stringify(events)).not.toContain('q=x')
  })

  test('a name in a path is in no event', async () => {
    for (const path of ['/patients/Gómez', '/patients/Gómez/history/2', '/Gómez', '/patients/search/4711-0815'])
      await service.call('GET', encodeURI(`/api/v1${path}`), { token: clinician })
    expect((await service.events()).map(({ request }) => request.path)).toEqual([
      '/api/v1/patients/*',
      '/api/v1/patients/*/history/2',
      '/api/v1/*',
      '/api/v1/patients/search/*',
    ])
  })

  test('when the event cannot be written there is no answer but 503', async () => {
    const { id } = await create()
    const owner = new DataSource({ type: 'postgres', url: service.urls.owner })
    await owner.initialize()
    await owner.query('REVOKE INSERT ON outbox FROM caregate_patients')
    const answer = await service.call('GET', `/api/v1/patients/${id}`, { token: clinician })
    await owner.query('GRANT INSERT ON outbox TO caregate_patients')
    await owner.destroy()
    expect(answer.status).toBe(503)
    expect(answer.body.code).toBe('audit_unavailable')
    expect(JSON.stringify(answer.body)).not.toContain('Gómez')
  })
})

describe('changing', () => {
  const change = (id: string, method: string, version: string | undefined, body: object) =>
    service.call(method, `/api/v1/patients/${id}`, {
      token: clinician,
      body,
      headers: version === undefined ? {} : { 'if-match': version },
    })

  test('PATCH merges, bumps the version and records the names of the fields', async () => {
    const { id } = await create({ telecom: [{ system: 'phone', value: '555-0100' }], addresses: [{ city: 'Boston' }] })
    await service.events()
    const patched = await change(id, 'PATCH', '"1"', {
      name: { prefix: 'Dr.' },
      addresses: [{ city: 'Salem' }],
      race: null,
    })
    expect(patched.status).toBe(200)
    expect(patched.headers.get('etag')).toBe('"2"')
    expect(patched.body).toMatchObject({
      version: 2,
      name: { family: 'Gómez', prefix: 'Dr.' },
      telecom: [{ value: '555-0100' }],
    })
    expect(await service.events()).toMatchObject([
      { type: 'patients.patient.updated', changed: ['name.prefix', 'addresses.city'], patientIds: [id] },
    ])
  })

  test('PUT replaces', async () => {
    const { id } = await create({ race: 'white' })
    expect((await change(id, 'PUT', '"1"', { ...jose, sex: 'other' })).body).toMatchObject({
      version: 2,
      sex: 'other',
      race: null,
    })
  })

  test('needs the current version, and of ten who change it at once one does', async () => {
    const { id } = await create()
    expect((await change(id, 'PATCH', undefined, { sex: 'other' })).status).toBe(428)
    expect((await change(id, 'PATCH', '*', { sex: 'other' })).status).toBe(428)
    expect((await change(id, 'PATCH', '"7"', { sex: 'other' })).body.code).toBe('stale')
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => change(id, 'PATCH', '"1"', { race: `r${n}` })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(9).fill(412)])
  })

  test('a patch that breaks a rule is refused whole', async () => {
    const { id } = await create()
    const answer = await change(id, 'PATCH', '"1"', { name: { family: null }, sex: 'other' })
    expect(answer.body.errors).toEqual([{ path: 'name.family', message: 'name.family is required' }])
    expect((await change(id, 'PATCH', '"1"', { id: unknownId })).body.errors).toMatchObject([{ path: 'id' }])
    expect((await service.call('GET', `/api/v1/patients/${id}`, { token: clinician })).body).toMatchObject({
      version: 1,
      sex: 'male',
    })
  })

  test('a voided chart is gone until it is restored', async () => {
    const { id } = await create()
    const act = (what: string, token = clinician) =>
      service.call('POST', `/api/v1/patients/${id}/${what}`, { token, body: { reason: 'made twice' } })
    expect((await act('void', registrar)).status).toBe(403)
    expect((await act('void')).body).toMatchObject({ status: 'voided', version: 2 })
    expect((await service.call('GET', `/api/v1/patients/${id}`, { token: clinician })).body.code).toBe('gone')
    expect((await change(id, 'PATCH', '"2"', { sex: 'other' })).status).toBe(410)
    const voided = await service.call('GET', '/api/v1/patients?status=voided', { token: clinician })
    expect(voided.body.items.map((item: { id: string }) => item.id)).toContain(id)
    expect((await act('restore')).body).toMatchObject({ status: 'active', version: 3 })
    expect((await act('restore')).status).toBe(409)
  })
})

describe('finding', () => {
  const search = async (body: object, token = clinician) =>
    service.call('POST', '/api/v1/patients/search', { token, body })
  const ids = (answer: { body: { items: { id: string }[] } }) => answer.body.items.map(({ id }) => id)

  test('by the beginnings of names without case and accents, by MRN and by date of birth', async () => {
    const chart = await create({ name: { given: ['Zoë', 'Anne-Marie'], family: 'Ångström' }, birthDate: '1911-11-11' })
    for (const q of ['angstrom', 'ÅNG zo', 'marie angs']) expect(ids(await search({ q }))).toEqual([chart.id])
    for (const q of ['gstrom', '100%', '_gstrom', 'ang zzz']) expect(ids(await search({ q }))).toEqual([])
    expect(ids(await search({ mrn: chart.mrn }))).toEqual([chart.id])
    expect(ids(await search({ birthDate: '1911-11-11' }))).toEqual([chart.id])
    expect(ids(await search({ birthDate: '1911-11-11', q: 'gomez' }))).toEqual([])
  })

  test('in pages that meet each chart once, each page an event with the ids that it showed', async () => {
    const charts = []
    for (const family of ['Quux', 'Quuz', 'Quux', 'Quuy', 'Quua'])
      charts.push(await create({ name: { given: ['A'], family } }))
    await service.events()
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const answer = await search({ q: 'quu', limit: 2, ...(cursor ? { cursor } : {}) })
      seen.push(...ids(answer))
      cursor = answer.body.nextCursor
    } while (cursor)
    expect(seen.toSorted()).toEqual(charts.map(({ id }) => id).toSorted())
    const events = await service.events()
    expect(events.flatMap(({ patientIds }) => patientIds)).toEqual(seen)
    expect(events.map(({ type }) => type)).toEqual(Array(3).fill('patients.search.read'))
  })

  test('a cursor of another list or of nobody is refused', async () => {
    const { body } = await service.call('GET', '/api/v1/patients?limit=1', { token: clinician })
    expect((await search({ cursor: body.nextCursor })).body.errors[0].path).toBe('cursor')
    expect((await search({ cursor: 'bm90IG91cnM' })).status).toBe(422)
  })
})

test('the body must be JSON, of a bearable size and an object', async () => {
  const post = (body: string, headers = {}) =>
    service.call('POST', '/api/v1/patients?force=true', { token: registrar, body, headers })
  expect((await post('{"name":')).body.code).toBe('bad_request')
  expect((await post('[]')).status).toBe(422)
  expect((await post('{}', { 'content-type': 'text/plain' })).status).toBe(415)
  expect((await post(JSON.stringify({ race: 'x'.repeat(1_100_000) }))).status).toBe(413)
  expect((await post('{"__proto__":{"admin":true},"sex":"male"}')).status).toBe(422)
  expect((await service.events()).map(({ outcome }) => outcome)).toEqual(Array(5).fill('failure'))
})

test.each(['{%s}', '[%s]', '(%s)', '%s '])('an id spelled %s is no id', async (spelling) => {
  const { id } = await create()
  await service.events()
  const path = `/api/v1/patients/${encodeURIComponent(spelling.replace('%s', id))}`
  expect((await service.call('GET', path, { token: clinician })).status).toBe(422)
  expect(await service.events()).toMatchObject([{ code: 'validation_failed', patientIds: [] }])
})

test('whoever is told of a chart that has the source id is on its record', async () => {
  const body = { ...jose, identifiers: [{ system: 'source:registry', value: 'told of' }] }
  const { id } = await create(body)
  await service.events()
  const answer = await service.call('POST', '/api/v1/patients?force=true', { token: registrar, body })
  expect(answer.headers.get('location')).toBe(`/api/v1/patients/${id}`)
  expect(await service.events()).toMatchObject([{ code: 'already_exists', patientIds: [id] }])
})

test('charts that claim the same source ids in another order do not block each other', async () => {
  const identifiers = Array.from({ length: 10 }, (_none, n) => ({ system: 'source:circle', value: String(n) }))
  const orders = Array.from({ length: 16 }, (_none, n) => (n % 2 ? identifiers : identifiers.toReversed()))
  const answers = await Promise.all(
    orders.map((order) =>
      service.call('POST', '/api/v1/patients?force=true', { token: registrar, body: { ...jose, identifiers: order } }),
    ),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(15).fill(409)])
})

test('what is much too long is refused at once, whatever it is made of', async () => {
  const started = performance.now()
  for (const race of ['<'.repeat(200_000), "' or '".repeat(50_000)]) {
    const answer = await service.call('POST', '/api/v1/patients?force=true', {
      token: registrar,
      body: { ...jose, race },
    })
    expect(answer.body.errors).toMatchObject([{ path: 'race' }])
  }
  expect(performance.now() - started).toBeLessThan(5000)
})

test('a danger that only comes to light when characters are taken out is refused too', async () => {
  const body = { ...jose, race: 'java\u200bscript:alert(1)', ethnicity: '<scr\u200bipt>alert(1)' }
  const answer = await service.call('POST', '/api/v1/patients?force=true', { token: registrar, body })
  expect([answer.status, answer.body.errors.length]).toEqual([422, 2])
})

test('of thousands of wrong items the first hundred are named', async () => {
  const body = { ...jose, otherNames: Array<number>(4000).fill(1) }
  const answer = await service.call('POST', '/api/v1/patients?force=true', { token: registrar, body })
  expect([answer.status, answer.body.errors.length]).toEqual([422, 100])
})
