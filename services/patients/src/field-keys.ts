import { createHmac } from 'node:crypto'
import type { Config } from '@caregate/common/config'
import { buildSeal, deriveKey } from '@caregate/common/seal'
import type { fieldKeys } from './config.ts'
import { normalise, type Identifier } from './identifiers.ts'
import { governmentSystems } from './patient.ts'

/** An identifier as it is kept: `sealed` is the id of its key, a dot, and what AES-256-GCM made of the value. */
export type StoredIdentifier = Identifier | { system: string; sealed: string }

/** By what an identifier is found without its value: HMAC-SHA-256 under the key of that id. */
export interface IdentifierIndex {
  key: string
  system: string
  index: Buffer
}

/** What FIELD_KEY is for: sealing the identifiers that a government gave, and finding all of them. */
export interface FieldKeys {
  /** The ids of the keys that are known. */
  ids: string[]
  /** Each value opens in chart `chart` alone, and as an identifier of its system. */
  seal(chart: string, identifiers: readonly Identifier[]): StoredIdentifier[]
  /** @throws when one was sealed under another key */
  open(chart: string, stored: readonly StoredIdentifier[]): Identifier[]
  /** What isn't sealed under the current key is sealed anew; undefined when there is nothing to do. */
  renew(chart: string, stored: readonly StoredIdentifier[]): StoredIdentifier[] | undefined
  /** Of what the current key finds; `source:*` is found without one. */
  indexesOf(identifiers: readonly Identifier[]): IdentifierIndex[]
  /** By which an identifier is found, of any system unless one is given, also where the other key made the index. */
  searchesFor(value: string, system?: string): Buffer[]
}

const indexedSystems = [...governmentSystems, 'insurance']

function buildFieldKey(secret: string) {
  const indexKey = deriveKey(secret, 'caregate identifier index')
  return {
    id: deriveKey(secret, 'caregate field key id').export().toString('hex').slice(0, 8),
    seal: buildSeal('caregate government identifiers', secret),
    indexOf: (system: string, value: string) =>
      createHmac('sha256', indexKey)
        .update(`${system}\n${normalise(value)}`)
        .digest(),
  }
}

export function buildFieldKeys({ FIELD_KEY, FIELD_KEY_PREVIOUS }: Config<typeof fieldKeys>): FieldKeys {
  const current = buildFieldKey(FIELD_KEY)
  const known = FIELD_KEY_PREVIOUS ? [current, buildFieldKey(FIELD_KEY_PREVIOUS)] : [current]

  /** What a seal is bound to. */
  const nameOf = (chart: string, system: string) => `${chart} ${system}`
  function sealOne(chart: string, { system, value }: Identifier): StoredIdentifier {
    if (!governmentSystems.includes(system)) return { system, value }
    return { system, sealed: `${current.id}.${current.seal.close(nameOf(chart, system), value)}` }
  }
  function openOne(chart: string, stored: StoredIdentifier): Identifier {
    if (!('sealed' in stored)) return stored
    const { system, sealed } = stored
    const [id, text = ''] = sealed.split('.')
    const by = known.find((key) => key.id === id)
    if (!by) throw new Error(`The ${system} of chart ${chart} was sealed under another FIELD_KEY.`)
    return { system, value: by.seal.open(nameOf(chart, system), text) }
  }
  const isCurrent = (stored: StoredIdentifier): boolean =>
    'sealed' in stored ? stored.sealed.startsWith(`${current.id}.`) : !governmentSystems.includes(stored.system)

  return {
    ids: known.map(({ id }) => id),
    seal: (chart, identifiers) => identifiers.map((one) => sealOne(chart, one)),
    open: (chart, stored) => stored.map((one) => openOne(chart, one)),
    renew: (chart, stored) =>
      stored.every(isCurrent)
        ? undefined
        : stored.map((one) => (isCurrent(one) ? one : sealOne(chart, openOne(chart, one)))),
    indexesOf(identifiers) {
      const indexes = identifiers
        .filter(({ system, value }) => indexedSystems.includes(system) && normalise(value))
        .map(({ system, value }) => ({ key: current.id, system, index: current.indexOf(system, value) }))
      // the same one may be written in two ways
      return [...new Map(indexes.map((one) => [one.index.toString('hex'), one])).values()]
    },
    searchesFor(value, system) {
      const systems = indexedSystems.filter((one) => system === undefined || one === system)
      return known.flatMap((key) => systems.map((one) => key.indexOf(one, value)))
    },
  }
}
