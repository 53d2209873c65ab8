import type { IncomingMessage } from 'node:http'
import { AppError } from '@caregate/common/errors'

const refuse = (detail: string): never => {
  throw new AppError('bad_request', detail)
}

/** Headers that two parsers could read differently when they come twice. */
export const single = ['host', 'authorization', 'content-length', 'content-type', 'transfer-encoding', 'x-request-id']

/**
 * Refuses what a service could read differently than the gateway does. Nothing is repaired.
 * @throws {AppError} 400
 */
export function checkHygiene(req: IncomingMessage): void {
  const target = req.url ?? ''
  if (req.httpVersion !== '1.1' && req.httpVersion !== '1.0') refuse('The request must be one of HTTP/1.1.')
  if (target.length > 8192) throw new AppError('uri_too_long')
  const path = target.split('?', 1)[0]!
  if (!target.startsWith('/')) refuse('The request target must be a path.')
  if (!/^[\x21-\x7e]*$/.test(target)) refuse('The request target has characters in it that must be encoded.')
  if (/\/\/|[\\;]/.test(path)) refuse('The path has //, \\ or ; in it.')
  if (/%(2f|5c|2e|25|3b|[01][0-9a-f]|7f)/i.test(path))
    refuse('The path has an encoded slash, dot, percent or control character in it.')
  if (/%(?![0-9a-f]{2})/i.test(target)) refuse('The request target has a broken percent-encoding.')
  if (/(^|\/)\.{1,2}(\/|$)/.test(path)) refuse('The path has dot segments.')
  if (/#/.test(target)) refuse('The request target has a fragment.')
  const { headers, rawHeaders } = req
  // fewer names than headers: some came twice
  if (Object.keys(headers).length * 2 < rawHeaders.length) refuseDoubles(rawHeaders)
  if ('content-length' in headers && 'transfer-encoding' in headers)
    refuse('Content-Length and Transfer-Encoding exclude each other.')
}

function refuseDoubles(rawHeaders: readonly string[]): void {
  const seen = new Set<string>()
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const name = rawHeaders[n]!.toLowerCase()
    if (single.includes(name) && seen.has(name)) refuse(`The header ${name} is there twice.`)
    seen.add(name)
  }
}

/** `example.org` is itself, `*.example.org` every name below, `*` any. */
export function buildHostCheck(allowed: readonly string[]): (host: string | undefined) => void {
  const patterns = allowed.map((name) => name.toLowerCase())
  return (host) => {
    const name = /^(\[[0-9a-f:.]+\]|[\w-]+(?:\.[\w-]+)*)(:\d{1,5})?$/i.exec(host ?? '')?.[1]?.toLowerCase()
    const known =
      name &&
      patterns.some(
        (pattern) =>
          pattern === '*' || pattern === name || (pattern.startsWith('*.') && name.endsWith(pattern.slice(1))),
      )
    if (!known) refuse('The host is not one that is served here.')
  }
}
