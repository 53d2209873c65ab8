import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { until } from '@caregate/common/testing/until'
import { aPatient, openPatients, registrar, someone } from '../testing.ts'

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
