import Joi from 'joi'
import { describe, expect, test } from '@jest/globals'
import type { AppError } from './errors.ts'
import {
  cleanText,
  dateField,
  exactly,
  findThreats,
  pageFields,
  pastDateField,
  printableField,
  textField,
  uuidField,
  validate,
} from './validate.ts'

test.each([
  "O'Conner",
  'José',
  'Ng',
  'a < b',
  'Smith & Sons',
  'Anne-Marie',
  'x > 3 && y < 5',
  'Dr. Nuñez (retired)',
  '50% <3',
  'javascript and data: text',
  'the trade union selected him; update of the table',
  "Sons' and daughters",
  'only = once, 1/2 ... and so on',
  'base form of the {object}',
])('%s stays as it is', (value) => {
  expect(cleanText(value)).toBe(value)
  expect(findThreats(value)).toEqual([])
})

test.each([
  ['a <b class="x">bold</b> word', 'a bold word'],
  ['<style>p { color: red }</style>red', 'red'],
  ['<script>alert(1)</script>x', 'x'],
  ['<!-- x --> y', 'y'],
])('markup is taken out of %s', (value, text) => expect(cleanText(value)).toBe(text))

test.each([
  ['script element', '<script>', '< / SCRIPT', '</script'],
  [
    'active element',
    '<iframe src=x',
    '< IFRAME>',
    '<svg',
    '<object>',
    '<embed>',
    '<math>',
    '<link>',
    '<meta>',
    '<base>',
  ],
  ['script URL', 'javascript:x', 'VBScript : x', 'data:text/html,x', 'DATA : text/html'],
  ['event handler', '<b onclick=x>', '<B title="x" ONCLICK = x'],
  [
    'SQL injection',
    'x union select y',
    'UNION  ALL  SELECT',
    '; drop table x',
    ';ALTER  role x',
    "' or 1=1",
    "' AND '1'='1",
  ],
  [
    'SQL injection',
    '; delete  from x',
    ';insert  into x',
    ';update  users  set y',
    ';exec x',
    ';  execute x',
    "'--",
    "' /*",
  ],
  ['SQL injection', 'pg_sleep(1)', 'benchmark (1)', 'XP_cmdshell', 'waitfor  delay x'],
  ['path traversal', '../x', 'a/../b', '..\\x', 'a\\..\\b', '%2e%2E/', '%2e%2e%2f'],
  ['template injection', ['$', '{x}'].join(''), 'a {{x y}} b', '<%= x %>'],
  ['null byte', 'a\0b', 'a%00'],
])('%s: found in %j', (name, ...values) => {
  for (const value of values) expect([value, findThreats(value)]).toEqual([value, [name]])
})

describe('what is not valid', () => {
  const schema = Joi.object({
    text: textField(10),
    code: exactly(textField(10)),
    name: printableField(10),
    id: uuidField(),
    day: dateField(),
    past: pastDateField(),
    list: Joi.array().items(Joi.number()),
    ...pageFields,
  })
  const problemOf = (value: unknown, convert = false) => {
    try {
      validate(schema as never, value, convert)
      return undefined
    } catch (error) {
      return (error as AppError).extras
    }
  }
  const id = '01a20dc4-cb42-76fd-b0bf-6c159d131954'

  test.each<[value: object, message: string]>([
    [{ text: '<script>' }, 'text contains a forbidden pattern: script element'],
    [{ text: 'a\uFFFDb' }, 'text has what is no character in it: send UTF-8'],
    [{ text: 'a\ud800' }, 'text has what is no character in it: send UTF-8'],
    [{ text: 'x'.repeat(11) }, 'text length must be less than or equal to 10 characters long'],
    [{ text: ' \u200b' }, 'text is not allowed to be empty'],
    [{ code: ' x' }, 'code must be plain text without spaces around and without control characters'],
    [{ name: 'a\nb' }, 'name must be printable characters'],
    [{ name: '\0ab' }, 'name must be printable characters'],
    [{ id: id.replaceAll('-', '') }, 'id must be a valid GUID'],
    [{ id: `{${id}}` }, 'id must be a valid GUID'],
    [{ day: '2026-02-30' }, 'day must be a day of the calendar'],
    [{ day: '2026-13-01' }, 'day must be a day of the calendar'],
    [{ day: '1849-12-31' }, 'day must not be before 1850-01-01'],
    [{ past: '9999-01-01' }, 'past must not be in the future'],
    [{ limit: 0 }, 'limit must be greater than or equal to 1'],
    [{ limit: 201 }, 'limit must be less than or equal to 200'],
    [{ list: [1, 'x'] }, 'list.1 must be a number'],
    [{ else: 1 }, 'else is not allowed'],
  ])('is told by field: %j', (value, message) => {
    expect(problemOf(value)?.errors).toEqual([{ path: message.split(' ')[0], message }])
  })

  test('is all told, a hundred at most, and a body that is none by name', () => {
    expect(problemOf({ text: 1, id: 1 })!.errors).toHaveLength(2)
    expect(problemOf({ day: '2026-2-1' })!.errors![0]!.message).toBe('day must be a date as YYYY-MM-DD')
    expect(problemOf({ list: Array(150).fill('x') })!.errors).toHaveLength(100)
    expect(problemOf(7)!.errors).toEqual([{ path: 'body', message: 'body must be of type object' }])
  })

  test('is told with the dangerous patterns that it has, each once', () => {
    expect(problemOf({ text: '<script>', code: '</script>', name: '', day: 'x' })!.threats).toEqual(['script element'])
    expect(problemOf({ text: '<svg', code: '../x' })!.threats).toEqual(['active element', 'path traversal'])
    // that only comes to light when the markup between is taken out
    expect(problemOf({ text: '.<b>./x' })!.threats).toEqual(['path traversal'])
    expect(problemOf({ day: 'x' })).not.toHaveProperty('threats')
  })

  test('has more than 5000 values', () => {
    // the root and the list are two
    expect(problemOf({ list: Array(4999).fill(1) })).toBeUndefined()
    expect(problemOf({ list: Array(5000).fill(1) })!.errors).toMatchObject([{ path: 'body' }])
  })

  test('is not what may be: it comes back as it is kept', () => {
    const given = {
      text: '  a\u00a0b ',
      code: 'x',
      name: 'José',
      id: id.toUpperCase(),
      day: '9999-12-31',
      past: '1850-01-01',
    }
    expect(validate(schema as never, given, true)).toEqual({ ...given, text: 'a b', id, limit: 50 })
    expect(validate(schema as never, { limit: '7' }, true)).toEqual({ limit: 7 })
    expect(problemOf({ limit: '7' })!.errors).toMatchObject([{ path: 'limit' }])
    // somewhere it is that day already
    const somewhere = new Date(Date.now() + 14 * 3_600_000).toISOString().slice(0, 10)
    expect(problemOf({ past: somewhere })).toBeUndefined()
  })
})
