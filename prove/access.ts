/** `npm run prove -- access [SEED]`: every operation of every service, tried by everybody at every kind of chart, against the policy. */
import { randomInt } from 'node:crypto'
import { roles } from '@caregate/common/auth'
import type { OpenApi } from '@caregate/common/openapi'
import { bringPeople, openBed } from './access/bed.ts'
import { chartPlans } from './access/chart-plans.ts'
import { openCharts } from './access/charts.ts'
import { operationsOf, type Operation } from './access/expected.ts'
import { isStaff, tryLists } from './access/lists.ts'
import { judgeBlindness, judgeEvents, lettersOf, runMatrix, type Cell } from './access/matrix.ts'
import { auditPlans, authPlans } from './access/other-plans.ts'
import type { Caller } from './access/shape.ts'
import { buildChance } from './chance.ts'
import { conclude } from './load.ts'

const seed = Number(process.argv[2] ?? randomInt(2 ** 31))
if (!Number.isInteger(seed)) {
  console.error('Usage: npm run prove -- access [SEED]')
  process.exit(1)
}
console.log(`seed ${seed}: npm run prove -- access ${seed}`)
const chance = buildChance(seed, 0)
const began = performance.now()

function shuffled(callers: readonly Caller[]): Caller[] {
  return callers
    .map((caller) => ({ caller, at: chance.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ caller }) => caller)
}

/** Whether the service answered; what the edge refuses it counts by the minute. */
const isServices = ({ got, operation }: Cell): boolean => got !== '401 unauthorized' || operation.roles === 'anyone'

function printTable(service: string, operations: readonly Operation[], cells: readonly Cell[]): void {
  const cell = (text: string) => text.padEnd(14)
  console.log(`\n${service.padEnd(58)}${roles.map(cell).join('')}`)
  for (const { key } of operations)
    console.log(key.replace('/api/v1', '').padEnd(58) + roles.map((role) => cell(lettersOf(cells, key, role))).join(''))
}

const bed = await openBed()
try {
  const { callers, house, targets } = await bringPeople(bed)
  const charts = await openCharts(bed.send, bed.query, house, callers)
  const { paths } = JSON.parse((await bed.send('GET', '/openapi.json')).text) as OpenApi
  const plans = { ...chartPlans(await charts.aGrant()), ...authPlans(targets), ...auditPlans }
  const operations = operationsOf(paths, plans)
  const cells = await runMatrix(bed.send, charts, operations, callers, shuffled)
  const read = operations.find(({ key }) => key === 'GET /api/v1/patients/{id}')!
  const lists = await tryLists(bed.send, charts, read, callers.filter(isStaff))

  const told = cells.filter((cell) => isServices(cell) && !cell.operation.plan.untold)
  const ids = [...cells.map(({ id }) => id), ...lists.shown.keys()]
  const events = await bed.eventsOf(ids, [...told.map(({ id }) => id), ...lists.shown.keys()])
  judgeEvents(cells, events, isServices)
  judgeBlindness(cells)
  const unlike = events.filter(({ request, patientIds }) => {
    const shown = lists.shown.get(request.id)
    return shown && shown.join() !== patientIds.join()
  })
  const ofLists = events.filter(({ request }) => lists.shown.has(request.id)).length

  const byService = Map.groupBy(operations, ({ service }) => service)
  for (const [service, own] of byService) printTable(service, own, cells)
  console.log(
    '\nCharts, in this order: open, open to its care team, voided, missing; restricted: to a stranger, to its care',
  )
  console.log(
    'team, by break-glass, to who was or will be close, voided; and a patient’s own: open, restricted, voided.',
  )
  console.log(
    'r may by role, c as care team, g by break-glass, s as the patient; + may; . refused, - not found, x gone, ! wrong\n',
  )
  const count = (of: readonly Cell[], pattern: RegExp) => of.filter(({ got }) => pattern.test(got)).length
  const columns = ['operations', 'cells', 'answered', '401', '403', '404', 'others', 'mismatches']
  console.log(''.padEnd(12) + columns.map((name) => name.padStart(12)).join(''))
  const wrong = cells.filter(({ problems }) => problems.length)
  for (const [service, own] of byService) {
    const tried = cells.filter(({ operation }) => operation.service === service)
    const row = [/^[23]/, /^401/, /^403/, /^404/, /^(?!401|403|404)[45]/].map((pattern) => count(tried, pattern))
    row.unshift(own.length, tried.length)
    row.push(tried.filter(({ problems }) => problems.length).length)
    console.log(service.padEnd(12) + row.map((figure) => String(figure).padStart(12)).join(''))
  }
  console.log(`${Math.round((performance.now() - began) / 1000)} s`)

  conclude(
    {
      [`${operations.length} requests of ${Object.keys(paths).length} paths, ${cells.length} cells with ${callers.length} callers: ${wrong.length} mismatches`]:
        !wrong.length,
      [`${lists.shown.size} lists and searches show what reading allows, and nothing else`]: !lists.problems.length,
      [`every request that a service answered has its one event: ${events.length}`]:
        events.length >= told.length + lists.shown.size,
      'the events of lists name the charts that were shown': !unlike.length && ofLists === lists.shown.size,
    },
    [],
  )
  for (const { operation, caller, place, problems } of wrong.slice(0, 20))
    console.log(`  ${operation.key}, ${caller.name}, ${place.name}: ${problems.join('; ')}`)
  for (const problem of lists.problems.slice(0, 20)) console.log(`  ${problem}`)
} finally {
  await bed.close()
}
