import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { breaks, files, lint, readDocument, typesOf, type Document } from '../clients/typescript/contract.ts'
import { createClient, type Tokens } from '../clients/typescript/src/index.ts'
import type { Account } from '../platform/client.ts'
import { ROOT } from '../platform/state.ts'
import { freshFolder, openTestPlatform } from './platform.ts'

const run = promisify(execFile)
/** Something is done to a document, whatever it is made of. */
type Edit = (document: ReturnType<typeof JSON.parse>) => void
let platform: Awaited<ReturnType<typeof openTestPlatform>>
let nurse: Account
let service: { clientId: string; clientSecret: string }

beforeAll(async () => {
  platform = await openTestPlatform()
  const { email, password } = await platform.addStaff('nurse')
  nurse = { email, password }
  const { token } = platform.administrator
  const body = { name: 'Reports', roles: ['auditor'] }
  const { clientId, clientSecret } = (await platform.call('POST', '/api/v1/auth/service-accounts', { token, body }))
    .body
  service = { clientId, clientSecret }
}, 60_000)
afterAll(() => platform.close())

describe('the document', () => {
  let served: Document
  beforeAll(async () => {
    served = (await platform.call('GET', '/openapi.json')).body
  })
  const changed = (change: Edit): Document => {
    const document = structuredClone(served)
    change(document)
    return document
  }

  // what has changed on purpose is taken over by `npm run client`
  test('is the one that the client was made from', async () => {
    expect(served).toEqual(await readDocument())
    expect(await typesOf(served)).toBe(await readFile(files.types, 'utf8'))
  })

  test('keeps a strict linter’s rules', async () => {
    expect(await lint(served)).toEqual([])
    expect(await lint(changed((document) => delete document.paths['/health'].get.operationId))).not.toEqual([])
  })

  test.each<[string, Edit]>([
    ['a path is gone', ({ paths }) => delete paths['/api/v1/patients/search']],
    ['a member of an answer is gone', ({ components }) => delete components.schemas.Patient.properties.mrn],
    ['a member may be absent', ({ components }) => components.schemas.Patient.required.splice(0, 1)],
    ['an answer has another value', ({ components }) => components.schemas.Patient.properties.status.enum.push('lost')],
    ['a value is no longer taken', ({ components }) => components.schemas.NewPatient.properties.sex.enum.pop()],
    ['a member is no longer taken', ({ components }) => delete components.schemas.NewPatient.properties.language],
    ['less is taken', ({ components }) => (components.schemas.NewHumanName.properties.family.maxLength = 50)],
    ['more must be sent', ({ paths }) => (paths['/api/v1/patients'].get.parameters[0].required = true)],
  ])('breaks clients where %s', (_what, change) => {
    expect(breaks(served, changed(change))).not.toEqual([])
  })

  test.each<[string, Edit]>([
    ['an answer says more', ({ components }) => (components.schemas.Patient.properties.more = { type: 'string' })],
    ['more is taken', ({ components }) => components.schemas.NewPatient.properties.sex.enum.push('another')],
    ['it is explained better', ({ info }) => (info.description = 'Better')],
  ])('does not where %s', (_what, change) => {
    expect(breaks(served, changed(change))).toEqual([])
  })
})

/** A client that keeps count of what it sends. */
function openClient(tokens?: Tokens) {
  const sent: string[] = []
  const kept: (Tokens | undefined)[] = []
  const client = createClient({
    baseUrl: platform.gateway,
    ...(tokens ? { tokens } : {}),
    onTokens: (fresh) => kept.push(fresh),
    fetch(request, init) {
      sent.push(new URL((request as Request).url).pathname.split('/').at(-1)!)
      return fetch(request, init)
    },
  })
  return { ...client, sent, kept }
}

describe('the client', () => {
  test('renews a token that ends, once for all requests', async () => {
    const first = openClient()
    await first.signIn(nurse)
    const client = openClient({ ...first.kept[0]!, expiresAt: Date.now() })
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.GET('/api/v1/auth/me')))
    expect(answers.map(({ data }) => data?.email)).toEqual(Array(8).fill(nurse.email))
    expect(client.sent.sort()).toEqual([...Array<string>(8).fill('me'), 'refresh'])
    expect(client.kept).toEqual([expect.objectContaining({ refreshToken: expect.any(String) })])
  })

  test('sends a request again, body and all, where its token was refused', async () => {
    const first = openClient()
    await first.signIn(nurse)
    const client = openClient({ ...first.kept[0]!, accessToken: 'not.a.token' })
    const body = { q: 'Nobody of that name' }
    const { data } = await client.POST('/api/v1/patients/search', { body })
    expect(data?.items).toEqual([])
    expect(client.sent).toEqual(['search', 'refresh', 'search'])
  })

  test('says that the session has ended', async () => {
    const first = openClient()
    await first.signIn(nurse)
    await first.signOut()
    expect(first.kept.at(-1)).toBeUndefined()
    const client = openClient({ ...first.kept[0]!, expiresAt: Date.now() })
    expect((await client.GET('/api/v1/auth/me')).response.status).toBe(401)
    expect(client.kept).toEqual([undefined])
    await expect(client.signIn({ ...nurse, password: 'Wrong-7-lantern' })).rejects.toMatchObject({
      problem: { status: 401, code: 'unauthorized' },
    })
  })

  test('of a service account signs in again', async () => {
    const client = openClient()
    await client.signInAsService(service)
    client.kept[0]!.expiresAt = Date.now()
    const { data } = await client.GET('/api/v1/audit/events', { params: { query: { limit: 1 } } })
    expect(data?.items).toHaveLength(1)
    expect(client.sent).toEqual(['token', 'token', 'events'])
  })

  test('is a package whose examples run', async () => {
    const folder = freshFolder()
    const source = join(ROOT, 'clients/typescript')
    const node = { cwd: folder, env: { ...process.env, CAREGATE_URL: platform.gateway } }
    const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: source })
    await run('tar', ['-xzf', stdout.trim()], node)
    await mkdir(join(folder, 'node_modules/@caregate'), { recursive: true })
    await cp(join(folder, 'package'), join(folder, 'node_modules/@caregate/client'), { recursive: true })
    for (const name of ['openapi-fetch', 'openapi-typescript-helpers'])
      await symlink(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
    const example = async (name: string, env: Record<string, string>) =>
      (await run(process.execPath, [`package/examples/${name}.ts`], { ...node, env: { ...node.env, ...env } })).stdout

    const chart = await example('chart', { CAREGATE_EMAIL: nurse.email, CAREGATE_PASSWORD: nurse.password })
    expect(chart).toMatch(/^Gómez \d+ \d+\nversion 2\n412 stale\n$/)
    const env = { CAREGATE_CLIENT_ID: service.clientId, CAREGATE_CLIENT_SECRET: service.clientSecret }
    expect(await example('accesses', env)).toMatch(/^\d+ \S+Z The nurse success$/m)
  })
})
