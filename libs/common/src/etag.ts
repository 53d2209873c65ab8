import type { IncomingHttpHeaders } from 'node:http'
import { AppError } from './errors.ts'

/** What of a version is told to clients. */
export const etagOf = ({ version }: { version: number }): string => `"${version}"`

/** An answer that carries the version of what it shows. */
export const withEtag = <T extends { version: number }>(body: T, headers: Record<string, string> = {}) => ({
  body,
  headers: { ETag: etagOf(body), ...headers },
})

/** Whether `If-None-Match` names that version: then nothing has to be sent. */
export function isKnown(row: { version: number }, headers: IncomingHttpHeaders): boolean {
  const known = headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return known?.includes(etagOf(row)) ?? false
}

/** How OpenAPI describes it. */
export const etagHeader = { ETag: 'The version, for If-Match' }

/**
 * The version that `If-Match` names; 0, which nothing has, when that is none of ours. `*` would overwrite what the client
 * has not seen.
 * @throws {AppError} 428
 */
export function expectedVersion(headers: IncomingHttpHeaders): number {
  const version = /^"(\d{1,9})"$/.exec(headers['if-match']?.trim() ?? '')?.[1]
  if (headers['if-match'] === undefined || headers['if-match'].trim() === '*')
    throw new AppError('precondition_required')
  return version === undefined ? 0 : Number(version)
}
