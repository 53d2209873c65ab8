import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import express from 'express'
import type { Lifetime } from './run.ts'
import { serve } from './serve.ts'
import { quietLog } from './testing/service.ts'
import { freePort } from '../../../platform/processes.ts'

let stop: (() => Promise<void>) | undefined
afterEach(() => stop?.())

/** A process that serves, without a process. */
async function open(app = express(), DRAIN_GRACE_MS = 0) {
  const stopping = new AbortController()
  const closers: (() => unknown)[] = []
  const lifetime: Lifetime = { signal: stopping.signal, add: (_what, close) => closers.push(close) }
  const PORT = await freePort()
  const options = {
    PORT,
    LISTEN_ADDRESS: '127.0.0.1',
    ADVERTISE_ADDRESS: '127.0.0.1',
    DRAIN_GRACE_MS,
    REQUEST_TIMEOUT_MS: 5000,
    DISCOVERY: 'static' as const,
    CONSUL_HTTP_ADDR: '',
  }
  const refused: string[] = []
  const handlers = {
    request: app,
    isUpload: ({ url }: IncomingMessage) => url === '/upload',
    malformed: ({ remoteAddress }: Socket) => void refused.push(String(remoteAddress)),
  }
  await serve('patients', handlers, options, quietLog, lifetime, { headersMs: 200, bodyMs: 400, finishMs: 500 })
  let stopped: Promise<void> | undefined
  stop = () =>
    (stopped ??= (async () => {
      stopping.abort()
      for (const close of closers.reverse()) await close()
    })())
  return { url: `http://127.0.0.1:${PORT}`, port: PORT, refused, stop }
}

/** @param later is sent when a body would have to be there */
function raw(port: number, text: string, later = ''): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(text)
      if (later) setTimeout(() => socket.write(later), 1000)
    })
    socket.on('data', (chunk) => (answer += String(chunk))).on('error', () => {})
    socket.on('close', () => resolve(answer))
  })
}

test.each([
  ['a line that is no request', 'gibberish\r\n\r\n', 400, 'bad_request'],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400, 'bad_request'],
  ['headers beyond measure', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431, 'headers_too_large'],
])('%s is refused as a problem, and told of', async (_what, text, status, code) => {
  const { port, refused } = await open()
  const answer = await raw(port, text)
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(answer).toMatch(/content-type: application\/problem\+json/i)
  expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ status, code })
  expect(refused).toEqual(['127.0.0.1'])
})

test('what is gibberish behind a good request does not take the answer from it', async () => {
  const app = express().get('/', async (_req, res) => {
    await sleep(100)
    res.send('served')
  })
  const { port, refused } = await open(app)
  const answer = await raw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\ngibberish\r\n\r\n')
  expect(answer.match(/HTTP\S+ \d+|served/g)).toEqual(['HTTP/1.1 200', 'served', 'HTTP/1.1 400'])
  expect(refused).toHaveLength(1)
})

test('a body that breaks the rules of its encoding is refused at once', async () => {
  const app = express().post('/', (req, res) => void req.resume().on('end', () => res.send('served')))
  const { port } = await open(app)
  const answer = await raw(port, 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n')
  expect(answer.match(/^HTTP.*$/gm)).toEqual(['HTTP/1.1 400 Bad Request'])
})

test('an expectation that nobody knows is none', async () => {
  const app = express().get('/', (_req, res) => void res.send('served'))
  const { port } = await open(app)
  const answer = await raw(port, 'GET / HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\nConnection: close\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1.1 200 /)
})

describe('a client that dribbles', () => {
  const reads = () => express().use((req, res) => void req.resume().on('end', () => res.send('served')))

  test.each([
    ['its headers', 'GET / HTTP/1.1\r\nHost: x\r\n'],
    ['its body', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n123'],
  ])('%s is cut, and told so', async (_what, text) => {
    const { port, refused } = await open(reads())
    const answer = await raw(port, text)
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect(answer).toMatch(/"code":"request_timeout"/)
    expect(refused).toHaveLength(1)
  })

  test('an upload may take its time', async () => {
    const { port } = await open(reads())
    const head = 'POST /upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\n'
    expect(await raw(port, `${head}123`, '45')).toMatch(/^HTTP\/1\.1 200 /)
  })
})

test('told to stop it cuts what does not end by itself', async () => {
  const app = express().get('/', (_req, res) => void res.write('forever'))
  const { port, stop: end } = await open(app)
  const answer = raw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await sleep(100)
  await end()
  expect(await answer).toMatch(/forever/)
})

test('told to stop it is not ready, serves on for its grace, and finishes what is in flight', async () => {
  const app = express()
  app.get('/health/ready', (_req, res) => void res.send('ready'))
  app.get('/slow', async (_req, res) => {
    await sleep(700)
    res.send('finished')
  })
  const { url, stop: end } = await open(app, 400)
  const status = async (path: string) => (await fetch(url + path)).status
  expect(await status('/health/ready')).toBe(200)
  const started = performance.now()
  const slow = fetch(`${url}/slow`).then((answer) => answer.text())
  await sleep(50)
  const ended = end()
  expect(await status('/health/ready')).toBe(503)
  expect((await fetch(`${url}/other`)).headers.get('connection')).toBe('close')
  expect(await status('/other')).toBe(404)
  expect(await slow).toBe('finished')
  await ended
  expect(performance.now() - started).toBeLessThan(5000)
  await expect(status('/other')).rejects.toThrow()
})

test('a client that breaks its connection off has been refused nothing', async () => {
  const { port, refused } = await open()
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HT', () => socket.resetAndDestroy()))
    socket.on('close', () => resolve())
  })
  await sleep(100)
  expect(refused).toEqual([])
})
