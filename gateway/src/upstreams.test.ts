import { afterEach, describe, expect, test } from '@jest/globals'
import { quietLog, testToken } from '@caregate/common/testing/service'
import { until } from '@caregate/common/testing/until'
import { openTestGateway, openUpstream } from './testing.ts'
import { openUpstreams, type Instance } from './upstreams.ts'

const token = testToken(['nurse'])
const path = '/api/v1/patients/search'
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close()
})
type Upstream = Awaited<ReturnType<typeof openUpstream>>

async function open(...args: Parameters<typeof openUpstream>): Promise<Upstream> {
  const upstream = await openUpstream(...args)
  opened.push(upstream)
  return upstream
}
/** A service that is there by its port only: nobody listens. */
async function openDead(): Promise<string> {
  const { url, close } = await openUpstream()
  await close()
  return url
}
async function openBefore(...urls: string[]) {
  const gateway = await openTestGateway({ directory: { instances: () => urls } })
  opened.push(gateway)
  const ask = async (method: string, times: number): Promise<number[]> => {
    const body = method === 'GET' ? undefined : {}
    const statuses: number[] = []
    for (let n = 0; n < times; n++) statuses.push((await gateway.call(method, path, { token, body })).status)
    return statuses
  }
  return { ...gateway, ask }
}
const all = (status: number, times: number) => Array<number>(times).fill(status)
const asked = ({ seen }: Upstream) => seen.filter(({ url }) => url === path).length

test('what was never sent goes to another instance, whatever its method', async () => {
  const alive = await open()
  const { ask, denials } = await openBefore(await openDead(), alive.url)
  expect(await ask('POST', 10)).toEqual(all(200, 10))
  expect(asked(alive)).toBe(10)
  expect(denials).toEqual([])
})

test('what only reads is asked again when its connection breaks; what may have changed something is not', async () => {
  const breaking = await open((req) => void req.socket.destroy())
  const alive = await open()
  const { ask } = await openBefore(breaking.url, alive.url)
  expect(await ask('GET', 6)).toEqual(all(200, 6))
  const other = await openBefore(breaking.url, alive.url)
  expect(await other.ask('POST', 40)).toContain(502)
})

test('an instance that keeps failing is left alone until a probe finds it ready', async () => {
  let well = false
  const failing = await open((_req, res) => void res.writeHead(well ? 200 : 503).end())
  const alive = await open()
  const { ask } = await openBefore(failing.url, alive.url)
  await ask('GET', 40)
  expect(asked(failing)).toBe(3)
  well = true
  await until(async () => (await ask('GET', 5), asked(failing) > 3), 5)
})

test('at most half of the instances are ejected: a failure that they share leaves the service there', async () => {
  const failing = await Promise.all([1, 2, 3].map(() => open((_req, res) => void res.writeHead(503).end())))
  const { ask } = await openBefore(...failing.map(({ url }) => url))
  expect(await ask('GET', 60)).toEqual(all(503, 60))
  expect(failing.map(asked).sort((a, b) => a - b)[0]).toBe(3)
  expect(failing.map(asked).reduce((sum, count) => sum + count)).toBe(60)
})

test('repeats are bounded: when everything is broken it is not asked twice as much', async () => {
  const broken = await Promise.all([1, 2].map(() => open((req) => void req.socket.destroy())))
  const { ask } = await openBefore(...broken.map(({ url }) => url))
  expect(await ask('GET', 100)).toEqual(all(502, 100))
  expect(broken.map(asked).reduce((sum, count) => sum + count)).toBeLessThanOrEqual(100 + 10 + 10)
})

test('the busier of two is spared', async () => {
  const answers: (() => void)[] = []
  const slow = await open((_req, res) => void answers.push(() => res.end()))
  const quick = await open()
  const gateway = await openBefore(slow.url, quick.url)
  const waiting = Array.from({ length: 30 }, () => gateway.call('GET', path, { token }))
  await until(() => asked(slow) + asked(quick) === 30)
  await gateway.ask('GET', 20)
  expect(asked(slow)).toBeLessThan(20)
  const before = asked(slow)
  expect(await gateway.ask('GET', 20)).toEqual(all(200, 20))
  expect(asked(slow)).toBe(before)
  answers.forEach((answer) => answer())
  await Promise.all(waiting)
})

test('a service that hangs does not slow the others', async () => {
  const hanging = await open(() => {})
  const alive = await open()
  const urls = { patients: [hanging.url], auth: [alive.url], audit: [] }
  const gateway = await openTestGateway({
    directory: { instances: (service) => urls[service as keyof typeof urls] },
  })
  opened.push(gateway)
  const stuck = Array.from({ length: 400 }, () => gateway.call('GET', path, { token }))
  await until(() => asked(hanging) === 256)
  expect((await gateway.call('GET', '/.well-known/jwks.json')).status).toBe(200)
  expect((await Promise.all(stuck)).map(({ status }) => status)).toEqual(all(504, 400))
})

test('an address beyond the allowed ones is never asked, whatever the registry says', async () => {
  const { ask } = await openBefore('http://192.0.2.1:80', 'http://localhost:1')
  expect(await ask('GET', 3)).toEqual(all(503, 3))
})

describe('without a network', () => {
  function build(urls: string[] | (() => string[]), networks: string[] = ['127.0.0.0/8']) {
    const stop = new AbortController()
    opened.push({ close: async () => stop.abort() })
    const [foreign, ejected]: [unknown[], string[]] = [[], []]
    const log = { ...quietLog, warning() {}, info() {}, error: (_text: string, fields: object) => foreign.push(fields) }
    const directory = { instances: typeof urls === 'function' ? urls : () => urls }
    const upstreams = openUpstreams(directory, networks, (service) => ejected.push(service), log as never, stop.signal)
    return { ...upstreams, foreign, ejected }
  }
  // nobody listens there
  const places = (count: number) => Array.from({ length: count }, (_, n) => `http://127.0.0.1:${n + 1}`)

  test.each<[network: string, allowed: string[], others: string[]]>([
    ['10.0.0.0/8', ['10.1.2.3', '10.255.0.1'], ['11.0.0.1', '[::1]', 'ten']],
    ['10.0.0.7', ['10.0.0.7'], ['10.0.0.6', '10.0.0.8']],
    ['fd00::/8', ['[fd00::1]', '[fdff::1]'], ['[fe80::1]', '10.0.0.1']],
    ['fd00::7', ['[fd00::7]'], ['[fd00::6]', '[fd00::8]']],
    ['Auth.Internal', ['auth.internal', 'AUTH.internal'], ['internal', 'x.auth.internal', 'auth.internal.x']],
  ])('%s lets requests go to %j, and not to %j', (network, allowed, others) => {
    const urlsOf = (hosts: string[]) => hosts.map((host) => `http://${host}:80`)
    const { instances, foreign } = build(urlsOf([...allowed, ...others]), [network])
    expect(instances('auth').map(({ url }) => url)).toEqual(urlsOf(allowed))
    instances('auth')
    // told once
    expect(foreign).toEqual([{ 'service.target.name': 'auth', 'service.target.address': urlsOf(others) }])
    const known = build(urlsOf(allowed), [network])
    expect(known.instances('auth')).toHaveLength(allowed.length)
    expect(known.foreign).toEqual([])
  })

  test('of two that are drawn the less busy one is taken, and none that was tried', () => {
    const { pick, instances } = build(places(2))
    const [one, two] = instances('auth') as [Instance, Instance]
    one.inFlight = 5
    for (let n = 0; n < 40; n++) expect(pick('auth')).toBe(two)
    expect(pick('auth', new Set([two]))).toBe(one)
    expect(pick('auth', new Set([one, two]))).toBeUndefined()
    two.inFlight = 5
    const drawn = new Set(Array.from({ length: 100 }, () => pick('auth')))
    expect(drawn.size).toBe(2)
  })

  test('three failures in a row eject an instance, and no answer between them', () => {
    const { report, pick, instances, ejected } = build(places(2))
    const [one, two] = instances('auth') as [Instance, Instance]
    for (const ok of [false, false, true, false, false]) report(one, ok)
    expect([one.ejected, ejected]).toEqual([false, []])
    report(one, false)
    report(one, false)
    expect([one.ejected, ejected]).toEqual([true, ['auth']])
    for (let n = 0; n < 20; n++) expect(pick('auth')).toBe(two)
    // the last half stays
    for (let n = 0; n < 5; n++) report(two, false)
    expect([two.ejected, ejected]).toEqual([false, ['auth']])
  })

  test('what is known of an instance stays when others come and go', () => {
    let urls = places(2)
    const { report, instances } = build(() => urls)
    const [one] = instances('auth') as [Instance]
    one.inFlight = 3
    for (let n = 0; n < 3; n++) report(one, false)
    urls = places(3).toReversed()
    expect(instances('auth').map(({ inFlight, ejected }) => [inFlight, ejected])).toEqual([
      [0, false],
      [0, false],
      [3, true],
    ])
  })

  test.each([
    [1, 0],
    [3, 1],
    [4, 2],
  ])('of %i instances that all fail %i are ejected', (count, out) => {
    const { report, instances, ejected } = build(places(count))
    for (let n = 0; n < 3; n++) for (const instance of instances('auth')) report(instance, false)
    expect(ejected).toHaveLength(out)
    expect(instances('auth').filter((instance) => instance.ejected)).toHaveLength(out)
  })
})

test.each([path, '/api/v1/patients/export'])(
  'clients that go away are no fault of the instance: %s',
  async (asking) => {
    let answering = false
    const slow = await open((_req, res) => void (answering && res.end()))
    const { url, ask } = await openBefore(slow.url, (await open()).url)
    while (slow.seen.length < 4) {
      const before = slow.seen.length
      const leaving = new AbortController()
      const asked = fetch(url + asking, { headers: { authorization: `Bearer ${token}` }, signal: leaving.signal })
      await Promise.race([until(() => slow.seen.length > before), asked])
      leaving.abort()
      await asked.catch(() => {})
    }
    answering = true
    const before = asked(slow)
    await ask('GET', 20)
    expect(asked(slow)).toBeGreaterThan(before)
  },
)
