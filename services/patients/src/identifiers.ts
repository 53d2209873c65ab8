import { invalid } from '@caregate/common/errors'
import { governmentSystems, type Demographics, type Patient } from './patient.ts'

export type Identifier = Demographics['identifiers'][number]

/** How an identifier is compared: however it was typed. */
export const normalise = (value: string): string =>
  value
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '')

/** `***6789`: the last four characters, of a short value no more than half of them. */
function mask(value: string): string {
  const characters = [...value]
  return `***${characters.slice(characters.length - Math.min(4, characters.length >> 1)).join('')}`
}

/** A chart as it is shown to whom may not read the identifiers that a government gave. */
export const withMasks = (patient: Patient): Patient => ({
  ...patient,
  identifiers: patient.identifiers.map(({ system, value }) => ({
    system,
    value: governmentSystems.includes(system) ? mask(value) : value,
  })),
})

/**
 * What somebody means who sends identifiers back: a masked one stands for what it was made of.
 * @param shown `current` as they were shown to them, in the same order
 * @throws {AppError} 422 where a value has a `*` in it and wasn't shown, or one of several that look alike is missing
 */
export function withoutMasks(
  given: readonly Identifier[],
  shown: readonly Identifier[],
  current: readonly Identifier[],
): Identifier[] {
  const unknown: number[] = []
  const meant = given.map((one, index) => {
    if (!governmentSystems.includes(one.system) || !one.value.includes('*')) return one
    const isLike = ({ system, value }: Identifier) => system === one.system && value === one.value
    const alike = given.filter(isLike)
    const candidates = current.filter((_one, at) => isLike(shown[at]!))
    if (alike.length === candidates.length) return candidates[alike.indexOf(one)]!
    unknown.push(index)
    return one
  })
  if (!unknown.length) return meant
  throw invalid(
    ...unknown.map((index) => ({
      path: `identifiers.${index}.value`,
      message: `identifiers.${index}.value stands for none of the chart's: a value with * is only taken back as it was shown`,
    })),
  )
}
