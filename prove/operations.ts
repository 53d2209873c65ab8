/** What can be asked, as the document says it; schemas that it names stand where they are used. */
import type { OpenApi } from '@caregate/common/openapi'

export interface JsonSchema {
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
  /** The service's. */
  tag: string
  /** Empty where anybody may. */
  roles: string[]
  parameters: Parameter[]
  bodies: [type: string, schema: JsonSchema][]
}

export function operationsOf({ paths, components }: Pick<OpenApi, 'paths' | 'components'>): Operation[] {
  const whole = <T>(part: T): T =>
    JSON.parse(JSON.stringify(part), (_name, value: { $ref?: string } | null) =>
      value?.$ref ? whole(components.schemas[value.$ref.split('/').at(-1)!]) : value,
    ) as T
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]): Operation => {
      const { tags, parameters, requestBody, ...rest } = described as unknown as {
        tags: string[]
        parameters: Parameter[]
        requestBody?: { content: Record<string, { schema: JsonSchema }> }
        'x-roles': string[]
      }
      const bodies = Object.entries(whole(requestBody?.content ?? {}))
      return {
        key: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        tag: tags[0]!,
        roles: rest['x-roles'],
        parameters: whole(parameters),
        bodies: bodies.map(([type, { schema }]) => [type, schema]),
      }
    }),
  )
}
