import { connect } from 'node:net'
import type { Problem } from '@caregate/common/errors'
import type { RawAnswer, Shot } from './shot.ts'

export interface Outcome {
  /** The answers in a line, e.g. `200, 400 bad_request`; `closed` for none. */
  key: string
  answers: RawAnswer[]
  ms: number
}

export const headerOf = ({ headers }: Pick<RawAnswer, 'headers'>, name: string): string | undefined =>
  headers.find(([own]) => own === name)?.[1]

const isProblem = (answer: RawAnswer): boolean =>
  /^application\/problem\+json(;|$)/.test(headerOf(answer, 'content-type') ?? '')

export function problemOf(answer: RawAnswer): Partial<Problem> | undefined {
  if (!isProblem(answer)) return undefined
  try {
    return JSON.parse(answer.body.toString('utf8')) as Partial<Problem>
  } catch {
    return undefined
  }
}

/** Status, and of an error its code. */
export function keyOf(answer: RawAnswer, head = false): string {
  if (answer.status < 400 || head) return String(answer.status)
  if (!answer.body.length) return `${answer.status} without a body`
  return `${answer.status} ${problemOf(answer)?.code ?? 'not a problem'}`
}

const size = (text: string, radix: number): number =>
  (radix === 10 ? /^\d+$/ : /^[0-9a-f]+$/i).test(text) ? Number.parseInt(text, radix) : Number.NaN

/** @returns the body and where it ends; undefined while it isn't complete */
function readChunked(bytes: Buffer, from: number): { body: Buffer; end: number } | undefined {
  const parts: Buffer[] = []
  for (let at = from; ;) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return undefined
    const length = size(bytes.toString('latin1', at, line), 16)
    if (Number.isNaN(length)) throw new Error('a chunk without a size')
    const end = line + 2 + length + 2
    if (bytes.length < end) return undefined
    if (bytes.toString('latin1', end - 2, end) !== '\r\n') throw new Error('a chunk that goes on')
    if (length === 0) return { body: Buffer.concat(parts), end }
    parts.push(bytes.subarray(line + 2, end - 2))
    at = end
  }
}

/**
 * Takes the complete answers off what was received; stricter than a client would have to be.
 * @throws when it is no HTTP
 */
export function readAnswers(bytes: Buffer, head: boolean): { answers: RawAnswer[]; rest: number } {
  const answers: RawAnswer[] = []
  let from = 0
  while (from < bytes.length) {
    const end = bytes.indexOf('\r\n\r\n', from)
    if (end < 0) break
    const [first = '', ...lines] = bytes.toString('latin1', from, end).split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1])
    if (!status) throw new Error(`no status line: ${first.slice(0, 80)}`)
    const headers = lines.map((line): [string, string] => {
      const [, name, value] = /^([\w-]+): ?([^\r\n]*)$/.exec(line) ?? []
      if (!name) throw new Error(`no header: ${line.slice(0, 80)}`)
      return [name.toLowerCase(), value!.trim()]
    })
    const answer: RawAnswer = { status, headers, body: Buffer.alloc(0) }
    const [length, chunked] = [headerOf(answer, 'content-length'), headerOf(answer, 'transfer-encoding')]
    if (length !== undefined && chunked !== undefined) throw new Error('two lengths')
    from = end + 4
    if (status < 200) continue
    if (!head && status !== 204 && status !== 304) {
      if (chunked !== undefined) {
        const read = readChunked(bytes, from)
        if (!read) return { answers, rest: from }
        answer.body = read.body
        from = read.end
      } else if (length !== undefined) {
        const until = from + size(length, 10)
        if (!(bytes.length >= until)) return { answers, rest: from }
        answer.body = bytes.subarray(from, until)
        from = until
      } else throw new Error('no length')
    }
    answers.push(answer)
  }
  return { answers, rest: from }
}

const quietMs = 250
const patienceMs = 20_000

/** Sends a request's bytes as they are and gathers what comes back. */
export function shoot(port: number, shot: Shot): Promise<Outcome> {
  const started = performance.now()
  const { head = false } = shot
  const enough = Math.min(...shot.intended.map((key) => (key === 'closed' ? 1 : key.split(', ').length)))
  const bytes = Buffer.from(shot.bytes, 'latin1')
  const cut = shot.split ? 1 + Math.floor(bytes.length / 3) : bytes.length
  return new Promise((resolve) => {
    const received: Buffer[] = []
    let state = { answers: [] as RawAnswer[], rest: 0 }
    let length = 0
    let over: string | undefined
    let quiet: NodeJS.Timeout | undefined
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const patience = setTimeout(() => finish('open'), patienceMs)

    function finish(how: string): void {
      if (over) return
      over = how
      clearTimeout(patience)
      clearTimeout(quiet)
      socket.destroy()
      const keys = state.answers.map((answer) => keyOf(answer, head))
      if (how === 'open' || how === 'refused' || how.startsWith('garbled')) keys.push(how)
      else if (length > state.rest) keys.push('broken off')
      resolve({ key: keys.join(', ') || 'closed', answers: state.answers, ms: performance.now() - started })
    }

    socket.on('data', (chunk: Buffer) => {
      received.push(chunk)
      length += chunk.length
      try {
        state = readAnswers(Buffer.concat(received), head)
      } catch (error) {
        return finish(`garbled: ${(error as Error).message}`)
      }
      clearTimeout(quiet)
      if (state.answers.length < enough || length > state.rest) return
      // what else may come, of a request that was hidden in this one say, comes now
      quiet = setTimeout(() => finish('quiet'), quietMs)
    })
    socket
      .on('error', ({ code }: NodeJS.ErrnoException) => code === 'ECONNREFUSED' && finish('refused'))
      .on('close', () => finish('closed'))
    socket.write(bytes.subarray(0, cut), () => {
      if (cut < bytes.length) setTimeout(() => length === 0 && socket.write(bytes.subarray(cut)), 5)
      if (shot.ends) setTimeout(() => socket.end(), 20)
    })
  })
}
