import Joi from 'joi'
import { FilterXSS } from 'xss'
import { AppError, invalid } from './errors.ts'

/** A schema of an object; `T` is what it lets through. */
export type Schema<T> = Joi.ObjectSchema<T>

const textOnly = new FilterXSS({
  whiteList: {},
  stripIgnoreTag: true,
  stripIgnoreTagBody: ['script', 'style'],
  escapeHtml: (html) => html,
})

// C0 and C1 controls without tab and line feed, what is invisible wherever it stands, bidirectional controls, tags, no characters
const hidden =
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u115F\u1160\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\u2800\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\uFFFE\uFFFF\u{E0000}-\u{E007F}]|[\u17B4-\u17B5]/gu
const joiners = /\p{Join_C}/gu
/** Persian, Indic scripts and emoji need joiners; beside ASCII, in rows and at the ends they only hide. */
const idleJoiners = /(?<![^\0-\x7F\p{Join_C}])\p{Join_C}|\p{Join_C}(?!\p{Join_C}*[^\0-\x7F\p{Join_C}])/gu
const spaces = /[\p{Zs}\u2028\u2029]/gu
/** As many marks on a letter as a stream-safe text has (UAX #15, D4). */
const tooManyMarks = /\p{M}{31}/u
const tag = /<\/?[a-z!?][^>]*>?/i

/**
 * Text as it may be kept: Unicode NFC, without markup, control and invisible characters, spaces being U+0020, none around.
 * Text that merely has angle brackets, ampersands or apostrophes in it (`a < b`, `Smith & Sons`, `O'Conner`) stays as it is.
 */
export function cleanText(value: string): string {
  const plain = visible(value).replace(idleJoiners, '')
  return (tag.test(plain) ? textOnly.process(plain) : plain).trim()
}

const visible = (value: string): string =>
  value.toWellFormed().normalize('NFC').replace(hidden, '').replace(spaces, ' ')

/** What no honest value contains. Each is refused by its name rather than repaired. */
const threats: readonly [name: string, pattern: RegExp][] = [
  ['script element', /<\s*\/?\s*script\b/i],
  ['active element', /<\s*(iframe|object|embed|svg|math|link|meta|base|form)\b/i],
  ['script URL', /\b(javascript|vbscript)\s*:|data\s*:\s*text\/html/i],
  ['event handler', /<[^>]{0,200}\bon[a-z]{3,20}\s*=/i],
  [
    'SQL injection',
    /\bunion\s+(all\s+)?select\b|;\s*((drop|alter|truncate)\s+(table|database|schema|role|user)|delete\s+from|insert\s+into|update\s+\w+\s+set|exec(ute)?\s)|'\s*(or|and)\s+['"\d(][^=]{0,100}=|'\s*(--|\/\*)|\b(pg_sleep|benchmark)\s*\(|\bxp_cmdshell\b|\bwaitfor\s+delay\b/i,
  ],
  ['path traversal', /(^|[\\/])\.\.[\\/]|%2e%2e[%\\/]/i],
  ['template injection', /\$\{[^}]*\}|\{\{[^}]*\}\}|<%[^>]*%>/],
  ['null byte', /\u0000|%00/],
]

/** Names of the dangerous patterns in a text; usually none. */
export function findThreats(value: string): string[] {
  return threats.filter(([, pattern]) => pattern.test(value)).map(([name]) => name)
}

const inspect = (value: string, helpers: Joi.CustomHelpers, max: number): string | Joi.ErrorReport => {
  // refused already, and patterns take their time with it
  if (value.length > max) return value
  // a decoder puts U+FFFD where bytes were no UTF-8: what was meant is lost
  if (!value.isWellFormed() || value.includes('\uFFFD')) return helpers.error('text.unicode')
  const clean = cleanText(value)
  if (tooManyMarks.test(clean)) return helpers.error('text.marks')
  if (clean.length > max) return helpers.error('string.max', { limit: max })
  // also what only comes to light when something between is taken out
  const [threat] = [value, visible(value).replace(joiners, ''), clean].flatMap(findThreats)
  if (threat) return helpers.error('text.threat', { threat })
  if (!/[^\s\p{M}]/u.test(clean) && helpers.schema.$_getFlag('only') !== true) return helpers.error('string.empty')
  return clean
}

/** A text of up to `max` characters: dangerous patterns are refused, markup and control characters are taken out. */
export const textField = (max: number): Joi.StringSchema =>
  Joi.string()
    .max(max)
    .custom((value: string, helpers) => inspect(value, helpers, max))
    .messages({
      'text.threat': '{{#label}} contains a forbidden pattern: {{#threat}}',
      'text.unicode': '{{#label}} has what is no character in it: send UTF-8',
      'text.marks': '{{#label}} must not have more than 30 combining marks in a row',
    })

/** What must arrive as it will be kept: nothing is taken out of a code. */
export const exactly = (text: Joi.StringSchema): Joi.StringSchema =>
  text
    .custom((value: string, helpers) => (value === helpers.original ? value : helpers.error('text.altered')))
    .messages({ 'text.altered': '{{#label}} must be plain text without spaces around and without control characters' })

/** A text that is only compared: whatever no database takes is refused. */
export const printableField = (max: number): Joi.StringSchema =>
  Joi.string()
    .max(max)
    .pattern(/^\P{C}+$/u, 'printable characters')

export const uuidField = (): Joi.StringSchema => Joi.string().guid({ separator: '-', wrapper: false }).lowercase()

const calendarDate: Joi.CustomValidator<string> = (value, helpers) => {
  const date = new Date(`${value}T00:00:00Z`)
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== value) return helpers.error('date.calendar')
  return value < '1850-01-01' ? helpers.error('date.early') : value
}
const hasCome: Joi.CustomValidator<string> = (value, helpers) =>
  // somewhere it is already tomorrow
  Date.parse(value) > Date.now() + 14 * 3_600_000 ? helpers.error('date.future') : value

/** A day, `YYYY-MM-DD`. */
export const dateField = (): Joi.StringSchema =>
  Joi.string()
    .pattern(/^\d{4}-\d{2}-\d{2}$/, 'YYYY-MM-DD')
    .custom(calendarDate)
    .messages({
      'string.pattern.name': '{{#label}} must be a date as YYYY-MM-DD',
      'date.calendar': '{{#label}} must be a day of the calendar',
      'date.early': '{{#label}} must not be before 1850-01-01',
    })

/** A day that has come, `YYYY-MM-DD`. */
export const pastDateField = (): Joi.StringSchema =>
  dateField().custom(hasCome).messages({ 'date.future': '{{#label}} must not be in the future' })

export interface Page {
  limit: number
  cursor?: string
}
/** The query members of every list. */
export const pageFields = {
  limit: Joi.number().integer().min(1).max(200).default(50).description('Items a page'),
  cursor: Joi.string().max(4000).description('`nextCursor` of the page before'),
}

export const pageAnswer = (item: Joi.Schema): Schema<unknown> =>
  Joi.object({ items: Joi.array().items(item).required(), nextCursor: Joi.string().allow(null).required() })
/** Of a path with one id in it. */
export const idParams: Schema<{ id: string }> = Joi.object({ id: uuidField().required() })

/** The schema of a part that must be absent or empty. */
export const nothing: Schema<Record<never, never>> = Joi.object({})

/** A body of thousands of wrong items is told so of the first. */
const maxErrors = 100

/** More than any honest body has. */
const maxValues = 5000

/**
 * Before joi looks at it: joi goes through all of an array that is too long, and passes over `__proto__`.
 * @throws {AppError} 422
 */
function checkShape(root: unknown): void {
  const rest = [root]
  for (let seen = 0; rest.length; seen++) {
    if (seen > maxValues) throw invalid({ path: 'body', message: `body must not have more than ${maxValues} values` })
    const value = rest.pop()
    if (typeof value !== 'object' || value === null) continue
    if (Object.hasOwn(value, '__proto__')) throw invalid({ path: '__proto__', message: '__proto__ is not allowed' })
    for (const member of Object.values(value)) rest.push(member)
  }
}

/** Names of a client's own making may be as long as a body. */
const maxPath = 200
/** joi's own say the value, however long and whosever it is. */
const messages = {
  'string.pattern.name': '{{#label}} must be {{#name}}',
  'string.pattern.base': '{{#label}} is not of the form that it must have',
}

const settled = new WeakMap<Schema<unknown>, Joi.Schema>()

/** With all that is the same of every value: joi would put the messages together each time. */
function settle(schema: Schema<unknown>): Joi.Schema {
  const known = settled.get(schema)
  if (known) return known
  const made = schema.prefs({ abortEarly: false, messages, errors: { wrap: { label: false } } })
  settled.set(schema, made)
  return made
}

/**
 * @param convert whether text stands for other types, as in a URL
 * @returns what the schema lets through
 * @throws {AppError} 422 with an entry for each broken rule
 */
export function validate<T>(schema: Schema<T>, value: unknown, convert: boolean): T {
  checkShape(value)
  const result = settle(schema).validate(value, { convert }) as Joi.ValidationResult<T>
  if (!result.error) return result.value
  // a field may say for itself what comes of its being wrong
  if (result.error instanceof AppError) throw result.error
  const details = result.error.details.slice(0, maxErrors)
  const problem = invalid(
    ...details.flatMap(({ path, message, context }) => {
      // a rule over several fields throws what it found
      if (context?.error instanceof AppError) return context.error.extras.errors ?? []
      const name = path.join('.').slice(0, maxPath) || 'body'
      return { path: name, message: message.replace(String(context?.label), () => name) }
    }),
  )
  const found = details.flatMap(({ type, context }) => (type === 'text.threat' ? [String(context?.threat)] : []))
  if (found.length) problem.extras.threats = [...new Set(found)]
  throw problem
}
