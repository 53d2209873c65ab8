import { maxPatientIds } from '@caregate/common/events'

/** As many as an event has room for the charts of: it names every one that was shown. */
export function withinEvent<T>(
  items: readonly T[],
  chartsOf: (item: T) => readonly string[],
): { shown: readonly T[]; patientIds: string[] } {
  let named = new Set<string>()
  for (const [n, item] of items.entries()) {
    const more = named.union(new Set(chartsOf(item)))
    if (more.size > maxPatientIds) return { shown: items.slice(0, n), patientIds: [...named] }
    named = more
  }
  return { shown: items, patientIds: [...named] }
}
