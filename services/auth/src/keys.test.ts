import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from '@jest/globals'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import type { Algorithm } from '@caregate/common/auth'
import { testAmqpUrl } from '@caregate/common/testing/service'
import type { AuthConfig } from './config.ts'
import { authSeal, openKeys } from './keys.ts'
import {
  SECRET_KEY,
  addUser,
  authConfig,
  freshEmail,
  openAuth,
  password,
  post,
  query,
  service,
  signIn,
  signedIn,
  useAuth,
  verified,
} from './testing.ts'

useAuth()

/** Another instance on the same database. */
function open(ALGORITHM: Algorithm, more: Partial<AuthConfig> = {}) {
  const config = authConfig({ ALGORITHM, ...more })
  return openKeys(service.db, config, authSeal(config))
}

const published = async () => (await service.call('GET', '/.well-known/jwks.json')).body.keys as { kid: string }[]
async function kidOfSignIn(): Promise<string | undefined> {
  return decodeProtectedHeader((await signIn((await addUser(['nurse'])).email)).token).kid
}
/** As if so much time had gone by for the keys, or for one. */
async function pass(seconds: number, kid: string | null = null): Promise<void> {
  const sql =
    'UPDATE signing_keys SET active_from = active_from - make_interval(secs => $1) WHERE $2::text IS NULL OR kid = $2'
  await query(sql, [seconds, kid])
  await service.keys.reload()
}

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
    const other = await open('ES256')
    const { email } = await addUser(['nurse'])
    const { token } = await signIn(email)
    expect(other.signing().kid).toBe(decodeProtectedHeader(token).kid)
    await expect(jwtVerify(token, createLocalJWKSet(other.jwks() as JSONWebKeySet))).resolves.toBeDefined()
  })

  test('instances that start at once on an empty database agree on one', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => open('RS256')))
    expect(new Set(all.map((keys) => keys.signing().kid)).size).toBe(1)
    expect(await query(`SELECT 1 FROM signing_keys WHERE algorithm = 'RS256'`)).toHaveLength(1)
  })

  test('rotated by an admin: the next is published at once, used a little later, and the old one is good until its last token is over', async () => {
    const admin = await signedIn('admin')
    const { kid: old } = (await published())[0]!
    const answer = await post('/keys/rotate', {}, admin.session.token)
    expect(answer.status).toBe(201)
    const { kid, algorithm, activeFrom } = answer.body as { kid: string; algorithm: string; activeFrom: string }
    expect(algorithm).toBe('ES256')
    expect(Date.parse(activeFrom) - Date.now()).toBeGreaterThan(50_000)
    expect((await published()).map((key) => key.kid)).toEqual([kid, old])
    expect(await kidOfSignIn()).toBe(old)
    const other = await open('ES256')
    await pass(61)
    expect(await kidOfSignIn()).toBe(kid)
    await other.reload()
    expect(other.signing().kid).toBe(kid)
    expect((await service.call('GET', '/api/v1/auth/me', { token: admin.session.token })).status).toBe(200)
    // half an hour for the last token, and a minute for clocks that differ
    await pass(30 * 60)
    await service.keys.tend()
    expect((await published()).map((key) => key.kid)).toEqual([kid, old])
    await pass(60)
    await service.keys.tend()
    expect((await published()).map((key) => key.kid)).toEqual([kid])
    expect(await service.events()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          type: 'auth.key.created',
          actor: expect.objectContaining({ id: admin.id }),
          resource: { type: 'key', id: kid },
        }),
        expect.objectContaining({ type: 'auth.key.deleted', resource: { type: 'key', id: old } }),
      ]),
    )
  })

  test('rotated by the calendar, by one of several instances', async () => {
    const before = await published()
    const all = await Promise.all(Array.from({ length: 3 }, () => open('ES256')))
    await query(`UPDATE signing_keys SET created_at = created_at - interval '91 days' WHERE algorithm = 'ES256'`)
    await Promise.all(all.map((keys) => keys.tend()))
    await service.keys.tend()
    const after = await published()
    expect(after).toHaveLength(before.length + 1)
    for (const keys of all) expect(keys.jwks().keys).toHaveLength(after.length)
    const created = (await service.events()).filter(({ type }) => type === 'auth.key.created')
    expect(created).toMatchObject([{ actor: { id: null }, resource: { id: after[0]!.kid } }])
  })

  test('deleted by hand, all of them, are replaced, and tokens of theirs are good no more', async () => {
    const { session } = await signedIn('nurse')
    await query('DELETE FROM signing_keys')
    await service.keys.tend()
    expect(await published()).toHaveLength(1)
    expect((await service.call('GET', '/api/v1/auth/me', { token: session.token })).status).toBe(401)
    expect(
      (await service.call('GET', '/api/v1/auth/me', { token: (await signedIn('nurse')).session.token })).status,
    ).toBe(200)
  })

  test('what another instance made just now is found when a token names it', async () => {
    const other = await open('ES256')
    const row = await service.db.transaction((tx) => other.rotate(tx))
    await pass(60, row.kid)
    await other.reload()
    await new Promise((resolve) => setTimeout(resolve, 2100))
    const { kid } = other.signing()
    expect(kid).toBe(row.kid)
    expect(await service.keys.find(kid)).toBeDefined()
    expect(await service.keys.find('made-up')).toBeUndefined()
  })

  test('with SECRET_KEY changing, either instance opens what the other sealed, and the new one seals it anew', async () => {
    const next = 'the next secret, again of more than 32 bytes'
    const early = await open('ES256', { SECRET_KEY_PREVIOUS: next })
    const late = await open('ES256', { SECRET_KEY: next, SECRET_KEY_PREVIOUS: SECRET_KEY })
    expect(late.signing().kid).toBe(early.signing().kid)
    await open('ES256', { SECRET_KEY: next })
    await expect(open('ES256')).rejects.toThrow('sealed under another SECRET_KEY')
    await open('ES256', { SECRET_KEY_PREVIOUS: next })
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
    const shared = await openAuth({ ALGORITHM: 'HS256' })
    try {
      expect((await shared.call('GET', '/.well-known/jwks.json')).body).toEqual({ keys: [] })
      const email = freshEmail()
      await shared.call('POST', '/api/v1/auth/register', { body: { email, password, fullName: 'Ann Example' } })
      const { body } = await shared.call('POST', '/api/v1/auth/login', { body: { email, password } })
      const { protectedHeader } = await jwtVerify(body.accessToken, Buffer.from(SECRET_KEY), { typ: 'at+jwt' })
      expect(protectedHeader.alg).toBe('HS256')
      expect((await shared.call('GET', '/api/v1/auth/me', { token: body.accessToken })).status).toBe(200)
      expect(await shared.db.query('SELECT 1 FROM signing_keys')).toEqual([])
      await shared.db.query(`UPDATE users SET roles = '{admin}'`)
      const again = await shared.call('POST', '/api/v1/auth/login', { body: { email, password } })
      const rotated = await shared.call('POST', '/api/v1/auth/keys/rotate', { token: again.body.accessToken, body: {} })
      expect([rotated.status, rotated.body.detail]).toEqual([409, expect.stringContaining('SECRET_KEY_PREVIOUS')])
    } finally {
      await shared.close()
    }
  })

  test('RS256 works the same way', async () => {
    const rsa = await openAuth({ ALGORITHM: 'RS256' })
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
