import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { keepRegistered, watchConsul, watchStatic } from './registry.ts'
import { quietLog, testBacking } from './testing/service.ts'
import { openTcpProxy, type TcpProxy } from './testing/tcp-proxy.ts'
import { until } from './testing/until.ts'

let consul: TcpProxy
const ends: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  consul = await openTcpProxy(testBacking().consul)
})
afterEach(async () => {
  consul.restore()
  for (const end of ends.splice(0).reverse()) await end()
})
afterAll(() => consul.close())

/** An instance as Consul sees it: it answers its health check, and can be killed. */
async function openInstance(port = 0): Promise<{ url: string; port: number; kill(): Promise<unknown> }> {
  const server: Server = createServer((_req, res) => res.end())
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const kill = () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections()))
  ends.push(kill)
  const address = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${address.port}`, port: address.port, kill }
}

function register(service: string, port: number): () => Promise<void> {
  const stopping = new AbortController()
  const done = keepRegistered({ service, address: '127.0.0.1', port }, consul.url, quietLog, stopping.signal)
  const end = () => (stopping.abort(), done)
  ends.push(end)
  return end
}

function watch(service: string) {
  const stopping = new AbortController()
  ends.push(async () => stopping.abort())
  const directory = watchConsul([service], consul.url, quietLog, stopping.signal)
  return () => directory.instances(service)
}

const deregister = (id: string) => fetch(`${testBacking().consul}/v1/agent/service/deregister/${id}`, { method: 'PUT' })

test('an instance is in rotation within five seconds, out within two of its death, and in again when it is back', async () => {
  const service = randomUUID()
  const instances = watch(service)
  const { url, port, kill } = await openInstance()
  register(service, port)
  await until(() => instances().length === 1, 5)
  expect(instances()).toEqual([url])
  await kill()
  await until(() => instances().length === 0, 3)
  await openInstance(port)
  await until(() => instances().length === 1, 5)
})

test('an instance that Consul forgot tells it again', async () => {
  const service = randomUUID()
  const instances = watch(service)
  const { port } = await openInstance()
  register(service, port)
  await until(() => instances().length === 1)
  await deregister(`${service}-127.0.0.1-${port}`)
  const other = watch(service)
  await until(() => other().length === 1)
})

test('an instance that is registered twice is one', async () => {
  const service = randomUUID()
  const instances = watch(service)
  const { url, port } = await openInstance()
  const other = await openInstance()
  register(service, port)
  await until(() => instances().length === 1)
  const again = { ID: `${service}-again`, Name: service, Address: '127.0.0.1', Port: port }
  await fetch(`${testBacking().consul}/v1/agent/service/register`, { method: 'PUT', body: JSON.stringify(again) })
  ends.push(() => deregister(again.ID))
  // one more makes sure that what came before has been seen
  register(service, other.port)
  await until(() => instances().length > 1)
  expect([...instances()].sort()).toEqual([url, other.url].sort())
})

test('while Consul is away or knows of none, what was known last holds; what changed meanwhile is seen after', async () => {
  const service = randomUUID()
  const instances = watch(service)
  const [one, two] = [await openInstance(), await openInstance()]
  register(service, one.port)
  await until(() => instances().length === 1)
  consul.cut()
  expect(instances()).toEqual([one.url])
  register(service, two.port)
  consul.restore()
  await until(() => instances().length === 2)
})

test('an instance that stops leaves Consul, and the last one stays known', async () => {
  const service = randomUUID()
  const instances = watch(service)
  const [one, two] = [await openInstance(), await openInstance()]
  const stopOne = register(service, one.port)
  const stopTwo = register(service, two.port)
  await until(() => instances().length === 2)
  await stopOne()
  await until(() => instances().length === 1)
  await stopTwo()
  const listed = (await (await fetch(`${testBacking().consul}/v1/catalog/service/${service}`)).json()) as unknown[]
  expect(listed).toEqual([])
  expect(instances()).toEqual([two.url])
})

test('without Consul a fixed list is probed', async () => {
  const stopping = new AbortController()
  ends.push(async () => stopping.abort())
  const { url, port, kill } = await openInstance()
  const directory = watchStatic([`auth=${url}`, 'audit=http://127.0.0.1:9'], quietLog, stopping.signal)
  await until(() => directory.instances('auth').length === 1)
  expect(directory.instances('audit')).toEqual([])
  await kill()
  await until(() => directory.instances('auth').length === 0)
  await openInstance(port)
  await until(() => directory.instances('auth').length === 1)
})

test('a Consul that restarted counts from the beginning, and is listened to again', async () => {
  let index = 1000
  let instances = [9001]
  const consul = createServer((req, res) => {
    const asked = Number(new URL(req.url!, 'http://x').searchParams.get('index') ?? 0)
    // as Consul does: nothing is said before the index is higher than the one that is known
    if (asked >= index) return
    const entries = instances.map((Port) => ({
      Service: { Address: '127.0.0.1', Port },
      Checks: [{ Status: 'passing' }],
    }))
    res.setHeader('X-Consul-Index', index).setHeader('Content-Type', 'application/json').end(JSON.stringify(entries))
  })
  await new Promise<void>((resolve) => consul.listen(0, '127.0.0.1', resolve))
  ends.push(() => new Promise((resolve) => (consul.close(resolve), consul.closeAllConnections())))
  const stopping = new AbortController()
  ends.push(async () => stopping.abort())
  const address = `http://127.0.0.1:${(consul.address() as AddressInfo).port}`
  const directory = watchConsul(['auth'], address, quietLog, stopping.signal)
  await until(() => directory.instances('auth').length === 1)
  index = 5
  instances = [9001, 9002]
  consul.closeAllConnections()
  await until(() => directory.instances('auth').length === 2, 4)
})
