import type { OperationOutcome, OperationOutcomeIssue } from 'fhir/r4.js'
import type { IncomingHttpHeaders } from 'node:http'
import { AppError, problems, type ProblemCode } from './errors.ts'

/** FHIR R4 (https://hl7.org/fhir/R4/), read and search: what the services that answer it have in common. */
export const fhirBase = '/fhir/R4'
export const fhirJson = 'application/fhir+json'
export const isFhir = (path: string): boolean => path === fhirBase || path.startsWith(`${fhirBase}/`)

/** Of the codes of problems, in an OperationOutcome. */
const problemSystem = 'urn:caregate:problem'

type Status = (typeof problems)[ProblemCode][0]
/** https://hl7.org/fhir/R4/valueset-issue-type.html */
const issueTypes: Record<Status, OperationOutcomeIssue['code']> = {
  400: 'invalid',
  401: 'login',
  403: 'forbidden',
  404: 'not-found',
  405: 'not-supported',
  406: 'not-supported',
  408: 'timeout',
  409: 'conflict',
  410: 'deleted',
  412: 'conflict',
  413: 'too-long',
  414: 'too-long',
  415: 'not-supported',
  422: 'invalid',
  428: 'required',
  429: 'throttled',
  431: 'too-long',
  500: 'exception',
  502: 'transient',
  503: 'transient',
  504: 'timeout',
}

/** A problem as FHIR says it: an issue, or one for each broken rule. */
export function buildOutcome({ code, status, message, extras }: AppError, requestId: string): OperationOutcome {
  const issueOf = (text: string, path?: string): OperationOutcomeIssue => ({
    severity: status < 500 ? 'error' : 'fatal',
    code: issueTypes[status as Status],
    details: { coding: [{ system: problemSystem, code, display: problems[code][1] }], text },
    diagnostics: `X-Request-Id: ${requestId}`,
    ...(path === undefined ? {} : { expression: [path] }),
  })
  const issue = extras.errors?.map((one) => issueOf(one.message, one.path))
  return { resourceType: 'OperationOutcome', issue: issue?.length ? issue : [issueOf(message)] }
}

const acceptable = [fhirJson, 'application/json', 'application/*', '*/*']
const formats = ['json', 'application/json', fhirJson]

/**
 * JSON is all there is, of R4. `_format` comes before `Accept`.
 * @param format a `+` of which may have come as a space, which is what it means in a URL
 * @throws {AppError} 406
 */
export function checkFormat({ accept = '*/*' }: IncomingHttpHeaders, format: unknown): void {
  const fits = (range: string): boolean => {
    const [type, ...parameters] = range.toLowerCase().split(/\s*;\s*/)
    return (
      acceptable.includes(type!.trim()) &&
      !parameters.some((one) => /^(q=0(\.0*)?|fhirversion="?(?!4\.0).*)$/.test(one))
    )
  }
  const isFine =
    format === undefined
      ? accept.split(',').some(fits)
      : typeof format === 'string' && formats.includes(format.replace('fhir json', 'fhir+json'))
  if (!isFine) throw new AppError('not_acceptable')
}

/** Without members that say nothing: FHIR has neither null nor empty lists, texts and objects. */
export function compact<T>(value: T): T {
  if (Array.isArray(value)) return value.map(compact).filter(says) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => {
      const rest: unknown = compact(member)
      return says(rest) ? [[name, rest]] : []
    }),
  ) as T
}
const says = (value: unknown): boolean =>
  value !== null && value !== undefined && value !== '' && (typeof value !== 'object' || Object.keys(value).length > 0)
