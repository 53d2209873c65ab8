import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { expect, test } from '@jest/globals'
import type { Answer } from '@caregate/common/http'
import { clientHeaders, upstreamHeaders } from './headers.ts'

const hop = {
  ...{ connection: 'x', 'proxy-connection': 'x', 'keep-alive': 'x', te: 'x', trailer: 'x', upgrade: 'x', expect: 'x' },
  ...{ 'transfer-encoding': 'x', 'proxy-authorization': 'x', 'proxy-authenticate': 'x' },
}
const known = { requestId: 'an-id', ip: '192.0.2.1', protocol: 'https', context: { line: {} } }
const told = (headers: IncomingHttpHeaders, locals: object = {}) =>
  upstreamHeaders({ headers } as IncomingMessage, { locals: { ...known, ...locals } } as unknown as Answer)
const ours = { 'x-request-id': 'an-id', 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https' }

test('what is for one hop is told to nobody', () => {
  expect(told({ ...hop, accept: '*/*', 'x-own': '1' })).toEqual({ ...ours, accept: '*/*', 'x-own': '1' })
  expect(clientHeaders({ ...hop, etag: '"1"', 'set-cookie': ['a'] })).toEqual({ etag: '"1"', 'set-cookie': ['a'] })
})

test('who a client is and where it comes from is the gateway’s to say', () => {
  const spoofed = {
    ...{
      'x-user-id': 'root',
      'x-user-roles': 'admin',
      'x-user-x': 'x',
      'x-forwarded-for': 'x',
      'x-forwarded-port': '1',
    },
    ...{ 'x-real-ip': 'x', forwarded: 'for=x', 'set-cookie': ['x'], 'x-request-id': 'mine' },
  }
  const alike = { 'x-real-ips': 'x', forwardedly: 'x', 'a-set-cookie': 'x', 'my-x-user-id': 'x' }
  expect(told({ ...spoofed, ...alike })).toEqual({ ...ours, ...alike })
  expect(told({ host: 'care.example.org' })).toMatchObject({ 'x-forwarded-host': 'care.example.org' })
  const claims = { sub: 'ann', roles: ['nurse', 'clinician'] }
  expect(told({}, { claims })).toEqual({ ...ours, 'x-user-id': 'ann', 'x-user-roles': 'nurse,clinician' })
})

test('what Connection names is taken away, but for what the gateway decides by', () => {
  const headers = { connection: 'Close , X-One,\tx-two', 'x-one': '1', 'x-two': '2', 'x-three': '3', host: 'h' }
  expect(told(headers)).toEqual({ ...ours, 'x-three': '3', host: 'h', 'x-forwarded-host': 'h' })
  for (const name of ['host', 'authorization', 'content-length', 'content-type'])
    expect(told({ connection: name, [name]: 'x' })).toHaveProperty(name, 'x')
})

test('of a trace the gateway’s own place in it is told, and nothing that anybody wrote besides', () => {
  const traced = { traceparent: 'theirs', tracestate: 'theirs', baggage: 'theirs' }
  const span = { traceparent: 'ours' }
  expect(told(traced, { context: { line: {}, span } })).toEqual({ ...ours, traceparent: 'ours' })
  expect(told(traced)).toEqual({ ...ours, ...traced })
})

test('of id and time a service does not have the last word', () => {
  const alike = { 'x-request-ids': 'x', 'my-x-process-time': 'x' }
  expect(clientHeaders({ 'x-request-id': 'x', 'x-process-time': 'x', ...alike })).toEqual(alike)
})
