import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Client, type FhirResource } from 'fhir-kit-client'
import type { FhirResource as R4 } from 'fhir/r4.js'
import { fhirFaults } from '@caregate/common/testing/fhir'
import { until } from '@caregate/common/testing/until'
import { openTestPlatform } from './platform.ts'

let platform: Awaited<ReturnType<typeof openTestPlatform>>

beforeAll(async () => {
  platform = await openTestPlatform()
}, 60_000)
afterAll(() => platform.close())

interface Bundle extends FhirResource {
  link: { relation: string; url: string }[]
  entry?: { resource: R4 & { id: string } }[]
}
const idsOf = ({ entry = [] }: Bundle) => entry.map(({ resource }) => resource.id)
const faultsOf = (resource: FhirResource) => fhirFaults(resource as unknown as R4)

test('a FHIR client reads and searches, page by page, and what it did is in the log as FHIR has it', async () => {
  const { call, gateway } = platform
  const { token: registrar } = await platform.addStaff('registrar')
  const { token: clinician } = await platform.addStaff('clinician')
  const { token: auditor } = await platform.addStaff('auditor')
  const create = async (given: string) => {
    const body = { name: { given: [given], family: 'Kowalska' }, birthDate: '1977-03-04', sex: 'female' }
    return (await call('POST', '/api/v1/patients?force=true', { token: registrar, body })).body.id as string
  }
  const charts = [await create('Anna'), await create('Beata'), await create('Cecylia')]
  const [first] = charts as [string]
  const latex = { code: { code: '300916003', display: 'Latex allergy' } }
  await call('POST', `/api/v1/patients/${first}/allergies`, { token: clinician, body: latex })
  const clientOf = (bearerToken: string) => new Client({ baseUrl: `${gateway}/fhir/R4`, bearerToken })
  const client = clientOf(clinician)

  const statement = await client.capabilityStatement()
  expect([faultsOf(statement), (statement as { fhirVersion?: string }).fhirVersion]).toEqual([[], '4.0.1'])
  const patient = await client.read({ resourceType: 'Patient', id: first })
  expect([faultsOf(patient), patient.id]).toEqual([[], first])
  const allergies = await client.search({ resourceType: 'AllergyIntolerance', searchParams: { patient: first } })
  expect(faultsOf(allergies)).toEqual([])
  expect(idsOf(allergies as Bundle)).toHaveLength(1)

  const seen: string[] = []
  const searchParams = { family: 'Kowalska', birthdate: 'ge1977', _count: 2 }
  const byPost = { resourceType: 'Patient', searchParams, options: { postSearch: true } }
  for (let page: Bundle | undefined = (await client.search(byPost)) as Bundle; page;) {
    expect(faultsOf(page)).toEqual([])
    for (const { url } of page.link) expect(url).not.toMatch(/kowalska|1977/i)
    seen.push(...idsOf(page))
    page = (await client.nextPage({ bundle: page })) as Bundle | undefined
  }
  expect(seen.toSorted()).toEqual(charts.toSorted())
  await expect(client.search({ resourceType: 'Patient', searchParams })).rejects.toMatchObject({
    response: { status: 422, data: { resourceType: 'OperationOutcome' } },
  })
  await expect(clientOf('nobody').read({ resourceType: 'Patient', id: first })).rejects.toMatchObject({
    response: { status: 401, data: { resourceType: 'OperationOutcome', issue: [{ code: 'login' }] } },
  })

  // the last of what the clinician did is the search that was refused
  const log = clientOf(auditor)
  const agent = JSON.parse(Buffer.from(clinician.split('.')[1]!, 'base64url').toString()).sub as string
  const find = async (more: Record<string, string>) =>
    (await log.search({ resourceType: 'AuditEvent', searchParams: { agent, ...more } })) as Bundle
  await until(async () => idsOf(await find({ outcome: '8' })).length === 1, 5)
  const events = await find({ patient: first, outcome: '0' })
  expect(faultsOf(events)).toEqual([])
  const patterns = events.entry!.map(({ resource }) => resource.meta!.profile![0]!.replace(/.*BasicAudit\./, ''))
  expect(patterns.toSorted()).toEqual(['PatientCreate', 'PatientRead', 'PatientRead', 'Query'])
  expect(JSON.stringify(await find({}))).not.toMatch(/kowalska|1977-03|latex/i)
})

test('the CapabilityStatement says what the description of the API does, and nothing else', async () => {
  const { call } = platform
  const { paths } = (await call('GET', '/openapi.json')).body as {
    paths: Record<string, Record<string, { parameters: { name: string }[]; requestBody?: { content: object } }>>
  }
  const served = Object.keys(paths).filter((path) => path.startsWith('/fhir/R4/'))
  const { rest } = (await call('GET', '/fhir/R4/metadata')).body as {
    rest: [{ resource: { type: string; interaction: { code: string }[]; searchParam: { name: string }[] }[] }]
  }
  const said = rest[0].resource.flatMap(({ type, interaction }) => {
    const routes: Record<string, RegExp[]> = {
      read: [/^\/\{\w+\}$/],
      vread: [/^\/\{id\}\/_history\/\{version\}$/],
      'search-type': [/^$/, /^\/_search$/],
    }
    return interaction.flatMap(({ code }) =>
      routes[code]!.map((pattern) =>
        served.find((path) => {
          const below = path.slice('/fhir/R4/'.length)
          return below.startsWith(type) && pattern.test(below.slice(type.length))
        }),
      ),
    )
  })
  expect([...said, '/fhir/R4/metadata'].toSorted()).toEqual(served.toSorted())
  for (const { type, searchParam } of rest[0].resource) {
    const [form] = Object.values(paths[`/fhir/R4/${type}/_search`]!.post!.requestBody!.content) as [
      { schema: { properties: object } },
    ]
    const names = Object.keys(form.schema.properties).filter((name) => !['_count', '_cursor'].includes(name))
    expect([type, names.toSorted()]).toEqual([type, searchParam.map(({ name }) => name).toSorted()])
  }
})
