import { expect, test } from '@jest/globals'
import { buildSseParser, type Message } from './sse.ts'

const stream = [
  ': begins\n\n',
  'id: 7\ndata: {"a":1}\n\n',
  ': still here\nid: 9\n\n',
  'id:10\r\ndata: one\r\ndata:two\r\nretry: 5\r\n\r\n',
  'event: expired\rdata: {}\r\r',
  'data\n\n',
  'data: never finished\n',
].join('')

const expected: Message[] = [
  { id: '7', event: 'message', data: '{"a":1}' },
  { id: '9', event: 'message', data: '' },
  { id: '10', event: 'message', data: 'one\ntwo' },
  { id: undefined, event: 'expired', data: '{}' },
  { id: undefined, event: 'message', data: '' },
]

function parse(pieces: Iterable<string>): Message[] {
  const messages: Message[] = []
  const take = buildSseParser((message) => messages.push(message))
  for (const piece of pieces) take(piece)
  return messages
}

test('a stream is read whole, letter by letter, and cut in two anywhere', () => {
  expect(parse([stream])).toEqual(expected)
  expect(parse(stream)).toEqual(expected)
  for (let at = 1; at < stream.length; at++) expect(parse([stream.slice(0, at), stream.slice(at)])).toEqual(expected)
})

test('a message comes as soon as it is complete', () => {
  const messages: Message[] = []
  const take = buildSseParser((message) => messages.push(message))
  take('id: 1\ndata: x\n')
  expect(messages).toEqual([])
  take('\n')
  expect(messages).toHaveLength(1)
})
