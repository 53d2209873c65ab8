import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import Joi from 'joi'
import { spec } from '../../../services/patients/src/database.ts'
import { buildApp } from './app.ts'
import { route, type Context, type Route } from './route.ts'
import { openTestService, testToken, type TestDeps } from './testing/service.ts'
import { nothing, textField } from './validate.ts'

const nurse = testToken(['nurse'])
let service: Awaited<ReturnType<typeof openTestService>>
let handle: (context: Context<object, object, object>) => Promise<object> = async () => ({})

const thing: Route = route({
  method: 'post',
  path: '/things',
  summary: 'Make a thing',
  policy: ['nurse'],
  event: { type: 'patients.patient.created', action: 'C' },
  params: nothing,
  query: nothing,
  body: Joi.object({ name: textField(20).required() }),
  answer: { status: 201, description: 'The thing' },
  errors: [],
  handle: (context) => handle(context),
})
const build = (deps: TestDeps, ...routes: Route[]) =>
  buildApp({ ...deps, service: 'patients', refused: 'patients.request.refused', routes, ready: async () => {} })

beforeAll(async () => {
  service = await openTestService(spec, (deps) => build(deps, thing))
})
beforeEach(() => service.events())
afterAll(() => service.close())
const post = (body: unknown, headers = {}) => service.call('POST', '/api/v1/things', { token: nurse, body, headers })

test.each(['policy', 'params', 'query', 'body', 'answer', 'event'] as const)(
  'a route without %s can not start',
  (part) => {
    const { [part]: _left, ...rest } = thing
    expect(() => build({} as TestDeps, rest as Route)).toThrow(`POST /things has no ${part}`)
  },
)

test('a change that its handler does not record is not answered', async () => {
  handle = async () => ({ body: { name: 'unrecorded' } })
  const answer = await post({ name: 'x' })
  expect(answer.status).toBe(500)
  expect(answer.body).not.toHaveProperty('name')
  expect(await service.events()).toMatchObject([{ outcome: 'failure', code: 'internal_error' }])
})

test('nothing internal is in an answer, and the request is found by its id', async () => {
  handle = async () => {
    throw new Error('the password is hunter2')
  }
  const answer = await post({ name: 'x' }, { 'x-request-id': 'a-client-chose-this' })
  expect(answer.body).toEqual({
    type: '/docs/errors#internal_error',
    title: 'Internal error',
    status: 500,
    detail: expect.not.stringContaining('hunter2'),
    code: 'internal_error',
    requestId: 'a-client-chose-this',
  })
  expect(answer.headers.get('x-request-id')).toBe('a-client-chose-this')
  expect(answer.headers.get('x-process-time')).toMatch(/^\d+\.\d{4}$/)
  expect(await service.events()).toMatchObject([{ request: { id: 'a-client-chose-this', status: 500 } }])
})

test.each(['disk_full', 'io_error', 'too_many_connections'])(
  'a database that can take nothing is asked again later: %s',
  async (condition) => {
    handle = () => service.db.transaction((tx) => tx.query(`DO $$ BEGIN RAISE ${condition}; END $$`))
    const answer = await post({ name: 'x' })
    expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([503, 'unavailable', '1'])
    expect(await service.events()).toMatchObject([{ outcome: 'failure', code: 'unavailable' }])
  },
)

test('a request id that could harm a log is replaced', async () => {
  for (const id of ['short', 'with space inside', `x${'y'.repeat(200)}`, '-starts-with-a-dash']) {
    const answer = await post({}, { 'x-request-id': id })
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  }
})

test('the role is looked at before the body', async () => {
  const answer = await service.call('POST', '/api/v1/things', { token: testToken(['auditor']), body: '{ not JSON' })
  expect(answer.status).toBe(403)
})

test('a method that a path does not have is 405 and says which it has', async () => {
  const answer = await service.call('DELETE', '/api/v1/things', { token: nurse })
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
  expect(await service.events()).toMatchObject([{ type: 'patients.request.refused', code: 'method_not_allowed' }])
})

test('a path that does not exist is told only to who is signed in', async () => {
  expect((await service.call('GET', '/api/v1/nothing')).status).toBe(401)
  expect((await service.call('GET', '/api/v1/nothing', { token: nurse })).status).toBe(404)
  expect(await service.events()).toHaveLength(2)
})

test('a path has one spelling: what the gateway decided about is what is served', async () => {
  for (const path of ['/api/v1/THINGS', '/api/v1/things/']) {
    expect((await service.call('POST', path, { token: nurse, body: { name: 'x' } })).status).toBe(404)
  }
})

test('a member named __proto__ is refused wherever it stands, however it is spelled and however deep a body is', async () => {
  handle = async () => {
    throw new Error('it came through')
  }
  for (const body of [
    '{"__proto__":{"name":"x"}}',
    '{"name":"x","__proto__":null}',
    '{"\\u005f_proto_\\u005f":{"name":"x"}}',
    '{"name":"x","more":[[{"__proto__":{}}]]}',
  ]) {
    const answer = await post(body)
    expect([answer.status, answer.body.errors]).toMatchObject([422, [{ path: '__proto__' }]])
  }
  expect((await post(`{"name":${'['.repeat(200_000)}${']'.repeat(200_000)}}`)).body.errors).toMatchObject([
    { path: 'body' },
  ])
})
