/** Every code that an answer may carry, with its status and title. The page that `type` resolves to is made of this. */
export const problems = {
  bad_request: [400, 'The request could not be read', 'The request line, a header or the body is malformed.'],
  unauthorized: [401, 'Sign in first', 'There is no access token, or it is expired, revoked or not valid.'],
  totp_required: [
    401,
    'A one-time code is needed',
    'The password is right, and the account has a second factor: send `totp`.',
  ],
  forbidden: [403, 'Not allowed', 'The roles of the signed-in user do not allow this.'],
  restricted: [403, 'The chart is restricted', 'Only its care team may open it, others by break-glass.'],
  password_change_required: [
    403,
    'Change the password first',
    'The token came from a one-time password and is good for POST /auth/password alone.',
  ],
  sign_in_again: [
    403,
    'Sign in again first',
    'This is open for fifteen minutes after a login: a token alone, which may be stolen, is not enough.',
  ],
  totp_enrolment_required: [
    403,
    'Enrol a second factor first',
    'A role of the account must have one: the token is good for POST /auth/totp and /auth/totp/confirm alone.',
  ],
  not_found: [404, 'Not found', 'There is no such resource.'],
  method_not_allowed: [
    405,
    'Method not allowed',
    'The path exists, but not with this method; `Allow` lists those it has.',
  ],
  not_acceptable: [
    406,
    'Not acceptable',
    'Answers are FHIR R4 as JSON, `application/fhir+json`: no other format or version can be had.',
  ],
  request_timeout: [408, 'The request took too long', 'Headers must have come within 10 seconds, all of it within 30.'],
  conflict: [409, 'Conflict', 'The request contradicts the state of the resource.'],
  already_exists: [
    409,
    'It exists already',
    '`Location` names the resource that has this key, to whom may know of it.',
  ],
  possible_duplicate: [
    409,
    'Possibly a duplicate',
    '`candidates` lists the charts that you may read and that are almost certainly the same person’s; `?force=true` creates it all the same.',
  ],
  gone: [
    410,
    'Gone',
    'A chart that was voided, and can be restored, or merged into the one that `Location` names; or an event whose retention has ended.',
  ],
  stale: [412, 'Changed in the meantime', '`If-Match` names another version than the current one: read it again.'],
  too_large: [413, 'Too large', 'The body is larger than this route takes.'],
  uri_too_long: [414, 'The path is too long', 'Path and query string may have 8192 characters at most.'],
  unsupported_media_type: [415, 'Unsupported media type', 'Send the body as application/json.'],
  validation_failed: [
    422,
    'Fields are not valid',
    '`errors` has an entry for each broken rule, with the path of the field.',
  ],
  precondition_required: [428, 'If-Match is required', 'Send the `ETag` that you read as `If-Match`.'],
  headers_too_large: [431, 'The headers are too large', 'All headers together may have 16 kB at most.'],
  rate_limited: [429, 'Too many requests', 'Wait as many seconds as `Retry-After` says.'],
  database_error: [
    500,
    'Database error',
    'The database refused the statement. The log has the details under the request id.',
  ],
  internal_error: [
    500,
    'Internal error',
    'Something unforeseen went wrong. The log has the details under the request id.',
  ],
  bad_gateway: [502, 'Bad gateway', 'The service broke the connection before it answered.'],
  audit_unavailable: [
    503,
    'The audit trail is unavailable',
    'The access could not be recorded, so it was not granted. Try again.',
  ],
  unavailable: [503, 'Unavailable', 'A part that the request needs is away for the moment. Try again.'],
  gateway_timeout: [504, 'Gateway timeout', 'The service did not answer in time.'],
} as const satisfies Record<string, readonly [status: number, title: string, meaning: string]>

export type ProblemCode = keyof typeof problems
export interface FieldError {
  /** Dotted path of the field, e.g. `addresses.0.city`. */
  path: string
  message: string
}
/** RFC 9457 problem details. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: ProblemCode
  requestId: string
  errors?: FieldError[]
  candidates?: Candidate[]
}

/** One of the charts for which a new one may be a duplicate. */
interface Candidate {
  id: string
  score: number
  grade: string
  reasons: object[]
}

/** `ended` is its session. */
export type TokenFlaw = 'missing' | 'invalid' | 'expired' | 'ended'

export interface ProblemExtras {
  errors?: FieldError[]
  candidates?: Candidate[]
  headers?: Record<string, string>
  /** Names of dangerous patterns found in the input; they go to the audit event, not to the client. */
  threats?: string[]
  /** The charts that the answer discloses, for the event. */
  patientIds?: string[]
  /** What was wrong with the access token, for the metrics. */
  token?: TokenFlaw
}

/** An answer other than success. `detail` goes to the client as it is. */
export class AppError extends Error {
  readonly code: ProblemCode
  readonly extras: ProblemExtras
  constructor(code: ProblemCode, detail: string = problems[code][2], extras: ProblemExtras = {}) {
    super(detail)
    this.name = 'AppError'
    this.code = code
    this.extras = extras
  }
  get status(): number {
    return problems[this.code][0]
  }
}

export const notFound = (thing: string): AppError => new AppError('not_found', `There is no such ${thing}.`)
export const invalid = (...errors: FieldError[]): AppError =>
  new AppError('validation_failed', `${errors.length} ${errors.length === 1 ? 'field is' : 'fields are'} not valid.`, {
    errors,
  })

export function buildProblem(error: AppError, requestId: string): Problem {
  const [status, title] = problems[error.code]
  const { errors, candidates } = error.extras
  return {
    type: `/docs/errors#${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    requestId,
    ...(errors ? { errors } : {}),
    ...(candidates ? { candidates } : {}),
  }
}

const connectionLost = /^(08|57P)|^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND)$/
/** Of SQLSTATE: class 53, insufficient resources, such as a disk; and 58030, which is said when reading or writing fails. */
const outOfResources = /^53|^58030$/
const connectionLostMessage =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable|already released|DataSource.*not.*(connected|initialized|established)/i

/** What the driver, or Node, calls it. */
function codeOf(error: unknown): string {
  const { code = '', driverError } = error as { code?: string; driverError?: { code?: string } }
  return driverError?.code ?? code
}

/** Turns whatever was thrown into the answer it deserves. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  const { name, message, status, type } = error as Error & { status?: number; type?: string }
  const code = codeOf(error)
  if (connectionLost.test(code) || connectionLostMessage.test(message)) {
    return new AppError('unavailable', 'The database is away for the moment. Try again.', {
      headers: { 'Retry-After': '1' },
    })
  }
  if (outOfResources.test(code)) {
    return new AppError('unavailable', 'The database can take nothing for the moment. Try again.', {
      headers: { 'Retry-After': '1' },
    })
  }
  if (['40P01', '40001', '55P03'].includes(code)) {
    return new AppError('unavailable', 'Others were changing the same. Try again.', { headers: { 'Retry-After': '1' } })
  }
  if (name === 'QueryFailedError' || /^[0-9A-Z]{5}$/.test(code)) return new AppError('database_error')
  if (status === 413) return new AppError('too_large')
  if (status === 415) return new AppError('unsupported_media_type')
  if (type === 'entity.parse.failed') return new AppError('bad_request', 'The body is not valid JSON.')
  if (status !== undefined && status >= 400 && status < 500) return new AppError('bad_request')
  return new AppError('internal_error')
}

/** What is away for a moment comes back by itself; about the rest somebody must do something. */
export const levelOf = (error: unknown): 'warning' | 'error' =>
  toAppError(error).status === 503 && !outOfResources.test(codeOf(error)) ? 'warning' : 'error'
