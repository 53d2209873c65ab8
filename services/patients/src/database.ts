import { join } from 'node:path'
import { EntitySchema } from 'typeorm'
import type { DatabaseSpec } from '@caregate/common/migrate'
import { outboxEntity } from '@caregate/common/outbox'
import type { Demographics } from './patient.ts'

export interface PatientRow {
  id: string
  mrn: string
  version: number
  /** What it is, or was before it was voided. */
  status: Demographics['status']
  voided: boolean
  /** Why it was voided, or restored since. */
  voidReason: string | null
  demographics: Omit<Demographics, 'status'>
  /** Derived from the name, for search and order. */
  searchName: string
  birthDate: string
  createdAt: Date
  updatedAt: Date
}

export const patientEntity = new EntitySchema<PatientRow>({
  name: 'patients',
  columns: {
    id: { type: 'uuid', primary: true },
    mrn: { type: 'text' },
    version: { type: 'int' },
    status: { type: 'text' },
    voided: { type: 'boolean', default: false },
    voidReason: { name: 'void_reason', type: 'text', nullable: true },
    // json keeps the order of members
    demographics: { type: 'json' },
    searchName: { name: 'search_name', type: 'text' },
    birthDate: { name: 'birth_date', type: 'date' },
    createdAt: { name: 'created_at', type: 'timestamptz' },
    updatedAt: { name: 'updated_at', type: 'timestamptz' },
  },
  indices: [
    { name: 'patients_mrn_unique', columns: ['mrn'], unique: true },
    { name: 'patients_name', columns: ['searchName', 'id'] },
    { name: 'patients_birth_date', columns: ['birthDate'] },
  ],
})

/** The `source:*` identifiers: where an imported chart came from. One source id is one chart. */
export interface SourceRow {
  system: string
  value: string
  patientId: string
}

export const sourceEntity = new EntitySchema<SourceRow>({
  name: 'patient_sources',
  columns: {
    system: { type: 'text', primary: true },
    value: { type: 'text', primary: true },
    patientId: { name: 'patient_id', type: 'uuid' },
  },
  indices: [{ name: 'patient_sources_patient', columns: ['patientId'] }],
})

export const spec: DatabaseSpec = {
  service: 'patients',
  entities: [patientEntity, sourceEntity, outboxEntity],
  migrations: join(import.meta.dirname, 'migrations'),
  grants: {
    patients: 'SELECT, INSERT, UPDATE',
    patient_sources: 'SELECT, INSERT, DELETE',
    outbox: 'SELECT, INSERT, UPDATE, DELETE',
  },
}
