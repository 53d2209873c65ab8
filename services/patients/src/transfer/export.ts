import { csvLines } from '@caregate/common/csv'
import type { Context } from '@caregate/common/route'
import { findBasis, type Standing } from '../access.ts'
import type { Item } from '../clinical/item.ts'
import { findItemsOf } from '../clinical/repository.ts'
import type { Patient } from '../patient.ts'
import { viewPatient } from '../repository.ts'
import { checkExpiry, type TransferDeps } from './import.ts'
import { findExported, type ExportFilter } from './repository.ts'
import { headerOf, toItemRow, toPatientRow, type File } from './synthea.ts'

/** A chart as it leaves: allergies and conditions for whom they are. */
interface Exported {
  patient: Patient
  items?: { allergies: Item[]; conditions: Item[] }
}
type ExportContext = Pick<Context<unknown, unknown, unknown>, 'takeEvent' | 'claims'>

/** As many as an event may name. */
const pageSize = 200

/** Pages of charts; each is on record, with the right by which they leave, before it is there. */
async function* readPages(
  { db, fieldKeys, outbox }: TransferDeps,
  context: ExportContext,
  filter: ExportFilter,
  /** Whether charts without a clinical part for whoever exports are left out. */
  clinicalOnly: boolean,
): AsyncGenerator<Exported[]> {
  const { roles, sub } = context.claims
  const standingOf = (restricted: boolean, member: boolean): Standing => ({
    restricted,
    member,
    grantId: null,
    self: false,
  })
  const everything = !clinicalOnly && findBasis('demographics.export', roles, standingOf(true, false)) !== undefined
  const viewer = {
    userId: sub,
    everything,
    clinical: findBasis('clinical.export', roles, standingOf(true, true)) !== undefined,
  }
  let after = '00000000-0000-0000-0000-000000000000'
  for (;;) {
    checkExpiry(context)
    const rows = await findExported(db.manager, viewer, filter, after, pageSize)
    if (!rows.length) return
    after = rows.at(-1)!.id
    const standings = new Map(rows.map(({ id, restricted, member }) => [id, standingOf(restricted, member)]))
    const isClinical = (id: string) => findBasis('clinical.export', roles, standings.get(id)!) !== undefined
    const items = await findItemsOf(db.manager, [...standings.keys()].filter(isClinical))
    const byChart = Map.groupBy(items, ({ patientId }) => patientId)
    const byBasis = Map.groupBy(standings.keys(), (id) => findBasis('demographics.export', roles, standings.get(id)!))
    for (const [basis, patientIds] of byBasis)
      await outbox.record(context.takeEvent({ type: 'patients.export.read', action: 'R', patientIds, basis: basis! }))
    yield rows.map((row) => {
      const may = (action: Parameters<typeof findBasis>[0]) =>
        findBasis(action, roles, standings.get(row.id)!) !== undefined
      const own = Object.groupBy(byChart.get(row.id) ?? [], ({ kind }) => kind)
      const plain = (kind: 'allergy' | 'condition') =>
        (own[kind] ?? []).map(({ kind: _, patientId, ...item }): Item => item)
      return {
        patient: viewPatient(fieldKeys, row, may),
        ...(isClinical(row.id) && { items: { allergies: plain('allergy'), conditions: plain('condition') } }),
      }
    })
  }
}

/** Charts as POST takes them and imports do, each with its allergies and conditions for whom they are: a line of NDJSON each. */
export async function* exportNdjson(
  deps: TransferDeps,
  context: ExportContext,
  filter: ExportFilter,
): AsyncGenerator<string> {
  for await (const page of readPages(deps, context, filter, false))
    yield page.map(({ patient, items }) => `${JSON.stringify({ ...patient, ...items })}\n`).join('')
}

/** One of Synthea's files. */
export async function* exportCsv(
  deps: TransferDeps,
  context: ExportContext,
  filter: ExportFilter,
  file: File,
): AsyncGenerator<string> {
  yield csvLines([headerOf(file)])
  for await (const page of readPages(deps, context, filter, file !== 'patients')) {
    if (file === 'patients') yield csvLines(page.map(({ patient }) => toPatientRow(patient)))
    else yield csvLines(page.flatMap(({ patient, items }) => items![file].map((item) => toItemRow(patient, item))))
  }
}
