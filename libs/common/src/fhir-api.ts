import type { Bundle, FhirResource } from 'fhir/r4.js'
import Joi from 'joi'
import type { Cursors } from './cursor.ts'
import { invalid, notFound } from './errors.ts'
import { fhirBase, fhirJson } from './fhir.ts'
import type { Context } from './route.ts'
import { nothing, uuidField, type Schema } from './validate.ts'

export interface SearchParam {
  type: 'token' | 'string' | 'date' | 'reference'
  /** It is taken from a URL too: it says nothing of a person but an id. */
  inUrl?: true
  documentation: string
}
interface FhirApi {
  interactions: readonly ('read' | 'vread' | 'search-type')[]
  search: Readonly<Record<string, SearchParam>>
}

const ofChart = {
  type: 'reference',
  inUrl: true,
  documentation: 'Required. Whose: an id, or `Patient/` and an id',
} as const
const code = { type: 'token', documentation: 'A code, or system|code' } as const

/** What there is: routes are made from this, and the CapabilityStatement. */
export const fhirApi = {
  Patient: {
    interactions: ['read', 'vread', 'search-type'],
    search: {
      _id: { type: 'token', inUrl: true, documentation: 'The id of a chart' },
      identifier: { type: 'token', documentation: 'A number in full: system|value, or a value of any system' },
      name: {
        type: 'string',
        documentation:
          'Names or their beginnings, in any order; case, accents and one wrong letter a word do not matter',
      },
      family: { type: 'string', documentation: 'The beginning of a family name, without case and accents' },
      given: {
        type: 'string',
        documentation: 'The beginning of a given name, without case and accents; all that are named',
      },
      birthdate: { type: 'date', documentation: 'eq, ge, gt, le, lt, sa, eb; given twice: both hold' },
      phone: { type: 'token', documentation: 'A phone number, however it is written' },
    },
  },
  AllergyIntolerance: { interactions: ['read', 'search-type'], search: { patient: ofChart, code } },
  Condition: { interactions: ['read', 'search-type'], search: { patient: ofChart, subject: ofChart, code } },
  AuditEvent: {
    interactions: ['read', 'search-type'],
    search: {
      date: {
        type: 'date',
        inUrl: true,
        documentation: 'When it occurred: eq, ge, gt, le, lt, sa, eb; given twice: both hold',
      },
      agent: { type: 'reference', inUrl: true, documentation: 'The id of the user who did it' },
      patient: { type: 'reference', inUrl: true, documentation: 'Whose chart: an id, or `Patient/` and an id' },
      entity: { type: 'reference', inUrl: true, documentation: '`Patient/` and an id: whose chart' },
      action: { type: 'token', inUrl: true, documentation: 'C, R, U, D or E' },
      outcome: { type: 'token', inUrl: true, documentation: '0 success, 4 denied, 8 failure' },
      subtype: { type: 'token', inUrl: true, documentation: 'The type of event, as in `patients.patient.read`' },
    },
  },
} as const satisfies Record<string, FhirApi>
export type FhirType = keyof typeof fhirApi

/** An answer that is a resource. */
export const resourceAnswer = (resourceType: string): Schema<unknown> =>
  Joi.object({ resourceType: Joi.string().valid(resourceType).required() }).unknown()

const formatFields = { _format: Joi.string().max(100).description('json, which is all there is') }
export const formatQuery: Schema<{ _format?: string }> = Joi.object(formatFields)

/** In a path: what can't be the id of anything is there as little as what isn't. */
export const fhirId = (): Joi.StringSchema =>
  uuidField()
    .required()
    .error(() => notFound('resource'))
export const fhirIdParams: Schema<{ id: string }> = Joi.object({ id: fhirId() })

/** The id of a reference to a chart: alone, or behind its type, which is in small letters by then. */
export const patientReference = (): Joi.StringSchema => uuidField().replace(/^patient\//, '')

const formType = 'application/x-www-form-urlencoded'
const maxCount = 200

/** What was asked for, on which page. It is what a cursor holds, so that nothing of it has to stand in a link. */
export interface Search<Filter, Position> {
  filter: Filter
  limit: number
  after?: Position
}
type Asked<Filter> = Filter & { _count?: number; _cursor?: string; _format?: string }

/**
 * The search for a resource, by GET and by POST.
 * @param fields a schema for each of its parameters
 */
export function buildSearch<Filter extends object, Position, T extends FhirType = FhirType>(
  type: T,
  fields: Record<keyof (typeof fhirApi)[T]['search'], Joi.Schema>,
  cursors: Cursors,
) {
  const shared = {
    _count: Joi.number().integer().min(1).description(`Resources a page; 50 unless said, ${maxCount} at most`),
    _cursor: Joi.string().max(6000).description('Of a link to another page: it stands for the whole search'),
  }
  const params: Readonly<Record<string, SearchParam>> = fhirApi[type].search
  const described = Object.entries<Joi.Schema>(fields).map(([name, field]): [string, Joi.Schema] => [
    name,
    field.description(params[name]!.documentation),
  ])
  const inUrl = described.filter(([name]) => params[name]!.inUrl)
  const schemaOf = (own: readonly [string, Joi.Schema][]): Schema<Asked<Filter>> =>
    Joi.object({ ...shared, ...Object.fromEntries(own) })
  const list = `FHIR ${type}`
  const path = `${fhirBase}/${type}`
  const answer = {
    status: 200,
    description: 'A Bundle of them: a page',
    schema: resourceAnswer('Bundle'),
    type: fhirJson,
  } as const
  const notInUrl = `{{#label}} is no parameter of this search by GET: what says who somebody is or what they have never stands in a URL. POST ${path}/_search takes ${Object.keys(fields).join(', ')}`

  return {
    byGet: {
      method: 'get',
      root: true,
      path,
      query: schemaOf(inUrl).keys(formatFields).messages({ 'object.unknown': notInUrl }),
      body: nothing,
      answer,
    },
    byPost: {
      method: 'post',
      root: true,
      path: `${path}/_search`,
      query: formatQuery,
      body: schemaOf(described),
      bodyType: formType,
      answer,
    },
    /** @throws {AppError} 422 where there is more beside a cursor */
    read({ query, body }: Pick<Context<unknown, unknown, unknown>, 'query' | 'body'>): Search<Filter, Position> {
      const { _format, ...asked } = { ...(query as object), ...(body as object) } as Asked<Filter>
      const { _cursor, _count = 50, ...filter } = asked
      for (const [name, value] of Object.entries(filter))
        if ([value].flat().some((one) => typeof one === 'string' && one.includes(',')))
          throw invalid({ path: name, message: `${name} must be one value: alternatives are not known here` })
      if (_cursor === undefined) return { filter: filter as unknown as Filter, limit: Math.min(_count, maxCount) }
      if (Object.keys(asked).length > 1)
        throw invalid({ path: '_cursor', message: '_cursor stands for the whole search: nothing goes beside it' })
      return cursors.decode(list, _cursor)
    },
    /** @param next where the next page begins, if there may be one */
    bundle(
      { origin }: Pick<Context<unknown, unknown, unknown>, 'origin'>,
      search: Search<Filter, Position>,
      found: readonly FhirResource[],
      next: Position | undefined,
    ): Bundle {
      const urlOf = (page: Search<Filter, Position>): string =>
        `${origin}${path}?_cursor=${encodeURIComponent(cursors.encode(list, page))}`
      const entry = found.map((resource) => ({
        fullUrl: `${origin}${path}/${resource.id}`,
        resource,
        search: { mode: 'match' as const },
      }))
      return {
        resourceType: 'Bundle',
        type: 'searchset',
        link: [
          { relation: 'self', url: urlOf(search) },
          ...(next === undefined ? [] : [{ relation: 'next', url: urlOf({ ...search, after: next }) }]),
        ],
        ...(entry.length ? { entry } : {}),
      }
    },
  } as const
}

/** As many as a page has, and where the next one begins, of one more than that. */
export function firstPage<Row, Position>(
  found: readonly Row[],
  limit: number,
  positionOf: (row: Row) => Position,
): { rows: Row[]; next: Position | undefined } {
  const rows = found.slice(0, limit)
  return { rows, next: found.length > limit ? positionOf(rows.at(-1)!) : undefined }
}

/** Times from, and before. */
export interface Range {
  from?: string
  before?: string
}

const dateSearch =
  /^(eq|ge|gt|le|lt|sa|eb)?(\d{4})(?:-(\d\d)(?:-(\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?)?)?$/

/** Where years end that have four digits: of what comes then nothing is known anyway. */
const lastTime = Date.parse('9999-12-31T23:59:59.999Z')

/** @returns of a FHIR date with its prefix the times that it lets through, ISO 8601 in UTC; undefined where it is none */
function readDate(text: string): Range | undefined {
  const [, prefix = 'eq', year, month, day, time] = dateSearch.exec(text) ?? []
  if (year === undefined) return undefined
  const start = new Date(`${year}-${month ?? '01'}-${day ?? '01'}${time ?? 'T00:00:00Z'}`)
  // 30 February is no day, but JavaScript knows one
  if (Number.isNaN(start.getTime()) || (!time && start.getUTCDate() !== Number(day ?? 1))) return undefined
  if (start.getUTCFullYear() < 1800) return undefined
  const end = new Date(start)
  if (time) end.setTime(end.getTime() + (/:\d\d:\d\d\./.test(time) ? 1 : /:\d\d:\d\d/.test(time) ? 1000 : 60_000))
  else if (day) end.setUTCDate(end.getUTCDate() + 1)
  else if (month) end.setUTCMonth(end.getUTCMonth() + 1)
  else end.setUTCFullYear(end.getUTCFullYear() + 1)
  const [first, after] = [start, end].map((time) => new Date(Math.min(time.getTime(), lastTime)).toISOString())
  switch (prefix) {
    case 'ge':
      return { from: first }
    case 'gt':
    case 'sa':
      return { from: after }
    case 'le':
      return { before: after }
    case 'lt':
    case 'eb':
      return { before: first }
    default:
      return { from: first, before: after }
  }
}

/**
 * One date, or several that hold together; what it lets through is a Range.
 * @param times whether what is looked for has a time of the day
 */
export const dateRange = ({ times }: { times: boolean }): Joi.Schema =>
  Joi.alternatives(Joi.string(), Joi.array().items(Joi.string()).max(4))
    .custom((value: string | string[], helpers): Range | Joi.ErrorReport => {
      const ranges = [value].flat().map((text) => (times || !text.includes('T') ? readDate(text) : undefined))
      if (ranges.includes(undefined)) return helpers.error('date.search')
      const starts = ranges.flatMap((range) => range!.from ?? []).sort()
      const ends = ranges.flatMap((range) => range!.before ?? []).sort()
      return { ...(starts.length && { from: starts.at(-1) }), ...(ends.length && { before: ends[0] }) }
    })
    .messages({
      'date.search': times
        ? '{{#label}} must be a date or a time with a zone, as in ge2020, 1989-05-25 or lt2026-11-27T08:00:00Z'
        : '{{#label}} must be a date without a time, as in ge1980, 1989-05 or 1989-05-25',
    })
