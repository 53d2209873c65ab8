import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { AuditEvent } from '@caregate/common/events'
import type { Description } from '@caregate/common/openapi'
import { testToken } from '@caregate/common/testing/service'
import { exportCsv } from './csv.ts'
import { openAudit, received } from './testing.ts'

let service: Awaited<ReturnType<typeof openAudit>>
const token = testToken(['auditor'])
const path = '/api/v1/audit/export?format=csv'
const header =
  'sequence,storedAt,occurredAt,type,action,outcome,code,actorId,actorName,actorRoles,sessionId,basis,grantId,' +
  'resourceType,resourceId,patientIds,changed,count,requestId,method,route,path,status,ip,userAgent'

beforeAll(async () => {
  service = await openAudit()
})
afterAll(() => service.close())

const exported = async (query = '') => (await service.call('GET', `${path}${query}`, { token })).body as string
const withAgent = (userAgent: string, more: Partial<AuditEvent> = {}) =>
  received({ ...more, request: { ...received().event.request, userAgent } })

test('an empty log is a row of names', async () => {
  expect(await exported()).toBe(`${header}\r\n`)
})

test('an event is a row, lists joined by spaces, quoted where it must be', async () => {
  const patientIds = [randomUUID(), randomUUID()]
  const grantId = randomUUID()
  const { event, body } = withAgent('Mozilla/5.0 "quoted", and\r\nbroken', {
    actor: { id: 'n', name: 'Zoë, Nurse', roles: ['nurse', 'registrar'], sessionId: 's' },
    basis: 'break-glass',
    breakGlass: { grantId },
    resource: { type: 'patient', id: patientIds[0]! },
    patientIds,
    changed: ['telecom', 'addresses.city'],
  })
  await service.append({ event, body })
  await service.events()
  const answer = await service.call('GET', `${path}&patientId=${patientIds[0]}`, { token })
  expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
  expect(answer.headers.get('content-disposition')).toMatch(
    /^attachment; filename="caregate-audit-\d{4}-\d\d-\d\d\.csv"$/,
  )
  const [row] = await service.db.query<{ at: Date }[]>('SELECT stored_at AS at FROM events')
  const { id } = event.request
  expect(answer.body).toBe(
    `${header}\r\n1,${row!.at.toISOString()},${event.occurredAt},patients.patient.read,R,success,,n,"Zoë, Nurse",` +
      `nurse registrar,s,break-glass,${grantId},patient,${patientIds[0]},${patientIds.join(' ')},` +
      `telecom addresses.city,1,${id},GET,/x,/x,200,::1,"Mozilla/5.0 ""quoted"", and\r\nbroken"\r\n`,
  )
  expect(await service.events()).toMatchObject([{ type: 'audit.export.read', patientIds: [patientIds[0]] }])
})

test.each(['=', '+', '-', '@', '\t=', '\r='])('what begins with %j is no formula', async (start) => {
  const agent = `${start}HYPERLINK(1)`
  const { event, body } = withAgent(agent)
  await service.append({ event, body })
  const csv = await exported(`&requestId=${event.request.id}`)
  expect(csv.endsWith(`,'${agent}\r\n`) || csv.endsWith(`,"'${agent}"\r\n`)).toBe(true)
})

test('a formula in the name of a browser that asks is none either', async () => {
  await service.events()
  for (const agent of ['=cmd|calc', '+1', '-1', '@SUM(1)']) {
    await service.call('GET', '/api/v1/audit/checkpoints', { token, headers: { 'User-Agent': agent } })
    const [event] = await service.events()
    await service.append({ event: event!, body: JSON.stringify(event) })
    expect(await exported(`&requestId=${event!.request.id}`)).toContain(`,'${agent}\r\n`)
    await service.events()
  }
})

test('all of a filter is there, in order, up to the size that the log had', async () => {
  const actor = { id: randomUUID(), name: null, roles: [], sessionId: null }
  for (let n = 0; n < 5; n++) await service.append(...Array.from({ length: 450 }, () => received({ actor })))
  const numbersOf = (csv: string) =>
    csv
      .split('\r\n')
      .slice(1, -1)
      .map((line) => Number.parseInt(line))
  const numbers = numbersOf(await exported(`&actorId=${actor.id}`))
  expect(numbers).toEqual(Array.from({ length: 2250 }, (_, n) => numbers[0]! + n))
  for (const many of [1, 999, 1000, 1001, 2249]) {
    const rows: string[] = []
    for await (const some of exportCsv(service.db.manager, { actorId: actor.id }, numbers[0]! + many - 1))
      rows.push(some)
    expect(numbersOf(rows.join(''))).toEqual(numbers.slice(0, many))
  }
})

test('both formats are described, and no other is taken', async () => {
  const { body } = await service.call('GET', '/internal/description')
  const { responses } = (body as Description).paths['/api/v1/audit/export']!.get as {
    responses: Record<string, { content: object }>
  }
  expect(Object.keys(responses[200]!.content)).toEqual(['application/x-ndjson', 'text/csv; charset=utf-8'])
  const plain = await service.call('GET', '/api/v1/audit/export', { token })
  expect(plain.headers.get('content-type')).toMatch(/^application\/x-ndjson/)
  expect((await service.call('GET', '/api/v1/audit/export?format=xlsx', { token })).status).toBe(422)
})
