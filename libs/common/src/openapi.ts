import type Joi from 'joi'
import { roles } from './auth.ts'
import { problems, type ProblemCode } from './errors.ts'
import { fhirJson, isFhir } from './fhir.ts'
import { templateOf, type Route } from './route.ts'
import { byService, factsOf } from './services.ts'

type Json = Record<string, unknown>
/** Operations have it besides their service's. */
const fhirTag = 'FHIR'
const tagDescriptions: Record<string, string> = {
  ...byService((service) => factsOf(service).about),
  gateway: 'The platform itself',
  [fhirTag]: 'The same charts and events as FHIR R4 resources',
}
export interface OpenApi {
  openapi: '3.1.0'
  info: { title: string; version: string; description: string; license: { name: string; identifier: string } }
  servers: { url: string; description: string }[]
  security: Json[]
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Json>>
  components: { securitySchemes: Json; schemas: Json; responses: Json }
}

type Direction = 'input' | 'output'
type JsonSchema = Json & { properties?: Record<string, Json>; required?: string[] }

/** JSON Schema 2020-12 of what a joi schema takes, or of what it makes of that: then what has a default is always there. */
function jsonSchema(schema: Joi.Schema, direction: Direction = 'input'): JsonSchema {
  const { '~standard': standard } = schema as unknown as {
    '~standard': { jsonSchema: Record<Direction, (options: { target: string }) => Json> }
  }
  return withNull(standard.jsonSchema[direction]({ target: 'draft-2020-12' })) as JsonSchema
}

function mapMembers(value: unknown, map: (member: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(map)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, map(member)]))
}

/** joi leaves null out of the `enum` of what may be null. */
function withNull(value: unknown): unknown {
  const schema = mapMembers(value, withNull)
  if (Array.isArray(schema) || typeof schema !== 'object' || schema === null) return schema
  const { type, enum: values } = schema as Json
  const lacksNull = Array.isArray(type) && type.includes('null') && Array.isArray(values) && !values.includes(null)
  return lacksNull ? { ...schema, enum: [...(values as unknown[]), null] } : schema
}

function parameters(schema: Joi.Schema, where: 'path' | 'query'): Json[] {
  const { properties = {}, required = [] } = jsonSchema(schema)
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(description ? { description } : {}),
    schema: rest,
  }))
}

/** Of a route that changes what somebody has read, or that need not send again what they have. */
function conditions({ errors, answer: { others = {} } }: Route): Json[] {
  const header = (name: string, required: boolean, description: string): Json => ({
    name,
    in: 'header',
    required,
    description,
    schema: { type: 'string' },
  })
  return [
    ...(errors.includes('precondition_required') ? [header('If-Match', true, 'The `ETag` that was read')] : []),
    ...(304 in others ? [header('If-None-Match', false, 'What is there already, by its `ETag`')] : []),
  ]
}

/** The errors that a route can answer because of what it is, besides those that it names itself. */
function codesOf(definition: Route): ProblemCode[] {
  const codes = new Set<ProblemCode>([
    ...definition.errors,
    'bad_request',
    'request_timeout',
    'uri_too_long',
    'headers_too_large',
    'rate_limited',
    'internal_error',
    'database_error',
  ])
  for (const code of [
    'unavailable',
    'audit_unavailable',
    'bad_gateway',
    'gateway_timeout',
    'validation_failed',
  ] as const)
    codes.add(code)
  if (definition.policy !== 'public') codes.add('unauthorized')
  if (definition.policy !== 'public' && definition.scope !== 'password') codes.add('password_change_required')
  if (definition.policy !== 'public' && definition.scope !== 'totp') codes.add('totp_enrolment_required')
  if (Array.isArray(definition.policy)) codes.add('forbidden')
  if (isFhir(definition.path)) codes.add('not_acceptable')
  if (definition.method !== 'get') codes.add('too_large').add('unsupported_media_type')
  return [...codes]
}

const errorContent = (path: string): Json =>
  isFhir(path)
    ? { [fhirJson]: { schema: { $ref: '#/components/schemas/OperationOutcome' } } }
    : { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }

/** Refusals are alike in many operations: each stands in the document once, called by its status and its codes. */
function buildRefusals() {
  const named: Record<string, Json> = {}
  return {
    named,
    refer(status: number, codes: readonly ProblemCode[], path: string): string {
      const name = [...(isFhir(path) ? ['fhir'] : []), status, ...codes].join('.')
      named[name] ??= {
        description: codes.map((code) => `\`${code}\`: ${problems[code][2]}`).join('\n\n'),
        content: errorContent(path),
      }
      return `#/components/responses/${name}`
    },
  }
}
type Refusals = ReturnType<typeof buildRefusals>

function responses(definition: Route, refusals: Refusals): Json {
  const { status, description, schema, type, headers = {}, others = {} } = definition.answer
  const answer: Json = { description }
  const content = schema ? jsonSchema(schema, 'output') : { type: 'string' }
  const types = [type ?? (schema ? 'application/json' : [])].flat()
  if (types.length) answer.content = Object.fromEntries(types.map((name) => [name, { schema: content }]))
  answer.headers = Object.fromEntries(
    Object.entries({ 'X-Request-Id': 'Id of the request, in every log line and event', ...headers }).map(
      ([name, text]) => [name, { description: text, schema: { type: 'string' } }],
    ),
  )
  const errors = Map.groupBy(codesOf(definition), (code) => problems[code][0])
  const entries: [number, Json][] = [
    [status, answer],
    ...Object.entries(others).map(([code, text]): [number, Json] => [
      Number(code),
      // done already, it is answered like what is done now
      { description: text, ...(Number(code) < 300 && answer.content ? { content: answer.content } : {}) },
    ]),
    ...[...errors].map(([code, names]): [number, Json] => [
      code,
      { $ref: refusals.refer(code, names, definition.path) },
    ]),
  ]
  return Object.fromEntries(entries)
}

function operation(definition: Route, tag: string, refusals: Refusals): Json {
  const { method, path, policy, access, summary, body, uploads } = definition
  const who =
    policy === 'public' ? 'Anyone.' : policy === 'signed-in' ? 'Whoever is signed in.' : `Roles: ${policy.join(', ')}.`
  const words = path.split(/[/{}.-]+/).filter(Boolean)
  const hasBody = Object.keys((body.describe().keys ?? {}) as object).length > 0
  return {
    operationId: [method, ...words].map((word, n) => (n ? word[0]!.toUpperCase() + word.slice(1) : word)).join(''),
    summary,
    description: who,
    tags: [tag, ...(isFhir(path) ? [fhirTag] : [])],
    ...(policy === 'public' ? { security: [] } : {}),
    'x-roles': policy === 'public' ? [] : policy === 'signed-in' ? roles : policy,
    ...(access ? { 'x-access': access } : {}),
    parameters: [
      ...parameters(definition.params, 'path'),
      ...parameters(definition.query, 'query'),
      ...conditions(definition),
    ],
    ...(hasBody
      ? {
          requestBody: {
            required: true,
            content: { [definition.bodyType ?? 'application/json']: { schema: jsonSchema(body) } },
          },
        }
      : {}),
    ...(uploads
      ? {
          requestBody: {
            required: true,
            content: Object.fromEntries(uploads.map((type) => [type, { schema: { type: 'string' } }])),
          },
        }
      : {}),
    responses: responses(definition, refusals),
  }
}

const problemSchema: Json = {
  type: 'object',
  description: 'RFC 9457 problem details',
  properties: {
    type: { type: 'string', description: 'Resolves to the page that lists every code' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(problems) },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { path: { type: 'string' }, message: { type: 'string' } },
        required: ['path', 'message'],
      },
    },
    candidates: {
      type: 'array',
      description: 'Of `possible_duplicate`: the charts that look the same, as POST /patients/match shows them',
      items: {
        type: 'object',
        properties: {
          id: { type: 'string' },
          score: { type: 'number' },
          grade: { type: 'string' },
          reasons: { type: 'array', items: { type: 'object' } },
        },
        required: ['id', 'score', 'grade', 'reasons'],
      },
    },
  },
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
}

const outcomeSchema: Json = {
  type: 'object',
  description: 'FHIR R4 OperationOutcome: an issue, or one for each broken rule',
  properties: {
    resourceType: { const: 'OperationOutcome' },
    issue: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        properties: {
          severity: { type: 'string', enum: ['fatal', 'error'] },
          code: { type: 'string', description: 'FHIR’s, of the value set issue-type' },
          details: { type: 'object', description: '`coding` has the code, as a problem would' },
          diagnostics: { type: 'string', description: 'The id of the request' },
          expression: { type: 'array', items: { type: 'string' }, description: 'The field' },
        },
        required: ['severity', 'code'],
      },
    },
  },
  required: ['resourceType', 'issue'],
}

/** What a service says of itself: made from the very schemas that validate. */
export interface Description {
  tag: string
  paths: OpenApi['paths']
  schemas: Record<string, Json>
  /** Refusals. */
  responses: Record<string, Json>
}

/** Schemas by the names that clients know them by: each stands in the document once, wherever it is used. */
export type Vocabulary = Record<string, Joi.Schema>

/**
 * References to named schemas in the place of those schemas. What is sent has a name of its own, `New…`, where it isn't as
 * it is answered.
 */
function buildReferences(vocabulary: Vocabulary) {
  const schemas: Record<string, Json> = {}
  const names = new Map<string, string>()
  for (const [name, schema] of Object.entries(vocabulary)) {
    names.set(JSON.stringify(jsonSchema(schema, 'input')), /^New/.test(name) ? name : `New${name}`)
    names.set(JSON.stringify(jsonSchema(schema, 'output')), name)
  }
  function refer(value: unknown): unknown {
    const name = names.get(JSON.stringify(value))
    if (!name) return mapMembers(value, refer)
    schemas[name] ??= mapMembers(value, refer) as Json
    return { $ref: `#/components/schemas/${name}` }
  }
  return { schemas, refer }
}

export function describeRoutes(tag: string, routes: readonly Route[], vocabulary: Vocabulary = {}): Description {
  const { schemas, refer } = buildReferences(vocabulary)
  const refusals = buildRefusals()
  const paths: OpenApi['paths'] = {}
  for (const definition of routes.filter(({ internal }) => !internal)) {
    const path = templateOf(definition)
    ;(paths[path] ??= {})[definition.method] = operation(definition, tag, refusals)
  }
  return { tag, paths: refer(paths) as typeof paths, schemas, responses: refusals.named }
}

/** One document of what the services say of themselves. */
export function buildOpenApi(version: string, descriptions: readonly Description[]): OpenApi {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Caregate',
      version,
      description: 'No record is opened, changed or refused without a trace.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This gateway' }],
    security: [{ bearer: [] }],
    tags: [...descriptions.map(({ tag }) => tag), fhirTag].map((name) => ({
      name,
      description: tagDescriptions[name] ?? name,
    })),
    paths: Object.assign({}, ...descriptions.map(({ paths }) => paths)) as OpenApi['paths'],
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'The `accessToken` of POST /auth/login',
        },
      },
      schemas: Object.assign(
        { Problem: problemSchema, OperationOutcome: outcomeSchema },
        ...descriptions.map(({ schemas }) => schemas),
      ) as Json,
      responses: Object.assign({}, ...descriptions.map(({ responses }) => responses)) as Json,
    },
  }
}
