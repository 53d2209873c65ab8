import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { openBroker, revocationExchange, type Broker } from '@caregate/common/broker'
import { quietLog, testAmqpUrl } from '@caregate/common/testing/service'
import { openTcpProxy, type TcpProxy } from '@caregate/common/testing/tcp-proxy'
import { until } from '@caregate/common/testing/until'
import { watchRevocations, type Revocations } from './revocations.ts'

/** Auth's list, and how it was asked for. */
let items: { sessionId: string; expiresAt: string }[]
let asked: string[]
let present: boolean
let status: number
const auth = createServer((req, res) => {
  asked.push(req.url ?? '')
  res
    .writeHead(status, { 'Content-Type': 'application/json' })
    .end(JSON.stringify({ items, until: new Date().toISOString() }))
})
const url = () => `http://127.0.0.1:${(auth.address() as AddressInfo).port}`

let proxy: TcpProxy
let sender: Broker
let broker: Broker
let revocations: Revocations
let stop: AbortController

const ended = (sessionId: string, inMs = 60_000) => ({
  sessionId,
  expiresAt: new Date(Date.now() + inMs).toISOString(),
})

beforeAll(async () => {
  await new Promise<void>((resolve) => auth.listen(0, '127.0.0.1', resolve))
  sender = await openBroker(testAmqpUrl(), quietLog)
})
beforeEach(async () => {
  items = []
  asked = []
  present = true
  status = 200
  proxy = await openTcpProxy(testAmqpUrl())
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  proxy.restore()
  await broker.close()
  await proxy.close()
})
afterAll(async () => {
  await sender.close()
  await new Promise((resolve) => auth.close(resolve).closeAllConnections())
})

/** As main.ts puts them together. */
async function watch(): Promise<void> {
  broker = await openBroker(proxy.url, quietLog, (model) => revocations.subscribe(model))
  const directory = { instances: (service: string) => (present && service === 'auth' ? [url()] : []) }
  revocations = watchRevocations(directory, quietLog, stop.signal)
}
const settled = () => until(() => revocations.loaded && broker.connected && sender.connected)

test('the list is read before anything else, as soon as auth is there and answers', async () => {
  items = [ended('listed')]
  present = false
  status = 500
  await watch()
  await expect(until(() => revocations.loaded, 0.3)).rejects.toThrow()
  present = true
  await expect(until(() => revocations.loaded, 0.3)).rejects.toThrow()
  status = 200
  await until(() => revocations.loaded, 1)
  expect([revocations.has('listed'), revocations.has('another')]).toEqual([true, false])
})

test('a session that ends is known within a second by word of the broker', async () => {
  await watch()
  await settled()
  sender.broadcast(revocationExchange, JSON.stringify(ended('told')))
  await until(() => revocations.has('told'), 1)
  expect(items).toEqual([])
})

test('with the broker away the list is read each second', async () => {
  await watch()
  await settled()
  proxy.cut()
  await until(() => !broker.connected)
  items = [ended('listed later')]
  await until(() => revocations.has('listed later'), 1.5)
})

test('a session that auth could not tell of is known within a second or so all the same', async () => {
  await watch()
  await settled()
  items = [ended('untold')]
  await until(() => revocations.has('untold'), 1.5)
})

test('only what ended since the last reading is asked for', async () => {
  await watch()
  await until(() => asked.length > 1, 3)
  expect(asked[0]).toBe('/internal/revocations')
  expect(asked[1]).toMatch(/^\/internal\/revocations\?since=\d{4}-.*Z$/)
})

test('what was told while the broker was away is known soon after its return', async () => {
  await watch()
  await settled()
  proxy.cut()
  items = [ended('missed')]
  proxy.restore()
  await until(() => revocations.has('missed'), 3)
})

test('a session is forgotten once no token of it can be good', async () => {
  items = [ended('short', 400), ended('long')]
  await watch()
  await until(() => revocations.has('short'))
  items = []
  await until(() => !revocations.has('short'), 2)
  expect(revocations.has('long')).toBe(true)
})
