import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { buildSender, openClient } from './client.ts'

/** What the server does with the requests to come, in order; then it answers 200. */
let script: (number | 'break' | [status: number, headers: Record<string, string>])[] = []
let seen: { path: string; authorization: string | undefined }[] = []
let logins = 0

const server = createServer((request, response) => {
  const path = request.url ?? ''
  const json = (status: number, body: unknown, headers = {}) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  if (path.endsWith('/login'))
    return json(200, { accessToken: `login-${++logins}`, refreshToken: 'first', expiresIn: 1800 })
  if (path.endsWith('/refresh')) return json(200, { accessToken: 'refreshed', refreshToken: 'second', expiresIn: 1800 })
  seen.push({ path, authorization: request.headers.authorization })
  const step = script.shift() ?? 200
  if (step === 'break') return request.socket.destroy()
  const [status, headers] = Array.isArray(step) ? step : [step, {}]
  return json(status, { ok: status }, headers)
})
let gateway: string
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
beforeEach(() => {
  script = []
  seen = []
})
afterAll(() => {
  server.close()
  server.closeAllConnections()
})

test('a lost connection and a restarting process are outlasted, and the answer says that it was asked again', async () => {
  const send = buildSender(gateway)
  script = ['break', 503, 502, 504]
  expect(await send('POST', '/x', {})).toMatchObject({ status: 200, body: { ok: 200 }, repeated: true })
  expect(seen).toHaveLength(5)
  expect(await send('GET', '/x')).toMatchObject({ status: 200, repeated: false })
})

test('Retry-After is honoured by every request of the client', async () => {
  const send = buildSender(gateway)
  script = [[429, { 'retry-after': '1' }]]
  const started = Date.now()
  expect(await send('POST', '/x', {})).toMatchObject({ status: 200, repeated: false })
  expect(Date.now() - started).toBeGreaterThanOrEqual(1000)

  script = [[429, { 'retry-after': '1' }]]
  const first = send('GET', '/first')
  while (seen.length < 3) await new Promise(setImmediate)
  await new Promise((resolve) => setTimeout(resolve, 100))
  const asked = Date.now()
  await send('GET', '/second')
  expect(Date.now() - asked).toBeGreaterThan(500)
  await first
  expect(seen).toHaveLength(5)
})

test('a wait beyond its patience is not begun', async () => {
  script = [[429, { 'retry-after': '600' }]]
  expect(await buildSender(gateway)('GET', '/x')).toMatchObject({ status: 429 })
})

test('an answer that will not change is given back at once', async () => {
  for (const status of [400, 403, 409, 422, 500]) {
    script = [status]
    expect(await buildSender(gateway)('POST', '/x', {})).toMatchObject({ status, repeated: false })
  }
  expect(seen).toHaveLength(5)
})

test('a refused token is renewed once, for all requests in flight together', async () => {
  const client = await openClient(gateway, { email: 'a@caregate.local', password: 'x' })
  const before = logins
  script = [401, 401, 200, 200]
  const answers = await Promise.all([client.get('/a'), client.get('/b')])
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
  expect(seen.map(({ authorization }) => authorization)).toEqual([
    `Bearer login-${before}`,
    `Bearer login-${before}`,
    'Bearer refreshed',
    'Bearer refreshed',
  ])
  expect(logins).toBe(before)

  script = [401, 401]
  expect(await client.get('/c')).toMatchObject({ status: 401 })
})
