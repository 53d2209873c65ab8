import { expect, test } from '@jest/globals'
import { isSctid } from './sctid.ts'

// of the release file specifications, of the samples, and the longest
const real = ['100005', '900000000000207008', '999999990989121104', '444814009', '300916003', '22298006']

test.each(real)('%s is a SNOMED CT identifier, and no wrong digit or swap of neighbours is', (code) => {
  expect(isSctid(code)).toBe(true)
  for (let place = 0; place < code.length; place++) {
    const with_ = (digits: string) => code.slice(0, place) + digits + code.slice(place + digits.length)
    for (let digit = 0; digit < 10; digit++) {
      if (String(digit) !== code[place]) expect(isSctid(with_(String(digit)))).toBe(false)
    }
    const [one, two] = [code[place]!, code[place + 1]]
    if (two && one !== two) expect(isSctid(with_(two + one))).toBe(false)
  }
})

test.each(['', '0', '12345', '0100005', '1000050000000000000000', '10000٥', '100005\n', ' 100005', '-100005', '1e5'])(
  '%j is none',
  (code) => expect(isSctid(code)).toBe(false),
)

test('no more than 18 digits are one, whatever the check digit says', () => {
  for (let digit = 0; digit < 10; digit++) {
    expect(isSctid(`${digit}999999990989121104`)).toBe(false)
    expect(isSctid(`999999990989121104${digit}`)).toBe(false)
  }
})
