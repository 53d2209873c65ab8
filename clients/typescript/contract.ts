import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { compareOpenApi } from 'api-smart-diff'
import openapiTS, { astToString } from 'openapi-typescript'

const folder = import.meta.dirname
export interface Document {
  paths: Record<string, Record<string, { responses: Record<string, { $ref: string }> }>>
}
/** The document that clients are written against, and its types. */
export const files = { document: join(folder, 'openapi.json'), types: join(folder, 'src/api.ts') }

export const readDocument = async (): Promise<Document> =>
  JSON.parse(await readFile(files.document, 'utf8')) as Document

/** Refusals of an operation are alike but for their meaning, which the documentation has: here they are one. */
function withOneRefusal(document: Document): Document {
  const paths = structuredClone(document.paths)
  for (const operation of Object.values(paths).flatMap((operations) => Object.values(operations)))
    for (const [status, answer] of Object.entries(operation.responses)) {
      if (Number(status) < 400) continue
      delete operation.responses[status]
      operation.responses.default ??= answer
    }
  return { ...document, paths }
}

export async function typesOf(document: Document): Promise<string> {
  // what has a default needn't be sent
  const options = { alphabetize: true, defaultNonNullable: false }
  const nodes = await openapiTS(JSON.stringify(withOneRefusal(document)), options)
  return `// Made by \`npm run client\` from openapi.json.\n${astToString(nodes)}`
}

/** @returns a line for each change that a client written against the document before would notice */
export function breaks(before: Document, after: Document): string[] {
  // it changes what it is given
  const { diffs } = compareOpenApi(structuredClone(before), structuredClone(after))
  const found = diffs.filter(({ type, action, path }) => {
    // bodies are closed: a member that is no longer known is refused
    const isRefusedNow = action === 'remove' && path.includes('requestBody') && path.at(-2) === 'properties'
    return type === 'breaking' || isRefusedNow
  })
  return [...new Set(found.map(({ action, path }) => `${action} ${path.join(' ')}`))]
}

/** @returns a line for each rule of Redocly's strictest set that the document breaks */
export async function lint(document: Document): Promise<string[]> {
  const config = await createConfig({
    extends: ['recommended-strict'],
    // an id is a UUID, so it is never the word that stands in its place
    rules: { 'no-ambiguous-paths': 'off' },
  })
  const problems = await lintFromString({ source: JSON.stringify(document), config })
  return problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} (${location[0]?.pointer ?? ''})`)
}
