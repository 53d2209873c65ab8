import { canonicalJson, hasSortedNames, type AuditEvent } from '@caregate/common/events'

/** An event as it is read back, but for `leafHash`. */
export type StoredEvent = AuditEvent & { sequence: number; storedAt: string }

/** What the first line of an export says of how to read it. */
export const exportFormat = 'caregate-audit/1'

/**
 * The bytes that are hashed and kept: RFC 8785, with `sequence` and `storedAt` among the members. Producers send
 * canonical bytes, which is checked; so the two are put in their places rather than all of it written anew.
 * @param body the bytes that `event` was read from
 */
export function buildEntry(event: AuditEvent, body: string, sequence: number, storedAt: string): string {
  // written again the same, and in order: what a JavaScript engine writes is what RFC 8785 wants
  if (!hasSortedNames(event) || JSON.stringify(event) !== body) return canonicalJson({ ...event, sequence, storedAt })
  const member = (name: string): string => `${JSON.stringify(name)}:${JSON.stringify(event[name as keyof AuditEvent])}`
  const later = Object.keys(event).filter((name) => name > 'sequence')
  const length = later.reduce((sum, name) => sum + member(name).length + 1, 1)
  const tail = [...later, 'storedAt']
    .sort()
    .map((name) => (name === 'storedAt' ? `"storedAt":"${storedAt}"` : member(name)))
  return `${body.slice(0, -length)},"sequence":${sequence},${tail.join(',')}}`
}

/** What clients read: the entry, and its hash in the tree. */
export const withLeafHash = (entry: string, leaf: Buffer): string =>
  `${entry.slice(0, -1)},"leafHash":"${leaf.toString('base64')}"}`
