/** `npm run prove -- edge [COUNT] [SEED]`: thousands of hostile requests, each answered as it was meant to be. */
import { randomInt } from 'node:crypto'
import { memoryOf } from '../platform/processes.ts'
import { bodies } from './edge/bodies.ts'
import { healthOf, openBed, populate } from './edge/bed.ts'
import { headers } from './edge/headers.ts'
import { headerOf, keyOf, shoot, type Outcome } from './edge/raw.ts'
import { buildAim, families, type Aim, type Family, type Kinds, type RawAnswer, type Shot } from './edge/shot.ts'
import { startLeaving, startSlow, type Slow } from './edge/slow.ts'
import { smuggling } from './edge/smuggling.ts'
import { targets } from './edge/targets.ts'
import { tokens } from './edge/tokens.ts'
import { judgeAllPassed, judgeAnswer, judgeLog, lastSequence } from './edge/verdicts.ts'
import { conclude } from './load.ts'
import { buildAsk } from './people.ts'

const kinds: Record<Exclude<Family, 'slow'>, Kinds> = { targets, headers, smuggling, tokens, bodies }
const shares = { targets: 0.27, headers: 0.2, smuggling: 0.16, tokens: 0.15, bodies: 0.22 }
const atOnce = 24
const maxGrowth = 128 * 2 ** 20

const [countGiven = '5000', seedGiven] = process.argv.slice(2)
const count = Number(countGiven)
const seed = Number(seedGiven ?? randomInt(2 ** 31))
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
  console.error('Usage: npm run prove -- edge [COUNT] [SEED]')
  process.exit(1)
}

interface Offender {
  what: string
  sent: string
  answer: string
}
const offenders: Offender[] = []
const tally = new Map(
  families.map((family) => [family, { requests: 0, unexpected: 0, answers: new Map<string, number>() }]),
)
/** Ids that a service may see, and of what. */
const reaches = new Map<string, string>()
/** Every answer with its id: whoever gave it. */
const answered: { id: string; key: string }[] = []

const escaped = (bytes: string): string =>
  bytes.replaceAll(/[^\x20-\x7e]|\\/g, (char) =>
    char === '\r' ? '\\r' : char === '\n' ? '\\n' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
const short = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length)}… (${text.length})` : text
const shown = (answer: RawAnswer): string =>
  `${answer.status} ${answer.headers.map((pair) => pair.join(': ')).join(' | ')} || ${answer.body.toString('latin1')}`

function note(family: Family, what: string[], sent: string, { answers, ms, key }: Outcome, head = false): void {
  const row = tally.get(family)!
  row.requests += 1
  const statuses = answers.length ? answers.map(({ status }) => String(status)) : [key.replace(/[:,].*/, '')]
  for (const status of statuses) row.answers.set(status, (row.answers.get(status) ?? 0) + 1)
  for (const answer of answers) answered.push({ id: headerOf(answer, 'x-request-id') ?? '', key: keyOf(answer, head) })
  if (!what.length) return
  row.unexpected += 1
  const answer =
    answers
      .slice(0, 2)
      .map((one) => short(escaped(shown(one)), 700))
      .join('\n    ') || key
  offenders.push({ what: `${what.join('; ')} (after ${Math.round(ms)} ms)`, sent: short(escaped(sent), 700), answer })
}

function judge(
  { id, kind, head, intended, check }: Pick<Shot, 'id' | 'kind' | 'head' | 'intended' | 'check'>,
  { key, answers }: Outcome,
): string[] {
  const expected = head ? intended.map((one) => one.replaceAll(/(\d{3}) [a-z_]+/g, '$1')) : intended
  const wrong = answers.flatMap((answer) => judgeAnswer(answer, head))
  if (!expected.includes(key)) wrong.unshift(`${key} instead of ${expected.join(' or ')}`)
  const ids = answers.map((answer) => headerOf(answer, 'x-request-id') ?? '')
  if (ids.some((own) => own.startsWith('edge-') && own !== id && !own.startsWith(`${id}-`)))
    wrong.push("another request's answer")
  const more = check?.(answers)
  if (more) wrong.push(more)
  return wrong.length ? [`${kind}: ${wrong.join('; ')}`] : []
}

interface Planned {
  family: Exclude<Family, 'slow'>
  kind: string
}

/** Which family and kind each request is of: each kind in its turn, the families mixed. */
function plan(): Planned[] {
  const order: (Planned & { at: number })[] = []
  for (const [family, list] of Object.entries(kinds) as [Planned['family'], Kinds][]) {
    const names = Object.keys(list)
    const size = Math.ceil(count * shares[family])
    for (let n = 0; n < size; n++) order.push({ at: n / size, family, kind: names[n % names.length]! })
  }
  return order.sort((one, other) => one.at - other.at)
}

const began = performance.now()
console.log(`seed ${seed}: npm run prove -- edge ${count} ${seed}`)
const bed = await openBed()
const failures: string[] = []
try {
  const { world, accounts } = await populate(bed)
  const askBeside = buildAsk(bed.platform.info.gateway)
  const auditor = world.tokens.auditor
  const after = await lastSequence(askBeside, auditor)
  const pid = bed.pid()!
  const rss = (): number => memoryOf([pid]) ?? 0

  const planned = plan()
  const aimAt = (n: number): Aim => buildAim(seed, 1_000_000 + n, world)
  async function watch(clients: readonly Slow[]): Promise<void> {
    for (const { kind, reaches: ids } of clients) for (const id of ids) reaches.set(id, `slow: ${kind}`)
    await Promise.all(
      clients.map(async (client) => {
        const { kind, id, withinMs } = client
        const outcome = await client.outcome
        const wrong = judge(client, outcome)
        if (outcome.ms > withinMs) wrong.push(`${kind}: ${Math.round(outcome.ms)} ms instead of ${withinMs}`)
        note('slow', wrong, `a client that ${kind} (${id})`, outcome)
      }),
    )
  }
  const slow = watch(startSlow(bed.port, aimAt))

  let next = 0
  let half = 0
  async function work(): Promise<void> {
    for (let n = next++; n < planned.length; n = next++) {
      if (n === Math.floor(planned.length / 2)) half = rss()
      const { family, kind } = planned[n]!
      const aim: Aim = buildAim(seed, n, world)
      const shot: Shot = { ...kinds[family][kind]!(aim), family, kind, id: aim.id }
      if (shot.reaches) reaches.set(aim.id, `${family}: ${kind}`)
      for (const id of shot.alsoReach ?? []) reaches.set(id, `${family}: ${kind}`)
      let outcome = await shoot(bed.port, shot)
      for (; outcome.key === 'refused'; outcome = await shoot(bed.port, shot)) await bed.untilUp()
      note(family, judge(shot, outcome), shot.bytes, outcome, shot.head)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  console.log(
    `${planned.length} requests sent after ${Math.round((performance.now() - began) / 1000)} s; waiting for the slow ones`,
  )
  await slow
  const end = rss()
  const mb = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MB`
  console.log(`memory of the gateway: ${mb(half)} at half time, ${mb(end)} at the end`)
  // before there was much to do, all that there is is growth
  if (count >= 2000 && end - half > maxGrowth) failures.push(`the gateway grew by ${mb(end - half)} in the second half`)
  // last, for if it doesn't survive them the rest is known
  await watch(startLeaving(bed.port, aimAt))
  await bed.untilUp()
  if (bed.pid() !== pid) failures.push('the gateway did not survive')

  const passed = bed.passed.slice()

  // honest people go on working
  const ask = buildAsk(bed.url)
  try {
    const { accessToken } = await ask<{ accessToken: string }>(200, 'POST', '/api/v1/auth/login', accounts.nurse)
    const chart = { name: { given: ['Ada'], family: 'After' }, birthDate: '1990-12-10', sex: 'female' }
    const { id } = await ask<{ id: string }>(201, 'POST', '/api/v1/patients', chart, accessToken)
    const read = await ask<{ name: { family: string } }>(200, 'GET', `/api/v1/patients/${id}`, undefined, accessToken)
    if (read.name.family !== 'After') failures.push('a chart is not what was written')
    const keys = (gateway: string) => fetch(`${gateway}/.well-known/jwks.json`).then((answer) => answer.text())
    if ((await keys(bed.url)) !== (await keys(bed.platform.info.gateway))) failures.push('the public keys are others')
    const health = await healthOf(bed.url)
    if (health !== 'healthy') failures.push(`/health says ${String(health)}`)
  } catch (error) {
    failures.push(`an honest client fails: ${(error as Error).message}`)
  }

  const verdict = judgeAllPassed(passed, reaches, world)
  for (const { what, request, kind } of verdict.offenders) {
    const { service, method, target, headers: told } = request
    const answer = `reached ${service}: ${method} ${target} ${told.map((pair) => pair.join(': ')).join(' | ')}`
    offenders.push({ what: what.join('; '), sent: kind ?? 'unknown', answer: short(escaped(answer), 900) })
  }

  await bed.closeGateway()
  const refused = new Map<string, number>()
  const handled = new Set<string>()
  for (const { id, key } of answered) {
    const code = /^4\d\d ([a-z_]+)$/.exec(key)?.[1]
    if (verdict.traced.has(id)) handled.add(id)
    else if (code && !verdict.forwarded.has(id)) refused.set(code, (refused.get(code) ?? 0) + 1)
  }
  const log = await judgeLog(askBeside, auditor, after, refused, handled)
  console.log(
    `refused at the edge ${log.refused}, of which the log has ${log.denied}; handled by a service ${handled.size}, without a trace ${log.untraced.length}`,
  )
  if (log.missing.length) failures.push(`refusals are missing from the log: ${log.missing.join(', ')}`)
  if (log.untraced.length) failures.push(`requests without an event: ${log.untraced.slice(0, 5).join(', ')}`)
  failures.push(...bed.alarms().map((alarm) => `somebody must act: ${short(alarm, 700)}`))
  console.log(`requests that reached a service ${verdict.forwarded.size}, wrongly ${verdict.offenders.length}`)
} finally {
  await bed.close()
}

const rows = [...tally].map(([family, { requests, unexpected, answers }]) => {
  const counts = [...answers]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([status, times]) => `${status}×${times}`)
  return `${family.padEnd(10)} ${String(requests).padStart(8)} ${String(unexpected).padStart(10)}   ${counts.join(' ')}`
})
const total = [...tally.values()].reduce((sum, { requests }) => sum + requests, 0)
console.log(`\n${'family'.padEnd(10)} requests unexpected   answers\n${rows.join('\n')}`)
console.log(
  `${'all'.padEnd(10)} ${String(total).padStart(8)} ${String(offenders.length).padStart(10)}   in ${Math.round((performance.now() - began) / 1000)} s\n`,
)
// ten that differ; the rest by number
const alike = [...Map.groupBy(offenders, ({ what }) => what.replace(/ \(after.*/, '')).values()]
for (const [first, ...more] of alike.slice(0, 10)) {
  const { what, sent, answer } = first!
  console.log(`✗ ${what}${more.length ? `, and ${more.length} more like it` : ''}\n    ${sent}\n    ${answer}\n`)
}
for (const same of alike.slice(10)) console.log(`✗ ${same.length} × ${same[0]!.what}`)
for (const failure of failures) console.log(`✗ ${failure}`)
conclude(
  {
    [`${total} hostile requests, ${offenders.length} answered otherwise than meant`]: offenders.length === 0,
    'each that should have a trace has it, and nobody must act': !failures.length,
  },
  [],
)
