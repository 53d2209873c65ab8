import { expect, test } from '@jest/globals'
import { expectedVersion, isKnown, withEtag } from './etag.ts'

test('an answer carries its version', () => {
  expect(withEtag({ version: 7 }, { Location: '/x' })).toEqual({
    body: { version: 7 },
    headers: { ETag: '"7"', Location: '/x' },
  })
})

test.each<[given: string | undefined, known: boolean]>([
  ['"7"', true],
  ['W/"7"', true],
  ['"6" , W/"7"', true],
  ['"6"', false],
  ['"77"', false],
  ['7', false],
  ['*', false],
  [undefined, false],
])('whoever has %j knows version 7: %j', (given, known) => {
  expect(isKnown({ version: 7 }, { 'if-none-match': given })).toBe(known)
})

test.each([
  ['"7"', 7],
  [' "123456789" ', 123_456_789],
  // none of ours, and nothing is of version 0
  ...['W/"7"', '7', '"7', 'x"7"', '"7"x', '""', '"-7"', '"1234567890"', '"6", "7"', '', '**'].map((text) => [text, 0]),
])('If-Match: %s wants version %i', (given, version) => {
  expect(expectedVersion({ 'if-match': given as string })).toBe(version)
})

test.each([undefined, '*', ' * '])('If-Match: %j says nothing of what the client has seen', (given) => {
  expect(() => expectedVersion({ 'if-match': given })).toThrow(
    expect.objectContaining({ code: 'precondition_required' }),
  )
})
