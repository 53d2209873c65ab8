import { isDeepStrictEqual } from 'node:util'
import { AppError } from '@caregate/common/errors'
import { normalise } from '../identifiers.ts'
import { foldName, listLimits, type Demographics } from '../patient.ts'

type Stated = Omit<Demographics, 'status'>

/** Of any system but a source's it doesn't matter how it was typed. */
const plainly = ({ system, value }: Stated['identifiers'][number]) => [
  system,
  system.startsWith('source:') ? value : normalise(value) || value,
]

const foldAll = (names: readonly string[]): string => foldName(names.join(' '))

/**
 * What a chart is after another was merged into it: what it was, and in its lists what the other has besides. The other's name
 * is one of the other names, so that the chart is found by it. Single values are the chart's own.
 * @throws {AppError} 409 when a list would be too long
 */
export function mergedDemographics(target: Stated, source: Stated): Stated {
  const { given, family } = source.name
  const known = [target.name, ...target.otherNames].map((name) => foldAll([...name.given, name.family ?? '']))
  const former = known.includes(foldAll([...given, family])) ? [] : [{ use: 'old', given, family }]
  const lists = {
    otherNames: union(target.otherNames, [...former, ...source.otherNames]),
    identifiers: union(target.identifiers, source.identifiers, plainly),
    telecom: union(target.telecom, source.telecom),
    addresses: union(target.addresses, source.addresses),
    contacts: union(target.contacts, source.contacts),
  }
  for (const [name, { length }] of Object.entries(lists)) {
    const most = listLimits[name as keyof typeof lists]
    if (length > most)
      throw new AppError(
        'conflict',
        `Together they have ${length} ${name}, and a chart may have ${most}: take some out first.`,
      )
  }
  return { ...target, ...lists }
}

/** @param by what tells one from another */
const union = <T>(own: readonly T[], others: readonly T[], by: (one: T) => unknown = (one) => one): T[] => [
  ...own,
  ...others.filter((other) => !own.some((one) => isDeepStrictEqual(by(one), by(other)))),
]
