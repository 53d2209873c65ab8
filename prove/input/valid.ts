/** Requests that are right by the document and name what is there. `@@…@@` stands for an id until the request is sent. */
import fc from 'fast-check'
import { formType } from '../nophi/drive.ts'
import type { JsonSchema, Operation } from '../operations.ts'

export interface Draft {
  method: string
  path: string
  params: Record<string, string>
  query: [name: string, value: string][]
  headers: Record<string, string>
  body?: unknown
  /** Which of those who may, or of all. */
  caller: { n: number; may: boolean }
  /** Which of the things that are there. */
  n: number
}

const names = ['Zoë', 'Ana', 'Lee', "O'Neil", 'García', 'Åse', 'Mary Ann', 'Ибрагим', '田中', 'Smith-Jones']
const word = fc.tuple(fc.constantFrom(...names), fc.nat(9999)).map(([name, n]) => `${name} ${n}`)
const day = fc
  .date({ min: new Date('1920-01-01'), max: new Date('2024-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))

/** What a name says and its schema doesn’t. */
const byName: Record<string, fc.Arbitrary<unknown>> = {
  email: fc.oneof(
    fc.uuid().map((id) => `${id}@prove.test`),
    fc.constant('@@email@@'),
  ),
  password: fc.constant('@@password@@'),
  newPassword: fc.uuid().map((id) => `Valid-7-${id}-A`),
  currentPassword: fc.constant('@@password@@'),
  clientId: fc.constant('@@clientId@@'),
  clientSecret: fc.constant('@@clientSecret@@'),
  refreshToken: fc.constant('@@refreshToken@@'),
  patientId: fc.constant('@@patients@@'),
  patient: fc.constant('@@patients@@'),
  subject: fc.constant('@@patients@@'),
  _id: fc.constant('@@patients@@'),
  sourceId: fc.constant('@@patients+1@@'),
  userId: fc.constant('@@users@@'),
  actorId: fc.constant('@@users@@'),
  eventId: fc.constant('@@events@@'),
  deathDate: fc.constant(null),
}
const byPattern: Record<string, fc.Arbitrary<string>> = {
  '^\\d{4}-\\d{2}-\\d{2}$': day,
  '\\d{4}': day,
  '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$': fc.constantFrom('en', 'de-AT', 'yue'),
  '^[a-z0-9][a-z0-9-]{0,39}$': fc.constantFrom('prove', 'lab-2'),
  '^[A-Z]{2}$': fc.constantFrom('US', 'DE'),
  '^(ssn|driving-licence|passport|insurance|source:[a-z0-9][a-z0-9-]{0,39})$': fc.constant('insurance'),
  "^(https?:\\/\\/[\\w[]|urn:[a-z0-9][a-z0-9-]{0,31}:)[\\w.~:/?#[\\]@!$&'()*+,;=%-]*$": fc.constant('urn:oid:2.16'),
}
const inPath: Record<string, string> = { version: '1', level: '0', tile: '0', name: 'console' }

const born = fc.record({ id: fc.uuid(), family: word, day })
const rowOf: Record<string, (one: { id: string; family: string; day: string }) => string> = {
  'application/x-ndjson': ({ id, family, day: birthDate }) =>
    JSON.stringify({ id, name: { given: ['Ana'], family }, birthDate, sex: 'female' }),
  'application/fhir+ndjson': ({ id, family, day: birthDate }) =>
    JSON.stringify({
      resourceType: 'Patient',
      id,
      name: [{ given: ['Ana'], family }],
      birthDate,
      gender: 'female',
    }),
  'text/csv': ({ id, family, day: birthDate }) =>
    `id,name.given,name.family,birthDate,sex\n${id},Ana,${family},${birthDate},female`,
}

export function buildValid() {
  function value(schema: JsonSchema, name = ''): fc.Arbitrary<unknown> {
    if (schema.const !== undefined) return fc.constant(schema.const)
    if (schema.enum) return fc.constantFrom(...schema.enum)
    if (schema.anyOf) return fc.oneof(...schema.anyOf.map((one) => value(one, name)))
    const type = [schema.type].flat().find((one) => one !== 'null')
    const { minimum = 0, maximum = 200, minItems = 0, minLength = 0, maxLength = 200 } = schema
    if (type === 'object') return members(schema)
    if (type === 'array') {
      const length = { minLength: minItems, maxLength: Math.max(minItems, 2) }
      const items = value(schema.items ?? { type: 'string' })
      return schema.uniqueItems ? fc.uniqueArray(items, length) : fc.array(items, length)
    }
    if (type === 'boolean') return fc.boolean()
    if (type === 'integer' || type === 'number')
      return fc.integer({ min: minimum, max: Math.min(maximum, minimum + 2) })
    if (byName[name]) return byName[name]
    if (schema.format === 'uuid') return fc.constant('@@patients@@')
    if (schema.format === 'date-time') return day.map((one) => `${one}T10:00:00Z`)
    const text = byPattern[schema.pattern ?? ''] ?? word
    return text.map((one) => one.padEnd(minLength, '.').slice(0, maxLength).trim())
  }

  /** A cursor is of a search that was made, a second factor of who has one. */
  function members({ properties = {}, required = [] }: JsonSchema): fc.Arbitrary<unknown> {
    const isLeftOut = (name: string) => /cursor$|^totp$/.test(name) && !required.includes(name)
    const own = Object.keys(properties).filter((name) => !isLeftOut(name))
    const of = own.map((name) => {
      const one = value(properties[name]!, name)
      return required.includes(name)
        ? one
        : fc.oneof({ weight: 3, arbitrary: one }, { weight: 7, arbitrary: fc.constant(undefined) })
    })
    return fc.tuple<unknown[]>(...of).map((all) => {
      const pairs = own.map((name, n): [string, unknown] => [name, all[n]])
      return Object.fromEntries(pairs.filter(([, one]) => one !== undefined))
    })
  }

  return function draftOf({ method, path, parameters, bodies }: Operation): fc.Arbitrary<Draft> {
    const isNewChart = method === 'POST' && path.endsWith('/patients')
    const of = (where: string) => parameters.filter((one) => one.in === where)
    const properties = Object.fromEntries(of('query').map(({ name, schema }) => [name, schema]))
    const required = of('query').flatMap((one) => (one.required ? one.name : []))
    const params = Object.fromEntries(of('path').map(({ name }) => [name, inPath[name] ?? `@@${name}@@`]))
    const contents = bodies.map(([type, schema]) => {
      const rows = rowOf[type]
      const some = rows ? born.map((one) => `${rows(one)}\n`) : value(schema)
      return some.map((sent) => ({
        type,
        body:
          type === formType
            ? new URLSearchParams(Object.entries(sent as object)).toString().replaceAll('%40%40', '@@')
            : sent,
      }))
    })
    const asked = fc.record({
      query: members({ properties, required }),
      content: contents.length ? fc.oneof(...contents) : fc.constant(undefined),
      n: fc.nat(199),
      caller: fc.record({ n: fc.nat(29), may: fc.integer({ min: 0, max: 9 }).map((dice) => dice < 8) }),
    })
    return asked.map(({ query, content, n, caller }) => ({
      ...{ method, path, params, n, caller },
      query: [
        ...Object.entries(query as object).map(([name, one]): [string, string] => [name, String(one)]),
        ...(isNewChart ? [['force', 'true'] as [string, string]] : []),
      ].filter(([name], at, all) => all.findLastIndex(([other]) => other === name) === at),
      headers: {
        ...(content && { 'content-type': content.type }),
        ...(of('header').some(({ name }) => name === 'If-Match') && { 'if-match': '"@@version@@"' }),
      },
      ...(content && { body: content.body }),
    }))
  }
}
