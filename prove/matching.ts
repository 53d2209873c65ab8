/**
 * `npm run prove -- matching [PERSONS] [SEED] [SERVED]`: how many of the pairs that are graded are one person's, and how many of those
 * that are one person's are found and graded, among labelled people. The pairs that are compared are those that share a key.
 * SERVED others are then taken in and matched by the service itself.
 */
import { compare, keysOf, traitsOf, type Match } from '../services/patients/src/match/compare.ts'
import { conclude } from './load.ts'
import { makePeople, type Labelled } from './matching/people.ts'
import { measureService, type Tally } from './matching/service.ts'

const persons = Number(process.argv[2] ?? 20_000)
const seed = Number(process.argv[3] ?? 1)
const served = Number(process.argv[4] ?? 3000)
const people = makePeople(persons, seed)
const traits = people.map(({ chart }) => traitsOf(chart))

const byKey = new Map<string, number[]>()
/** As the service looks for them: by keys and by identifiers. */
const allKeys = ({ chart }: Labelled): string[] => [
  ...keysOf(chart),
  ...chart.identifiers.map(({ system, value }) => `${system} ${value}`),
]
for (const [n, one] of people.entries()) for (const key of allKeys(one)) byKey.set(key, [...(byKey.get(key) ?? []), n])
const pairs = new Map<string, [number, number]>()
for (const group of byKey.values())
  for (const [at, a] of group.entries())
    for (const b of group.slice(at + 1)) if (a !== b) pairs.set(`${a} ${b}`, [a, b])

const isOne = (a: number, b: number): boolean => people[a]!.person === people[b]!.person
const sizes = Map.groupBy(people, ({ person }) => person)
const truth = [...sizes.values()].reduce((sum, { length }) => sum + (length * (length - 1)) / 2, 0)

const started = performance.now()
const graded = [...pairs.values()].map(([a, b]) => ({ a, b, match: compare(traits[a]!, traits[b]!) }))
const micros = ((performance.now() - started) * 1000) / graded.length

console.log(`${people.length} charts of ${persons} people, seed ${seed}: ${truth} pairs of one person's`)
console.log(
  `${graded.length} pairs share a key (${(graded.length / people.length).toFixed(1)} a chart), compared in ${micros.toFixed(0)} µs each`,
)
const reached = graded.filter(({ a, b }) => isOne(a, b)).length
console.log(`share a key: ${reached} of ${truth} (${((100 * reached) / truth).toFixed(2)} %)`)

const from = { certain: ['certain'], probable: ['certain', 'probable'], possible: ['certain', 'probable', 'possible'] }
const figures = Object.entries(from).map(([grade, all]) => {
  const found = graded.filter(({ match }) => match.grade !== null && all.includes(match.grade))
  const right = found.filter(({ a, b }) => isOne(a, b)).length
  return { grade, pairs: found.length, right, precision: right / found.length, recall: right / truth }
})
console.table(figures)

const show = (title: string, wrong: { a: number; b: number; match: Match }[]) => {
  console.log(`\n${title}: ${wrong.length}`)
  const kinds = Map.groupBy(wrong, ({ a, b }) =>
    [people[a]!, people[b]!].map(({ story }: Labelled) => story.join(', ')).join(' | '),
  )
  for (const [kind, group] of [...kinds].toSorted((x, y) => y[1].length - x[1].length).slice(0, 8))
    console.log(
      `  ${group.length} × ${kind}: ${group[0]!.match.reasons.map(({ field, found }) => `${field} ${found}`).join('; ')}`,
    )
}
show(
  'graded certain, and two people',
  graded.filter(({ a, b, match }) => match.grade === 'certain' && !isOne(a, b)),
)
show(
  'one person, and not certain',
  graded.filter(({ a, b, match }) => match.grade !== 'certain' && isOne(a, b)),
)

const isGood = (figure: { precision: number; recall: number }) => figure.precision >= 0.98 && figure.recall >= 0.95
const others = makePeople(served, seed + 1)
const { created, matched, creating, matching } = await measureService(others)
const ratesOf = ({ said, right, truth: all }: Tally) => ({
  said,
  right,
  all,
  precision: right / said,
  recall: right / all,
})
const byService = { 'POST /patients: 409': ratesOf(created), 'POST /patients/match: certain': ratesOf(matched) }
console.log(`\nBy the service, ${others.length} charts of ${served} people: creating ${creating}; matching ${matching}`)
console.table(byService)
const share = ({ precision, recall }: { precision: number; recall: number }) =>
  `${(100 * precision).toFixed(1)} % of them one person’s, ${(100 * recall).toFixed(1)} % of such pairs found`
conclude(
  {
    [`graded certain: ${share(figures[0]!)}`]: isGood(figures[0]!),
    ...Object.fromEntries(
      Object.entries(byService).map(([name, rates]) => [`${name}: ${share(rates)}`, isGood(rates)]),
    ),
  },
  [],
)
