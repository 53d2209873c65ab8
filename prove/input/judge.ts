/** Whether an answer is one that the document names. */
import type { OpenApi } from '@caregate/common/openapi'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { Operation } from '../operations.ts'
import type { Answer } from './send.ts'

interface Described {
  $ref?: string
  content?: Record<string, { schema: unknown }>
}
const pointer = (parts: string[]) =>
  parts.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')
const essence = (type: string) => type.split(';')[0]!.trim()

export function buildJudge(document: OpenApi) {
  const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true })
  formats.default(ajv)
  ajv.addFormat('base64', true)
  ajv.addSchema(document, 'api')

  function isBy(parts: string[], text: string): string | undefined {
    const validate = ajv.getSchema(`api#${pointer(parts)}`)!
    let body: unknown
    try {
      body = JSON.parse(text)
    } catch {
      return 'the body is no JSON'
    }
    if (!validate(body)) return `the body is not by its schema: ${ajv.errorsText(validate.errors)}`
  }

  /** @returns what is wrong with the answer of an operation */
  function wrongOf({ path, method }: Operation, answer: Answer): string | undefined {
    const { status, type, text, whole } = answer
    const own = ['paths', path, method.toLowerCase(), 'responses', String(status)]
    const responses = document.paths[path]![method.toLowerCase()]!.responses as Record<string, Described>
    const named = responses[status]
    if (!named) return `${status} is not named by the document`
    const at = named.$ref ? named.$ref.split('/').slice(1) : own
    const { content } = named.$ref ? (document.components.responses[at.at(-1)!] as Described) : named
    if (!content) return text ? 'a body where the document has none' : undefined
    const media = Object.keys(content).find((one) => essence(one) === essence(type))
    if (!media) return `${type || 'no content type'} is not named by the document`
    if (whole && /json$/.test(essence(type)) && !type.includes('ndjson'))
      return isBy([...at, 'content', media, 'schema'], text)
  }

  return {
    /** @param operation undefined where the request is none that the document knows */
    judge(operation: Operation | undefined, method: string, target: string, answer: Answer): string | undefined {
      const { status, type, text } = answer
      if (!status) return text
      if (status >= 500) return `a ${status}`
      if (operation) return wrongOf(operation, answer)
      if (status < 400 || method === 'HEAD') return
      const isFhir = essence(type) === 'application/fhir+json' && target.startsWith('/fhir')
      if (!isFhir && essence(type) !== 'application/problem+json') return `a refusal as ${type || 'nothing'}`
      return isBy(['components', 'schemas', isFhir ? 'OperationOutcome' : 'Problem'], text)
    },
  }
}
