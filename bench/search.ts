/** `npm run bench -- search [CHARTS]`: charts found by whatever is known of them, through the gateway, in a small register and in a large one. */
import { openDatabase } from '@caregate/common/database'
import { conclude } from '../prove/load.ts'
import { buildChance } from '../prove/chance.ts'
import { spec } from '../services/patients/src/database.ts'
import { buildFieldKeys } from '../services/patients/src/field-keys.ts'
import { foldName } from '../services/patients/src/patient.ts'
import type { PatientFilter } from '../services/patients/src/search/repository.ts'
import { openClients } from './audit/http.ts'
import { openStage, quiet } from './audit/stage.ts'
import { median, quantile } from './figures.ts'
import { openFill } from './search/fill.ts'
import type { Person } from './search/people.ts'
import { showPlans } from './search/plans.ts'

const targets = { p95: 50, growth: 1.5 }
const small = 10_000
const large = Number(process.argv[2] ?? 1_000_000)
if (!(large > small)) {
  console.error(`Usage: npm run bench -- search [CHARTS], more than ${small}`)
  process.exit(1)
}
const queries = 200
const limit = 20
/** The peer goes through every chart: fewer are enough. */
const peerQueries = 20

const chance = buildChance(2, 0)

/** A letter of the longest word replaced by another; of a short one every other name is a letter away. */
function mistype(name: string): string {
  const words = name.split(' ')
  const longest = words.toSorted((a, b) => b.length - a.length)[0]!
  if (longest.length < 5) return name
  const at = 1 + chance.int(longest.length - 1)
  return words.map((word) => (word === longest ? `${word.slice(0, at)}x${word.slice(at + 1)}` : word)).join(' ')
}
/** As on a keyboard without accents. */
const typed = (name: string): string => foldName(name)
const first = ({ demographics }: Person): string => demographics.name.given[0]!
const family = ({ demographics }: Person): string => demographics.name.family

/** What is searched for somebody. `sure`: there are few such charts, so it must be among those found. */
const kinds: Record<string, { body(person: Person): object; sure: boolean }> = {
  'family name': { body: (one) => ({ q: family(one) }), sure: false },
  'beginning of a family name': { body: (one) => ({ q: typed(family(one)).slice(0, 3) }), sure: false },
  'both names, without accents': { body: (one) => ({ q: typed(`${first(one)} ${family(one)}`) }), sure: false },
  'beginnings of both': {
    body: (one) => ({ q: typed(`${family(one).slice(0, 4)} ${first(one).slice(0, 3)}`) }),
    sure: false,
  },
  'both, a letter wrong': {
    body: (one) => ({ q: `${typed(first(one))} ${mistype(typed(family(one)))}` }),
    sure: false,
  },
  'name and birth date': {
    body: (one) => ({ q: family(one), birthDate: one.demographics.birthDate }),
    sure: true,
  },
  'a name with a letter wrong and birth date': {
    body: (one) => ({ q: mistype(typed(family(one))), birthDate: one.demographics.birthDate }),
    sure: true,
  },
  'birth date': { body: (one) => ({ birthDate: one.demographics.birthDate }), sure: false },
  MRN: { body: (one) => ({ mrn: one.mrn }), sure: true },
  phone: { body: (one) => ({ phone: one.demographics.telecom[0]!.value }), sure: true },
  identifier: { body: (one) => ({ identifier: one.demographics.identifiers[0]!.value }), sure: true },
}

/** Of which searches the plans are shown. */
const plans: Record<string, PatientFilter> = {
  'Beginnings of both names': { words: ['smi', 'gra'] },
  'A letter wrong': { words: ['smiht', 'grace'] },
  'Name and birth date': { words: ['smith'], birthDate: '1970-01-01' },
  Phone: { phone: '+1-555-0100' },
  Identifier: { identifier: 'INS000000001' },
  MRN: { mrn: '200000001' },
}

interface Figures {
  times: number[]
  /** Of those that must be found. */
  missed: number
}

const stage = await openStage()
const database = new URL(stage.info.backing.postgres)
database.pathname = '/caregate_patients'
const keys = buildFieldKeys({ FIELD_KEY: stage.secrets.FIELD_KEY, FIELD_KEY_PREVIOUS: undefined })
const fill = await openFill(database.href, keys)

/** One at a time, each for another person; the first tenth warms up. */
async function measure(kind: string, people: readonly Person[]): Promise<Figures> {
  const { body, sure } = kinds[kind]!
  const clients = openClients(stage.portOf('gateway'), await stage.token(['registrar']), 1)
  const figures: Figures = { times: [], missed: 0 }
  for (let n = 0; n < queries * 1.1; n++) {
    const person = chance.pick(people)
    const answer = await clients.send('POST', '/patients/search', { ...body(person), limit })
    if (n >= queries * 0.1) figures.times.push(answer.ms)
    const { items } = JSON.parse(answer.body) as { items: { id: string }[] }
    if (sure && !items.some(({ id }) => id === person.id)) figures.missed += 1
  }
  clients.close()
  return figures
}

/** What is written at first: a pattern over the names of every chart. */
async function measurePeer(people: readonly Person[]): Promise<number[]> {
  const times: number[] = []
  for (let n = 0; n < peerQueries; n++) {
    const from = performance.now()
    const pattern = `%${typed(family(chance.pick(people)))}%`
    await fill.client.query('SELECT * FROM patients WHERE search_name ILIKE $1 ORDER BY search_name, id LIMIT $2', [
      pattern,
      limit,
    ])
    times.push(performance.now() - from)
  }
  return times
}

async function measureAll(count: number) {
  const people: Person[] = []
  const started = performance.now()
  await fill.upTo(count, (person) => void (chance.chance(2000 / count) && people.push(person)))
  console.error(`${count} charts after ${((performance.now() - started) / 1000).toFixed(0)} s`)
  const found = new Map<string, Figures>()
  for (const kind of Object.keys(kinds)) found.set(kind, await measure(kind, people))
  return { found, peer: await measurePeer(people) }
}

try {
  const sizes = [await measureAll(small), await measureAll(large)] as const
  const [few, many] = sizes
  console.log(`\n${queries} searches each, ${limit} charts a page, through the gateway, one at a time; ms\n`)
  console.log(`| | ${small} charts: p50 | p95 | ${large}: p50 | p95 | p50 grows |`)
  console.log('|---|---|---|---|---|---|')
  const row = (name: string, before: number[], after: number[]) =>
    console.log(
      `| ${name} | ${[median(before), quantile(before, 0.95), median(after), quantile(after, 0.95)].map((ms) => ms.toFixed(1)).join(' | ')} | ${(median(after) / median(before)).toFixed(2)} |`,
    )
  for (const kind of Object.keys(kinds)) row(kind, few.found.get(kind)!.times, many.found.get(kind)!.times)
  const timesOf = ({ found }: (typeof sizes)[number]) => [...found.values()].flatMap(({ times }) => times)
  const [before, after] = [timesOf(few), timesOf(many)]
  row('all', before, after)
  row('peer: ILIKE, in the database alone', few.peer, many.peer)
  const options = { DATABASE_URL: database.href, DB_POOL_MAX: 2, DB_STATEMENT_TIMEOUT_MS: 60_000 }
  const db = await openDatabase(options, spec.entities, quiet, AbortSignal.timeout(10_000))
  await showPlans(db, keys, plans).finally(() => db.destroy())
  const mean = (times: number[]) => times.reduce((sum, ms) => sum + ms, 0) / times.length
  const growth = mean(after) / mean(before)
  const slowest = Math.max(...[...many.found.values()].map(({ times }) => quantile(times, 0.95)))
  const missed = [few, many].flatMap(({ found }) => [...found.values()]).reduce((sum, one) => sum + one.missed, 0)
  conclude(
    {
      [`of ${large} charts 95 % of all searches are answered within ${quantile(after, 0.95).toFixed(1)} ms (at most ${targets.p95}), of the slowest kind within ${slowest.toFixed(1)}`]:
        slowest <= targets.p95,
      [`a search takes ${growth.toFixed(2)} times as long as among ${small} on average (at most ${targets.growth})`]:
        growth <= targets.growth,
      [`${missed} searches for somebody by name and birth date, MRN, phone or identifier missed them`]: missed === 0,
    },
    [],
  )
} finally {
  await fill.close()
  await stage.close()
}
