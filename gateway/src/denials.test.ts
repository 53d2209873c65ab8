import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { connect } from 'amqplib'
import { auditQueue, openBroker } from '@caregate/common/broker'
import { buildEvent, parseEvent, type AuditEvent } from '@caregate/common/events'
import { quietLog, testAmqpUrl } from '@caregate/common/testing/service'
import { openTcpProxy } from '@caregate/common/testing/tcp-proxy'
import { until } from '@caregate/common/testing/until'
import { openDenials } from './denials.ts'

function denial({ ip = '192.0.2.1', code = 'unauthorized', route = '/api/v1/patients/*' } = {}): AuditEvent {
  return buildEvent({
    type: 'gateway.request.denied',
    service: 'gateway',
    action: 'E',
    actor: { id: null, name: null, roles: [], sessionId: null },
    code,
    request: { id: 'r', method: 'GET', route, path: '/', status: 401, ip, userAgent: null },
  })
}

describe('of equal refusals', () => {
  const published: AuditEvent[] = []
  const open = () => {
    jest.useFakeTimers()
    published.length = 0
    const publish = async (messages: readonly { body: string }[]) =>
      void published.push(...messages.map(({ body }) => JSON.parse(body) as AuditEvent))
    return openDenials({ connected: true, publish }, quietLog)
  }
  afterEach(() => void jest.useRealTimers())

  test('the first is published at once and the rest of the minute as one, with a count', async () => {
    const denials = open()
    const [first, ...rest] = Array.from({ length: 5 }, () => denial()) as [AuditEvent, ...AuditEvent[]]
    denials.record(first)
    await jest.advanceTimersByTimeAsync(0)
    expect(published).toEqual([first])
    await jest.advanceTimersByTimeAsync(30_000)
    rest.forEach((event) => denials.record(event))
    await jest.advanceTimersByTimeAsync(29_000)
    expect(published).toHaveLength(1)
    await jest.advanceTimersByTimeAsync(3000)
    expect(published.slice(1)).toEqual([{ ...rest.at(-1), count: 4 }])
    await jest.advanceTimersByTimeAsync(120_000)
    expect(published).toHaveLength(2)
    await denials.close()
  })

  test('one after the minute begins anew', async () => {
    const denials = open()
    denials.record(denial())
    await jest.advanceTimersByTimeAsync(62_000)
    denials.record(denial())
    await jest.advanceTimersByTimeAsync(0)
    expect(published.map(({ count }) => count)).toEqual([1, 1])
    await denials.close()
  })

  test('those of another address, reason or route are others', async () => {
    const denials = open()
    for (const kind of [{}, { ip: '192.0.2.2' }, { code: 'rate_limited' }, { route: 'unknown' }])
      for (let n = 0; n < 3; n++) denials.record(denial(kind))
    await denials.close()
    expect(published.map(({ count }) => count)).toEqual([1, 1, 1, 1, 2, 2, 2, 2])
  })

  test('none is lost at the end', async () => {
    const denials = open()
    for (let n = 0; n < 7; n++) denials.record(denial())
    await denials.close()
    expect(published.reduce((sum, { count }) => sum + count, 0)).toBe(7)
  })
})

test('while the broker is away refusals are held, and reach the log’s queue when it is back', async () => {
  const proxy = await openTcpProxy(testAmqpUrl())
  const model = await connect(testAmqpUrl())
  const channel = await model.createChannel()
  await channel.deleteQueue(auditQueue)
  proxy.cut()
  const broker = await openBroker(proxy.url, quietLog)
  const denials = openDenials(broker, quietLog)
  const events = Array.from({ length: 250 }, (_, n) => denial({ ip: `192.0.2.${n}` }))
  events.forEach((event) => denials.record(event))
  proxy.restore()
  await until(() => broker.connected)
  const arrived: string[] = []
  await channel.consume(auditQueue, (message) => arrived.push(parseEvent(message!.content.toString()).id), {
    noAck: true,
  })
  await until(() => arrived.length >= events.length)
  expect(arrived).toEqual(events.map(({ id }) => id))
  await denials.close()
  await broker.close()
  await model.close()
  await proxy.close()
})
