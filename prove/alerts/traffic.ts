/** A day in a small hospital, a little of everything: each kind so many times a second, however long its answers take. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Account } from '../../platform/client.ts'
import { person } from '../load.ts'
import type { Ask } from '../people.ts'
import type { Tokens } from '../audit/stage.ts'

const patienceMs = 15_000

export type Call = ReturnType<typeof buildCall>
/** Asks once; whatever comes of it. */
export function buildCall(gateway: string) {
  return async (method: string, path: string, token?: string, body?: object): Promise<unknown> => {
    const headers = {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    }
    try {
      const signal = AbortSignal.timeout(patienceMs)
      const sent = { method, headers, body: body ? JSON.stringify(body) : null, signal }
      const answer = await fetch(`${gateway}/api/v1${path}`, sent)
      return await answer.json()
    } catch {
      return undefined
    }
  }
}

/** Does something so many times a second, until it is told to stop. */
export function repeat(perSecond: number, work: (n: number) => Promise<unknown>) {
  const inFlight = new Set<Promise<unknown>>()
  let on = true
  async function pace(): Promise<void> {
    for (let n = 0; on; n++, await sleep(1000 / perSecond)) {
      const one: Promise<unknown> = work(n).finally(() => inFlight.delete(one))
      inFlight.add(one)
    }
  }
  const pacing = pace()
  return async function stop(): Promise<void> {
    on = false
    await pacing
    await Promise.all(inFlight)
  }
}

export async function startTraffic(ask: Ask, call: Call, tokens: Tokens, account: Account) {
  const charts: string[] = []
  for (let n = 0; n < 20; n++)
    charts.push((await ask<{ id: string }>(201, 'POST', '/api/v1/patients?force=true', person(n), tokens.nurse)).id)
  const stops = [
    repeat(15, (n) => call('GET', `/patients/${charts[n % charts.length]}`, tokens.nurse)),
    repeat(1, (n) => call('POST', '/patients?force=true', tokens.nurse, person(n))),
    repeat(1, () => call('GET', '/audit/events?limit=20', tokens.auditor)),
    repeat(1, () => call('GET', '/auth/me')),
    repeat(1, async () => {
      const pair = (await call('POST', '/auth/login', undefined, account)) as { refreshToken?: string } | undefined
      if (pair?.refreshToken) await call('POST', '/auth/refresh', undefined, { refreshToken: pair.refreshToken })
    }),
  ]
  return async (): Promise<void> => void (await Promise.all(stops.map((stop) => stop())))
}
