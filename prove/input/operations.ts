/** What can be asked, as the document says it. */
import type { OpenApi } from '@caregate/common/openapi'

export interface JsonSchema {
  $ref?: string
  type?: string | string[]
  format?: string
  pattern?: string
  enum?: unknown[]
  const?: unknown
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  minItems?: number
  uniqueItems?: boolean
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  anyOf?: JsonSchema[]
}
interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  schema: JsonSchema
}
export interface Operation {
  key: string
  method: string
  path: string
  /** Empty where anybody may. */
  roles: string[]
  parameters: Parameter[]
  bodies: [type: string, schema: JsonSchema][]
}

const aliases: Record<string, string> = {
  Patient: 'patients',
  AllergyIntolerance: 'allergies',
  Condition: 'conditions',
  AuditEvent: 'events',
  holds: 'patients',
}

/** What an id is of: of `/patients/{id}/allergies/{itemId}` the last is an allergy’s. */
export function kindOf(path: string): string {
  const parts = path.replace(/(\/_?history)?\/\{version\}.*$/, '').split('/')
  const kind = parts[parts.findLastIndex((part) => part.startsWith('{')) - 1] ?? ''
  return aliases[kind] ?? kind
}

export function operationsOf({ paths }: Pick<OpenApi, 'paths'>): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => {
      const { parameters, requestBody, ...rest } = described as unknown as {
        parameters: Parameter[]
        requestBody?: { content: Record<string, { schema: JsonSchema }> }
        'x-roles': string[]
      }
      const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]): [string, JsonSchema] => [
        type,
        schema,
      ])
      const key = `${method.toUpperCase()} ${path}`
      return { key, method: method.toUpperCase(), path, roles: rest['x-roles'], parameters, bodies }
    }),
  )
}
