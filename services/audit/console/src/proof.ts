import { canonicalJson } from '@caregate/common/events'
import type { LogEvent } from './api.ts'
import type { Session } from './session.ts'

type Bytes = Uint8Array<ArrayBuffer>

const bytesOf = (base64: string): Bytes => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
const textOf = (bytes: Bytes): string => btoa(String.fromCharCode(...bytes))

async function sha256(...parts: (Bytes | number)[]): Promise<Bytes> {
  const all = parts.flatMap((part) => (typeof part === 'number' ? [part] : [...part]))
  return new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(all)))
}

/** RFC 6962 hash of an event as it is shown: of all its members but the hash. */
export async function leafHashOf({ leafHash: _own, ...entry }: LogEvent): Promise<string> {
  return textOf(await sha256(0, new TextEncoder().encode(canonicalJson(entry))))
}

/** The root that an inclusion proof leads to (RFC 9162, 2.1.3.2). Undefined when it is no proof for this size. */
export async function rootOf(leaf: Bytes, index: number, size: number, proof: Bytes[]): Promise<Bytes | undefined> {
  if (index >= size) return undefined
  let [node, last, hash] = [index, size - 1, leaf]
  for (const sibling of proof) {
    if (last === 0) return undefined
    if (node % 2 === 1 || node === last) {
      hash = await sha256(1, sibling, hash)
      // the last of a row has no sibling of its own until it is a right one
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)]
    } else hash = await sha256(1, hash, sibling)
    ;[node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  }
  return last === 0 ? hash : undefined
}

export interface Verdict {
  proved: boolean
  sentence: string
  root?: string
}

/** Checks here, in the browser, that what is shown is what the newest checkpoint covers. @throws {ApiError} */
export async function proveEvent(session: Session, event: LogEvent): Promise<Verdict> {
  // browsers have no hashes for pages that anybody could have changed on the way
  if (!globalThis.crypto?.subtle)
    return { proved: false, sentence: 'This browser checks hashes only where the console is opened by https.' }
  if ((await leafHashOf(event)) !== event.leafHash)
    return { proved: false, sentence: 'Not proved: the event’s members don’t have the hash that it names.' }
  const note = await (await session.request('GET', '/audit/checkpoint')).text()
  const [origin, sizeText, root = ''] = note.split('\n')
  const size = Number(sizeText)
  const { hashes } = await session.get<{ hashes: string[] }>('/audit/proof/inclusion', {
    sequence: event.sequence,
    size,
  })
  const reached = await rootOf(bytesOf(event.leafHash), event.sequence - 1, size, hashes.map(bytesOf))
  if (!reached || textOf(reached) !== root)
    return { proved: false, sentence: `Not proved: the proof doesn’t lead to the root of checkpoint ${size}.` }
  return { proved: true, sentence: `Proved in checkpoint ${size} of ${origin}, by ${hashes.length} hashes.`, root }
}
