import Joi from 'joi'
import { buildSearch, dateRange, firstPage, type Range } from '@caregate/common/fhir-api'
import type { Answer, Context } from '@caregate/common/route'
import { textField, uuidField } from '@caregate/common/validate'
import { foldName, type Demographics } from '../patient.ts'
import { editorOf, showFound, type Deps } from '../routes.ts'
import { askedWords } from '../search/names.ts'
import { findPatients, type PatientFilter, type Position } from '../search/repository.ts'
import { fromFhirSystem, mrnSystem } from './systems.ts'
import { toFhirHidden, toFhirPatient } from './to-fhir.ts'

interface Asked {
  _id?: string
  identifier?: string
  name?: string
  family?: string
  given?: string | string[]
  birthdate?: Range
  phone?: string
}

const fields = {
  _id: uuidField(),
  identifier: textField(300).pattern(/[^|]$/, 'system|value or a value'),
  name: textField(100),
  family: textField(100),
  given: Joi.alternatives(textField(100), Joi.array().items(textField(100)).max(10)),
  birthdate: dateRange({ times: false }),
  phone: textField(40).pattern(/\d{4}/, 'a phone number'),
}

function byIdentifier(token: string): PatientFilter {
  const bar = token.indexOf('|')
  if (bar < 0) return { identifier: token, orMrn: true }
  const [uri, value] = [token.slice(0, bar), token.slice(bar + 1)]
  return uri === mrnSystem ? { mrn: value } : { identifier: value, system: fromFhirSystem(uri) ?? uri }
}

function filterOf({ _id, identifier, name, family, given, birthdate, phone }: Asked): PatientFilter {
  const { from, before } = birthdate ?? {}
  return {
    words: askedWords({ name, family, given }),
    ...(_id && { id: _id }),
    ...(identifier && byIdentifier(identifier)),
    ...(from && { bornFrom: from.slice(0, 10) }),
    ...(before && { bornBefore: before.slice(0, 10) }),
    ...(phone && { phone }),
  }
}

/** A word is looked for in all names of a chart; `family` and `given` mean a part of one, from its beginning. */
function isNamed(
  { name, otherNames }: Pick<Demographics, 'name' | 'otherNames'>,
  { family, given = [] }: Asked,
): boolean {
  const names = [name, ...otherNames]
  const begins = (part: string | null, start: string) => part !== null && foldName(part).startsWith(foldName(start))
  return (
    (family === undefined || names.some((one) => begins(one.family, family))) &&
    [given].flat().every((start) => names.some((one) => one.given.some((part) => begins(part, start))))
  )
}

export function patientSearch({ db, cursors, fieldKeys: keys }: Deps) {
  const search = buildSearch<Asked, Position, 'Patient'>('Patient', fields, cursors)
  return {
    ...search,
    /** A page; of fewer than it has room for where not all who have the words have them in that part of a name. */
    async find(context: Context<unknown, unknown, unknown>): Promise<Answer> {
      const asked = search.read(context)
      const filter = filterOf(asked.filter)
      const viewer = editorOf(context.claims)
      const found = await findPatients(db.manager, keys, viewer, filter, asked.after, asked.limit + 1)
      const { rows, next } = firstPage(found, asked.limit, ({ position }) => position)
      const named = rows.filter(({ demographics }) => isNamed(demographics, asked.filter))
      const shown = await showFound(db.manager, keys, context, filter, named)
      const resources = shown.map((one) => (one.name ? toFhirPatient(one) : toFhirHidden(one)))
      return { body: search.bundle(context, asked, resources, next) }
    },
  }
}
