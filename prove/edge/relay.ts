import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Service } from '@caregate/common/services'

/** A request that the gateway sent to a service, or what followed one where there should be nothing. */
export interface Passed {
  service: Service
  /** Requests with the same number came over one connection. */
  connection: number
  method: string
  target: string
  /** Names in lower case, in their order. */
  headers: [name: string, value: string][]
  /** Why it can't be read without doubt. */
  fault?: string
}

type Note = (request: Omit<Passed, 'service' | 'connection'>) => void

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/**
 * Reads requests by a grammar narrower than HTTP's, and knows nothing of how the gateway's and the services' parser
 * does: what it can't read it reports and reads no further.
 */
function buildReader(note: Note): (chunk: Buffer) => void {
  let waiting: Buffer = Buffer.alloc(0)
  let state: 'head' | 'body' | 'chunk' | 'chunk-end' | 'trailer' | 'lost' = 'head'
  let missing = 0

  function lose(fault: string): false {
    note({
      method: '',
      target: '',
      headers: [],
      fault: `${fault}: ${JSON.stringify(waiting.toString('latin1', 0, 200))}`,
    })
    state = 'lost'
    return false
  }

  function takeLine(): string | undefined {
    const end = waiting.indexOf('\r\n')
    if (end < 0) return undefined
    const line = waiting.toString('latin1', 0, end)
    waiting = waiting.subarray(end + 2)
    return line
  }

  function readHead(): boolean {
    const end = waiting.indexOf('\r\n\r\n')
    if (end < 0) return waiting.length > 65_536 ? lose('a head without an end') : false
    const [first = '', ...lines] = waiting.toString('latin1', 0, end).split('\r\n')
    const [, method, target] = /^([A-Z-]+) (\/[\x21-\x7e]*) HTTP\/1\.1$/.exec(first) ?? []
    if (!method) return lose('no request line')
    const headers: [string, string][] = []
    for (const line of lines) {
      const colon = line.indexOf(':')
      const [name, value] = [line.slice(0, colon), line.slice(colon + 1)]

      if (colon < 1 || !token.test(name) || /[\x00-\x08\x0a-\x1f\x7f]/.test(value)) return lose('no header')
      headers.push([name.toLowerCase(), value.trim()])
    }
    const all = (name: string) => headers.filter(([own]) => own === name).map(([, value]) => value)
    const [lengths, encodings] = [all('content-length'), all('transfer-encoding')]
    if (lengths.length + encodings.length > 1) return lose('two lengths')
    if (encodings[0] !== undefined && encodings[0] !== 'chunked') return lose('an unknown encoding')
    if (lengths[0] !== undefined && !/^\d{1,15}$/.test(lengths[0])) return lose('no length')
    waiting = waiting.subarray(end + 4)
    missing = Number(lengths[0] ?? 0)
    // no service leaves HTTP, so what follows a wish to upgrade is a request too
    state = encodings.length ? 'chunk' : missing ? 'body' : 'head'
    note({ method, target: target!, headers })
    return true
  }

  function readChunk(): boolean {
    const line = takeLine()
    if (line === undefined) return false
    if (!/^[0-9a-f]{1,8}$/i.test(line)) return lose('no size of a chunk')
    missing = Number.parseInt(line, 16)
    state = missing ? 'body' : 'trailer'
    chunked = true
    return true
  }
  let chunked = false

  function readBody(): boolean {
    const taken = Math.min(missing, waiting.length)
    waiting = waiting.subarray(taken)
    missing -= taken
    if (missing) return false
    state = chunked ? 'chunk-end' : 'head'
    return true
  }

  function readLineEnd(after: 'chunk' | 'head'): boolean {
    const line = takeLine()
    if (line === undefined) return false
    if (line) return lose('something behind a chunk')
    state = after
    if (after === 'head') chunked = false
    return true
  }

  const steps = {
    head: () => waiting.length > 0 && readHead(),
    body: readBody,
    chunk: readChunk,
    'chunk-end': () => readLineEnd('chunk'),
    trailer: () => readLineEnd('head'),
    lost: () => false,
  }
  return (chunk) => {
    if (state === 'lost') return
    waiting = waiting.length ? Buffer.concat([waiting, chunk]) : chunk
    while (steps[state]()) continue
  }
}

/** Stands before a service, passes bytes on in both directions, and writes down each request that came. */
export async function openRelay(service: Service, target: number, passed: Passed[]) {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((from) => {
    const connection = (connections += 1)
    const read = buildReader((request) => void passed.push({ service, connection, ...request }))
    const to = connect({ port: target, host: '127.0.0.1', noDelay: true })
    from.on('data', read)
    from.pipe(to).pipe(from)
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy()).on('close', () => (sockets.delete(socket), other.destroySoon()))
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close(): void {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
