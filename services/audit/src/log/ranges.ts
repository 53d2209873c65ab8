/** Sequence numbers from the first to the last. */
export type Range = readonly [first: number, last: number]

/** The same numbers in as few ranges as can be, ascending. */
export function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: Range[] = []
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const before = merged.at(-1)
    if (before && first <= before[1] + 1) merged[merged.length - 1] = [before[0], Math.max(before[1], last)]
    else merged.push([first, last])
  }
  return merged
}

/** The numbers of some ranges that are in none of others. */
export function subtractRanges(ranges: readonly Range[], others: readonly Range[]): Range[] {
  const left: Range[] = []
  const taken = mergeRanges(others)
  for (const [first, last] of mergeRanges(ranges)) {
    let from = first
    for (const [start, end] of taken) {
      if (end < from || start > last) continue
      if (start > from) left.push([from, start - 1])
      from = end + 1
    }
    if (from <= last) left.push([from, last])
  }
  return left
}

/** The numbers that are in some ranges and in others. */
export const intersectRanges = (ranges: readonly Range[], others: readonly Range[]): Range[] =>
  subtractRanges(ranges, subtractRanges(ranges, others))

/** `1-900`, or `1-900,950-1000`. */
export const formatRanges = (ranges: readonly Range[]): string => ranges.map((range) => range.join('-')).join(',')

/** Undefined when it is no list of ranges. */
export function parseRanges(text: string): Range[] | undefined {
  const ranges = text.split(',').map((one) => /^([1-9]\d{0,15})-([1-9]\d{0,15})$/.exec(one))
  const known = ranges.flatMap((found) => (found ? [[Number(found[1]), Number(found[2])] as const] : []))
  return known.length === ranges.length && known.every(([first, last]) => first <= last) ? known : undefined
}

/** What an event says that retention has covered, before it. */
export function endedBy({ resource }: { resource?: unknown }, sequence: number): Range[] {
  const { id } = (resource ?? {}) as { id?: unknown }
  return (parseRanges(String(id)) ?? []).filter(([, last]) => last < sequence)
}
