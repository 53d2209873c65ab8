/** `npm run prove -- nophi [SEED]`: canaries in every field and every bad request, and no trace of them where none may be. */
import { randomInt, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OpenApi } from '@caregate/common/openapi'
import { SERVICES } from '@caregate/common/services'
import { startPlatform } from '../platform/platform.ts'
import { freePort } from '../platform/processes.ts'
import { openProgress } from '../platform/progress.ts'
import { makeFolder } from '../platform/state.ts'
import { buildChance } from './chance.ts'
import { conclude } from './load.ts'
import { buildCanaries, type Canary, type Kind } from './nophi/canaries.ts'
import { badInput, buildSend, fill, formType, type Answered } from './nophi/drive.ts'
import { collectTraces, filesIn, listen, openDatabases, processes, tellRedis, type Databases } from './nophi/places.ts'
import { operationsOf, type Operation } from './operations.ts'
import { buildAsk, logIn, settle } from './people.ts'
import { newPassword } from '../platform/client.ts'
import { unlimited } from './unlimited.ts'

const seed = Number(process.argv[2] ?? randomInt(2 ** 31))
console.log(`seed ${seed}: npm run prove -- nophi ${seed}`)
const began = performance.now()
const canaries = buildCanaries(buildChance(seed, 0))
const { plant, plantDay } = canaries

const collector = await collectTraces()
const env = {
  ...unlimited,
  BCRYPT_COST: '4',
  LOG_LEVEL: 'DEBUG',
  ACCESS_TOKEN_EXPIRE_MINUTES: '1440',
  REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
}
const folder = makeFolder(mkdtempSync(join(tmpdir(), 'caregate-nophi-')))
const progress = openProgress(process.stderr)
const platform = await startPlatform({ folder, env, ports: 'free', progress }).finally(() => progress.close())
const { info } = platform
const answers: Answered[] = []

/** A chart with everything in it that there is. */
function fullChart(): Record<string, unknown> {
  const chart = (what: string, form?: (core: string) => string) => plant('chart', what, form)
  const name = (of: string) => ({
    given: [chart(`${of} given name`, (core) => `Zoë ${core}`)],
    family: chart(`${of} family name`, (core) => `O'${core} é`),
    prefix: chart(`${of} prefix`),
    suffix: chart(`${of} suffix`),
  })
  const telecom = (of: string) => [
    { system: 'phone', value: chart(`${of} phone`, (core) => `+1 555 ${core}`), use: 'home' },
    { system: 'email', value: chart(`${of} email`, (core) => `${core}@example.org`), use: 'work' },
  ]
  return {
    status: 'active',
    name: name('own'),
    otherNames: [{ use: 'maiden', given: [chart('other given name')], family: chart('other family name') }],
    birthDate: plantDay('chart', 'date of birth'),
    deathDate: null,
    sex: 'other',
    identifiers: [
      ...['ssn', 'driving-licence', 'passport'].map((system) => ({
        system,
        value: plant('government', system, (core) => `é ${core}`),
      })),
      { system: 'insurance', value: chart('insurance') },
      { system: 'source:prove', value: chart('source id') },
    ],
    telecom: telecom('own'),
    addresses: [
      {
        line: [chart('address line')],
        city: chart('city'),
        state: chart('state'),
        postalCode: chart('postal code'),
        country: 'US',
      },
    ],
    contacts: [{ name: name('contact’s'), relationship: chart('relationship'), telecom: telecom('contact’s') }],
    language: 'en',
    maritalStatus: chart('marital status'),
    race: chart('race'),
    ethnicity: chart('ethnicity'),
  }
}

interface Made {
  id: string
  version: number
  identifiers: { system: string; value: string }[]
}
const roles = ['registrar', 'clinician', 'nurse', 'auditor', 'admin'] as const
const tokens = {} as Record<(typeof roles)[number] | 'patient', string>
const patients = '/api/v1/patients'
const send = buildSend(info.gateway, answers)
const straight = SERVICES.map((service) => buildSend(info.services[service]!.url, answers))

/** @throws when the answer is another one */
async function must(status: number, ...asked: Parameters<typeof send>): Promise<unknown> {
  const { text, ...answer } = await send(...asked)
  if (answer.status === status) return text && JSON.parse(text)
  throw new Error(`${asked[0].method} ${asked[0].path}: ${answer.status} ${text}`)
}
const create = async (more: object = {}): Promise<Made> =>
  (await must(201, {
    method: 'POST',
    path: `${patients}?force=true`,
    token: tokens.registrar,
    body: { ...fullChart(), ...more },
  })) as Made

async function bringPeople(): Promise<void> {
  const ask = buildAsk(info.gateway)
  tokens.admin = (await settle(ask, info.admin!.email, info.admin!.password)).tokens.accessToken
  for (const role of roles.filter((one) => one !== 'admin')) {
    const body = { email: `${role}@prove.test`, fullName: `The ${role}`, roles: [role] }
    const made = await ask<{ oneTimePassword: string }>(201, 'POST', '/api/v1/auth/users', body, tokens.admin)
    tokens[role] = (await settle(ask, body.email, made.oneTimePassword)).tokens.accessToken
  }
  const account = { email: plant('account', 'email', (core) => `${core}@example.org`), password: newPassword() }
  const body = { ...account, fullName: plant('account', 'full name') }
  const { id } = await ask<{ id: string }>(201, 'POST', '/api/v1/auth/register', body)
  const chart = await create()
  const link = { patientId: chart.id }
  await must(200, { method: 'PUT', path: `/api/v1/auth/users/${id}/patient`, token: tokens.registrar, body: link })
  tokens.patient = (await logIn(ask, account)).accessToken
  await must(200, { method: 'GET', path: `${patients}/${chart.id}`, token: tokens.patient })
  await send({ method: 'GET', path: `/api/v1/auth/users?email=${account.email}`, token: tokens.registrar })
}

/** An operation as it is meant, by whoever may: until it is answered with 2xx. */
async function use({ method, path, roles: may, bodies }: Operation): Promise<boolean> {
  const [[bodyType, body] = []] = bodies
  for (const restricted of [false, true]) {
    const chart = await create({ restricted })
    for (const role of roles.filter((one) => may.includes(one))) {
      const token = tokens[role]
      const own = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => (name === 'version' ? '1' : chart.id))
      const filled = body && (fill(canaries, body, `${method} ${path}`) as Record<string, unknown> | string)
      // a chart is written by hand: its rules go beyond what a schema says
      const isChart = typeof filled === 'object' && 'birthDate' in filled && 'telecom' in filled
      // so is a row of an import
      const row = () => `${JSON.stringify({ ...fullChart(), id: randomUUID() })}\n`
      const asked = typeof filled === 'string' ? row() : isChart ? { ...fullChart(), identifiers: [] } : filled
      const isForm = bodyType === formType
      const sent = isForm ? new URLSearchParams(asked as Record<string, string>).toString() : asked
      const { status, text } = await send({
        ...{ method, path: own, token, body: sent },
        headers: { 'if-match': '"1"', ...(bodyType && { 'content-type': bodyType }) },
      })
      if (status >= 200 && status < 300 && !text.includes('"outcome":"refused"')) return true
      // of what was refused nothing may be anywhere
      if (asked) canaries.judge('chart', 'refused', JSON.stringify(asked))
      if (status >= 500) console.log(`  ${method} ${path}: ${status} ${text}`)
    }
  }
  return false
}

/** What the routes of a chart are for, with all that can go wrong on the way. */
async function live(): Promise<void> {
  const chart = await create()
  const path = `${patients}/${chart.id}`
  const government = chart.identifiers.slice(0, 3)
  const staff = [tokens.registrar, tokens.clinician, tokens.nurse]
  for (const token of staff) {
    await must(200, { method: 'GET', path, token })
    await must(200, { method: 'GET', path: patients, token })
    for (const { value } of chart.identifiers)
      await must(200, { method: 'POST', path: `${patients}/search`, token, body: { identifier: value } })
    for (const field of ['q', 'identifier', 'mrn']) {
      const value = plant('refused', `search by ${field}`).slice(0, 20)
      await must(200, { method: 'POST', path: `${patients}/search`, token, body: { [field]: value } })
    }
    const day = plantDay('refused', 'search by day')
    await must(200, { method: 'POST', path: `${patients}/search`, token, body: { birthDate: day } })
  }
  const change = (version: number, body: object, token = tokens.clinician) =>
    send({ method: 'PATCH', path, token, body, headers: { 'if-match': `"${version}"` } })
  const shown = (await must(200, { method: 'GET', path, token: tokens.clinician })) as Made
  await change(1, { race: plant('chart', 'changed race'), identifiers: shown.identifiers })
  await change(1, { race: plant('refused', 'race, 412'), identifiers: government })
  await change(2, { identifiers: [{ system: 'ssn', value: plant('refused', 'masked, 422', (core) => `***${core}`) }] })
  await change(2, { birthDate: plant('refused', 'date, 422'), sex: plant('refused', 'sex, 422') })
  await change(2, { race: plant('refused', 'threat, 422', (core) => `<script>${core}</script>`) })
  const known = { ...fullChart(), identifiers: chart.identifiers }
  await must(409, { method: 'POST', path: patients, token: tokens.registrar, body: known })
  canaries.judge('chart', 'refused', JSON.stringify({ ...known, identifiers: [] }))
  for (const [version, what] of ['void', 'restore'].entries()) {
    const body = { reason: plant('chart', `reason to ${what}`) }
    await must(200, { method: 'POST', path: `${path}/${what}`, token: tokens.clinician, body })
    if (!version) await send({ method: 'GET', path, token: tokens.clinician })
  }
  await treat(path)
}

/** What a chart has besides demographics, and who opens it when it is restricted. */
async function treat(path: string): Promise<void> {
  const { clinician, registrar, auditor } = tokens
  for (const kind of ['allergies', 'conditions']) {
    const item = () => ({
      code: {
        system: `https://codes.example/${plant('chart', `${kind}, system`)}`,
        code: plant('chart', `${kind}, code`),
        display: plant('chart', `${kind}, display`),
      },
    })
    const made = await must(201, { method: 'POST', path: `${path}/${kind}`, token: clinician, body: item() })
    const { id } = made as Made
    const again = { token: clinician, body: item(), headers: { 'if-match': '"1"' } }
    await must(200, { method: 'PUT', path: `${path}/${kind}/${id}`, ...again })
    await must(200, { method: 'GET', path: `${path}/${kind}`, token: clinician })
  }
  const member = { userId: randomUUID(), role: plant('chart', 'role in the care team') }
  const added = await must(201, { method: 'POST', path: `${path}/care-team`, token: registrar, body: member })
  await must(204, { method: 'DELETE', path: `${path}/care-team/${(added as Made).id}`, token: registrar })
  const { version } = (await must(200, { method: 'GET', path, token: registrar })) as Made
  const restrict = { token: registrar, body: { restricted: true }, headers: { 'if-match': `"${version}"` } }
  await must(200, { method: 'PATCH', path, ...restrict })
  const why = { reason: plant('chart', 'reason to break the glass') }
  const broken = await must(201, { method: 'POST', path: `${path}/break-glass`, token: clinician, body: why })
  const { grantId } = broken as { grantId: string }
  await must(200, { method: 'GET', path, token: clinician })
  await must(200, { method: 'GET', path: `${patients}/break-glass/${grantId}`, token: auditor })
}

/** What breaks the database for a while, in messages that quote what they are about, and what mends it. */
const breaks = [
  [
    'ALTER TABLE patients ADD CONSTRAINT prove CHECK (version < 0) NOT VALID',
    'ALTER TABLE patients DROP CONSTRAINT prove',
  ],
  ['REVOKE INSERT ON outbox FROM caregate_patients', 'GRANT INSERT ON outbox TO caregate_patients'],
  ['ALTER TABLE patient_versions RENAME TO prove', 'ALTER TABLE prove RENAME TO patient_versions'],
] as const

/** @returns what was answered meanwhile */
async function failing(databases: Databases): Promise<number[]> {
  const statuses: number[] = []
  for (const [broken, mended] of breaks) {
    const { id } = await create()
    const body = fullChart()
    await databases.of.patients.query(broken)
    const asked = { token: tokens.registrar, body }
    const headers = { 'if-match': '"1"' }
    statuses.push((await send({ method: 'POST', path: patients, ...asked })).status)
    statuses.push((await send({ method: 'PUT', path: `${patients}/${id}`, ...asked, headers })).status)
    await databases.of.patients.query(mended)
    canaries.judge('chart', 'refused', JSON.stringify(body))
  }
  return statuses
}

interface Place {
  name: string
  bytes: Iterable<Buffer>
  may?: Kind[]
  /** What has to be found there: the search isn't blind. */
  must?: Kind[]
}
const columns = (...cells: (string | number)[]) =>
  console.log(cells.map((cell, n) => (n ? String(cell).padStart(14) : String(cell).padEnd(58))).join(''))

const offenders: string[] = []
let [isSighted, searched] = [true, 0]
function search({ name, bytes, may = [], must: needed = [] }: Place): void {
  let size = 0
  const found = new Map<Canary, string>()
  for (const piece of bytes) {
    size += piece.length
    for (const { canary, encoding } of canaries.findIn(piece)) found.set(canary, encoding)
  }
  const kinds = new Set([...found.keys()].map(({ kind }) => kind))
  const wrong = [...found].filter(([{ kind }]) => !may.includes(kind))
  offenders.push(...wrong.map(([{ kind, what }, encoding]) => `${name}: ${what} (${kind}, ${encoding})`))
  isSighted &&= needed.every((kind) => kinds.has(kind))
  searched += size
  columns(name, size, found.size, wrong.length)
}

let databases: Databases | undefined
try {
  databases = await openDatabases(info)
  const heard = await listen(info.backing.amqp)
  await bringPeople()
  await live()
  const operations = operationsOf((await must(200, { method: 'GET', path: '/openapi.json' })) as OpenApi)
  const unused: string[] = []
  for (const operation of operations.filter(({ tag }) => tag === 'patients'))
    if (!(await use(operation))) unused.push(`${operation.method} ${operation.path}`)
  const { id } = await create()
  const bad = operations.flatMap((operation) => [...badInput(canaries, operation, id)])
  for (const asked of bad)
    for (const via of [send, ...straight])
      for (const token of [tokens.clinician, undefined])
        await via({ ...asked, headers: { ...(token && { authorization: `Bearer ${token}` }), ...asked.headers } })
  const statuses = await failing(databases)

  // what was recorded gets to where it goes
  const waiting = async () => {
    const rows = await Promise.all(
      SERVICES.map((service) => databases!.rows(service, 'SELECT body AS text FROM outbox')),
    )
    return rows.flat().length
  }
  while (await waiting()) await sleep(200)
  // traces are sent every five seconds
  await sleep(6000)
  await tellRedis(env.REDIS_URL, ['CONFIG SET rdbcompression no', 'SAVE'])
  for (const service of SERVICES) await databases.of[service].query('CHECKPOINT')

  const urls = [info.gateway, ...Object.values(info.services).map(({ url }) => url)]
  const fetched = async (list: string[]) =>
    Promise.all(list.map(async (url) => Buffer.from(await (await fetch(url)).arrayBuffer())))
  const bodies = (those: Answered[]) => those.map(({ text }) => Buffer.from(text))
  const sentBy = (...who: (keyof typeof tokens)[]) =>
    answers.filter(({ status, asked: { token } }) => status < 400 && who.some((one) => tokens[one] === token))
  const exported = await send({ method: 'GET', path: '/api/v1/audit/export', token: tokens.auditor })
  const { data, auth, patients: own, audit } = await databases.folders()
  const isIn =
    (...folders: string[]) =>
    (path: string) =>
      folders.some((one) => path.startsWith(`${one}/`))
  const stored: Kind[] = ['chart', 'account', 'refused', 'member']

  columns('place', 'bytes', 'canaries', 'wrongly there')
  search({ name: 'logs of all processes, at DEBUG', bytes: filesIn(join(folder, 'logs')) })
  search({ name: 'the audit log, exported', bytes: [Buffer.from(exported.text)] })
  search({ name: 'tables of audit', bytes: await databases.dump('audit') })
  search({ name: 'files of audit’s database', bytes: filesIn(audit) })
  search({ name: 'tables of auth', bytes: await databases.dump('auth'), may: ['account'], must: ['account'] })
  search({ name: 'files of auth’s database', bytes: filesIn(auth), may: ['account'], must: ['account'] })
  for (const service of SERVICES)
    search({
      name: `the outbox of ${service}`,
      bytes: await databases.rows(service, 'SELECT body AS text FROM nophi.passed'),
    })
  search({ name: 'messages by AMQP, audit.stream and dead letters too', bytes: heard.bodies })
  const traces = collector.bodies()
  search({ name: 'traces, as sent to a collector', bytes: [traces] })
  search({ name: 'RabbitMQ’s data', bytes: filesIn(join(folder, 'rabbitmq')) })
  search({ name: 'Redis’s data', bytes: filesIn(join(folder, 'redis')) })
  search({ name: 'Consul’s data', bytes: filesIn(join(folder, 'consul')) })
  const consul = ['agent/services', 'agent/checks', 'catalog/services', 'kv/?recurse', 'agent/members']
  search({ name: 'Consul’s answers', bytes: await fetched(consul.map((path) => `${info.backing.consul}/v1/${path}`)) })
  search({ name: '/metrics of all processes', bytes: await fetched(urls.map((url) => `${url}/metrics`)) })
  search({ name: 'command lines and names of processes', bytes: processes() })
  const running = 'SELECT query AS text FROM pg_stat_activity'
  search({ name: 'statements that Postgres shows', bytes: await databases.rows('audit', running) })
  search({ name: 'tables of patients', bytes: await databases.dump('patients'), may: ['chart'], must: ['chart'] })
  search({ name: 'files of patients’ database', bytes: filesIn(own), may: stored, must: ['chart'] })
  search({ name: 'Postgres’s write-ahead log', bytes: filesIn(join(data, 'pg_wal')), may: stored, must: ['chart'] })
  search({ name: 'Postgres’s other files', bytes: filesIn(data, isIn(auth, own, audit, join(data, 'pg_wal'))) })
  const problems = answers.filter(({ status }) => status >= 400)
  search({
    name: `${problems.length} refusals, as answered`,
    bytes: bodies(problems),
    may: ['member'],
    must: ['member'],
  })
  const masked: Kind[] = ['chart', 'account']
  search({
    name: 'charts, as answered to who treats',
    bytes: bodies(sentBy('clinician', 'nurse')),
    may: masked,
    must: ['chart'],
  })
  const whole: Kind[] = [...masked, 'government']
  search({
    name: 'charts, as answered to registrars',
    bytes: bodies(sentBy('registrar')),
    may: whole,
    must: ['government'],
  })
  search({
    name: 'the own chart, as answered to the patient',
    bytes: bodies(sentBy('patient')),
    may: whole,
    must: ['government'],
  })

  const all = canaries.all()
  const ofStatus = Map.groupBy(answers, ({ status }) => status)
  console.log(`
${all.length} canaries in ${answers.length} requests (${[...ofStatus]
    .sort(([a], [b]) => a - b)
    .map(([status, { length }]) => `${status}×${length}`)
    .join(' ')})
${operations.length} operations of the description, ${operations.length - unused.length} used${unused.length ? `; never with 2xx: ${unused.join(', ')}` : ''}
${Math.round(searched / 2 ** 20)} MB searched, ${Math.round((performance.now() - began) / 1000)} s`)
  conclude(
    {
      [`a canary is seen in each encoding${canaries
        .blindness()
        .map((name) => `, not in ${name}`)
        .join('')}`]: canaries.blindness().length === 0,
      'canaries are found wherever they have to be': isSighted,
      'the database failed as it should': statuses.every((status) => status >= 500),
      'traces were sent': traces.length > 100_000,
      'the log was exported': exported.status === 200 && exported.text.length > 100_000,
      [`no canary is where none may be: ${offenders.length} are`]: offenders.length === 0,
    },
    [],
  )
  for (const [line, same] of Map.groupBy(offenders, (line) => line))
    console.log(`  ${line}${same.length > 1 ? ` ×${same.length}` : ''}`)
  await heard.close()
} finally {
  await databases?.close()
  await platform.close({ force: true })
  collector.close()
  if (process.exitCode) console.error(`What was searched is in ${folder}.`)
  else rmSync(folder, { recursive: true })
}
