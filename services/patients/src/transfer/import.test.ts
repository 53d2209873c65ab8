import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { until } from '@caregate/common/testing/until'
import { allergyAbatement } from '../fhir/systems.ts'
import { aPatient, openPatients, registrar, someone } from '../testing.ts'
import { buildImport, type TransferDeps } from './import.ts'

let service: Awaited<ReturnType<typeof openPatients>>
beforeAll(async () => {
  service = await openPatients()
})
afterAll(() => service.close())

const ndjson = 'application/x-ndjson'
const path = '/api/v1/patients/import'

async function send(body: string, type = ndjson, query = '', { token } = registrar) {
  const answer = await service.call('POST', path + query, { token, body, headers: { 'content-type': type } })
  if (answer.status !== 200) return { ...answer, lines: [], last: undefined }
  const lines = (answer.body as string)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { ...answer, last: lines.pop(), lines }
}
const linesOf = (...rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
const aRow = <T extends object>(more = {} as T) => ({
  ...aPatient,
  identifiers: [{ system: 'source:clinic', value: randomUUID() }],
  ...more,
})
const latex = {
  code: { system: 'http://snomed.info/sct', code: '300916003', display: 'Latex allergy' },
  onset: '2019-04-01',
}
const typesOf = async () => (await service.events()).map(({ type }) => type)
const chartsOf = async (value: string) =>
  service.db.query<{ id: string }[]>('SELECT patient_id AS id FROM patient_sources WHERE value = $1', [value])
const itemsOf = async (id: string, kind: string) => {
  const nurse = someone(['nurse'])
  return (await service.as(nurse, 'GET', `/${id}/${kind}`)).body.items as Record<string, unknown>[]
}

/** A request whose body comes as the test likes. */
function open(token = registrar.token, type = ndjson) {
  const heard = { text: '', ended: false, closed: false }
  const headers = { authorization: `Bearer ${token}`, 'content-type': type }
  const sent = request(service.url + path, { method: 'POST', headers }, (answer) => {
    answer.setEncoding('utf8').on('data', (chunk: string) => (heard.text += chunk))
    answer.on('end', () => (heard.ended = true)).on('error', () => (heard.closed = true))
  })
  sent.on('error', () => (heard.closed = true))
  return { sent, heard }
}

describe('charts as POST takes them', () => {
  test('are created with their allergies and conditions, each with its event, and found again the second time', async () => {
    await service.events()
    const asthma = { code: { code: '195967001', display: 'Asthma' }, onset: null, resolved: null }
    const row = aRow({ allergies: [latex], conditions: [asthma, asthma], restricted: true })
    const first = await send(linesOf(row))
    expect(first.headers.get('content-type')).toMatch(/^application\/x-ndjson/)
    const { id } = first.lines[0] as { id: string }
    expect(first.lines).toEqual([{ line: 1, outcome: 'created', id }])
    expect(first.last).toEqual({ done: true, created: 1, present: 0, refused: 0 })
    const events = await service.events()
    expect(events.map(({ type, action, patientIds, basis }) => [type, action, patientIds, basis])).toEqual([
      ['patients.import.started', 'E', [], null],
      ['patients.patient.created', 'C', [id], 'role'],
      ['patients.allergy.created', 'C', [id], 'role'],
      ['patients.condition.created', 'C', [id], 'role'],
      ['patients.import.ended', 'E', [], null],
    ])
    expect(new Set(events.map(({ request: { id: one } }) => one)).size).toBe(1)
    const { allergies: _, conditions: __, ...chart } = row
    expect((await service.as(registrar, 'GET', `/${id}`)).body).toMatchObject(chart)
    await service.events()

    const second = await send(linesOf(row, { ...row, name: { given: ['Another'], family: 'Name' } }))
    expect(second.lines).toEqual([1, 2].map((line) => ({ line, outcome: 'present', id })))
    expect((await service.events()).map(({ type, patientIds }) => [type, patientIds])).toEqual([
      ['patients.import.started', []],
      ['patients.import.read', [id]],
      ['patients.import.ended', []],
    ])
    expect((await service.as(registrar, 'GET', `/${id}`)).body.version).toBe(1)
  })

  test('need something by which they are known again; an id will do, and the id of a chart here is that chart', async () => {
    const { identifiers: _, ...nameless } = aRow()
    const foreign = randomUUID()
    const here = await service.create()
    const { lines } = await send(linesOf(nameless, { ...nameless, id: foreign }, here, { ...nameless, id: foreign }))
    expect(lines).toMatchObject([
      { outcome: 'refused', errors: [{ path: 'identifiers' }] },
      { outcome: 'created' },
      { outcome: 'present', id: here.id },
      { outcome: 'present', id: lines[1]!.id },
    ])
    expect((await service.as(registrar, 'GET', `/${lines[1]!.id as string}`)).body.identifiers).toEqual([
      { system: 'source:caregate', value: foreign },
    ])
  })

  test('a bad row is refused by the names of its fields, without their values, and stops no other', async () => {
    const marker = 'Quillfeather'
    const rows = [
      JSON.stringify(aRow({ birthDate: marker, sex: marker, [marker]: 1 })),
      JSON.stringify(aRow({ name: { given: ['<script>'], family: 'x' } })),
      JSON.stringify(
        aRow({
          identifiers: [
            { system: 'source:clinic', value: '1' },
            { system: 'ssn', value: '***6789' },
          ],
        }),
      ),
      JSON.stringify(aRow({ allergies: [latex, { ...latex, onset: '1066-10-14' }] })),
      JSON.stringify(aRow({ conditions: {} })),
      `{"name":"${marker}"`,
      `["${marker}"]`,
      '',
      '\r',
      `{"name":"${'x'.repeat(2 ** 20)}"}`,
      JSON.stringify(aRow({ status: 'voided' })),
      `{"__proto__":{"a":"${marker}"},"name":{}}`,
      JSON.stringify(aRow()),
    ]
    const { lines, last } = await send(rows.join('\n'))
    expect(
      lines.map(({ line, errors }) => [line, (errors as { path: string }[] | undefined)?.map((one) => one.path)]),
    ).toEqual([
      [1, ['birthDate', 'birthDate', 'sex', marker]],
      [2, ['name.given.0']],
      [3, ['identifiers.1.value']],
      [4, ['allergies.1.onset']],
      [5, ['conditions']],
      [6, ['row']],
      [7, ['row']],
      [10, ['row']],
      [11, ['status']],
      [12, ['__proto__']],
      [13, undefined],
    ])
    expect(last).toEqual({ done: true, created: 1, present: 0, refused: 10 })
    expect(
      JSON.stringify(lines).replaceAll(`"path":"${marker}"`, '').replaceAll(`${marker} is not allowed`, ''),
    ).not.toContain(marker)
  })

  test('what is no UTF-8 is refused, what begins with a byte order mark is not', async () => {
    const { sent, heard } = open()
    sent.write(`\uFEFF${JSON.stringify(aRow())}\n`)
    sent.end(Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xe9]), Buffer.from('"}')]))
    await until(() => heard.ended)
    expect(heard.text).toMatch(/"line":1,"outcome":"created".*\n.*"line":2,"outcome":"refused".*row is no UTF-8/)
  })

  test('what was merged is found as the chart that it is part of now, by either id, and leaves with it alone', async () => {
    const source = { system: 'source:clinic', value: randomUUID() }
    const [target, merged] = [await service.create(), await service.create({ identifiers: [source] })]
    const body = { sourceId: merged.id, sourceVersion: 1 }
    const answer = await service.as(registrar, 'POST', `/${target.id}/merge`, body, { 'if-match': '"1"' })
    expect(answer.status).toBe(200)
    const again = await send(linesOf(aRow({ identifiers: [source] }), { ...aRow({ identifiers: [] }), id: merged.id }))
    expect(again.lines).toEqual([1, 2].map((line) => ({ line, outcome: 'present', id: target.id })))
    const left = await service.call('GET', '/api/v1/patients/export', { token: registrar.token })
    expect(left.body).toContain(`"id":"${target.id}"`)
    expect(left.body).not.toContain(`"id":"${merged.id}"`)
  })
})

describe('an item that waits for a merge of its chart, or for its undoing,', () => {
  /** Both wait until the chart is free, the import as the second. */
  async function race(locked: string, change: () => Promise<{ status: number }>, row: object) {
    const waiting = (count: number) =>
      until(async () => {
        const found = await service.db.query<object[]>(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        )
        return found.length === count
      })
    const [changing, importing] = await service.db.transaction(async (tx) => {
      await tx.query('SELECT FROM patients WHERE id = $1 FOR UPDATE', [locked])
      const first = change()
      await waiting(1)
      const second = send(linesOf(row), ndjson, '?source=clinic')
      await waiting(2)
      return [first, second]
    })
    expect((await changing).status).toBe(200)
    expect((await importing).lines).toMatchObject([{ outcome: 'created' }])
  }

  test.each(['merge', 'unmerge'])('comes into the chart that its source id is of after the %s', async (what) => {
    const value = randomUUID()
    const target = await service.create()
    const other = await service.create({ identifiers: [{ system: 'source:clinic', value }] })
    const change = (path: string, version: number) =>
      service.as(
        ...([registrar, 'POST', `/${target.id}/${path}`] as const),
        { sourceId: other.id, sourceVersion: version },
        { 'if-match': `"${version}"` },
      )
    const row = {
      resourceType: 'AllergyIntolerance',
      patient: { reference: `Patient/${value}` },
      code: { coding: [latex.code] },
    }
    if (what === 'unmerge') expect((await change('merge', 1)).status).toBe(200)
    const [from, to] = what === 'merge' ? [other, target] : [target, other]
    await race(from.id, () => change(what, what === 'merge' ? 1 : 2), row)
    expect(await itemsOf(to.id, 'allergies')).toHaveLength(1)
    expect(await service.asOwner<object[]>('SELECT FROM clinical_items WHERE patient_id = $1', [from.id])).toEqual([])
  })
})

describe('FHIR resources', () => {
  const patientOf = (id: string, more: object = {}) => ({
    resourceType: 'Patient',
    id,
    name: [{ use: 'official', given: ['José'], family: 'Gómez' }],
    birthDate: '1989-05-25',
    gender: 'male',
    ...more,
  })

  test('patients come under their id, allergies and conditions refer to it', async () => {
    const id = randomUUID()
    const allergy = {
      resourceType: 'AllergyIntolerance',
      patient: { reference: `Patient/${id}` },
      code: { coding: [latex.code] },
    }
    const condition = {
      resourceType: 'Condition',
      subject: { reference: `urn:uuid:${id}` },
      code: { coding: [{ ...latex.code, code: '444814009' }] },
      onsetDateTime: '2011-08-09T10:00:00+02:00',
      abatementDateTime: '2011-08-16',
    }
    const rows = linesOf(patientOf(id), allergy, condition, allergy)
    const { lines } = await send(rows, 'application/fhir+ndjson', '?source=elsewhere')
    expect(lines.map(({ outcome }) => outcome)).toEqual(['created', 'created', 'created', 'present'])
    expect(lines[3]!.id).toBe(lines[1]!.id)
    const chart = lines[0]!.id as string
    expect((await service.as(registrar, 'GET', `/${chart}`)).body.identifiers).toEqual([
      { system: 'source:elsewhere', value: id },
    ])
    expect(await itemsOf(chart, 'conditions')).toMatchObject([{ onset: '2011-08-09', resolved: '2011-08-16' }])
    const again = await send(rows, ndjson, '?source=elsewhere')
    expect(again.lines.map(({ outcome }) => outcome)).toEqual(Array(4).fill('present'))
    // of another source it is somebody else
    expect((await send(linesOf(allergy), ndjson, '?source=third')).lines).toMatchObject([
      { outcome: 'refused', errors: [{ path: 'patient' }] },
    ])
  })

  test('a resource of another kind is refused, and a patient that comes after what refers to it is too late', async () => {
    const id = randomUUID()
    const allergy = {
      resourceType: 'AllergyIntolerance',
      patient: { reference: `Patient/${id}` },
      code: { coding: [latex.code] },
    }
    const { lines } = await send(linesOf({ resourceType: 'Observation' }, allergy, patientOf(id)))
    expect(
      lines.map(({ outcome, errors }) => [outcome, (errors as { path: string }[] | undefined)?.[0]?.path]),
    ).toEqual([
      ['refused', 'resourceType'],
      ['refused', 'patient'],
      ['created', undefined],
    ])
  })
})

describe('a row that is refused', () => {
  const allergyOf = (value: string, more: object = {}) => ({
    resourceType: 'AllergyIntolerance',
    patient: { reference: `Patient/${value}` },
    code: { coding: [latex.code] },
    ...more,
  })
  const pathsOf = (lines: Record<string, unknown>[]) =>
    lines.map(({ errors }) => (errors as { path: string }[] | undefined)?.[0]?.path)

  test('for a name that all objects have, or for what is no text, stops no other', async () => {
    const names = ['constructor', '__proto__', 'toString']
    const nested = `{"resourceType":"Patient","id":"1","name":[{"family":"x","given":["y"],"prefix":${'['.repeat(300_000)}${']'.repeat(300_000)}}]}`
    const rows = [
      ...names.map((resourceType) => JSON.stringify({ resourceType })),
      JSON.stringify({
        ...{ resourceType: 'Patient', id: randomUUID(), birthDate: '1989-05-25', gender: 'male' },
        name: [{ family: 'x', given: ['y'], prefix: [{ toString: 1 }] }],
      }),
      nested,
      JSON.stringify(aRow()),
    ]
    const { lines, last } = await send(rows.join('\n'))
    expect(pathsOf(lines)).toEqual([...names.map(() => 'resourceType'), 'name.prefix', 'body', undefined])
    expect(last).toEqual({ done: true, created: 1, present: 0, refused: 5 })
  })

  test('for what nobody foresaw is in the log, and stops no other', async () => {
    const logged: string[] = []
    const events: object[] = []
    const importRows = buildImport({
      ...{ db: service.db, log: { error: (message: string) => logged.push(message) } },
      outbox: { wake: () => undefined, record: (event: object) => Promise.resolve(events.push(event)) },
    } as unknown as TransferDeps)
    async function* batches() {
      yield [1, 2].map((line) => ({ line, row: {} }))
    }
    const context = { claims: { exp: Infinity }, takeEvent: (facts: object) => facts }
    const read = () => {
      throw new TypeError('unforeseen')
    }
    const told = []
    for await (const text of importRows(context as never, {} as never, batches(), read)) told.push(text)
    const errors = [{ path: 'row', message: 'row could not be read' }]
    expect(told[0]).toBe([1, 2].map((line) => `${JSON.stringify({ line, outcome: 'refused', errors })}\n`).join(''))
    expect(JSON.parse(told[1]!)).toEqual({ done: true, created: 0, present: 0, refused: 2 })
    expect([logged.length, events.length]).toEqual([2, 1])
  })

  test('for an allergy or a condition leaves a trace in the chart that it asked, whatever it says of it', async () => {
    const value = randomUUID()
    const chart = await service.create({ restricted: true, identifiers: [{ system: 'source:fhir', value }] })
    await send(linesOf(allergyOf(value)))
    const early = { extension: [{ url: allergyAbatement, valueDateTime: '1900-01-01' }] }
    for (const more of [{ onsetDateTime: '1950-01-01' }, early]) {
      await service.events()
      const { lines } = await send(linesOf(allergyOf(value, more)))
      expect(lines).toMatchObject([{ outcome: 'refused' }])
      expect((await service.events())[1]).toMatchObject({ type: 'patients.import.read', patientIds: [chart.id] })
    }
  })

  test('for an id that makes its identifiers too many names them', async () => {
    const identifiers = Array.from({ length: 20 }, (_one, n) => ({ system: 'insurance', value: `A${n}` }))
    const { lines } = await send(
      linesOf(aRow({ id: randomUUID(), identifiers }), aRow({ id: randomUUID(), identifiers: identifiers.slice(1) })),
    )
    expect(pathsOf(lines)).toEqual(['identifiers', undefined])
  })

  test.each([
    ['that has a NUL', 'a\u0000b'],
    ['that is absurdly long', 'x'.repeat(101)],
    ['without a name', ''],
  ])('for a reference %s names it', async (_what, value) => {
    const { lines } = await send(linesOf(allergyOf(value)))
    expect(pathsOf(lines)).toEqual(['patient'])
    expect(JSON.stringify(lines)).not.toContain('none that is here')
  })
})

describe('files of Synthea', () => {
  const header =
    'Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,ZIP'
  const personOf = (id: string) =>
    `${id},1950-02-03,2020-04-05,999-11-2222,S999,X999X,Mrs.,María José,O'Conner,PhD,van der Berg,M,white,hispanic,F,Hilo  Hawaii  US,"1 Old Mill Road, Floor 2",Hilo,Hawaii,Hawaii County,96720`
  const itemHeader = 'START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION'
  const csv = (...rows: string[]) => rows.join('\n')

  test('patients, then their allergies and conditions, each row once', async () => {
    const id = randomUUID()
    const patients = await send(csv(header, personOf(id), personOf(id)), 'text/csv')
    expect(patients.lines.map(({ line, outcome }) => [line, outcome])).toEqual([
      [2, 'created'],
      [3, 'present'],
    ])
    const chart = patients.lines[0]!.id as string
    expect((await service.as(registrar, 'GET', `/${chart}`)).body).toMatchObject({
      name: { given: ['María', 'José'], family: "O'Conner", prefix: 'Mrs.', suffix: 'PhD' },
      otherNames: [{ use: 'maiden', family: 'van der Berg' }],
      deathDate: '2020-04-05',
      status: 'deceased',
      identifiers: [
        { system: 'source:synthea', value: id },
        { system: 'ssn', value: '999-11-2222' },
        { system: 'driving-licence', value: 'S999' },
        { system: 'passport', value: 'X999X' },
      ],
      addresses: [
        { line: ['1 Old Mill Road, Floor 2'], city: 'Hilo', state: 'Hawaii', postalCode: '96720', country: 'US' },
      ],
    })
    const row = `1982-10-25,,${id},,300916003,Latex allergy`
    const rows = csv(
      itemHeader,
      row,
      row,
      `1949-10-25,,${id},,300916003,Latex allergy`,
      `1982-10-25,,,,300916003,Latex`,
    )
    await service.events()
    const items = await send(rows, 'text/csv', '?file=allergies')
    expect(items.lines).toMatchObject([
      { line: 2, outcome: 'created' },
      { line: 3, outcome: 'present', id: items.lines[0]!.id },
      { line: 4, outcome: 'refused', errors: [{ path: 'onset' }] },
      { line: 5, outcome: 'refused', errors: [{ path: 'PATIENT' }] },
    ])
    expect(await typesOf()).toEqual([
      'patients.import.started',
      'patients.allergy.created',
      'patients.import.read',
      'patients.import.ended',
    ])
    expect((await send(rows, 'text/csv', '?file=conditions')).lines[0]).toMatchObject({ outcome: 'created' })
    expect(await itemsOf(chart, 'allergies')).toMatchObject([
      { code: latex.code, onset: '1982-10-25', recordedBy: registrar.id },
    ])
  })

  test('what was corrected here does not come back, and a voided chart takes nothing', async () => {
    const id = randomUUID()
    const chart = (await send(csv(header, personOf(id)), 'text/csv')).lines[0]!.id as string
    const rows = csv(itemHeader, `1982-10-25,,${id},,300916003,Latex allergy`)
    const item = (await send(rows, 'text/csv', '?file=allergies')).lines[0]!.id as string
    const clinician = someone(['clinician'])
    const corrected = { code: { code: '300913006', display: 'Shellfish allergy' }, onset: '1983-01-01' }
    await service.as(clinician, 'PUT', `/${chart}/allergies/${item}`, corrected, { 'if-match': '"1"' })
    expect((await send(rows, 'text/csv', '?file=allergies')).lines).toEqual([{ line: 2, outcome: 'present', id: item }])
    await service.as(clinician, 'POST', `/${chart}/void`, { reason: 'made twice' })
    await service.events()
    const refused = await send(
      csv(itemHeader, `1990-10-25,,${id},,300916003,Latex allergy`),
      'text/csv',
      '?file=allergies',
    )
    expect(refused.lines).toMatchObject([{ outcome: 'refused', errors: [{ path: 'patient' }] }])
    expect((await service.events())[1]).toMatchObject({ type: 'patients.import.read', patientIds: [chart] })
  })

  test.each([
    ['an empty body', '\n', '', 'header'],
    ['a header that lacks a column', header.replace(',ZIP', ''), '', 'header'],
    ['a header with a column too many', `${header},SHOESIZE`, '', 'header'],
    ['a header that has a column twice', `${header},ZIP`, '', 'header'],
    ['allergies or conditions, nobody says which', itemHeader, '', 'file'],
    ['another file than is said', header, '?file=allergies', 'header'],
    ['a file that is none', header, '?file=claims', 'file'],
    ['a source that is none', header, '?source=Not%20one', 'source'],
  ])('%s is refused as a whole', async (_what, body, query, field) => {
    const answer = await send(body, 'text/csv', query)
    expect([answer.status, answer.body.errors?.map((one: { path: string }) => one.path)]).toEqual([422, [field]])
  })

  test('a row with a quote where none may be, or with another number of fields, is refused alone', async () => {
    const [one, two] = [randomUUID(), randomUUID()]
    const bad = personOf(randomUUID()).replace('Hilo', 'Hi"lo')
    const { lines } = await send(
      csv(`\uFEFF${header}`, personOf(one), bad, `${one},1950-01-01`, '', personOf(two), ''),
      'text/csv',
    )
    expect(lines.map(({ line, outcome }) => [line, outcome])).toEqual([
      [2, 'created'],
      [3, 'refused'],
      [4, 'refused'],
      [6, 'created'],
    ])
    expect(JSON.stringify(lines)).not.toContain('Hi')
  })

  test('a quote that never closes ends the import, which says so; what came before stays', async () => {
    const id = randomUUID()
    const { lines, last } = await send(csv(header, personOf(id), `"${'x'.repeat(2 ** 21)}`), 'text/csv')
    expect(lines.map(({ outcome }) => outcome)).toEqual(['created'])
    expect(last).toMatchObject({ done: false, created: 1, code: 'bad_request' })
    expect(await chartsOf(id)).toHaveLength(1)
  })

  test('newer releases have more columns', async () => {
    const id = randomUUID()
    const [more, person] = [header.replace('FIRST', 'FIRST,MIDDLE'), personOf(id).replace('María José', 'María,José')]
    const { lines } = await send(csv(`${more},INCOME`, `${person},100`), 'text/csv')
    const { body } = await service.as(registrar, 'GET', `/${lines[0]!.id as string}`)
    expect(body.name.given).toEqual(['María', 'José'])
    const rows = csv(
      'START,STOP,PATIENT,ENCOUNTER,SYSTEM,CODE,DESCRIPTION,TYPE',
      `1982-10-25,,${id},,RxNorm,7984,Penicillin V,allergy`,
    )
    expect((await send(rows, 'text/csv')).lines).toMatchObject([{ outcome: 'created' }])
    expect(await itemsOf(body.id, 'allergies')).toMatchObject([
      { code: { system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '7984' } },
    ])
  })
})

describe('a stream', () => {
  test('is answered before it ends: a row that is sent has its outcome while the next is waited for', async () => {
    const { sent, heard } = open()
    sent.flushHeaders()
    for (let n = 1; n <= 3; n++) {
      sent.write(`${JSON.stringify(aRow())}\n`)
      await until(() => heard.text.includes(`"line":${n},`))
    }
    sent.end()
    await until(() => heard.ended)
    expect(heard.text).toMatch(/"done":true,"created":3/)
  })

  test('whose client goes away leaves whole rows alone, and an end in the log', async () => {
    await service.events()
    const [whole, half] = [aRow(), aRow()]
    const { sent, heard } = open()
    const text = JSON.stringify(half)
    sent.write(`${JSON.stringify(whole)}\n${text.slice(0, text.length - 1)}`)
    await until(() => heard.text.includes('"line":1,'))
    sent.destroy()
    const events: Awaited<ReturnType<typeof service.events>> = []
    await until(async () => {
      events.push(...(await service.events()))
      return events.some(({ type }) => type === 'patients.import.ended')
    })
    expect(events.map(({ type, outcome }) => [type, outcome])).toEqual([
      ['patients.import.started', 'success'],
      ['patients.patient.created', 'success'],
      ['patients.import.ended', 'failure'],
    ])
    expect(await chartsOf(half.identifiers[0]!.value)).toEqual([])
    const again = await send(linesOf(whole, half))
    expect(again.lines.map(({ outcome }) => outcome)).toEqual(['present', 'created'])
  })

  test('ends when the token does, and the rest goes on with another', async () => {
    const soon = someone(['registrar'], { exp: Math.floor(Date.now() / 1000) + 2 })
    const { sent, heard } = open(soon.token)
    const rows = [aRow(), aRow()]
    sent.write(`${JSON.stringify(rows[0])}\n`)
    await until(() => heard.text.includes('"line":1,'))
    await sleep(2100)
    sent.end(JSON.stringify(rows[1]))
    await until(() => heard.ended)
    expect(heard.text).toMatch(/"done":false,"created":1,"present":0,"refused":0,"code":"unauthorized"/)
    expect((await send(linesOf(...rows))).lines.map(({ outcome }) => outcome)).toEqual(['present', 'created'])
  })

  test('that nobody reads isn’t read either', async () => {
    const { sent } = open()
    let answered = false
    sent.on('response', (answer) => {
      answered = true
      answer.pause()
    })
    const line = Buffer.from(`{${' '.repeat(500)}\n`.repeat(100))
    let [taken, stalled] = [0, false]
    while (!stalled && taken < 200 * 2 ** 20) {
      if (!sent.write(line)) {
        const drained = new Promise<boolean>((resolve) => sent.once('drain', () => resolve(false)))
        stalled = await Promise.race([drained, sleep(1000, true, { ref: false })])
      }
      taken += line.length
    }
    sent.destroy()
    expect([answered, stalled]).toEqual([true, true])
  }, 60_000)

  test('two imports of the same at once make nothing twice', async () => {
    const rows = Array.from({ length: 150 }, () => aRow({ allergies: [latex] }))
    const answers = await Promise.all([
      send(linesOf(...rows)),
      send(linesOf(...rows.toReversed())),
      send(linesOf(...rows)),
    ])
    const outcomes = answers.flatMap(({ lines }) => lines.map(({ outcome }) => outcome))
    expect(answers.map(({ last }) => last!.done)).toEqual([true, true, true])
    expect(outcomes.filter((one) => one === 'created')).toHaveLength(150)
    expect(outcomes.filter((one) => one === 'present')).toHaveLength(300)
    for (const { identifiers } of rows) expect(await chartsOf(identifiers[0]!.value)).toHaveLength(1)
  }, 30_000)

  test('that stops halfway through what came at once tells of what it has kept', async () => {
    const [kept, never] = [aRow(), aRow({ name: { given: ['Halt'], family: 'Halt' } })]
    await service.asOwner(
      `CREATE FUNCTION halt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'halt' USING ERRCODE = '40P01'; END $$`,
    )
    await service.asOwner(
      `CREATE TRIGGER halt BEFORE INSERT ON patients FOR EACH ROW WHEN (NEW.demographics::text LIKE '%Halt%') EXECUTE FUNCTION halt()`,
    )
    try {
      const { lines, last } = await send(linesOf(kept, never, aRow(), { birthDate: 'none' }))
      expect(lines.map(({ line, outcome }) => [line, outcome])).toEqual([
        [1, 'created'],
        [4, 'refused'],
      ])
      expect(last).toMatchObject({ done: false, created: 1, refused: 1, code: 'unavailable' })
      expect(await chartsOf(kept.identifiers[0]!.value)).toMatchObject([{ id: lines[0]!.id }])
    } finally {
      await service.asOwner('DROP TRIGGER halt ON patients')
      await service.asOwner('DROP FUNCTION halt')
    }
  })

  test('stops where an event can’t be recorded, and keeps nothing of that batch', async () => {
    const row = aRow()
    await service.asOwner('REVOKE INSERT ON outbox FROM caregate_patients')
    try {
      const { status, body } = await service.call('POST', path, {
        token: registrar.token,
        body: JSON.stringify(row),
        headers: { 'content-type': ndjson },
      })
      expect([status, body.code]).toEqual([503, 'audit_unavailable'])
    } finally {
      await service.asOwner('GRANT INSERT ON outbox TO caregate_patients')
    }
    expect(await chartsOf(row.identifiers[0]!.value)).toEqual([])
  })
})

test.each([
  ['application/json', 415],
  ['text/plain', 415],
])('a body of %s is refused', async (type, status) => {
  expect((await send('{}', type)).status).toBe(status)
})

test('only registrars import', async () => {
  for (const roles of [['clinician'], ['nurse'], ['admin', 'auditor'], ['patient']] as const)
    expect((await send('{}', ndjson, '', someone([...roles]))).status).toBe(403)
})
