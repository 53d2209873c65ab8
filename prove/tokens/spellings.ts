import { utf8, type World } from '../edge/shot.ts'
import { part, type Forgeries } from './strangers.ts'

/** What a good token becomes when it is written otherwise. */
export function forgeSpellings({ forge, tokens }: World, others: readonly string[]): Forgeries {
  const { good } = forge
  const [head, body, signature] = good.split('.') as [string, string, string]
  const bytes = Buffer.from(signature, 'base64url')
  const [r, s] = [bytes.subarray(0, 32), bytes.subarray(32)]
  const zero = Buffer.alloc(32)
  const one = Buffer.concat([zero.subarray(1), Buffer.from([1])])
  const wrong: Record<string, (Buffer | string)[]> = {
    'r and s': [
      Buffer.concat([s, r]),
      Buffer.concat([r, r]),
      Buffer.concat([r, zero]),
      Buffer.concat([zero, s]),
      Buffer.concat([zero, zero]),
      Buffer.concat([one, one]),
      Buffer.concat([zero, one]),
      Buffer.concat([one, zero]),
    ],
    length: [
      bytes.subarray(0, 63),
      bytes.subarray(0, 32),
      bytes.subarray(1),
      Buffer.concat([bytes, zero]),
      Buffer.concat([zero, bytes]),
      Buffer.concat([bytes, bytes]),
      Buffer.concat([Buffer.from([0]), r, Buffer.from([0]), s]),
    ],
    form: [
      bytes.toString('hex'),
      bytes.toString('base64'),
      Buffer.from(bytes).reverse(),
      Buffer.from('3006020100020100', 'hex'),
      Buffer.from('3006020101020101', 'hex'),
      'null',
      'undefined',
      'true',
    ],
  }
  const signed = (by: Buffer | string): string =>
    `${head}.${body}.${typeof by === 'string' ? by : by.toString('base64url')}`
  const flipped = Array.from({ length: 64 }, (_, n) => {
    const own = Buffer.from(bytes)
    own[n]! ^= 1 << (n % 8)
    return signed(own)
  })
  const at = (share: number) => good.slice(0, Math.floor(good.length * share))
  return {
    'signatures of another form': Object.values(wrong)
      .flat()
      .map(signed)
      .concat(forge.own({}, 'der'), forge.own({ claims: { roles: ['admin'] } }, 'der')),
    'a bit of the signature': flipped,
    'parts too few or too many': [
      head,
      `${head}.${body}`,
      `${head}.${body}.`,
      `${head}..${signature}`,
      `.${body}.${signature}`,
      `..${signature}`,
      `.${good}`,
      `${good}.`,
      `${good}.${signature}`,
      `${good}.${body}.${signature}`,
      `${head}.${good}`,
      '..',
      '.',
      'x.y.z',
      ...[0.1, 0.3, 0.5, 0.7, 0.9, 0.99].map(at),
    ],
    'written otherwise': [
      [head, body, signature].map((text) => Buffer.from(text, 'base64url').toString('base64')).join('.'),
      [head, body, signature].map((text) => Buffer.from(text, 'base64url').toString('hex')).join('.'),
      [head, body, signature].map(part).join('.'),
      part(good),
      good.replaceAll('.', '%2e'),
      good.replaceAll('.', utf8('。')),
      good.replaceAll('.', utf8('．')),
      good.replaceAll('e', utf8('е')),
      good.toUpperCase(),
      good.toLowerCase(),
      [...good].toReversed().join(''),
      `${utf8('\u200b')}${good}`,
      `${good}${utf8('\u00ad')}`,
      `${utf8('\ufeff')}${good}`,
      ...['=', '==', '%3d', ';', ',', '#', '?', '/', '%00', '\\n', '"', "'", ')', '<'].flatMap((end) => [
        `${good}${end}`,
        `${end}${good}`,
      ]),
      ...[' ', '  ', '\t', '+', '%20'].flatMap((space) => [
        good.replace('.', `${space}.`),
        good.replace('.', `.${space}`),
        `${at(0.5)}${space}${good.slice(at(0.5).length)}`,
      ]),
      `${head}=.${body}=.${signature}=`,
      `"${good}"`,
      `<${good}>`,
      `token=${good}`,
      `Bearer ${good}`,
    ],
    'too long': [
      good + 'A'.repeat(4000),
      `${'A'.repeat(8000)}.${body}.${signature}`,
      `${head}.${'A'.repeat(9000)}.${signature}`,
      forge.stranger({ kid: 'k'.repeat(5000) }),
      forge.own({ header: { kid: 'k'.repeat(5000) } }),
      `${head}.${body}.${'A'.repeat(9000)}`,
      '.'.repeat(9000),
      'a.'.repeat(4000),
    ],
    'what is no access token': [
      ...others,
      ...others.map((secret) => `${part(forge.header)}.${part({ secret })}.${part(secret)}`),
      ...others.flatMap((secret) => [`${tokens.nurse.split('.')[0]}.${secret}`, `${secret}.${secret}.${secret}`]),
    ],
  }
}
