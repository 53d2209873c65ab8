import { v7 as uuidv7 } from 'uuid'
import type { Tx } from '@caregate/common/database'
import { AppError, notFound } from '@caregate/common/errors'
import { patientEntity, sourceEntity, type PatientRow } from './database.ts'
import { formatMrn } from './mrn.ts'
import { searchName, type Demographics, type Patient, type PatientStatus } from './patient.ts'

export function toPatient(row: PatientRow): Patient {
  const { id, mrn, version, demographics: d } = row
  return {
    id,
    mrn,
    version,
    status: row.voided ? 'voided' : row.status,
    restricted: false,
    name: d.name,
    otherNames: d.otherNames,
    birthDate: d.birthDate,
    deathDate: d.deathDate,
    sex: d.sex,
    identifiers: d.identifiers,
    telecom: d.telecom,
    addresses: d.addresses,
    contacts: d.contacts,
    language: d.language,
    maritalStatus: d.maritalStatus,
    race: d.race,
    ethnicity: d.ethnicity,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

function columnsOf({
  status,
  ...demographics
}: Demographics): Pick<PatientRow, 'status' | 'demographics' | 'searchName' | 'birthDate'> {
  return { status, demographics, searchName: searchName(demographics.name), birthDate: demographics.birthDate }
}

const sourcesOf = (demographics: Demographics): Demographics['identifiers'] =>
  demographics.identifiers
    .filter(({ system }) => system.startsWith('source:'))
    // in one order for everybody: two charts that claim the same ones don't wait for each other in a circle
    .sort((a, b) => (`${a.system} ${a.value}` < `${b.system} ${b.value}` ? -1 : 1))

/** @throws {AppError} 409 `already_exists` when another chart has one of the source ids, also one being created right now */
async function claimSources(tx: Tx, patientId: string, demographics: Demographics): Promise<void> {
  for (const { system, value } of sourcesOf(demographics)) {
    const claimed = await tx.query<unknown[]>(
      'INSERT INTO patient_sources (system, value, patient_id) VALUES ($1, $2, $3) ON CONFLICT (system, value) DO NOTHING RETURNING 1',
      [system, value, patientId],
    )
    if (claimed.length) continue
    const { patientId: owner } = await tx.findOneByOrFail(sourceEntity, { system, value })
    if (owner !== patientId) {
      throw new AppError('already_exists', `There is a chart with this ${system} identifier.`, {
        headers: { Location: `/api/v1/patients/${owner}` },
        patientIds: [owner],
      })
    }
  }
}

export async function createPatient(tx: Tx, demographics: Demographics): Promise<Patient> {
  const id = uuidv7()
  await claimSources(tx, id, demographics)
  const [next] = await tx.query<{ value: string }[]>(`SELECT nextval('patients_mrn') AS value`)
  const now = new Date()
  const row: PatientRow = {
    id,
    mrn: formatMrn(BigInt(next!.value)),
    version: 1,
    voided: false,
    voidReason: null,
    createdAt: now,
    updatedAt: now,
    ...columnsOf(demographics),
  }
  await tx.insert(patientEntity, row)
  return toPatient(row)
}

/** @throws {AppError} 404 */
export async function getPatientRow(tx: Tx, id: string): Promise<PatientRow> {
  const row = await tx.findOneBy(patientEntity, { id })
  if (!row) throw notFound('patient')
  return row
}

/** @throws {AppError} 404, or 410 for a voided chart */
export async function getPatient(tx: Tx, id: string): Promise<Patient> {
  const row = await getPatientRow(tx, id)
  if (row.voided) throw new AppError('gone', 'The chart was voided. POST /patients/{id}/restore brings it back.')
  return toPatient(row)
}

type Change = Partial<Omit<PatientRow, 'id' | 'mrn' | 'version' | 'createdAt' | 'updatedAt'>>

/** @throws {AppError} 412 when the chart is no longer in version `version` */
async function changeRow(tx: Tx, id: string, version: number, change: Change): Promise<Patient> {
  const { affected } = await tx.update(
    patientEntity,
    { id, version },
    { ...change, version: version + 1, updatedAt: new Date() },
  )
  if (affected !== 1) throw new AppError('stale')
  return toPatient(await getPatientRow(tx, id))
}

export async function updatePatient(tx: Tx, id: string, version: number, demographics: Demographics): Promise<Patient> {
  const patient = await changeRow(tx, id, version, columnsOf(demographics))
  const kept = sourcesOf(demographics).map(({ system, value }) => `${system} ${value}`)
  await tx.query(`DELETE FROM patient_sources WHERE patient_id = $1 AND NOT (system || ' ' || value = ANY($2))`, [
    id,
    kept,
  ])
  await claimSources(tx, id, demographics)
  return patient
}

export async function setVoided(tx: Tx, row: PatientRow, voided: boolean, reason: string): Promise<Patient> {
  return changeRow(tx, row.id, row.version, { voided, voidReason: reason })
}

export interface PatientFilter {
  /** Folded words, each the beginning of a name. */
  words?: string[]
  mrn?: string
  birthDate?: string
  status?: PatientStatus
}
/** The last row of the page before. */
export interface Position {
  name: string
  id: string
}

/** Charts by name. Voided ones only where `status` asks for them. */
export async function findPatients(
  tx: Tx,
  filter: PatientFilter,
  after: Position | undefined,
  limit: number,
): Promise<PatientRow[]> {
  const select = tx.createQueryBuilder(patientEntity, 'p')
  const { words = [], mrn, birthDate, status } = filter
  words.forEach((word, n) => {
    select.andWhere(`p.searchName LIKE :word${n}`, { [`word${n}`]: `% ${word.replaceAll(/[\\%_]/g, '\\$&')}%` })
  })
  if (mrn) select.andWhere('p.mrn = :mrn', { mrn })
  if (birthDate) select.andWhere('p.birthDate = :birthDate', { birthDate })
  select.andWhere('p.voided = :voided', { voided: status === 'voided' })
  if (status && status !== 'voided') select.andWhere('p.status = :status', { status })
  if (after) select.andWhere('(p.search_name, p.id) > (:name, :id)', after)
  return select.orderBy('p.searchName').addOrderBy('p.id').limit(limit).getMany()
}
