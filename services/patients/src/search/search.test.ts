import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { testToken } from '@caregate/common/testing/service'
import { openPatients } from '../testing.ts'
import { variantsOf, wordsOf } from './names.ts'

let service: Awaited<ReturnType<typeof openPatients>>
const registrar = testToken(['registrar'])
const clinician = testToken(['clinician'])

const people: [given: string, family: string, more?: object][] = [
  ['José Eduardo', 'Gómez', { telecom: [{ system: 'phone', value: '+1 (617) 555-0123' }] }],
  ['Siân', "O'Conner"],
  ['John', 'Smith', { birthDate: '1950-01-02' }],
  ['Johnathan', 'Smithson'],
  ['Maria Marta', 'Smith', { otherNames: [{ use: 'maiden', family: 'Weiß' }] }],
  ['Jonas', 'Ng', { identifiers: [{ system: 'source:old-his', value: 'A 1' }] }],
  ['Søren', 'van der Berg'],
  ['Ann', 'Hidden', { restricted: true }],
]

beforeAll(async () => {
  service = await openPatients()
  for (const [given, family, more] of people) {
    const body = { name: { given: given.split(' '), family }, birthDate: '1989-05-25', sex: 'other', ...more }
    expect(await service.call('POST', '/api/v1/patients?force=true', { token: registrar, body })).toMatchObject({
      status: 201,
    })
  }
})
afterAll(() => service.close())

const search = async (body: object, token = registrar) => {
  const answer = await service.call('POST', '/api/v1/patients/search', { token, body })
  expect(answer.status).toBe(200)
  return answer.body as { items: { name: { given: string[]; family: string } }[]; nextCursor: string | null }
}
const names = async (body: object, token?: string) =>
  (await search(body, token)).items.map(({ name }) => `${name.family} ${name.given[0]}`)

describe('by name', () => {
  test('not without a word, which would be everybody', async () => {
    for (const q of ['-', '- --']) {
      const answer = await service.call('POST', '/api/v1/patients/search', { token: registrar, body: { q } })
      expect([answer.status, answer.body.errors?.[0].path]).toEqual([422, 'q'])
    }
  })

  const gomez = ['Gómez José']
  test.each([
    ['as it is', 'José Gómez', gomez],
    ['the other way round, in capitals, without accents', 'GOMEZ eduardo', gomez],
    ['beginnings', 'gom jo', gomez],
    ['a letter missing', 'Jose Gmez', gomez],
    ['two neighbours swapped, in both', 'Jsoe Gmoez', gomez],
    ['as it sounds', 'Smyth John', ['Smith John']],
    ['an apostrophe of another kind', 'o’conner', ["O'Conner Siân"]],
    ['no apostrophe', 'oconner sian', ["O'Conner Siân"]],
    ['a maiden name, written without its letter', 'Weiss', ['Smith Maria']],
    ['a particle', 'van berg', ['van der Berg Søren']],
    ['letters that have no accent to lose', 'soren', ['van der Berg Søren']],
    ['a short name', 'ng', ['Ng Jonas']],
    ['once, however many of its words begin so', 'mar', ['Smith Maria']],
    ['the first letters', 's j', ['Smith John', 'Smithson Johnathan']],
    ['what begins so before what is like it', 'Smith', ['Smith John', 'Smith Maria', 'Smithson Johnathan']],
    ['of a short word nothing that is like it', 'nj', []],
    ['nothing that one of the words is not in', 'Gómez Smith', []],
    ['no pattern', '%', []],
    ['no regular expression', 'smit(h jo', ['Smith John']],
  ])('%s', async (_what, q, found) => {
    expect(await names({ q })).toEqual(found)
  })

  test('in pages, from those that begin so on to those that are like it, each once', async () => {
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<typeof search>> = await search({
        q: 'Smithson',
        limit: 1,
        ...(cursor ? { cursor } : {}),
      })
      seen.push(...page.items.map(({ name }) => name.given[0]!))
      cursor = page.nextCursor
    } while (cursor)
    expect(seen).toEqual(['Johnathan'])
    const all: string[] = []
    do {
      const page: Awaited<ReturnType<typeof search>> = await search({
        q: 'jonh',
        limit: 1,
        ...(cursor ? { cursor } : {}),
      })
      all.push(...page.items.map(({ name }) => name.given[0]!))
      cursor = page.nextCursor
    } while (cursor)
    expect(all).toEqual(['John'])
  })

  test('a name that was changed is found no more, and the new one is', async () => {
    const body = { name: { given: ['Ada'], family: 'Before' }, birthDate: '1989-05-25', sex: 'female' }
    const { body: chart } = await service.call('POST', '/api/v1/patients?force=true', { token: registrar, body })
    const headers = { 'if-match': '"1"' }
    await service.call('PATCH', `/api/v1/patients/${chart.id}`, {
      token: registrar,
      headers,
      body: { name: { family: 'After' } },
    })
    expect(await names({ q: 'Before' })).toEqual([])
    expect(await names({ q: 'After' })).toEqual(['After Ada'])
  })

  test('names of any length are taken, and found', async () => {
    const long = (letter: string) => letter.repeat(100)
    const otherNames = Array.from({ length: 10 }, (_, n) => ({
      use: 'old',
      given: [long('é')],
      family: `${long('ü').slice(2)}q${n}`,
    }))
    const body = {
      name: { given: Array<string>(10).fill(long('ø')), family: long('木') },
      otherNames,
      birthDate: '1989-05-25',
      sex: 'other',
    }
    expect(await service.call('POST', '/api/v1/patients?force=true', { token: registrar, body })).toMatchObject({
      status: 201,
    })
    expect((await search({ q: `${long('u').slice(2)}q9` })).items).toHaveLength(1)
  })
})

test('a cursor is good for what it was given out for: names alone, or more', async () => {
  const birthDate = '1989-05-25'
  const { nextCursor: byName } = await search({ q: 's', limit: 1 })
  const { nextCursor: byDate } = await search({ birthDate, limit: 1 })
  for (const body of [
    { birthDate, cursor: byName },
    { q: 's', cursor: byDate },
  ]) {
    const answer = await service.call('POST', '/api/v1/patients/search', { token: registrar, body })
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'cursor' }] } })
  }
})

describe('by what there is one of', () => {
  test.each([
    ['a phone, however written', { phone: '617.555.0123' }, ['Gómez José']],
    ['a phone without the country', { phone: '6175550123' }, ['Gómez José']],
    ['another phone', { phone: '617-555-0124' }, []],
    ['a date of birth and a mistyped name', { birthDate: '1950-01-02', q: 'Smtih' }, ['Smith John']],
    ['a date of birth and another name', { birthDate: '1950-01-02', q: 'Gómez' }, []],
    ['an identifier of a source', { identifier: 'A 1' }, ['Ng Jonas']],
    ['a phone and the beginning of a name', { phone: '+16175550123', q: 'jo' }, ['Gómez José']],
  ])('%s', async (_what, body, found) => {
    expect(await names(body)).toEqual(found)
  })

  test('what is no phone number is refused', async () => {
    const answer = await service.call('POST', '/api/v1/patients/search', { token: registrar, body: { phone: 'mine' } })
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'phone' }] } })
  })
})

test('a restricted chart is found by those alone who may read it', async () => {
  for (const body of [{ q: 'Hidden' }, { q: 'Hiden' }, { q: 'ann', birthDate: '1989-05-25' }]) {
    expect(await names(body, registrar)).toEqual(['Hidden Ann'])
    expect(await names(body, clinician)).toEqual([])
  }
})

test('what a word may be mistyped as has something in common with it', () => {
  const common = (a: string, b: string) => variantsOf(a).some((one) => variantsOf(b).includes(one))
  for (const [a, b] of [
    ['gomez', 'gmez'],
    ['gomez', 'goomez'],
    ['gomez', 'gonez'],
    ['gomez', 'ogmez'],
    ['smith', 'smyth'],
  ] as const)
    expect(common(a, b)).toBe(true)
  expect(common('gomez', 'gxmzz')).toBe(false)
  const name = { given: ['Mary-Kate', 'Zoë'], family: 'St. John', prefix: null, suffix: null }
  expect(wordsOf({ name, otherNames: [{ use: 'old', given: [], family: 'Zoe' }] })).toEqual([
    'st.',
    'john',
    'mary',
    'kate',
    'zoe',
  ])
})
