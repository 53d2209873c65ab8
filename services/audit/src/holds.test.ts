import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { DataSource } from 'typeorm'
import { testToken } from '@caregate/common/testing/service'
import { openAudit } from './testing.ts'

let service: Awaited<ReturnType<typeof openAudit>>
const auditorId = randomUUID()
const auditor = testToken(['auditor'], { sub: auditorId, name: 'Ann Auditor' })
const call = (method: string, path = '', body?: unknown, token = auditor) =>
  service.call(method, `/api/v1/audit/holds${path}`, { token, body })

beforeAll(async () => {
  service = await openAudit()
})
afterAll(() => service.close())

test('a hold is set, changed and ended, and each is an event about the patient', async () => {
  const id = randomUUID()
  const set = await call('PUT', `/${id}`, { reason: 'A claim of 2025' })
  expect([set.status, set.body]).toEqual([
    201,
    {
      patientId: id,
      reason: 'A claim of 2025',
      heldBy: { id: auditorId, name: 'Ann Auditor' },
      createdAt: expect.any(String),
    },
  ])
  const changed = await call('PUT', `/${id}`, { reason: 'Two claims' })
  expect([changed.status, changed.body]).toEqual([200, { ...set.body, reason: 'Two claims' }])
  expect((await call('GET')).body).toEqual({ items: [changed.body], nextCursor: null })
  expect((await call('DELETE', `/${id}`)).status).toBe(204)
  expect((await call('DELETE', `/${id}`)).status).toBe(404)
  expect((await call('GET')).body.items).toEqual([])
  expect(
    (await service.events()).map(({ type, patientIds, changed: fields, outcome, request: { status } }) => [
      type,
      patientIds,
      fields,
      outcome,
      status,
    ]),
  ).toEqual([
    ['audit.hold.created', [id], [], 'success', 201],
    ['audit.hold.created', [id], ['reason'], 'success', 200],
    ['audit.hold.read', [id], [], 'success', 200],
    ['audit.hold.deleted', [id], [], 'success', 204],
    ['audit.hold.deleted', [id], [], 'failure', 404],
    ['audit.hold.read', [], [], 'success', 200],
  ])
})

test('holds are listed in pages', async () => {
  const ids = Array.from({ length: 5 }, () => randomUUID()).sort()
  for (const id of ids) await call('PUT', `/${id}`, { reason: 'x' })
  const seen: string[] = []
  let cursor: string | null = ''
  do {
    const { body } = await call('GET', `?limit=2${cursor && `&cursor=${cursor}`}`)
    seen.push(...(body.items as { patientId: string }[]).map(({ patientId }) => patientId))
    cursor = body.nextCursor as string | null
  } while (cursor)
  expect(seen).toEqual(ids)
})

test('several who set the same at once set one', async () => {
  const id = randomUUID()
  const answers = await Promise.all([1, 2, 3, 4, 5].map((n) => call('PUT', `/${id}`, { reason: `reason ${n}` })))
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201])
})

test('while retention is being applied none is set, and the client is told to try again', async () => {
  const owner = await new DataSource({ type: 'postgres', url: service.urls.owner }).initialize()
  try {
    await owner.transaction(async (tx) => {
      await tx.query('LOCK TABLE legal_holds IN SHARE MODE')
      const { status, body, headers } = await call('PUT', `/${randomUUID()}`, { reason: 'x' })
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '1'])
    })
  } finally {
    await owner.destroy()
  }
})

test('who is no auditor may not, and a hold needs a reason and an id', async () => {
  const id = randomUUID()
  for (const role of ['admin', 'registrar', 'clinician', 'nurse', 'patient'] as const)
    for (const [method, path] of [
      ['GET', ''],
      ['PUT', `/${id}`],
      ['DELETE', `/${id}`],
    ] as const)
      expect((await call(method, path, method === 'PUT' ? { reason: 'x' } : undefined, testToken([role]))).status).toBe(
        403,
      )
  for (const [path, body] of [
    [`/${id}`, {}],
    [`/${id}`, { reason: '' }],
    [`/${id}`, { reason: 'x', patientId: id }],
    ['/x', { reason: 'x' }],
  ] as const)
    expect([path, body, (await call('PUT', path, body)).status]).toEqual([path, body, 422])
})

test('the app role can’t turn one hold into another', async () => {
  await expect(service.db.query('UPDATE legal_holds SET patient_id = gen_random_uuid()')).rejects.toThrow(
    'permission denied',
  )
})
