import type { Aim } from '../edge/shot.ts'

type Mutation = (aim: Aim, token: string) => string

/** A byte that may stand in a header, most often one that may stand in a token. */
const byte = (aim: Aim): string =>
  aim.chance(0.7)
    ? aim.pick([...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.'])
    : String.fromCharCode(aim.pick([aim.between(0x21, 0x7e), aim.between(0x80, 0xff)]))

const cut = (aim: Aim, token: string, length: number): [at: number, end: number] => {
  const at = aim.int(token.length)
  return [at, Math.min(token.length, at + aim.between(1, length))]
}

/** Changes the bytes that a part stands for. */
function decoded(aim: Aim, token: string): string {
  const parts = token.split('.')
  const n = aim.int(parts.length)
  const bytes = Buffer.from(parts[n]!, 'base64url')
  if (bytes.length) bytes[aim.int(bytes.length)]! ^= 1 << aim.int(8)
  return parts.with(n, bytes.toString('base64url')).join('.')
}

const mutations: readonly Mutation[] = [
  decoded,
  decoded,
  (aim, token) => {
    const at = aim.int(token.length)
    return token.slice(0, at) + byte(aim) + token.slice(at + 1)
  },
  (aim, token) => aim.insert(token, byte(aim)),
  (aim, token) => {
    const [at, end] = cut(aim, token, 12)
    return token.slice(0, at) + token.slice(end)
  },
  (aim, token) => {
    const [at, end] = cut(aim, token, 40)
    return aim.insert(token, token.slice(at, end))
  },
  (aim, token) => {
    const at = aim.int(token.length - 1)
    return token.slice(0, at) + token[at + 1]! + token[at]! + token.slice(at + 2)
  },
  (aim, token) => {
    const [at, end] = cut(aim, token, 20)
    return token.slice(0, at) + aim.mixCase(token.slice(at, end)) + token.slice(end)
  },
  (aim, token) => {
    const other = aim.pick(Object.values(aim.world.tokens))
    const at = aim.int(Math.min(token.length, other.length))
    return token.slice(0, at) + other.slice(at)
  },
  (aim, token) => {
    const parts = token.split('.')
    return parts.with(aim.int(parts.length), aim.text(aim.between(0, 100))).join('.')
  },
]

/** Of the last character of a signature a few bits say nothing: what says the same is no other token. */
const meaning = (token: string): string => {
  const [head, body, signature = '', ...more] = token.split('.')
  const bytes = /^[\w-]+$/.test(signature) ? Buffer.from(signature, 'base64url').toString('hex') : signature
  return [head, body, bytes, ...more].join('.')
}

/** A good token with one to four changes, which is none any more. */
export function mutate(aim: Aim): string {
  const tokens = Object.values(aim.world.tokens)
  const good = new Set(tokens.map(meaning))
  for (;;) {
    let token = aim.pick(tokens)
    for (let times = aim.between(1, 4); times > 0 && token.length > 3; times--) token = aim.pick(mutations)(aim, token)
    if (!good.has(meaning(token))) return token
  }
}
