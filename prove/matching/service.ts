/** The same people through the gateway: each is taken in as at a desk, then everybody's duplicates are asked for. */
import type { Problem } from '@caregate/common/errors'
import { median, quantile } from '../../bench/figures.ts'
import { openBed } from '../access/bed.ts'
import { buildAsk, settle } from '../people.ts'
import type { Labelled } from './people.ts'

interface Found {
  id: string
  grade: string
}
/** Pairs, or charts, that were said to be one person's, how many of them are, and how many there are. */
export interface Tally {
  said: number
  right: number
  truth: number
}

const path = '/api/v1/patients'
/** One person's charts come one after another, by one desk. */
const desks = 8

export async function measureService(people: readonly Labelled[]) {
  const bed = await openBed()
  try {
    const ask = buildAsk(bed.info.gateway)
    const admin = await settle(ask, bed.info.admin!.email, bed.info.admin!.password)
    const account = { email: 'desk@prove.test', fullName: 'The desk', roles: ['registrar'] }
    const made = await ask<{ oneTimePassword: string }>(
      201,
      'POST',
      '/api/v1/auth/users',
      account,
      admin.tokens.accessToken,
    )
    const { accessToken: token } = (await settle(ask, account.email, made.oneTimePassword)).tokens

    const ids = new Map<Labelled, string>()
    const persons = new Map<string, number>()
    const [creating, matching]: [number[], number[]] = [[], []]
    async function post<T>(times: number[], to: string, body: object): Promise<{ status: number; body: T }> {
      const from = performance.now()
      const { status, text } = await bed.send('POST', path + to, { token, body })
      times.push(performance.now() - from)
      return { status, body: JSON.parse(text) as T }
    }
    const atEachDesk = (work: (one: Labelled) => Promise<void>) =>
      Promise.all(
        Array.from({ length: desks }, async (_none, desk) => {
          for (const one of people) if (one.person % desks === desk) await work(one)
        }),
      )

    const created: Tally = { said: 0, right: 0, truth: 0 }
    const known = new Set<number>()
    await atEachDesk(async (one) => {
      if (known.has(one.person)) created.truth++
      known.add(one.person)
      let answer = await post<Problem & { id: string }>(creating, '', one.chart)
      if (answer.status === 409) {
        created.said++
        if (answer.body.candidates!.some(({ id }) => persons.get(id) === one.person)) created.right++
        answer = await post([], '?force=true', one.chart)
      }
      if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
      ids.set(one, answer.body.id)
      persons.set(answer.body.id, one.person)
    })

    const pairs = new Map<string, boolean>()
    await atEachDesk(async (one) => {
      const id = ids.get(one)!
      const { status, body } = await post<{ items: Found[] }>(matching, '/match', { ...one.chart, id })
      if (status !== 200) throw new Error(`POST ${path}/match: ${status} ${JSON.stringify(body)}`)
      for (const found of body.items)
        if (found.grade === 'certain') pairs.set([id, found.id].sort().join(' '), persons.get(found.id) === one.person)
    })
    const sizes = Map.groupBy(people, ({ person }) => person).values()
    const truth = [...sizes].reduce((sum, { length }) => sum + (length * (length - 1)) / 2, 0)
    const matched: Tally = { said: pairs.size, right: [...pairs.values()].filter(Boolean).length, truth }
    const ms = (times: number[]) => `p50 ${median(times).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms`
    return { created, matched, creating: ms(creating), matching: ms(matching) }
  } finally {
    await bed.close()
  }
}
