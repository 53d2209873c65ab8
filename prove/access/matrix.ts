/** Who may do what: each operation of the served OpenAPI is tried by each caller at each chart, and what came of it judged. */
import type { Role } from '@caregate/common/auth'
import type { AuditEvent } from '@caregate/common/events'
import type { Charts } from './charts.ts'
import { expectedOf, type Expected, type Operation } from './expected.ts'
import {
  marker,
  nowhere,
  places,
  unknownId,
  type Answer,
  type Caller,
  type Chart,
  type Place,
  type Send,
} from './shape.ts'

export interface Cell {
  /** Of the request, and so of its event. */
  id: string
  operation: Operation
  caller: Caller
  place: Place
  chart: Chart | undefined
  expected: Expected
  answer: Answer
  /** Status, and code where it is an error. */
  got: string
  problems: string[]
}

/** Of a problem, or of an OperationOutcome: the one that stands by its system. */
const code = /"system":"urn:caregate:problem","code":"(\w+)"|^\{"type".*?"code":"(\w+)"/
function codeOf({ status, text }: Answer): string {
  if (status < 400) return String(status)
  const [, outcome, problem] = code.exec(text) ?? []
  return `${status} ${outcome ?? problem ?? text.slice(0, 100)}`
}

function judge({ operation, expected, answer, got, chart }: Omit<Cell, 'problems'>): string[] {
  const wrong = expected.answers.includes(got) ? [] : [`${got} instead of ${expected.answers.join(' or ')}`]
  const { status, text, headers } = answer
  if (status >= 400 && (text.includes(marker) || (chart && text.includes(chart.mrn))))
    wrong.push('the refusal tells something of the chart')
  const byGlass = expected.basis === 'break-glass' || (status === 201 && operation.path.endsWith('/break-glass'))
  if ((headers.get('x-break-glass') !== null) !== byGlass) wrong.push(`X-Break-Glass: ${headers.get('x-break-glass')}`)
  return wrong
}

/** Tries every cell: the operations in turn, the charts side by side. @param order in which callers have their turn */
export async function runMatrix(
  send: Send,
  charts: Charts,
  operations: readonly Operation[],
  callers: readonly Caller[],
  order: (callers: readonly Caller[]) => readonly Caller[] = (all) => all,
): Promise<Cell[]> {
  const cells: Cell[] = []
  let count = 0

  async function tryCell(operation: Operation, caller: Caller, place: Place): Promise<void> {
    const { method, path, plan, rights } = operation
    const id = `cell-${String((count += 1)).padStart(7, '0')}`
    const chart = rights && charts.chartAt(place, caller)
    const item = plan.item && !place.missing ? await charts.itemOf(chart!.id, plan.item) : undefined
    const version = rights && (await charts.put(place, chart!.id, caller))
    const params: Record<string, string | undefined> = {
      id: chart?.id,
      itemId: item?.id ?? unknownId,
      memberId: item?.id ?? unknownId,
      ...plan.params,
    }
    const etag = plan.ifMatch ? `"${version ?? 1}"` : item?.etag
    const fill = (text: string) => text.replaceAll(/\{(\w+)\}/g, (_all, name: string) => params[name]!)
    const body = typeof plan.body === 'function' ? plan.body(place) : plan.body
    const answer = await send(method, fill(path + (plan.query ?? '')), {
      token: plan.ends && caller.spare ? await caller.spare() : caller.token,
      body: plan.form === undefined ? body : fill(plan.form),
      headers: {
        'x-request-id': id,
        ...(etag ? { 'if-match': etag } : {}),
        ...(plan.form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        ...plan.headers,
      },
    })
    if (item) charts.changed(chart!.id, plan.item!, answer)
    const expected = expectedOf(operation, caller, place)
    const cell = { id, operation, caller, place, chart, expected, answer, got: codeOf(answer) }
    cells.push({ ...cell, problems: judge(cell) })
  }

  // one's own chart is open first, then restricted, then voided
  const [own, others] = [places.filter((place) => place.own), places.filter((place) => !place.own)]
  const inTurn = async (lane: readonly Place[]) => {
    for (const place of lane)
      for (const operation of operations)
        if ((operation.rights !== undefined) === (place !== nowhere))
          for (const caller of order(callers)) if (!place.own || caller.own) await tryCell(operation, caller, place)
  }
  await Promise.all([[nowhere], own, ...others.map((place) => [place])].map(inTurn))
  return cells
}

/** What of the cells' events isn't as it must be. @param isOurs whether the service answered, and not the edge */
export function judgeEvents(
  cells: readonly Cell[],
  events: readonly AuditEvent[],
  isOurs = (_cell: Cell): boolean => true,
): void {
  const byRequest = Map.groupBy(events, ({ request }) => request.id)
  for (const cell of cells.filter(isOurs)) {
    const { id, answer, expected, caller, chart, operation, place, problems, got } = cell
    const told = byRequest.get(id) ?? []
    const { status } = answer
    const isSuccess = status < 400
    const { untold, events = 1 } = operation.plan
    if (told.length !== (untold && (isSuccess || operation.roles === 'anyone') ? 0 : isSuccess ? events : 1))
      problems.push(`${told.length} events`)
    const [event] = told
    if (!event) continue
    const outcome = isSuccess ? 'success' : status === 401 || status === 403 ? 'denied' : 'failure'
    const actorId = operation.roles === 'anyone' ? event.actor.id : caller.userId
    const said = [event.outcome, event.code, event.request.status, event.actor.id].join()
    const must = [outcome, isSuccess ? null : got.slice(4), status, actorId].join()
    if (said !== must) problems.push(`the event says ${said} instead of ${must}`)
    // of an item the chart is known once somebody's role lets them look for it, of a form once it is read
    const isNamed = /\{id\}/.test(operation.path + (operation.plan.query ?? ''))
    const isKnown = isNamed || (!place.missing && (event.basis !== null || event.code === 'restricted'))
    if (chart && isKnown && !event.patientIds.includes(chart.id))
      problems.push('the event does not say whose chart it was')
    if (expected.basis !== undefined && event.basis !== expected.basis)
      problems.push(`the event says ${event.basis} instead of ${expected.basis}`)
    if ((event.breakGlass?.grantId ?? null) !== answer.headers.get('x-break-glass'))
      problems.push(`the event says of the glass ${JSON.stringify(event.breakGlass)}`)
  }
}

/** Whoever sees their own chart at most can't tell whether there is another: all refusals of an operation are one. */
export function judgeBlindness(cells: readonly Cell[]): void {
  const blind = cells.filter(({ expected }) => expected.blind)
  for (const alike of Map.groupBy(blind, ({ operation, caller }) => `${operation.key} ${caller.name}`).values()) {
    const [first, ...others] = alike.map((cell) => ({ cell, seen: withoutId(cell) }))
    for (const { cell, seen } of others)
      if (seen !== first!.seen) cell.problems.push(`tells ${cell.place.name} from ${first!.cell.place.name}`)
  }
}
const withoutId = ({ id, answer: { text, headers } }: Cell): string =>
  [text.replaceAll(id, ''), ...[...headers.keys()].sort()].join()

const letters = { role: 'r', 'care-team': 'c', 'break-glass': 'g', self: 's' } as const

/**
 * What one role came to, chart by chart in the order of `places`: by which right it may (role, care team, glass, self),
 * `.` refused, `-` not found, `x` gone, `!` another than expected.
 */
export function lettersOf(cells: readonly Cell[], key: string, role: Role): string {
  const own = cells.filter(({ operation, caller }) => operation.key === key && isAlone(caller, role))
  const letterOf = ({ got, expected, problems, operation }: Cell): string => {
    if (problems.length) return '!'
    if (operation.roles === 'anyone') return '+'
    if (/^40[13]/.test(got)) return '.'
    if (got === '404 not_found' && expected.basis === null) return '-'
    return got === '410 gone' ? 'x' : expected.basis ? letters[expected.basis] : '+'
  }
  const at = ({ place }: Cell) => places.indexOf(place)
  return own
    .sort((a, b) => at(a) - at(b))
    .map(letterOf)
    .join('')
}
const isAlone = ({ kind, roles }: Caller, role: Role): boolean =>
  kind === 'whole' && roles.length === 1 && roles[0] === role
