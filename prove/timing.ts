/** `npm run prove -- timing [LOGINS]`: how long a refused login takes, and what it answers, tells nothing of the account. */
import { newPassword, type Account } from '../platform/client.ts'
import { newEmail, openAuthStage, type Pair } from './auth-stage.ts'
import { conclude, printRow, readAmount } from './load.ts'

const logins = readAmount(200)
const accounts = 8
const maxDifference = 0.05
const minP = 0.01
const stage = await openAuthStage({})

/** An admin who has chosen a password. */
async function signInAsAdmin(): Promise<string> {
  const { email, password } = stage.info.admin!
  const chosen = newPassword()
  const first = await stage.must<Pair>(200, 'POST', '/auth/login', { body: { email, password } })
  const change = { currentPassword: password, newPassword: chosen }
  await stage.must(204, 'POST', '/auth/password', { body: change, token: first.accessToken })
  const body = { email, password: chosen }
  return (await stage.must<Pair>(200, 'POST', '/auth/login', { body })).accessToken
}

const shuffled = <T>(list: readonly T[]): T[] =>
  list
    .map((item) => ({ item, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item)

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!]
  return low + (high - low) * (at - Math.floor(at))
}

/** Abramowitz and Stegun 7.1.26, for x ≥ 0; wrong by 1.5e-7 at most. */
function erfc(x: number): number {
  const t = 1 / (1 + 0.3275911 * x)
  const sum = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592].reduce((acc, c) => acc * t + c, 0)
  return sum * t * Math.exp(-x * x)
}

/** Two-sided p of the Mann–Whitney U test: normal approximation, corrected for ties and continuity. */
function mannWhitney(one: readonly number[], other: readonly number[]): number {
  const [n, m] = [one.length, other.length]
  const all = n + m
  const counts = Map.groupBy(
    [...one, ...other].sort((a, b) => a - b),
    (value) => value,
  )
  const rankOf = new Map<number, number>()
  let below = 0
  let ties = 0
  for (const [value, { length }] of counts) {
    rankOf.set(value, below + (length + 1) / 2)
    below += length
    ties += length ** 3 - length
  }
  const u = one.reduce((sum, value) => sum + rankOf.get(value)!, 0) - (n * (n + 1)) / 2
  const deviation = Math.sqrt(((n * m) / 12) * (all + 1 - ties / (all * (all - 1))))
  return Math.min(1, erfc(Math.max(0, Math.abs(u - (n * m) / 2) - 0.5) / deviation / Math.SQRT2))
}

/** Percent by which one group would have to be slower for the test to tell. */
function smallestShown(one: readonly number[], other: readonly number[]): number {
  const slower = (percent: number) => one.map((ms) => ms * (1 + percent / 100))
  let percent = 0
  while (percent < 100 && mannWhitney(slower(percent), other) >= minP) percent += 0.05
  return percent
}

try {
  const admin = await signInAsAdmin()
  const known: Account[] = []
  const disabled: Account[] = []
  for (let n = 0; n < accounts; n++) {
    known.push(await stage.register())
    const person = await stage.register()
    await stage.must(200, 'PATCH', `/auth/users/${person.id}`, { body: { disabled: true }, token: admin })
    disabled.push(person)
  }

  const groups: Record<string, (n: number) => { email: string; password: string }> = {
    'unknown e-mail': () => ({ email: newEmail(), password: newPassword() }),
    'known, wrong password': (n) => ({ email: known[n % accounts]!.email, password: newPassword() }),
    'disabled, right password': (n) => {
      const { email, password } = disabled[n % accounts]!
      return { email, password }
    },
  }
  const times = new Map(Object.keys(groups).map((name) => [name, [] as number[]]))
  const bodies = new Set<string>()
  const heads = new Set<string>()

  async function attempt(name: string, n: number, counts: boolean): Promise<void> {
    const { status, headers, text, ms } = await stage.call('POST', '/auth/login', { body: groups[name]!(n) })
    bodies.add(text.replace(/("requestId":")[^"]+/, '$1'))
    heads.add(`${status} ${[...headers.keys()].sort().join(' ')}`)
    if (counts) times.get(name)!.push(ms)
  }
  // in blocks, one of each in random order: what else happens on the machine hits all groups alike
  const warmUp = 5
  for (let n = -warmUp; n < logins; n++)
    for (const name of shuffled(Object.keys(groups))) await attempt(name, n + warmUp, n >= 0)

  printRow('refused login', 'logins', 'median ms', 'p10 ms', 'p90 ms')
  for (const [name, all] of times)
    printRow(name, all.length, ...[0.5, 0.1, 0.9].map((share) => quantile(all, share).toFixed(2)))
  console.log()
  printRow('against unknown', 'ms', 'percent', 'p', 'told from')

  const [unknown, ...others] = [...times]
  const claims: Record<string, boolean> = {}
  for (const [name, all] of others) {
    const [own, nobodys] = [quantile(all, 0.5), quantile(unknown![1], 0.5)]
    const difference = own / nobodys - 1
    const p = mannWhitney(all, unknown![1])
    const shown = `${smallestShown(all, unknown![1]).toFixed(2)} %`
    printRow(name, (own - nobodys).toFixed(2), (difference * 100).toFixed(3), p.toFixed(4), shown)
    claims[`${name}: the median is within ${maxDifference * 100} % of an unknown e-mail’s`] =
      Math.abs(difference) <= maxDifference
    claims[`${name}: the test can’t tell it from an unknown e-mail (p > ${minP})`] = p > minP
  }
  claims[`all bodies are the same but for requestId: ${[...bodies].join(' or ')}`] = bodies.size === 1
  claims[`all have the same status and names of headers: ${[...heads].join(' or ')}`] = heads.size === 1
  conclude(claims, [])
} finally {
  await stage.close()
}
