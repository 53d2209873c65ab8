import { canonicalJson, hasSortedNames, type AuditEvent } from '@caregate/common/events'

/** An event as it is read back, but for `leafHash`. */
export type StoredEvent = AuditEvent & { sequence: number; storedAt: string }

/** What the first line of an export says of how to read it. */
export const exportFormat = 'caregate-audit/1'

/** The bytes that are hashed and kept, but for `sequence` and `storedAt`: what stands before, between and after them. */
export interface Draft {
  head: string
  middle: string
  tail: string
}

/**
 * RFC 8785. Producers send canonical bytes, which is checked; so they are cut where the two belong rather than written anew.
 * @param body the bytes that `event` was read from
 * @throws when it has no canonical form: a number beyond all bounds, or members nested too deep
 */
export function draftEntry(event: AuditEvent, body: string): Draft {
  // written again the same, and in order: what a JavaScript engine writes is what RFC 8785 wants
  const isCanonical = hasSortedNames(event) && JSON.stringify(event) === body
  const write: (value: object) => string = isCanonical ? JSON.stringify : canonicalJson
  const text = isCanonical ? body : write(event)
  const later = Object.keys(event)
    .filter((name) => name > 'sequence')
    .sort()
  const members = later.map((name) => `,${JSON.stringify(name)}:${write(event[name as keyof AuditEvent] as object)}`)
  const between = later.filter((name) => name < 'storedAt').length
  const tail = members.join('')
  return {
    head: text.slice(0, -tail.length - 1),
    middle: members.slice(0, between).join(''),
    tail: members.slice(between).join(''),
  }
}

export const finishEntry = ({ head, middle, tail }: Draft, sequence: number, storedAt: string): string =>
  `${head},"sequence":${sequence}${middle},"storedAt":"${storedAt}"${tail}}`

export const buildEntry = (event: AuditEvent, body: string, sequence: number, storedAt: string): string =>
  finishEntry(draftEntry(event, body), sequence, storedAt)

/** What clients read: the entry, and its hash in the tree. */
export const withLeafHash = (entry: string, leaf: Buffer): string =>
  `${entry.slice(0, -1)},"leafHash":"${leaf.toString('base64')}"}`
