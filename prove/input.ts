/** `npm run prove -- input [REQUESTS] [SEED]`: right, nearly right and nonsensical requests of every operation, against the document. */
import { randomInt } from 'node:crypto'
import type { OpenApi } from '@caregate/common/openapi'
import fc from 'fast-check'
import { openBed } from './access/bed.ts'
import { buildChance } from './chance.ts'
import { nearlyValid, nonsense } from './input/faults.ts'
import { buildJudge } from './input/judge.ts'
import { buildPool, kindOf, openCallers } from './input/pool.ts'
import { buildWire, curlOf, LIMIT_MS, type Answer, type Wire } from './input/send.ts'
import { buildValid, type Draft } from './input/valid.ts'
import { conclude } from './load.ts'
import { operationsOf, type Operation } from './operations.ts'

const [total, seed] = [Number(process.argv[2] ?? 50_000), Number(process.argv[3] ?? randomInt(2 ** 31))]
if (!Number.isInteger(total) || !Number.isInteger(seed)) {
  console.error('Usage: npm run prove -- input [REQUESTS] [SEED]')
  process.exit(1)
}
console.log(`seed ${seed}: npm run prove -- input ${total} ${seed}`)
const AT_ONCE = 24
const classes = ['valid', 'nearly', 'nonsense'] as const
type Class = (typeof classes)[number]

interface Offence {
  wire: Wire
  answer: Answer
  wrong: string
}
const bed = await openBed()
const { gateway, admin } = bed.info
const wires = buildWire(gateway, AT_ONCE)
try {
  const document = JSON.parse((await bed.send('GET', '/openapi.json')).text) as OpenApi
  const operations = operationsOf(document)
  const draftOf = buildValid()
  const drafts = new Map(
    operations.map((operation) => {
      const valid = draftOf(operation)
      return [operation, { valid, nearly: nearlyValid(operation, valid), nonsense: nonsense(operation) }] as const
    }),
  )
  const pool = buildPool(operations)
  const callers = await openCallers(gateway, admin!)
  const { judge } = buildJudge(document)
  const counts = new Map(
    operations.map((one) => [
      one,
      Object.fromEntries(classes.map((name) => [name, { sent: 0, good: 0 }])) as Record<
        Class,
        { sent: number; good: number }
      >,
    ]),
  )
  const statuses = new Map<number, number>()
  const offences = new Map<string, { count: number; first: Offence; operation: Operation; of: Class; seed: number }>()
  const times: number[] = []
  const told: string[] = []
  let sentSoFar = 0

  async function ask(operation: Operation, of: Class, draft: Draft): Promise<Offence | undefined> {
    const caller = callers.of(draft.caller.n, draft.caller.may, operation.roles)
    const resolve = pool.resolver(kindOf(operation.path), draft.n, caller)
    const params = Object.fromEntries(Object.entries(draft.params).map(([name, one]) => [name, resolve(one)]))
    const encode = (text: string) => (of === 'valid' || /[^\x21-\x7e]/.test(text) ? encodeURIComponent(text) : text)
    const query = draft.query.map(([name, one]) => `${name}=${encode(resolve(one))}`).join('&')
    const path = draft.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => params[name]!)
    const { body = undefined } = draft
    const text = typeof body === 'object' && !Buffer.isBuffer(body) ? JSON.stringify(body) : body
    const headers = Object.entries(draft.headers).map(([name, one]) => [name, resolve(one)] as const)
    const wire: Wire = {
      id: `prove-input-${(sentSoFar += 1)}`,
      method: draft.method,
      target: path + (query && `?${query}`),
      headers: {
        ...(caller.token && { authorization: `Bearer ${caller.token}` }),
        ...(Object.fromEntries(headers) as Record<string, string>),
      },
      ...(text !== undefined && { body: typeof text === 'string' ? resolve(text) : (text as Buffer) }),
    }
    const answer = await wires.send(wire)
    const count = counts.get(operation)![of]
    const isGood = answer.status >= 200 && answer.status < 300
    count.sent += 1
    count.good += Number(isGood)
    times.push(answer.ms)
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    if (
      isGood &&
      of !== 'nonsense' &&
      answer.type.includes('json') &&
      answer.whole &&
      /^[{]/.test(answer.text) &&
      !answer.type.includes('ndjson')
    )
      pool.learn(operation, params, JSON.parse(answer.text))
    if (isGood && operation.roles.length && of === 'valid' && !operation.path.endsWith('/status')) told.push(wire.id)
    const hasEnded =
      answer.status === 401 ||
      /password_change_required|totp_enrolment_required/.test(answer.text) ||
      (isGood && /auth\/(totp|password)$/.test(operation.path))
    if (hasEnded && wire.headers.authorization === `Bearer ${caller.token}`) await callers.renew(caller)
    const wrong = judge(of === 'nonsense' ? undefined : operation, draft.method, wire.target, answer)
    return wrong === undefined ? undefined : { wire, answer, wrong }
  }

  const chance = buildChance(seed, 0)
  const plan = Array.from({ length: total }, (_one, n) => ({
    operation: operations[n % operations.length]!,
    of: classes[Math.floor(n / operations.length) % 3]!,
    seed: chance.int(2 ** 31),
  }))
  const began = performance.now()
  let next = 0
  async function work(): Promise<void> {
    for (let one = plan[next++]; one; one = plan[next++]) {
      const { operation, of } = one
      const [draft] = fc.sample<Draft>(drafts.get(operation)![of], { seed: one.seed, numRuns: 1 })
      const offence = await ask(operation, of, draft!)
      if (!offence) continue
      const key = `${operation.key}, ${of}: ${offence.wrong}`
      const known = offences.get(key)
      if (known) known.count += 1
      else offences.set(key, { count: 1, first: offence, ...one })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  const seconds = (performance.now() - began) / 1000
  const events = await bed.eventsOf(told, told)
  const seen = new Set(events.map(({ request }) => request.id))

  console.log(`\n${''.padEnd(62)}${classes.map((name) => `${name}, 2xx`.padStart(18)).join('')}`)
  for (const [{ key }, of] of counts)
    console.log(key.padEnd(62) + classes.map((name) => `${of[name].sent}, ${of[name].good}`.padStart(18)).join(''))
  times.sort((a, b) => a - b)
  const answered = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}×${count}`)
  console.log(
    `\n${answered.join(' ')}\n${total} requests in ${seconds.toFixed(0)} s, ${Math.round(total / seconds)} a second; p50 ${times[Math.floor(total / 2)]!.toFixed(0)} ms, p99 ${times[Math.floor(total * 0.99)]!.toFixed(0)} ms, at most ${times.at(-1)!.toFixed(0)} ms; ${callers.made()} accounts`,
  )

  const found = [...offences.values()]
  const number = (pattern: RegExp | ((status: number) => boolean)) =>
    found
      .filter(({ first: { wrong, answer } }) =>
        pattern instanceof RegExp ? pattern.test(wrong) : pattern(answer.status),
      )
      .reduce((sum, { count }) => sum + count, 0)
  const [failures, silent] = [number((status) => status >= 500), number((status) => status === 0)]
  const unlike = number((status) => status > 0 && status < 500)
  const unreached = [...counts].filter(([, of]) => classes.some((name) => !of[name].sent))
  const never = [...counts].filter(([, of]) => !of.valid.good).map(([{ key }]) => key)
  console.log(
    `${operations.length - never.length} of ${operations.length} operations answered a valid request with 2xx${never.length ? `; not: ${never.join(', ')}` : ''}`,
  )
  conclude(
    {
      [`${operations.length} operations got requests of each class: ${total} in all`]: !unreached.length,
      [`no answer is a 5xx: ${failures} are`]: !failures,
      [`every request is answered within ${LIMIT_MS / 1000} s: ${silent} are not`]: !silent,
      [`every answer is as the document says: ${unlike} are not`]: !unlike,
      [`${told.length} valid requests of who is signed in have their event: ${told.length - told.filter((id) => seen.has(id)).length} have none`]:
        told.every((id) => seen.has(id)),
    },
    [],
  )
  for (const { operation, of, first, count, seed: own } of found.slice(0, 40)) {
    let least = first
    const property = fc.asyncProperty(drafts.get(operation)![of], async (draft) => {
      const offence = await ask(operation, of, draft)
      if (offence?.wrong === first.wrong) least = offence
      return offence?.wrong !== first.wrong
    })
    if (first.answer.status) await fc.check(property, { seed: own, numRuns: 1, interruptAfterTimeLimit: 3000 })
    console.log(
      `\n  ${operation.key}, ${of}, ×${count}: ${least.wrong}\n    ${curlOf(gateway, least.wire)}\n    ${least.answer.status} ${least.answer.type} ${least.answer.text.slice(0, 400)}`,
    )
  }
} finally {
  wires.close()
  await bed.close()
}
