/** Texts that are nowhere else, and how they are found again whatever they were encoded as. */
import type { Chance } from '../chance.ts'

/**
 * `chart`: what a chart holds. `government`: identifiers that a government gave. `account`: of a patient's own account.
 * `refused`: what was never taken. `member`: names of members in a body, which a refusal may name.
 */
export type Kind = 'chart' | 'government' | 'account' | 'refused' | 'member'
export interface Canary {
  kind: Kind
  what: string
  text: string
}
export type Canaries = ReturnType<typeof buildCanaries>

const idLength = 8

/** A way to write bytes; `fold` where case doesn't matter to it. */
const encodings: Record<string, { fold: boolean; of(text: string): string[] }> = {
  plain: { fold: true, of: (text) => [text] },
  hex: { fold: true, of: (text) => [Buffer.from(text), Buffer.from(text.toUpperCase())].map((b) => b.toString('hex')) },
  percent: { fold: true, of: (text) => [text.replaceAll(/./g, (char) => `%${char.charCodeAt(0).toString(16)}`)] },
  escaped: { fold: true, of: (text) => [text.replaceAll(/./g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)] },
  utf16: { fold: true, of: (text) => [Buffer.from(text, 'utf16le').toString('latin1')] },
  base64: {
    fold: false,
    // wherever it stands within three bytes; what its neighbours have a part in is left away
    of: (text) =>
      [text, text.toUpperCase(), text[0]!.toUpperCase() + text.slice(1)].flatMap((cased) =>
        [0, 1, 2].map((shift) => {
          const whole = Buffer.concat([Buffer.alloc(shift), Buffer.from(cased)])
          const used = whole.length - (whole.length % 3)
          return whole
            .subarray(0, used)
            .toString('base64')
            .slice(shift && shift + 1)
        }),
      ),
  },
}

/** What the bytes around a hit could say. */
function* readings(around: Buffer): Generator<string> {
  const text = around.toString('latin1')
  yield text
  yield text.replaceAll('\0', '')
  yield text.replaceAll(/(?:%|\\u00)([0-9a-f]{2})/gi, (_all, code: string) => String.fromCharCode(parseInt(code, 16)))
  for (const [run] of text.matchAll(/(?:[0-9a-f]{2}){12,}/gi)) yield Buffer.from(run, 'hex').toString('latin1')
  for (const [run] of text.matchAll(/[\w+/-]{16,}/g))
    for (let skip = 0; skip < 4; skip++) yield Buffer.from(run.slice(skip), 'base64').toString('latin1')
}

export function buildCanaries({ int }: Chance) {
  // few words have these letters, and none all of them
  const letters = 'bcdfghjkmpqvwxz'
  const draw = (length: number) => Array.from({ length }, () => letters[int(letters.length)]!).join('')
  const mark = `q${draw(7)}`
  const needles = Object.entries(encodings).flatMap(([name, { fold, of }]) =>
    of(mark).map((text) => ({ name, fold, bytes: Buffer.from(text, 'latin1') })),
  )
  const known = new Map<string, Canary>()
  const days = new Map<string, Canary>()

  function* findIn(bytes: Buffer): Generator<{ canary: Canary; encoding: string }> {
    const folded = Buffer.from(bytes.toString('latin1').toLowerCase(), 'latin1')
    for (const { name, fold, bytes: needle } of needles) {
      const within = fold ? folded : bytes
      for (let at = within.indexOf(needle); at !== -1; at = within.indexOf(needle, at + 1)) {
        const around = bytes.subarray(Math.max(0, at - 24), at + needle.length + 144)
        const ids = [...readings(around)].flatMap((text) =>
          [...text.toLowerCase().matchAll(new RegExp(`${mark}([a-z]{${idLength}})`, 'g'))].map(([, id]) => id!),
        )
        const canary = ids.map((id) => known.get(id)).find((one) => one !== undefined)
        yield { canary: canary ?? { kind: 'refused', what: 'a part of a canary', text: mark }, encoding: name }
      }
    }
    for (const [day, canary] of days) if (folded.includes(day)) yield { canary, encoding: 'plain' }
  }

  return {
    /** @param form what stands around it */
    plant(kind: Kind, what: string, form = (core: string): string => core): string {
      const id = draw(idLength)
      const text = form(`${mark}${id}`)
      known.set(id, { kind, what, text })
      return text
    },
    /** A day of a time that nobody else speaks of. */
    plantDay(kind: Kind, what: string): string {
      for (;;) {
        const day = `18${50 + int(20)}-${String(1 + int(12)).padStart(2, '0')}-${String(1 + int(28)).padStart(2, '0')}`
        if (days.has(day)) continue
        days.set(day, { kind, what, text: day })
        return day
      }
    },
    /** What was planted in a request turned out to be something else. */
    judge(from: Kind, to: Kind, body: string): void {
      for (const canary of [...known.values(), ...days.values()])
        if (canary.kind === from && body.includes(canary.text)) canary.kind = to
    },
    all: (): Canary[] => [...known.values(), ...days.values()],
    findIn,
    /** Whether it would be found in each encoding. @returns those in which it wouldn't */
    blindness(): string[] {
      const [canary] = known.values()
      const shown = Object.entries(encodings).flatMap(([name, { of }]) =>
        of(`it is ${canary!.text}, as it is`).map((text) => [name, `"${text}"`] as const),
      )
      return shown.flatMap(([name, text]) =>
        [...findIn(Buffer.from(text, 'latin1'))].some((hit) => hit.canary === canary) ? [] : [name],
      )
    },
  }
}
