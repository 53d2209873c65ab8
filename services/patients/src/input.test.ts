import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { DataSource } from 'typeorm'
import { testToken } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { openPatients } from './testing.ts'

let service: Awaited<ReturnType<typeof openPatients>>
const token = testToken(['clinician'])
const jose = { name: { given: ['José'], family: 'Gómez' }, birthDate: '1989-05-25', sex: 'male' }
const names = (family: string) => ({ name: { given: ['A'], family } })

beforeAll(async () => {
  service = await openPatients()
})
beforeEach(() => service.events())
afterAll(() => service.close())

const post = (body: unknown) => service.call('POST', '/api/v1/patients?force=true', { token, body })
const create = (more: object) => post({ ...jose, ...more })
const withText = (before: string) => JSON.stringify(jose).replace('{', `{${before},`)
const tomorrow = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10)

test.each<[what: string, name: string, kept?: string]>([
  ['precomposed letters', 'Gómez'],
  ['combining marks where there are letters', 'Go\u0301mez', 'Gómez'],
  ['combining marks where there are none', 'Q\u0307ora'],
  ['Arabic', 'محمد'],
  ['Hebrew with points', 'שָׁלוֹם'],
  ['Persian, with its joiner', 'می\u200Cخواهم'],
  ['Devanagari, with its joiner', 'क्\u200Dष'],
  ['Thai', 'สมชาย'],
  ['a letter of four bytes', '𠮷野家'],
  ['a sequence of emoji', '👩\u200D👩\u200D👧'],
  ['a name of one sign', '.'],
  ['a no-break space', 'van\u00A0Dyk', 'van Dyk'],
  ['an ideographic space', '山田\u3000太郎', '山田 太郎'],
  ['a line separator', 'van\u2028Dyk', 'van Dyk'],
  ['an override of the direction', 'a\u202Eb\u202Cc', 'abc'],
  ['a joiner between Latin letters', 'Smi\u200Dth', 'Smith'],
  ['joiners in a row and at the end', 'می\u200C\u200Cخ\u200D', 'می\u200Cخ'],
  ['a soft hyphen, tags and a word joiner', 'Sm\u00ADi\u{E0041}t\u2060h', 'Smith'],
  ['fifty emoji', '😀'.repeat(50)],
])('%s: the name is kept, and found', async (_what, name, kept = name) => {
  const answer = await create(names(name))
  expect([answer.status, answer.body.name?.family]).toEqual([201, kept])
  expect(kept.normalize('NFC')).toBe(kept)
  const found = await service.call('POST', '/api/v1/patients/search', { token, body: { q: name, limit: 200 } })
  expect(found.body.items.map(({ id }: { id: string }) => id)).toContain(answer.body.id)
})

test('names as long as they may be are kept, changed and listed in order', async () => {
  // of what can't be compressed: as many bytes in an index as there are
  let seed = 1
  const letter = () => String.fromCodePoint(0x4e00 + ((seed = (seed * 48_271) % 2_147_483_647) % 20_000))
  const long = Array.from({ length: 10 }, () => Array.from({ length: 100 }, letter).join(''))
  const charts = [
    await create({ birthDate: '1961-07-01', name: { given: long, family: 'Long' } }),
    await create({ birthDate: '1961-07-01', name: { given: long.with(9, 'Z'), family: 'Long' } }),
    await create({ birthDate: '1961-07-01', name: { given: ['A'], family: 'Long' } }),
  ]
  expect(charts.map(({ status }) => status)).toEqual([201, 201, 201])
  const [one, two, three] = charts.map(({ body }) => body.id as string)
  const body = { name: { given: long } }
  const changed = await service.call('PATCH', `/api/v1/patients/${three}`, {
    ...{ token, body, headers: { 'if-match': '"1"' } },
  })
  expect(changed.status).toBe(200)
  const seen: string[] = []
  for (let cursor: string | undefined; ;) {
    const asked = { q: 'long', birthDate: '1961-07-01', limit: 1, cursor }
    const page = (await service.call('POST', '/api/v1/patients/search', { token, body: asked })).body
    seen.push(...page.items.map(({ id }: { id: string }) => id))
    if (!page.nextCursor) break
    cursor = page.nextCursor
  }
  expect(seen).toEqual([one, two, three])
})

const address = { city: 'Boston' }
const phone = { system: 'phone', value: '555 0100' }
const source = { system: 'source:x', value: '1' }
const contact = { name: jose.name }
const times = (count: number, item: unknown): unknown[] => Array<unknown>(count).fill(item)

test.each<[what: string, body: object | string, path: string]>([
  ['nothing but spaces of all kinds', names(' \u00A0\u2003\u3000'), 'name.family'],
  ['a filler that looks like nothing', names('\u3164\u2800\u200B'), 'name.family'],
  ['a mark without a letter', names('\u0301'), 'name.family'],
  ['marks heaped upon a letter', names(`Z${'\u0316'.repeat(31)}`), 'name.family'],
  ['half of a letter of four bytes', names('a\uD842b'), 'name.family'],
  ['bytes that were no UTF-8', names('G\uFFFDmez'), 'name.family'],
  ['a null character', names('a\0b'), 'name.family'],
  ['what grows too long by normalisation', names('\u0958'.repeat(100)), 'name.family'],
  ['a script behind a joiner', names('java\u200Dscript:alert(1)'), 'name.family'],
  ['an element in pieces', names('<scr\u200Cipt>alert(1)'), 'name.family'],
  ['101 characters', names('x'.repeat(101)), 'name.family'],
  ['eleven given names', { name: { given: times(11, 'A'), family: 'B' } }, 'name.given'],
  ['no given name', { name: { given: [], family: 'B' } }, 'name.given'],
  ['a given name of 101', { name: { given: ['x'.repeat(101)], family: 'B' } }, 'name.given.0'],
  ['a prefix of 31', { name: { ...jose.name, prefix: 'x'.repeat(31) } }, 'name.prefix'],
  ['a suffix of 31', { name: { ...jose.name, suffix: 'x'.repeat(31) } }, 'name.suffix'],
  ['eleven other names', { otherNames: times(11, { use: 'old' }) }, 'otherNames'],
  ['a use that is none', { otherNames: [{ use: 'stage' }] }, 'otherNames.0.use'],
  ['21 identifiers', { identifiers: times(21, 0).map((_, n) => ({ ...source, value: `${n}` })) }, 'identifiers'],
  ['an identifier twice', { identifiers: [source, { ...source, value: ' 1 ' }] }, 'identifiers'],
  ['an identifier with a star twice', { identifiers: times(2, { ...source, value: 'a*' }) }, 'identifiers'],
  ['an identifier of 101', { identifiers: [{ system: 'ssn', value: 'x'.repeat(101) }] }, 'identifiers.0.value'],
  ['an unknown system', { identifiers: [{ system: 'source:A b', value: '1' }] }, 'identifiers.0.system'],
  ['21 telephones', { telecom: times(21, phone) }, 'telecom'],
  ['a telephone of 255', { telecom: [{ ...phone, value: '5'.repeat(255) }] }, 'telecom.0.value'],
  ['eleven addresses', { addresses: times(11, address) }, 'addresses'],
  ['five lines', { addresses: [{ line: times(5, 'x') }] }, 'addresses.0.line'],
  ['a line of 201', { addresses: [{ line: ['x'.repeat(201)] }] }, 'addresses.0.line.0'],
  ['a country in words', { addresses: [{ country: 'France' }] }, 'addresses.0.country'],
  ['a country of three letters', { addresses: [{ country: 'FRA' }] }, 'addresses.0.country'],
  ['a country of one letter', { addresses: [{ country: 'F' }] }, 'addresses.0.country'],
  ['a city of 101', { addresses: [{ city: 'x'.repeat(101) }] }, 'addresses.0.city'],
  ['a state of 101', { addresses: [{ state: 'x'.repeat(101) }] }, 'addresses.0.state'],
  ['a postal code of 21', { addresses: [{ postalCode: '1'.repeat(21) }] }, 'addresses.0.postalCode'],
  ['eleven contacts', { contacts: times(11, contact) }, 'contacts'],
  ['21 telephones of a contact', { contacts: [{ ...contact, telecom: times(21, phone) }] }, 'contacts.0.telecom'],
  ['a relationship of 61', { contacts: [{ ...contact, relationship: 'x'.repeat(61) }] }, 'contacts.0.relationship'],
  ['a marital status of 31', { maritalStatus: 'x'.repeat(31) }, 'maritalStatus'],
  ['an ethnicity of 61', { ethnicity: 'x'.repeat(61) }, 'ethnicity'],
  ['a language of 36', { language: `en${'-aaaaaaaa'.repeat(4)}` }, 'language'],
  ['a race of 61', { race: 'x'.repeat(61) }, 'race'],
  ['a month too many', { birthDate: '2024-13-01' }, 'birthDate'],
  ['a leap day of 1900', { birthDate: '1900-02-29' }, 'birthDate'],
  ['a day before all who live', { birthDate: '1849-12-31' }, 'birthDate'],
  ['a birth to come', { birthDate: tomorrow }, 'birthDate'],
  ['a time of day', { birthDate: '1989-05-25T00:00:00Z' }, 'birthDate'],
  ['Arabic digits', { birthDate: '١٩٨٩-05-25' }, 'birthDate'],
  ['a number for a date', { birthDate: 19890525 }, 'birthDate'],
  ['a line feed behind it', { birthDate: '1989-05-25\n' }, 'birthDate'],
  ['a death before birth', { deathDate: '1989-05-24' }, 'deathDate'],
  ['a death to come', { deathDate: tomorrow }, 'deathDate'],
  ['its number', { mrn: '10000017' }, 'mrn'],
  ['a version', { version: 7 }, 'version'],
  ['a status that only acts give', { status: 'voided' }, 'status'],
  ['a text for true', { restricted: 'false' }, 'restricted'],
  ['a prototype', withText('"__proto__":{"status":"voided"}'), '__proto__'],
  ['a prototype further in', JSON.stringify(jose).replace('"given"', '"__proto__":{},"given"'), '__proto__'],
  ['a constructor', withText('"constructor":{"prototype":{}}'), 'constructor'],
  ['200,000 items', { otherNames: times(200_000, {}) }, 'body'],
  ['80,000 members', Object.fromEntries(times(80_000, 1).map((one, n) => [`k${n}`, one])), 'body'],
  ['a depth of 100,000', withText(`"race":${'['.repeat(100_000)}${']'.repeat(100_000)}`), 'body'],
])('%s: refused by name at once, nothing of it repeated', async (_what, body, path) => {
  const started = performance.now()
  const answer = await (typeof body === 'string' ? post(body) : create(body))
  expect(answer.status).toBe(422)
  expect([...new Set(answer.body.errors.map((error: { path: string }) => error.path))]).toEqual([path])
  expect(JSON.stringify(answer.body).length).toBeLessThan(1000)
  expect(performance.now() - started).toBeLessThan(5000)
  expect(await service.events()).toMatchObject([{ outcome: 'failure', code: 'validation_failed', patientIds: [] }])
})

test('a chart has as much of everything as it may have, as long as it may be', async () => {
  const long = (length: number) => 'x'.repeat(length)
  const name = { given: times(10, long(100)), family: long(100), prefix: long(30), suffix: long(30) }
  const uses = ['usual', 'official', 'temp', 'nickname', 'anonymous', 'old', 'maiden', 'old', 'old', 'old']
  const telecom = ['home', 'work', 'mobile', null].flatMap((use) => [
    ...times(4, { system: 'email', value: long(254), use }),
    { system: 'phone', value: long(254), use },
  ])
  const place = { line: times(4, long(200)), city: long(100), state: long(100), postalCode: long(20), country: 'FR' }
  const chart = {
    ...{ name, birthDate: '1850-01-01', deathDate: '1850-01-01', sex: 'other', status: 'deceased' },
    otherNames: uses.map((use) => ({ use, given: name.given, family: name.family })),
    identifiers: Array.from({ length: 20 }, (_, n) => ({
      system: `source:${'x'.repeat(40)}`,
      value: `${10 + n}${long(98)}`,
    })),
    ...{ telecom, addresses: times(10, place), contacts: times(10, { name, relationship: long(60), telecom }) },
    ...{ language: `en${'-aaaaaaaa'.repeat(3)}-aaaaa`, maritalStatus: long(30), race: long(60), ethnicity: long(60) },
  }
  const { status, body } = await create(chart)
  expect([status, body]).toEqual([201, expect.objectContaining(chart)])
})

test('neither a value nor a name without end comes back', async () => {
  const long = 'x'.repeat(300_000)
  const { status, body } = await create({ language: long, identifiers: [{ system: long, value: '1' }], [long]: 1 })
  expect([status, body.errors.length]).toEqual([422, 4])
  expect(JSON.stringify(body).length).toBeLessThan(2000)
  expect(JSON.stringify(body.errors.slice(0, 3))).not.toContain('xxx')
})

test.each([
  ['a death before birth', { deathDate: '1980-01-01' }, 'deathDate'],
  ['a birth after death', { birthDate: '2021-01-01' }, 'birthDate'],
  ['a prototype', '{"__proto__":{"status":"voided"}}', '__proto__'],
])('PATCH takes no %s either, and changes nothing', async (what, patch, path) => {
  const { id } = (await create(what === 'a birth after death' ? { deathDate: '2020-01-01' } : {})).body
  const url = `/api/v1/patients/${id}`
  const answer = await service.call('PATCH', url, { token, body: patch, headers: { 'if-match': '"1"' } })
  expect(answer.status).toBe(422)
  // two dates are at odds: the later one is named
  expect(answer.body.errors[0].path).toBe(path === 'birthDate' ? 'deathDate' : path)
  expect((await service.call('GET', url, { token })).body.version).toBe(1)
})

describe('a connection that dies in the middle leaves nothing by halves', () => {
  let owner: DataSource
  beforeAll(async () => {
    owner = await new DataSource({ type: 'postgres', url: service.urls.owner }).initialize()
    await owner.query(
      `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'`,
    )
  })
  afterAll(() => owner.destroy())

  // the event is the last that is written: all else was
  async function dying<T>(work: () => Promise<T>): Promise<T> {
    await owner.query('CREATE TRIGGER die BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION die()')
    return work().finally(() => owner.query('DROP TRIGGER die ON outbox'))
  }
  const count = async () =>
    (
      await owner.query<object[]>(
        `SELECT (SELECT count(*) FROM patients) AS charts, (SELECT count(*) FROM patient_sources) AS sources,
         (SELECT count(*) FROM patient_versions) AS versions, (SELECT count(*) FROM clinical_items) AS items`,
      )
    )[0]

  test.each<[method: string, below: string, body: object]>([
    ['POST', '?force=true', { ...jose, identifiers: [source] }],
    ['PUT', '/{id}', { ...jose, identifiers: [source], sex: 'other' }],
    ['PATCH', '/{id}', { identifiers: [source], sex: 'other' }],
    ['POST', '/{id}/void', { reason: 'made twice' }],
    ['POST', '/{id}/allergies', { code: { code: '300916003', display: 'Latex allergy' } }],
  ])('%s %s', async (method, below, body) => {
    const { id } = (await create({})).body
    const path = `/api/v1/patients${below.replace('{id}', id)}`
    const before = await count()
    const act = () => service.call(method, path, { token, body, headers: { 'if-match': '"1"' } })
    expect((await dying(act)).status).toBe(503)
    expect(await count()).toEqual(before)
    const read = () => service.call('GET', `/api/v1/patients/${id}`, { token })
    await until(async () => (await read()).status === 200)
    expect((await read()).body).toMatchObject({ version: 1, sex: 'male' })
    // and it can be done again
    expect([200, 201]).toContain((await act()).status)
    await owner.query('DELETE FROM patient_sources')
  })
})
