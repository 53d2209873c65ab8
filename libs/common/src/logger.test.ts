import { beforeEach, expect, test } from '@jest/globals'
import { buildLogger, type Logger, type LogLevel } from './logger.ts'
import { requestContext } from './request-context.ts'

let lines: string[]
beforeEach(() => void (lines = []))

/** The logger of a process, but that its lines can be read here. */
function openLog(...args: [service: string, level: LogLevel, style: 'text' | 'json']): Logger {
  return buildLogger(...args, (line) => void lines.push(line))
}

test('on a terminal a line is time, service, level and message', () => {
  openLog('patients', 'INFO', 'text').warning('the broker is away')
  expect(lines).toEqual([
    expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - patients - WARNING - the broker is away$/),
  ])
})

test('as JSON it has ECS names, and the id of the request that it belongs to', () => {
  const log = openLog('auth', 'INFO', 'json')
  log.debug('below the level')
  requestContext.run({ line: { 'http.request.id': 'r-1' } }, () => log.info('signed in', { 'user.id': 'u-1' }))
  expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
    {
      '@timestamp': expect.stringMatching(/Z$/),
      'log.level': 'info',
      'service.name': 'auth',
      message: 'signed in',
      'ecs.version': expect.any(String),
      'http.request.id': 'r-1',
      'user.id': 'u-1',
    },
  ])
})

test('of a database error the code is logged, never the values that its message quotes', () => {
  const driverError = Object.assign(new Error('Key (email)=(jose@example.org) already exists'), {
    code: '23505',
    constraint: 'users_email',
  })
  openLog('auth', 'INFO', 'json').error('request failed', {
    error: Object.assign(new Error(driverError.message), { driverError }),
  })
  expect(lines[0]).not.toContain('jose@example.org')
  expect(JSON.parse(lines[0]!)).toMatchObject({ 'error.message': 'database error 23505 users_email' })
})
