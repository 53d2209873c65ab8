/** `npm run prove -- migrations [SEED]`: migrations undone and applied again under data, and what became of all that there was. */
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '@caregate/common/services'
import { bringPeople, openBed } from './access/bed.ts'
import { conclude, isReady } from './load.ts'
import { askAll, fillAccounts, fillCharts, writeOne, type Answers } from './migrations/fill.ts'
import { changed, countColumns, countRows, missing, takeSnapshot, type Snapshot } from './migrations/tables.ts'

const seed = Number(process.argv[2] ?? randomInt(2 ** 31))
if (!Number.isInteger(seed)) {
  console.error('Usage: npm run prove -- migrations [SEED]')
  process.exit(1)
}
console.log(`seed ${seed}: npm run prove -- migrations ${seed}`)

interface Round {
  before: Snapshot
  undone: string[]
  /** Why no further one was undone; empty where none was left but the first. */
  refusal: string
  /** Tables and columns that were away in between: as they were, and not. */
  back: string[]
  lost: string[]
  /** What changed of all else. */
  problems: string[]
}

const bed = await openBed()
const { supervisor, info } = bed

/** Stops a service's process meanwhile, once its events are passed on. */
async function whileStopped<T>(service: Service, work: () => Promise<T>): Promise<T> {
  const query = await bed.queryOf(service)
  const countWaiting = async () => (await query<{ n: number }>('SELECT count(*)::int AS n FROM outbox'))[0]!.n
  for (const deadline = Date.now() + 30_000; (await countWaiting()) && Date.now() < deadline;) await sleep(50)
  const { spec } = await supervisor.stop(service)
  const result = await work()
  await supervisor.start(spec)
  const port = Number(new URL(info.services[service]!.url).port)
  await supervisor.waitUntil(service, () => isReady(port), 60)
  return result
}

/** @returns why not; empty where it was undone */
const tryDown = (service: Service): Promise<string> =>
  bed.migrate(service, 'down').then(
    () => '',
    (error: Error) => error.message.split('\n').at(-1)!,
  )

/** Undoes so many migrations, as far as that is allowed, but for the first, which makes the tables themselves; and applies them again. */
const downAndUp = (service: Service, most: number): Promise<Round> =>
  whileStopped(service, async () => {
    const query = await bed.queryOf(service)
    const applied = await query<{ name: string }>('SELECT name FROM migrations ORDER BY id DESC')
    const before = await takeSnapshot(query)
    const [undone, problems]: [string[], string[]] = [[], []]
    const note = (when: string, what: string[]) => problems.push(...what.map((one) => `${when}: ${one}`))

    await query(`INSERT INTO outbox (id, type, body) VALUES (gen_random_uuid(), 'prove', '{}')`)
    const waiting = await tryDown(service)
    await query('DELETE FROM outbox')
    if (!waiting.startsWith('1 events wait')) note('an event waits', [waiting || 'undone'])

    let [last, refusal] = [before, '']
    for (const { name } of applied.slice(0, -1).slice(0, most)) {
      refusal = await tryDown(service)
      const now = await takeSnapshot(query)
      note(refusal ? `${name}, refused` : name, changed(before, now))
      if (refusal) {
        note(`${name}, refused`, missing(last, now))
        break
      }
      undone.push(name)
      console.log(`${service.padEnd(10)}${name.padEnd(28)}${missing(last, now).join(', ') || 'no table or column'}`)
      last = now
    }
    const applying = await bed.migrate(service, 'up')
    note(
      'not applied again',
      undone.filter((name) => !applying.includes(name)),
    )
    const status = await bed.migrate(service, 'status')
    if (status.trim() !== 'all migrations are applied') note('status', [status])
    const after = await takeSnapshot(query)
    note('structure', [...before.structure.symmetricDifference(after.structure)])
    note('gone', missing(before, after))
    const away = missing(before, last)
    const isOf = (one: string) => (part: string) => part === one || part.startsWith(`${one}.`)
    const others = changed(before, after)
    const lost = away.filter((one) => others.some(isOf(one)))
    note(
      'not as before',
      others.filter((part) => !away.some((one) => isOf(one)(part))),
    )
    return { before, undone, refusal, back: away.filter((one) => !lost.includes(one)), lost, problems }
  })

const differing = (before: Answers, after: Answers): string[] =>
  [...before].flatMap(([path, said]) => (after.get(path) === said ? [] : [`${path}: ${said}, then ${after.get(path)}`]))
const isChart = (path: string) => path.includes(' /patients/')
/** What a registrar reads of a chart, but for what the migrations had made of it. */
const coreOf = (answers: Answers): Answers =>
  new Map(
    [...answers]
      .filter(([path]) => /^registrar \/patients\/[^/]+$/.test(path))
      .map(([path, said]) => [path, said.replace(/"restricted":(true|false),?/, '')]),
  )

try {
  const people = await bringPeople(bed)
  const removeFactors = await fillAccounts(bed, people)
  const charts = await fillCharts(bed, people, seed)
  const inLog = await (
    await bed.queryOf('audit')
  )<{ id: string }>('SELECT id FROM events WHERE sequence % 10 = 1 ORDER BY sequence')
  const ids = inLog.map(({ id }) => id)
  const claims: Record<string, boolean> = {}
  const offenders: string[] = []
  const filled: string[] = []
  const empty: string[] = []

  /** @param most how many migrations are undone at most @param expected the refusal, where there has to be one */
  async function run(service: Service, most: number, expected?: RegExp): Promise<void> {
    const asked = await askAll(bed, people, charts, ids)
    const round = await downAndUp(service, most)
    const { before, undone, refusal, back, lost, problems } = round
    const answered = await askAll(bed, people, charts, ids)
    // charts are served from what later migrations made as well
    const isCut = service === 'patients' && lost.some((one) => !one.startsWith('outbox.'))
    const other = differing(asked, answered).filter((path) => !isCut || !isChart(path))
    const cut = isCut ? differing(coreOf(asked), coreOf(answered)) : []
    offenders.push(...problems, ...other, ...cut)
    for (const [table, { rows }] of before.tables) (rows ? filled : empty).push(`${service}.${table}`)

    const went = undone.length ? `${undone.length} down and up again` : 'none goes down'
    const why = refusal ? `, refused at the next: “${refusal}”` : ''
    const kept = `${countRows(before)} rows in ${before.tables.size} tables, ${countColumns(before)} columns by hash`
    const named = `${lost.length ? `lost ${lost.join(', ')}` : 'nothing lost'}${back.length ? `; made again or empty as before: ${back.join(', ')}` : ''}`
    claims[`${service}: ${went}${why}; ${kept}: ${named}, and all else is as it was`] =
      !problems.length && (expected ? expected.test(refusal) : !refusal)
    const compared = isCut
      ? `of ${coreOf(asked).size} charts what the first migration holds, and ${[...asked.keys()].filter((path) => !isChart(path)).length} answers of accounts and events`
      : `${asked.size} answers of charts, accounts and events`
    claims[`${service}, after ${undone.length || 'none'}: ${compared}, the same through the API`] =
      !other.length && !cut.length
  }

  await run('auth', Infinity, /second factors and service accounts/)
  await removeFactors()
  await run('auth', Infinity)
  await run('patients', 1)
  await run('patients', Infinity)
  await run('audit', Infinity, /The log has events in it/)
  claims['a chart is made, voided and restored afterwards, with its history'] = await writeOne(bed, people)
  const [withRows, without] = [new Set(filled), new Set(empty).difference(new Set(filled))]
  const allowed = ['audit.cosignatures', 'audit.retained', 'auth.outbox', 'patients.outbox', 'audit.outbox']
  claims[`${withRows.size} tables had rows, none but ${[...without].join(', ')} had none`] = [...without].every((one) =>
    allowed.includes(one),
  )
  conclude(claims, [])
  for (const one of offenders.slice(0, 30)) console.log(`  ${one}`)
} finally {
  await bed.close()
}
