/** `npm run prove -- refresh [ROUNDS]`: whatever races, one refresh token of a session is good at most, and honest clients keep it. */
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { newPassword, type Account } from '../platform/client.ts'
import { openAuthStage, type Pair } from './auth-stage.ts'
import { conclude, printRow, readAmount } from './load.ts'

const rounds = readAmount(200)
const reuseSeconds = 10
const wavesEach = 3
const clients = 20
const atOnce = 16
const maxRevocationMs = 1000
const instances = 2
const stage = await openAuthStage({ BCRYPT_COST: '4', REFRESH_REUSE_SECONDS: String(reuseSeconds) }, instances)

const buildTally = () => ({
  rounds: 0,
  refreshes: 0,
  ok: 0,
  refused: 0,
  other: 0,
  /** Honest clients that were turned away. */
  lost: 0,
  /** Tokens that were good although another one was, or none should have been. */
  beyond: 0,
  slowestMs: 0,
  problems: [] as string[],
})
type Tally = ReturnType<typeof buildTally>

/** A session, and every token that anybody was given for it. */
interface Held {
  id: string
  access: Set<string>
  refresh: Set<string>
}
const open = ({ accessToken, refreshToken }: Pair): Held => ({
  id: refreshToken.split('.')[0]!,
  access: new Set([accessToken]),
  refresh: new Set([refreshToken]),
})
const generationOf = (token: string) => Number(token.split('.')[1])
const newestOf = ({ refresh: tokens }: Held) => [...tokens].at(-1)!
const logIn = async ({ email, password }: Account) =>
  open(await stage.must<Pair>(200, 'POST', '/auth/login', { body: { email, password } }))
const outsideWindow = () => sleep((reuseSeconds + 1) * 1000)
const soon = () => sleep(randomInt(10))

async function rowOf({ id }: Held) {
  const rows = await stage.query<{ generation: number; ended: boolean }>(
    'SELECT generation, ended_at IS NOT NULL AS ended FROM sessions WHERE id = $1',
    [id],
  )
  return rows[0]!
}

async function refresh(tally: Tally, held: Held, refreshToken: string, id?: string) {
  const { status, text } = await stage.call('POST', '/auth/refresh', { body: { refreshToken }, ...(id && { id }) })
  tally.refreshes += 1
  tally[status === 200 ? 'ok' : status === 401 ? 'refused' : 'other'] += 1
  if (status !== 200) return { status, successor: undefined }
  const pair = JSON.parse(text) as Pair
  held.access.add(pair.accessToken)
  held.refresh.add(pair.refreshToken)
  return { status, successor: pair.refreshToken }
}

/** Presents tokens, so many at once. @returns how many were good */
async function present(tally: Tally, held: Held, tokens: string[]): Promise<number> {
  let good = 0
  for (let n = 0; n < tokens.length; n += atOnce) {
    const answers = await Promise.all(tokens.slice(n, n + atOnce).map((token) => refresh(tally, held, token)))
    good += answers.filter(({ status }) => status === 200).length
  }
  return good
}

/** Milliseconds since a moment until the gateway refuses an access token. */
async function refusedAfter(token: string, since: number): Promise<number> {
  while ((await stage.call('GET', '/auth/me', { token })).status !== 401) {
    if (performance.now() - since > 5 * maxRevocationMs) return Infinity
    await sleep(5)
  }
  return performance.now() - since
}

async function expectEnded(tally: Tally, held: Held, since: number): Promise<void> {
  // before a spent token is presented, which would end it
  const { ended } = await rowOf(held)
  if (!ended) tally.problems.push(`${held.id} goes on`)
  else {
    const refusals = await Promise.all([...held.access].map((token) => refusedAfter(token, since)))
    tally.slowestMs = Math.max(tally.slowestMs, ...refusals)
  }
  tally.beyond += await present(tally, held, [...held.refresh])
}

/** Tabs refresh at once with the same token, several times. */
async function parallel(tally: Tally, round: number): Promise<Held> {
  const held = await logIn(await stage.register())
  for (let wave = 0; wave < wavesEach; wave++) {
    const token = newestOf(held)
    const tabs = Array.from({ length: randomInt(2, atOnce + 1) }, (_, n) => `prove-wave-${round}-${wave}-${n}`)
    const answers = await Promise.all(tabs.map((id) => refresh(tally, held, token, id)))
    tally.lost += answers.filter(({ status }) => status !== 200).length
    const successors = new Set(answers.map(({ successor }) => successor))
    const { generation, ended } = await rowOf(held)
    if (successors.size > 1 || ended || generation !== generationOf(token) + 1)
      tally.problems.push(`${held.id}: ${successors.size} successors, generation ${generation}, ended: ${ended}`)
  }
  tally.rounds += 1
  return held
}

/** Honest clients go on while one instance after the other is killed. */
async function restarts(tally: Tally) {
  const sessions = await Promise.all(Array.from({ length: clients }, async () => logIn(await stage.register())))
  const seen = { retries: 0, answersLost: 0, longestMs: 0 }
  let on = true
  let dense = false
  async function use(held: Held): Promise<void> {
    for (; on; await sleep(dense ? 0 : randomInt(200))) {
      const token = newestOf(held)
      const from = performance.now()
      let answer = await refresh(tally, held, token)
      for (let tries = 0; ![200, 401].includes(answer.status); tries++) {
        if (performance.now() - from > reuseSeconds * 1000) break
        seen.retries += 1
        if (!tries && (await rowOf(held)).generation > generationOf(token)) seen.answersLost += 1
        await sleep(50)
        answer = await refresh(tally, held, token)
      }
      seen.longestMs = Math.max(seen.longestMs, performance.now() - from)
      if (!answer.successor) {
        tally.lost += 1
        return void tally.problems.push(`${held.id} was lost: ${answer.status}`)
      }
      if (generationOf(answer.successor) !== generationOf(token) + 1)
        tally.problems.push(`${held.id}: after ${generationOf(token)} came ${generationOf(answer.successor)}`)
    }
  }
  const work = sessions.map(use)
  for (; tally.rounds < rounds; tally.rounds += clients) {
    dense = true
    await sleep(300)
    const calm = sleep(1000).then(() => (dense = false))
    await Promise.all([stage.restart(stage.instances[(tally.rounds / clients) % instances]!), calm])
    // until Consul and the gateway have surely noticed both
    await sleep(2000)
  }
  on = false
  await Promise.all(work)
  for (const held of sessions) {
    const { generation, ended } = await rowOf(held)
    if (ended || generation !== generationOf(newestOf(held)))
      tally.problems.push(`${held.id}: generation ${generation}, ended: ${ended}`)
  }
  return { sessions, seen }
}

/** A session is ended, by three ways in turn, while it is refreshed. @returns whether that came in between */
async function revocation(tally: Tally, round: number): Promise<boolean> {
  const person = await stage.register()
  const [own, other] = [await logIn(person), await logIn(person)]
  const [[token], [otherToken]] = [[...own.access], [...other.access]]
  const { password: currentPassword } = person
  const ways = [
    () => stage.call('POST', '/auth/logout', { token: otherToken! }),
    () => stage.call('DELETE', `/auth/sessions/${other.id}`, { token: token! }),
    () =>
      stage.call('POST', '/auth/password', { token: token!, body: { currentPassword, newPassword: newPassword() } }),
  ]
  const good = newestOf(other)
  const racing = Array.from({ length: randomInt(2, atOnce / 2) }, () => soon().then(() => refresh(tally, other, good)))
  // with the old password, when that is what changes
  const entering = round % ways.length === 2 ? soon().then(() => logIn(person).catch(() => undefined)) : undefined
  await soon()
  const { status, text } = await ways[round % ways.length]!()
  const since = performance.now()
  if (status !== 204) tally.problems.push(`${other.id} could not be ended: ${status} ${text}`)
  const [answers, entered] = [await Promise.all(racing), await entering]
  for (const held of [other, ...(entered ? [entered] : [])]) await expectEnded(tally, held, since)
  if (!(await refresh(tally, own, newestOf(own))).successor) tally.lost += 1
  tally.rounds += 1
  return new Set(answers.map((answer) => answer.status)).size > 1
}

/** Somebody presents a copy of a spent token while its owner refreshes. */
async function theft(tally: Tally, held: Held): Promise<void> {
  const [spent] = [...held.refresh]
  const honest = newestOf(held)
  const tokens = Array.from({ length: randomInt(1, 4) }, () => honest)
  tokens.splice(randomInt(tokens.length + 1), 0, spent!)
  const since = performance.now()
  const answers = await Promise.all(tokens.map((token) => refresh(tally, held, token)))
  if (answers[tokens.indexOf(spent!)]!.successor) tally.problems.push(`${held.id}: a spent token was good`)
  await expectEnded(tally, held, since)
  tally.rounds += 1
}

/** Every token is presented, long after it was given out: one is good at most, and for those that were spent the session ends. */
async function afterwards(tally: Tally, held: Held): Promise<void> {
  const good = await present(tally, held, [...held.refresh].reverse())
  const { ended } = await rowOf(held)
  if (!ended) tally.problems.push(`${held.id} goes on`)
  tally.beyond += Math.max(0, good - 1) + (await present(tally, held, [...held.refresh]))
  tally.rounds += 1
}

try {
  const tallies = {
    'parallel refreshes': buildTally(),
    'an instance is killed': buildTally(),
    revocation: buildTally(),
    theft: buildTally(),
    'all tokens afterwards': buildTally(),
  }
  const sessions: Held[] = []
  for (let round = 0; round < rounds; round++) sessions.push(await parallel(tallies['parallel refreshes'], round))
  const killed = await restarts(tallies['an instance is killed'])
  sessions.push(...killed.sessions)
  let between = 0
  for (let round = 0; round < rounds; round++) between += Number(await revocation(tallies.revocation, round))

  const stolen: Held[] = []
  for (let round = 0; round < rounds; round++) {
    const held = await logIn(await stage.register())
    await refresh(tallies.theft, held, newestOf(held))
    // either the successor is used, or the window closes
    if (round % 2) stolen.push(held)
    else {
      await refresh(tallies.theft, held, newestOf(held))
      await theft(tallies.theft, held)
    }
  }
  await outsideWindow()
  for (const held of stolen) await theft(tallies.theft, held)
  for (const held of sessions) await afterwards(tallies['all tokens afterwards'], held)

  printRow('', 'rounds', 'refreshes', '200', '401', 'other', 'lost', 'beyond 1', 'slow ms')
  for (const [name, { problems, slowestMs, ...counts }] of Object.entries(tallies))
    printRow(name, ...Object.values(counts), slowestMs ? slowestMs.toFixed(1) : '–')

  const waves = stage
    .handled()
    .map((ids) => new Set([...ids].flatMap((id) => /^(prove-wave-.+)-\d+$/.exec(id)?.[1] ?? [])))
  const both = waves.reduce((one, other) => one.intersection(other)).size
  const { retries, answersLost, longestMs } = killed.seen
  console.log(`
of ${rounds * wavesEach} times that tabs refreshed at once, both instances took part in ${both}
${tallies['an instance is killed'].rounds / clients} kills under ${clients} clients: ${retries} retries; a successor was made and its answer lost ${answersLost} times; the longest wait was ${longestMs.toFixed(0)} ms
of ${rounds} sessions that were ended under refreshes, ${between} were while some of those had been and some were to come`)
  const holds = (name: keyof typeof tallies) => {
    const { lost, beyond, problems, slowestMs } = tallies[name]
    return !lost && !beyond && !problems.length && slowestMs <= maxRevocationMs
  }
  const claims = {
    'all that refresh at once get one and the same successor': holds('parallel refreshes'),
    'most of that was a race of two processes': both > (rounds * wavesEach) / 2,
    'no honest client is lost to a killed instance, and generations only go forward': holds('an instance is killed'),
    'answers were lost that the proof is about': answersLost > 0,
    [`once a session is ended no token of it is good, and within ${maxRevocationMs} ms no access token`]:
      holds('revocation'),
    'a spent token ends the session, for the thief and for the owner': holds('theft'),
    'of all tokens that were given for a session one is good at most': holds('all tokens afterwards'),
  }
  conclude(claims, [])
  for (const { problems } of Object.values(tallies))
    for (const problem of problems.slice(0, 5)) console.log(`  ${problem}`)
} finally {
  await stage.close()
}
