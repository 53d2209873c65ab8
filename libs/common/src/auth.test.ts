import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import jwt from 'jsonwebtoken'
import { configuredVerify, type Verify } from './auth.ts'

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const [first, second] = [pair(), pair()]
let server: Server
let served: { kid: string; key: KeyObject }[]
let fetches: number
let away: boolean
let verify: Verify

beforeEach(async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'clearTimeout', 'queueMicrotask'] })
  served = [{ kid: 'first', key: first.publicKey }]
  fetches = 0
  away = false
  server = createServer((_req, res) => {
    fetches += 1
    if (away) return void res.writeHead(503).end()
    res.end(JSON.stringify({ keys: served.map(({ kid, key }) => ({ ...key.export({ format: 'jwk' }), kid })) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const JWKS_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  verify = configuredVerify({ ALGORITHM: 'ES256', JWT_ISSUER: 'caregate', JWT_AUDIENCE: 'caregate', JWKS_URL })
})
afterEach(async () => {
  jest.useRealTimers()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const claims = {
  sub: '0190a000-0000-7000-8000-000000000001',
  sid: '0190a000-0000-7000-8000-000000000002',
  jti: 'j',
  name: 'N',
  roles: ['nurse'],
  iss: 'caregate',
  aud: 'caregate',
}
function sign(key: KeyObject, kid: string, more: object = {}, header: object = {}): string {
  const payload = { ...claims, exp: Math.floor(Date.now() / 1000) + 600, ...more }
  return jwt.sign(payload, key, { algorithm: 'ES256', keyid: kid, header: { alg: 'ES256', typ: 'at+jwt', ...header } })
}
const code = (token: string) =>
  verify(`Bearer ${token}`).then(
    () => 'good',
    (error: { code: string }) => error.code,
  )

test('a token is good under a published key, until it expires', async () => {
  const token = sign(first.privateKey, 'first')
  expect(await verify(`Bearer ${token}`)).toMatchObject({
    sub: '0190a000-0000-7000-8000-000000000001',
    roles: ['nurse'],
  })
  jest.setSystemTime(Date.now() + 601_000)
  expect(await code(token)).toBe('unauthorized')
})

test.each([
  ['of another issuer', () => sign(first.privateKey, 'first', { iss: 'other' })],
  ['for another audience', () => sign(first.privateKey, 'first', { aud: 'other' })],
  ['of another type', () => sign(first.privateKey, 'first', {}, { typ: 'JWT' })],
  ['with a critical header that nobody understands', () => sign(first.privateKey, 'first', {}, { crit: ['x'], x: 1 })],
  ['with a role that there is not', () => sign(first.privateKey, 'first', { roles: ['nurse', 'king'] })],
  ['with a scope that there is not', () => sign(first.privateKey, 'first', { scope: 'constructor' })],
  ['without a name', () => sign(first.privateKey, 'first', { name: 7 })],
  ['of nobody with an id', () => sign(first.privateKey, 'first', { sub: 'x' })],
  ['without a session', () => sign(first.privateKey, 'first', { sid: undefined })],
  [
    'without an end',
    () =>
      jwt.sign(claims, first.privateKey, {
        algorithm: 'ES256',
        keyid: 'first',
        header: { alg: 'ES256', typ: 'at+jwt' },
      }),
  ],
  ['signed by somebody else', () => sign(second.privateKey, 'first')],
  ['not yet valid', () => sign(first.privateKey, 'first', { nbf: Math.floor(Date.now() / 1000) + 60 })],
  [
    'signed with the public key as a shared secret',
    () => {
      const secret = createSecretKey(Buffer.from(first.publicKey.export({ format: 'pem', type: 'spki' }) as string))
      return jwt.sign({ ...claims, exp: 9e9 }, secret, { header: { alg: 'HS256', typ: 'at+jwt', kid: 'first' } })
    },
  ],
  ['unsigned', () => jwt.sign(claims, '', { algorithm: 'none', header: { alg: 'none', typ: 'at+jwt', kid: 'first' } })],
])('a token %s is refused', async (_what, token) => {
  expect(await code(token())).toBe('unauthorized')
})

test('a new key is fetched when it is first met, and unknown ones do not make a stampede', async () => {
  await verify(`Bearer ${sign(first.privateKey, 'first')}`)
  served.push({ kid: 'second', key: second.publicKey })
  jest.setSystemTime(Date.now() + 3000)
  expect(await code(sign(second.privateKey, 'second'))).toBe('good')
  const before = fetches
  await Promise.all(Array.from({ length: 50 }, (_none, n) => code(sign(second.privateKey, `unknown ${n}`))))
  expect(fetches - before).toBeLessThanOrEqual(1)
})

test('while auth is away the keys that are known go on being good, and without any it is 503', async () => {
  away = true
  expect(await code(sign(first.privateKey, 'first'))).toBe('unavailable')
  away = false
  jest.setSystemTime(Date.now() + 3000)
  expect(await code(sign(first.privateKey, 'first'))).toBe('good')
  away = true
  jest.setSystemTime(Date.now() + 120_000)
  expect(await code(sign(first.privateKey, 'first'))).toBe('good')
})

test('anything but one Bearer token is refused', async () => {
  const token = sign(first.privateKey, 'first')
  expect(await verify(`bearer  ${token}`)).toMatchObject({ sub: '0190a000-0000-7000-8000-000000000001' })
  for (const header of [
    undefined,
    '',
    token,
    'Basic YTpi',
    'Bearer',
    'Bearer a.b',
    `Bearer ${token} d`,
    `Bearer ${token}, Bearer ${token}`,
  ]) {
    await expect(verify(header)).rejects.toMatchObject({ code: 'unauthorized' })
  }
})
