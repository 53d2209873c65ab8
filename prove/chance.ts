/** Numbers from 0 to 1 that can be had again (mulberry32). @param n which of the seed's sequences */
function buildNumbers(seed: number, n: number): () => number {
  let state = (seed ^ Math.imul(n + 1, 0x9e3779b1)) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export type Chance = ReturnType<typeof buildChance>

export function buildChance(seed: number, n: number) {
  const next = buildNumbers(seed, n)
  const int = (below: number): number => Math.floor(next() * below)
  return {
    next,
    int,
    pick: <T>(list: readonly T[]): T => list[int(list.length)]!,
    chance: (share: number): boolean => next() < share,
    between: (low: number, high: number): number => low + int(high - low + 1),
  }
}
