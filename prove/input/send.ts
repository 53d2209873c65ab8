/** A request as it goes over the wire, with a time limit and no more read of an answer than is needed. */
import { Agent, request } from 'node:http'

export const LIMIT_MS = 10_000
const READ = 512 * 1024
const STREAM_MS = 300

export interface Wire {
  id: string
  method: string
  target: string
  headers: Record<string, string>
  body?: string | Buffer
}
export interface Answer {
  /** 0 where none came. */
  status: number
  type: string
  text: string
  /** All of it was read. */
  whole: boolean
  ms: number
}

export function buildWire(gateway: string, sockets: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets })
  const send = ({ id, method, target, headers, body }: Wire): Promise<Answer> =>
    new Promise((resolve) => {
      const from = performance.now()
      const chunks: Buffer[] = []
      let [size, status, type] = [0, 0, '']
      const end = (whole: boolean, why?: string) => {
        clearTimeout(limit)
        if (!whole) sent.destroy()
        resolve({ status, type, text: why ?? Buffer.concat(chunks).toString(), whole, ms: performance.now() - from })
      }
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      const all = { ...headers, ...length, 'x-request-id': id }
      const sent = request(gateway, { agent, method, path: target, headers: all }, (answer) => {
        status = answer.statusCode!
        type = answer.headers['content-type'] ?? ''
        if (type.startsWith('text/event-stream')) setTimeout(() => end(false), STREAM_MS)
        answer.on('data', (chunk: Buffer) => {
          chunks.push(chunk)
          if ((size += chunk.length) > READ) end(false)
        })
        answer.on('end', () => end(true)).on('error', () => undefined)
      })
      const limit = setTimeout(() => ((status = 0), end(false, `nothing within ${LIMIT_MS / 1000} s`)), LIMIT_MS)
      sent.on('error', (error) => status || end(true, error.message))
      sent.end(body)
    })
  return { send, close: () => agent.destroy() }
}

/** As one types it. */
export function curlOf(gateway: string, { method, target, headers, body }: Wire): string {
  const quoted = (text: string) => `$'${text.replaceAll(/[\\']/g, '\\$&').replaceAll(/[^\x20-\x7e]/gu, escape)}'`
  const escape = (one: string) =>
    [...Buffer.from(one)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
  const lines = Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`)
  const sent = body === undefined ? [] : [`--data-binary ${quoted(body.toString('latin1' as never))}`]
  const line = ['curl -i --path-as-is -X', method, ...lines, ...sent, quoted(gateway + target)].join(' ')
  return line.length > 2000 ? `${line.slice(0, 2000)}… (${line.length})` : line
}
