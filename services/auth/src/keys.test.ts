import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from '@jest/globals'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import { testAmqpUrl } from '@caregate/common/testing/service'
import { openKeys } from './keys.ts'
import {
  SECRET_KEY,
  addUser,
  freshEmail,
  openAuth,
  password,
  query,
  service,
  signIn,
  useAuth,
  verified,
} from './testing.ts'

useAuth()

describe('signing keys', () => {
  test('stand in the database sealed', async () => {
    const rows = await query<{ privateSealed: string; publicJwk: object }>(
      'SELECT private_sealed AS "privateSealed", public_jwk AS "publicJwk" FROM signing_keys',
    )
    expect(rows).toHaveLength(1)
    expect(rows[0]!.publicJwk).not.toHaveProperty('d')
    const bytes = Buffer.from(rows[0]!.privateSealed, 'base64').toString('latin1')
    for (const readable of ['PRIVATE KEY', '"d"', 'MIGH']) expect(bytes).not.toContain(readable)
    const published = (await service.call('GET', '/.well-known/jwks.json')).body.keys
    expect(published).toEqual([rows[0]!.publicJwk])
    expect(published).toMatchObject([{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' }])
  })

  test('another instance on the same database signs with the same key', async () => {
    const other = await openKeys(service.db, 'ES256', SECRET_KEY)
    const { email } = await addUser(['nurse'])
    const { token } = await signIn(email)
    expect(other.signing().kid).toBe(decodeProtectedHeader(token).kid)
    await expect(jwtVerify(token, createLocalJWKSet(other.jwks() as JSONWebKeySet))).resolves.toBeDefined()
  })

  test('instances that start at once on an empty database agree on one', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => openKeys(service.db, 'RS256', SECRET_KEY)))
    expect(new Set(all.map((keys) => keys.signing().kid)).size).toBe(1)
    expect(await query(`SELECT 1 FROM signing_keys WHERE algorithm = 'RS256'`)).toHaveLength(1)
  })

  test('under another SECRET_KEY the service does not start, and says why', async () => {
    const main = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: service.urls.app,
        AMQP_URL: testAmqpUrl(),
        SECRET_KEY: 'another secret of more than thirty-two bytes',
        CURSOR_KEY: 'a key for the cursors of the tests!!',
        DISCOVERY: 'static',
        PORT: '0',
      },
    })
    const [output, errors, code] = await Promise.all([
      text(main.stdout),
      text(main.stderr),
      new Promise((resolve) => main.once('exit', resolve)),
    ])
    expect(code).toBe(1)
    expect(output + errors).toContain('sealed under another SECRET_KEY')
    expect(output + errors).not.toContain('thirty-two')
  })

  test('with HS256 none is published, and who has SECRET_KEY can check tokens', async () => {
    const shared = await openAuth('HS256')
    try {
      expect((await shared.call('GET', '/.well-known/jwks.json')).body).toEqual({ keys: [] })
      const email = freshEmail()
      await shared.call('POST', '/api/v1/auth/register', { body: { email, password, fullName: 'Ann Example' } })
      const { body } = await shared.call('POST', '/api/v1/auth/login', { body: { email, password } })
      const { protectedHeader } = await jwtVerify(body.accessToken, Buffer.from(SECRET_KEY), { typ: 'at+jwt' })
      expect(protectedHeader.alg).toBe('HS256')
      expect((await shared.call('GET', '/api/v1/auth/me', { token: body.accessToken })).status).toBe(200)
      expect(await shared.db.query('SELECT 1 FROM signing_keys')).toEqual([])
    } finally {
      await shared.close()
    }
  })

  test('RS256 works the same way', async () => {
    const rsa = await openAuth('RS256')
    try {
      const email = freshEmail()
      await rsa.call('POST', '/api/v1/auth/register', { body: { email, password, fullName: 'Ann Example' } })
      const { body } = await rsa.call('POST', '/api/v1/auth/login', { body: { email, password } })
      expect((await verified(body.accessToken, rsa)).protectedHeader.alg).toBe('RS256')
      expect((await rsa.call('GET', '/api/v1/auth/me', { token: body.accessToken })).status).toBe(200)
    } finally {
      await rsa.close()
    }
  })
})
