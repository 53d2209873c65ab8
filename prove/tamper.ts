/** `npm run prove -- tamper [EDITS] [SEED]`: a superuser edits the log in every way there is, and whoever has to find it does. */
import { randomInt } from 'node:crypto'
import { buildChance } from './chance.ts'
import { conclude, readAmount } from './load.ts'
import { finders, kinds, type Edit, type Finder } from './tamper/edits.ts'
import { look, undone, type Finding } from './tamper/find.ts'
import { openWorld } from './tamper/log.ts'

const edits = readAmount(1000)
const seed = Number(process.argv[3] ?? randomInt(2 ** 31))
/** The superuser's rows are undone, but Postgres keeps them until they are swept. */
const sweepEvery = 50
const names = Object.keys(kinds)

const buildRow = () => ({
  edits: 0,
  found: Object.fromEntries(finders.map((finder) => [finder, 0])) as Record<Finder, number>,
  exactly: 0,
  range: 0,
  not: 0,
  ms: 0,
})
type Row = ReturnType<typeof buildRow>
const table = new Map(names.map((name) => [name, buildRow()]))
const offenders: string[] = []

function judge(
  row: Row,
  name: string,
  n: number,
  { what, must, where, exactly }: Edit,
  found: readonly Finding[],
): void {
  const by = new Set(found.map((finding) => finding.by))
  for (const finder of by) row.found[finder] += 1
  row.edits += 1
  const isThere = found.some(({ span }) => span && where && span.first === where.first && span.last === where.last)
  row[isThere ? (exactly ? 'exactly' : 'range') : 'not'] += 1
  const wrong = must.filter((finder) => !by.has(finder)).map((finder) => `not found by ${finder}`)
  if (where && must.length && !isThere) wrong.push(`nobody says ${where.first}–${where.last}`)
  if (name === names[0]) wrong.push(...found.map(({ by: finder, text }) => `${finder} finds: ${text}`))
  if (!wrong.length) return
  const said = found.slice(0, 4).map(({ by: finder, text }) => `\n    ${finder}: ${text.slice(0, 200)}`)
  offenders.push(`edit ${n}, ${name}, ${what}: ${wrong.join('; ')}${said.join('')}`)
}

const columns = (...cells: (string | number)[]) =>
  console.log(cells.map((cell, n) => (n ? String(cell).padStart(11) : String(cell).padEnd(46))).join(''))

console.log(`seed ${seed}: npm run prove -- tamper ${edits} ${seed}`)
const began = performance.now()
const world = await openWorld(buildChance(seed, 0))
let seconds = 0
try {
  const from = performance.now()
  for (let n = 0; n < edits; n++) {
    const name = names[n % names.length]!
    const row = table.get(name)!
    const start = performance.now()
    await undone(world.db, async (tx) => {
      const edit = await kinds[name]!(tx, world, buildChance(seed, n + 1))
      judge(row, name, n, edit, await look(tx, world))
    })
    row.ms += performance.now() - start
    if (n % sweepEvery === sweepEvery - 1) await world.db.query('VACUUM ANALYZE')
  }
  seconds = (performance.now() - from) / 1000
} finally {
  await world.close()
}

columns('edit', 'edits', ...finders, 'exactly', 'range', 'not', 'ms each')
for (const [name, { edits: count, found, exactly, range, not, ms }] of table)
  columns(name, count, ...finders.map((finder) => found[finder]), exactly, range, not, (ms / (count || 1)).toFixed(0))
const [untouched] = table.values() as Iterable<Row> as [Row]
console.log(`
a log of ${world.total} events; a witness has seen ${world.witnessed.map(({ size }) => size).join(', ')} of them, somebody outside has kept checkpoints of ${world.kept.map(({ size }) => size).join(', ')}
${edits} edits, ${(edits / seconds).toFixed(1)} a second; ${Math.round((performance.now() - began) / 1000)} s`)
conclude(
  {
    [`${edits} edits, of every kind`]: edits >= names.length,
    'each was found by everybody who has to, and located': offenders.length === 0,
    [`an untouched log was found so, ${untouched.edits} times`]: untouched.edits > 0,
  },
  [],
)
for (const offender of offenders.slice(0, 20)) console.log(`  ${offender}`)
