import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { keyOf, readAnswers, type Outcome } from './raw.ts'
import {
  bad,
  closed,
  forbidden,
  host,
  jsonType,
  jwks,
  late,
  login,
  noAuth,
  notFound,
  patients,
  type Aim,
  type RawAnswer,
} from './shot.ts'

const upload = `${patients}/import`

export interface Slow {
  kind: string
  id: string
  intended: readonly string[]
  /** It has to be over by then. */
  withinMs: number
  reaches: readonly string[]
  outcome: Promise<Outcome>
}

interface Manner {
  /** Sent at once. */
  first: string
  /** Sent again and again, or as long as there is some of it. */
  drops?: (n: number) => string | undefined
  everyMs?: number
  /** Doesn't take what it is sent until then. */
  deafMs?: number
  /** Gives up, rudely, when it has been connected so long. */
  leavesMs?: number
}

/** Longer than everything that is measured against it. */
const endMs = 90_000

function behave(port: number, { first, drops, everyMs = 500, deafMs = 0, leavesMs = endMs }: Manner): Promise<Outcome> {
  const started = performance.now()
  return new Promise((resolve) => {
    const received: Buffer[] = []
    let open = true
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    if (deafMs) {
      socket.pause()
      setTimeout(() => socket.resume(), deafMs)
    }
    const leave = setTimeout(() => ((open = false), socket.resetAndDestroy()), leavesMs)
    socket.on('data', (chunk: Buffer) => received.push(chunk))
    socket
      .on('error', () => {})
      .on('close', () => {
        clearTimeout(leave)
        const left = !open
        open = false
        const bytes = Buffer.concat(received)
        let answers: RawAnswer[] = []
        let key: string
        try {
          answers = readAnswers(bytes, false).answers
          key = answers.map((answer) => keyOf(answer)).join(', ') || 'closed'
        } catch (error) {
          key = `garbled: ${(error as Error).message}`
        }
        if (left) key = leavesMs === endMs ? `${key}, open` : 'gone'
        resolve({ key, answers, ms: performance.now() - started })
      })
    socket.write(Buffer.from(first, 'latin1'))
    if (drops) void drip(socket, drops, everyMs, () => open)
  })
}

async function drip(socket: Socket, drops: (n: number) => string | undefined, everyMs: number, open: () => boolean) {
  for (let n = 0; ; n++) {
    await sleep(everyMs)
    const drop = drops(n)
    if (!open() || drop === undefined || socket.destroyed) return
    socket.write(Buffer.from(drop, 'latin1'))
  }
}

/** The outcome of asking often and not listening: whether all was sent all the same. */
async function deaf(port: number, first: string, asked: number, deafMs: number): Promise<Outcome> {
  const { answers, ms } = await behave(port, { first, deafMs })
  return { key: answers.length < asked ? 'cut' : 'not cut', answers, ms }
}

const slack = 4000
const headersMs = 10_000 + slack
const bodyMs = 30_000 + slack
/** Of an answer that isn't taken, of an upload that doesn't go on, and of a connection that is kept for nothing. */
const stallMs = 30_000 + 2 * slack
const idleMs = 66_000 + slack

interface Case {
  count: number
  kind: string
  withinMs: number
  intended: readonly string[]
  /** Whether a service may see it. */
  reaches?: boolean
  manner(aim: Aim): Manner
}

const cut = [late, closed]
const post = (aim: Aim, headers: string[], more: { target?: string; token?: string } = {}): string =>
  aim.request({ method: 'POST', target: login, headers: [jsonType, ...headers], close: false, ...more })
const chunked = ['Transfer-Encoding: chunked']
const long = ['Content-Length: 1000']
const spelled = (text: string) => (n: number) => text[n]
const again = (text: string) => () => text
const wrongLogin = '{"email":"nobody@edge.test","password":"x"}'

const ofHeaders: Omit<Case, 'withinMs' | 'intended'>[] = [
  { count: 8, kind: 'says nothing', manner: () => ({ first: '' }) },
  {
    count: 4,
    kind: 'stops within the request line',
    manner: (aim) => ({ first: aim.pick(['G', 'GET', 'GET /', 'GET / HTTP/1.1']) }),
  },
  {
    count: 4,
    kind: 'stops within the headers',
    manner: (aim) => ({ first: aim.pick([aim.request().slice(0, 40), aim.request().slice(0, -2)]) }),
  },
  {
    count: 8,
    kind: 'dribbles its headers',
    manner: (aim) => ({
      first: '',
      drops: spelled(aim.request({ headers: [`X-A: ${'a'.repeat(300)}`] })),
      everyMs: aim.between(200, 900),
    }),
  },
  {
    count: 4,
    kind: 'has ever more headers',
    manner: () => ({ first: `GET / HTTP/1.1\r\nHost: ${host}\r\n`, drops: (n) => `X-${n}: a\r\n` }),
  },
  { count: 3, kind: 'has ever more empty lines', manner: () => ({ first: '\r\n', drops: again('\r\n') }) },
]

const ofBodies: Omit<Case, 'withinMs' | 'intended'>[] = [
  { count: 4, kind: 'has no body after all', manner: (aim) => ({ first: post(aim, long) }) },
  { count: 6, kind: 'dribbles its body', manner: (aim) => ({ first: post(aim, long), drops: again(' ') }) },
  {
    count: 4,
    kind: 'dribbles its chunks',
    manner: (aim) => ({ first: post(aim, chunked), drops: again('1\r\n \r\n') }),
  },
  {
    count: 2,
    kind: 'dribbles the size of a chunk',
    manner: (aim) => ({ first: post(aim, chunked), drops: again('0') }),
  },
  {
    count: 2,
    kind: 'dribbles an extension',
    manner: (aim) => ({ first: `${post(aim, chunked)}1;`, drops: again('a') }),
  },
  {
    count: 2,
    kind: 'dribbles a trailer',
    manner: (aim) => ({ first: `${post(aim, chunked)}0\r\nX-A: `, drops: again('a') }),
  },
  {
    count: 2,
    kind: 'dribbles within a chart',
    manner: (aim) => ({
      first: post(aim, long, { target: patients, token: aim.world.tokens.nurse }),
      drops: again(' '),
    }),
  },
]

const others: Case[] = [
  {
    count: 3,
    kind: 'dribbles to where it may not',
    withinMs: bodyMs,
    intended: [noAuth, `${noAuth}, ${late}`],
    manner: (aim) => ({ first: post(aim, long, { target: patients }), drops: again(' ') }),
  },
  {
    count: 2,
    kind: 'dribbles to nobody',
    withinMs: bodyMs,
    intended: [notFound, `${notFound}, ${late}`],
    manner: (aim) => ({ first: post(aim, long, { target: '/internal/revocations' }), drops: again(' ') }),
  },
  {
    count: 2,
    kind: 'stops within an upload',
    withinMs: idleMs,
    intended: [forbidden, `${forbidden}, ${late}`],
    reaches: true,
    manner: (aim) => ({ first: `${post(aim, long, { target: upload, token: aim.world.tokens.nurse })}a` }),
  },
  {
    count: 3,
    kind: 'keeps a connection for nothing',
    withinMs: idleMs,
    intended: ['200'],
    reaches: true,
    manner: (aim) => ({ first: aim.request({ close: false }) }),
  },
  {
    count: 3,
    kind: 'takes five seconds for its headers',
    withinMs: headersMs,
    intended: ['200'],
    reaches: true,
    manner(aim) {
      const request = aim.request()
      return { first: '', drops: spelled(request), everyMs: Math.floor(5000 / request.length) }
    },
  },
  {
    count: 2,
    kind: 'takes ten seconds for its body',
    withinMs: bodyMs,
    intended: [noAuth],
    reaches: true,
    manner: (aim) => ({
      first: post(aim, [`Content-Length: ${wrongLogin.length}`, 'Connection: close']),
      drops: spelled(wrongLogin),
      everyMs: Math.floor(10_000 / wrongLogin.length),
    }),
  },
]

/** It asks often and doesn't listen, until it should have been cut. */
interface DeafCase {
  count: number
  kind: string
  asked: number
  withinMs: number
  request(aim: Aim, id: string): string
}
const deafCases: DeafCase[] = [
  {
    count: 2,
    kind: 'does not read large lists',
    asked: 40,
    withinMs: stallMs,
    request: (aim, id) =>
      aim.request({ id, target: `${patients}?limit=200`, token: aim.world.tokens.nurse, close: false }),
  },
  {
    count: 2,
    kind: 'does not read pages',
    asked: 40,
    withinMs: idleMs,
    request: (aim, id) => aim.request({ id, target: '/redoc/assets/redoc.standalone.js', close: false }),
  },
  {
    count: 1,
    kind: 'does not read many small answers',
    asked: 5000,
    withinMs: idleMs,
    request: (aim, id) => aim.request({ id, target: jwks, close: false }),
  },
]

/** What those who leave leave behind. */
const leaving: Case = {
  count: 150,
  kind: 'leaves at once',
  withinMs: headersMs,
  intended: ['gone', '200', bad, noAuth],
  reaches: true,
  manner(aim) {
    const { nurse } = aim.world.tokens
    const asking = aim.request({ target: `${patients}?limit=1`, token: nurse })
    const bytes = [
      asking,
      aim.request(),
      post(aim, long),
      post(aim, long, { target: upload, token: nurse }),
      'GET / x\r\n\r\n',
    ]
    return { first: aim.pick(bytes), leavesMs: aim.int(8) }
  },
}

/** @param aimAt gives what request number `n` of this family is made of */
function start(port: number, aimAt: (n: number) => Aim, cases: readonly Case[], first: number): Slow[] {
  const started: Slow[] = []
  for (const { count, kind, intended, withinMs, reaches = false, manner } of cases) {
    for (let n = 0; n < count; n++) {
      const aim = aimAt(first + started.length)
      const outcome = behave(port, manner(aim))
      started.push({ kind, id: aim.id, intended, withinMs, reaches: reaches ? [aim.id] : [], outcome })
    }
  }
  return started
}

export function startSlow(port: number, aimAt: (n: number) => Aim): Slow[] {
  const cases = [
    ...ofHeaders.map((one) => ({ ...one, withinMs: headersMs, intended: cut })),
    ...ofBodies.map((one) => ({ ...one, withinMs: bodyMs, intended: cut })),
    ...others,
  ]
  const started = start(port, aimAt, cases, 0)
  let turn = 0
  for (const { count, kind, asked, withinMs, request } of deafCases) {
    for (let n = 0; n < count; n++) {
      const aim = aimAt(started.length)
      const reaches = Array.from({ length: asked }, (_, index) => `${aim.id}-${index}`)
      const bytes = reaches.map((id) => request(aim, id)).join('')
      // one after another: this is about what they hold, not about how much work they make at once
      const outcome = sleep(1000 * (turn += 1)).then(() => deaf(port, bytes, asked, withinMs))
      started.push({ kind, id: aim.id, intended: ['cut'], withinMs: withinMs + slack, reaches, outcome })
    }
  }
  return started
}

/** Clients that reset their connection before they can be answered. */
export const startLeaving = (port: number, aimAt: (n: number) => Aim): Slow[] => start(port, aimAt, [leaving], 1000)
