/** `npm run prove -- tokens [COUNT] [SEED]`: forged and mangled access tokens, none of which opens anything. */
import { randomInt } from 'node:crypto'
import { SERVICES, type Service } from '@caregate/common/services'
import { openBed, populate } from './edge/bed.ts'
import { shoot } from './edge/raw.ts'
import { buildAim, type Aim, type Draft } from './edge/shot.ts'
import { judgeAllPassed, judgeAnswer } from './edge/verdicts.ts'
import { conclude } from './load.ts'
import { buildControl } from './tokens/control.ts'
import { makeDead } from './tokens/dead.ts'
import { buildForgeries, isGatewaysAlone, redirect } from './tokens/families.ts'
import { makePlatformKeys } from './tokens/platform-keys.ts'

const atOnce = 24
/** Of so many forged ones each time one more is good. */
const controlEvery = 8
/** Of so many one goes to each service's own port, too. */
const directEvery = 3
const [countGiven = '2000', seedGiven] = process.argv.slice(2)
const count = Number(countGiven)
const seed = Number(seedGiven ?? randomInt(2 ** 31))
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
  console.error('Usage: npm run prove -- tokens [COUNT] [SEED]')
  process.exit(1)
}

const buildRow = () => ({ sent: 0, refused: 0, accepted: 0, '5xx': 0, upstream: 0 })
type Row = ReturnType<typeof buildRow>
type Table = Map<string, Row>
const tables = { gateway: new Map() as Table, direct: new Map() as Table, control: new Map() as Table }
function rowOf(table: Table, name: string): Row {
  if (!table.has(name)) table.set(name, buildRow())
  return table.get(name)!
}
const offenders: string[] = []

/** Sends it and notes what came of it: what isn't refused as it was meant to be counts as accepted. */
async function fire(row: Row, name: string, port: number, id: string, draft: Draft): Promise<void> {
  const { key, answers } = await shoot(port, { ...draft, family: 'tokens', kind: name, id })
  const asMeant = draft.intended.includes(key)
  row.sent += 1
  row[answers.some(({ status }) => status >= 500) ? '5xx' : asMeant ? 'refused' : 'accepted'] += 1
  const wrong = answers.flatMap((answer) => judgeAnswer(answer))
  if (!asMeant) wrong.unshift(`${key} instead of ${draft.intended.join(' or ')}`)
  if (!wrong.length) return
  const [first, ...lines] = draft.bytes.split('\r\n')
  const authorization = lines.find((line) => /^authorization/i.test(line)) ?? ''
  offenders.push(`${name}: ${wrong.join('; ')}\n    ${first}\n    ${authorization.slice(0, 400)}`)
}

/** @param meant what it is that was meant to happen, where it is no refusal */
function print(title: string, table: Table, meant = 'refused'): void {
  const columns = Object.keys(buildRow()) as (keyof Row)[]
  console.log(
    `\n${title.padEnd(46)}${columns.map((column) => (column === 'refused' ? meant : column).padStart(10)).join('')}`,
  )
  const sums = buildRow()
  for (const [name, row] of [...table].sort(([one], [other]) => (one < other ? -1 : 1))) {
    for (const column of columns) sums[column] += row[column]
    console.log(name.padEnd(46) + columns.map((column) => String(row[column]).padStart(10)).join(''))
  }
  console.log('all'.padEnd(46) + columns.map((column) => String(sums[column]).padStart(10)).join(''))
}

const began = performance.now()
console.log(`seed ${seed}: npm run prove -- tokens ${count} ${seed}`)
const bed = await openBed()
let alarms: string[] = []
try {
  const { world: first } = await populate(bed)
  const { nurse, auditor } = first.tokens
  const keys = await makePlatformKeys(bed, { me: nurse, chart: nurse, log: auditor })
  const dead = await makeDead(bed, first)
  const control = buildControl(first, dead.ofClient)
  const world = { ...first, owners: new Map([...first.owners, ...control.owners]) }
  const forgeries = buildForgeries(world, keys, dead)
  const portOf = (service: Service): number => Number(new URL(bed.platform.info.services[service]!.url).port)
  const from = bed.passed.length
  /** Ids of forged ones that went by the gateway; of good ones, which a service may see. */
  const forged = new Map<string, string>()
  const reaches = new Map<string, string>()

  async function fireForged(n: number, aim: Aim): Promise<void> {
    const [name, make] = forgeries(n)
    const draft = make(aim)
    forged.set(aim.id, name)
    await fire(rowOf(tables.gateway, name), name, bed.port, aim.id, draft)
    // the services know nothing of ended sessions
    if (n % directEvery || isGatewaysAlone(name)) return
    for (const service of SERVICES) {
      const what = `${name}, to ${service} itself`
      await fire(rowOf(tables.direct, service), what, portOf(service), aim.id, redirect(aim, draft, service))
    }
  }
  async function fireControl(n: number): Promise<void> {
    const aim = buildAim(seed, 1_000_000 + n, world)
    const { name, draft, service } = control.draw(aim)
    reaches.set(aim.id, name)
    await fire(rowOf(tables.control, name), name, bed.port, aim.id, draft)
    if (n % directEvery) return
    await fire(rowOf(tables.control, `${name}, to a service`), name, portOf(service), aim.id, draft)
  }
  let next = 0
  async function work(): Promise<void> {
    for (let n = next++; n < count; n = next++) {
      await fireForged(n, buildAim(seed, n, world))
      if (n % controlEvery === 0) await fireControl(n / controlEvery)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))

  const passed = bed.passed.slice(from)
  for (const { headers } of passed) {
    const ids = headers.filter(([name]) => name === 'x-request-id' || name === 'user-agent')
    const id = ids.map(([, value]) => value.replace('edge/', '')).find((value) => forged.has(value))
    if (id) rowOf(tables.gateway, forged.get(id)!).upstream += 1
  }
  for (const [, name] of reaches) rowOf(tables.control, name).upstream += 1
  const verdict = judgeAllPassed(passed, reaches, world)
  for (const { what, request } of verdict.offenders)
    offenders.push(`reached ${request.service}: ${what.join('; ')}\n    ${request.method} ${request.target}`)
  const unreached = [...reaches.keys()].filter((id) => !verdict.forwarded.has(id))
  if (unreached.length) offenders.push(`${unreached.length} good ones did not reach their service`)
  alarms = bed.alarms()
} finally {
  await bed.close()
}

print('through the gateway', tables.gateway)
print('straight to a service', tables.direct)
print('good tokens meanwhile', tables.control, 'as meant')
console.log(`\n${Math.round((performance.now() - began) / 1000)} s\n`)
const alike = [...Map.groupBy(offenders, (text) => text.split('\n')[0]!)]
for (const [, same] of alike.slice(0, 20)) console.log(`✗ ${same.length} × ${same[0]}`)
for (const alarm of alarms) console.log(`✗ somebody must act: ${alarm.slice(0, 700)}`)

const rows = (...of: Table[]) => of.flatMap((table) => [...table.values()])
const none = (column: 'accepted' | '5xx' | 'upstream', ...of: Table[]) => rows(...of).every((row) => !row[column])
const sum = (table: Table) => rows(table).reduce((total, { sent }) => total + sent, 0)
conclude(
  {
    [`at least ${count} forged tokens through the gateway, none accepted`]:
      sum(tables.gateway) >= count && none('accepted', tables.gateway),
    'none accepted by a service itself': none('accepted', tables.direct),
    'no answer was a 5xx': none('5xx', tables.gateway, tables.direct, tables.control),
    'no service saw any of them': none('upstream', tables.gateway),
    'good tokens went on being good': none('accepted', tables.control),
    'there were as many of them as claimed: a twentieth': sum(tables.control) >= count / 20,
    'nothing else is wrong with any answer, and nobody must act': !offenders.length && !alarms.length,
  },
  [],
)
