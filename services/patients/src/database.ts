import { join } from 'node:path'
import { EntitySchema } from 'typeorm'
import type { DatabaseSpec } from '@caregate/common/migrate'
import { outboxEntity } from '@caregate/common/outbox'
import type { IdentifierIndex, StoredIdentifier } from './field-keys.ts'
import type { Kind } from './clinical/item.ts'
import type { Demographics } from './patient.ts'

/** As they are kept: what a government gave is sealed. */
export interface StoredDemographics extends Omit<Demographics, 'status' | 'identifiers'> {
  identifiers: StoredIdentifier[]
}

export interface PatientRow {
  id: string
  mrn: string
  version: number
  /** What it is, or was before it was voided. */
  status: Demographics['status']
  voided: boolean
  /** Why it was voided, or restored since. */
  voidReason: string | null
  restricted: boolean
  /** The chart that it is part of since it was merged. */
  mergedInto: string | null
  /** How many charts were merged into it, and are. */
  merges: number
  demographics: StoredDemographics
  /** Derived from the name, for search and order. */
  searchName: string
  birthDate: string
  createdAt: Date
  updatedAt: Date
  /** Who made this version. Null where a release before did. */
  changedById: string | null
  changedByName: string | null
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
    restricted: { type: 'boolean', default: false },
    mergedInto: { name: 'merged_into', type: 'uuid', nullable: true },
    merges: { type: 'int', default: 0 },
    // json keeps the order of members
    demographics: { type: 'json' },
    searchName: { name: 'search_name', type: 'text' },
    birthDate: { name: 'birth_date', type: 'date' },
    createdAt: { name: 'created_at', type: 'timestamptz' },
    updatedAt: { name: 'updated_at', type: 'timestamptz' },
    changedById: { name: 'changed_by_id', type: 'uuid', nullable: true },
    changedByName: { name: 'changed_by_name', type: 'text', nullable: true },
  },
  indices: [
    { name: 'patients_mrn_unique', columns: ['mrn'], unique: true },
    { name: 'patients_name', columns: ['searchName', 'id'] },
    { name: 'patients_birth_date', columns: ['birthDate'] },
    { name: 'patients_merged_into', columns: ['mergedInto'], where: 'merged_into IS NOT NULL' },
  ],
})

/** The `source:*` identifiers: where an imported chart came from. One source id is one chart. */
export interface SourceRow {
  system: string
  value: string
  patientId: string
}

const sourceEntity = new EntitySchema<SourceRow>({
  name: 'patient_sources',
  columns: {
    system: { type: 'text', primary: true },
    value: { type: 'text', primary: true },
    patientId: { name: 'patient_id', type: 'uuid' },
  },
  indices: [
    { name: 'patient_sources_patient', columns: ['patientId'] },
    { name: 'patient_sources_value', columns: ['value'] },
  ],
})

/** By what all other identifiers are found. */
export interface IdentifierRow extends IdentifierIndex {
  patientId: string
}

const identifierEntity = new EntitySchema<IdentifierRow>({
  name: 'patient_identifiers',
  columns: {
    patientId: { name: 'patient_id', type: 'uuid', primary: true },
    system: { type: 'text', primary: true },
    index: { type: 'bytea', primary: true },
    key: { type: 'text' },
  },
  indices: [{ name: 'patient_identifiers_index', columns: ['index'] }],
})

/** A word by which a chart is found, with all its words in one line. */
export interface NameRow {
  word: string
  line: string
  patientId: string
}

const nameEntity = new EntitySchema<NameRow>({
  name: 'patient_names',
  columns: {
    // compared byte by byte: what begins alike stands together
    word: { type: 'text', primary: true, collation: 'C' },
    line: { type: 'text', primary: true, collation: 'C' },
    patientId: { name: 'patient_id', type: 'uuid', primary: true },
  },
  indices: [{ name: 'patient_names_patient', columns: ['patientId'] }],
})

/** Under what a word that is a name of somebody is found when it is mistyped. */
export interface VariantRow {
  variant: string
  word: string
}

const variantEntity = new EntitySchema<VariantRow>({
  name: 'name_variants',
  columns: {
    variant: { type: 'text', primary: true, collation: 'C' },
    word: { type: 'text', primary: true, collation: 'C' },
  },
})

/** What charts of one person have in common, in words: `phone 617555012`. Searches read phones, matching reads them all. */
export interface KeyRow {
  key: string
  patientId: string
}

const keyEntity = new EntitySchema<KeyRow>({
  name: 'patient_keys',
  columns: {
    key: { type: 'text', primary: true },
    patientId: { name: 'patient_id', type: 'uuid', primary: true },
  },
  indices: [{ name: 'patient_keys_patient', columns: ['patientId'] }],
})

/** How often a chart was created whose key of birth is this one: who creates another must have seen the last. */
export interface TurnRow {
  key: string
  turn: number
}

const turnEntity = new EntitySchema<TurnRow>({
  name: 'creation_turns',
  columns: { key: { type: 'text', primary: true }, turn: { type: 'int' } },
})

/** What it takes to undo a merge: the versions that it made, and what followed from the one chart to the other. */
export interface MergeRow {
  sourceId: string
  sourceVersion: number
  targetId: string
  targetVersion: number
  /** See `countRecorded`. */
  recorded: number
  items: string[]
  members: string[]
  grants: string[]
}

export const mergeEntity = new EntitySchema<MergeRow>({
  name: 'patient_merges',
  columns: {
    sourceId: { name: 'source_id', type: 'uuid', primary: true },
    sourceVersion: { name: 'source_version', type: 'int', primary: true },
    targetId: { name: 'target_id', type: 'uuid' },
    targetVersion: { name: 'target_version', type: 'int' },
    recorded: { type: 'int' },
    items: { type: 'uuid', array: true },
    members: { type: 'uuid', array: true },
    grants: { type: 'uuid', array: true },
  },
  indices: [{ name: 'patient_merges_target', columns: ['targetId', 'targetVersion'] }],
})

/** Each version of a chart, as it was. A trigger writes them: the app role can neither write nor change them. */
export interface VersionRow extends Pick<
  PatientRow,
  'version' | 'status' | 'voided' | 'restricted' | 'mergedInto' | 'demographics'
> {
  patientId: string
  at: Date
  byId: string | null
  byName: string | null
  change: 'created' | 'updated' | 'voided' | 'restored' | 'merged' | 'unmerged'
  /** Of voiding and restoring. */
  reason: string | null
}

export const versionEntity = new EntitySchema<VersionRow>({
  name: 'patient_versions',
  columns: {
    patientId: { name: 'patient_id', type: 'uuid', primary: true },
    version: { type: 'int', primary: true },
    at: { type: 'timestamptz' },
    byId: { name: 'by_id', type: 'uuid', nullable: true },
    byName: { name: 'by_name', type: 'text', nullable: true },
    change: { type: 'text' },
    reason: { type: 'text', nullable: true },
    status: { type: 'text' },
    voided: { type: 'boolean' },
    restricted: { type: 'boolean' },
    mergedInto: { name: 'merged_into', type: 'uuid', nullable: true },
    demographics: { type: 'json' },
  },
})

/** Somebody who treats a patient, from one day to another (`YYYY-MM-DD`, both included). Never erased. */
export interface MemberRow {
  id: string
  patientId: string
  userId: string
  role: string
  from: string
  to: string | null
  addedBy: string
  addedAt: Date
  removedBy: string | null
  removedAt: Date | null
}

export const memberEntity = new EntitySchema<MemberRow>({
  name: 'care_team',
  columns: {
    id: { type: 'uuid', primary: true },
    patientId: { name: 'patient_id', type: 'uuid' },
    userId: { name: 'user_id', type: 'uuid' },
    role: { type: 'text' },
    from: { type: 'date' },
    to: { type: 'date', nullable: true },
    addedBy: { name: 'added_by', type: 'uuid' },
    addedAt: { name: 'added_at', type: 'timestamptz' },
    removedBy: { name: 'removed_by', type: 'uuid', nullable: true },
    removedAt: { name: 'removed_at', type: 'timestamptz', nullable: true },
  },
  indices: [
    { name: 'care_team_patient', columns: ['patientId', 'userId'] },
    { name: 'care_team_user', columns: ['userId'] },
  ],
})

/** The glass of a restricted chart, broken by a clinician for a while. */
export interface GrantRow {
  id: string
  patientId: string
  clinicianId: string
  clinicianName: string
  reason: string
  createdAt: Date
  expiresAt: Date
}

export const grantEntity = new EntitySchema<GrantRow>({
  name: 'break_glass_grants',
  columns: {
    id: { type: 'uuid', primary: true },
    patientId: { name: 'patient_id', type: 'uuid' },
    clinicianId: { name: 'clinician_id', type: 'uuid' },
    clinicianName: { name: 'clinician_name', type: 'text' },
    reason: { type: 'text' },
    createdAt: { name: 'created_at', type: 'timestamptz' },
    expiresAt: { name: 'expires_at', type: 'timestamptz' },
  },
  indices: [
    { name: 'break_glass_grants_clinician', columns: ['clinicianId', 'patientId', 'expiresAt'] },
    { name: 'break_glass_grants_patient', columns: ['patientId'] },
  ],
})

/** A version of an allergy or a condition. Rows are only ever added; the newest of an `id` is what holds. */
export interface ItemRow {
  id: string
  version: number
  kind: Kind
  patientId: string
  system: string
  code: string
  display: string
  onset: string | null
  resolved: string | null
  recordedBy: string
  /** Of the first version. */
  createdAt: Date
  updatedAt: Date
}

export const itemEntity = new EntitySchema<ItemRow>({
  name: 'clinical_items',
  columns: {
    id: { type: 'uuid', primary: true },
    version: { type: 'int', primary: true },
    kind: { type: 'text' },
    patientId: { name: 'patient_id', type: 'uuid' },
    system: { type: 'text' },
    code: { type: 'text' },
    display: { type: 'text' },
    onset: { type: 'date', nullable: true },
    resolved: { type: 'date', nullable: true },
    recordedBy: { name: 'recorded_by', type: 'uuid' },
    createdAt: { name: 'created_at', type: 'timestamptz' },
    updatedAt: { name: 'updated_at', type: 'timestamptz' },
  },
  indices: [{ name: 'clinical_items_patient', columns: ['patientId', 'kind', 'id'] }],
})

export const spec: DatabaseSpec = {
  service: 'patients',
  entities: [
    patientEntity,
    sourceEntity,
    identifierEntity,
    versionEntity,
    memberEntity,
    grantEntity,
    itemEntity,
    nameEntity,
    variantEntity,
    keyEntity,
    turnEntity,
    mergeEntity,
    outboxEntity,
  ],
  migrations: join(import.meta.dirname, 'migrations'),
  grants: {
    patients: 'SELECT, INSERT, UPDATE',
    patient_sources: 'SELECT, INSERT, DELETE',
    patient_identifiers: 'SELECT, INSERT, DELETE',
    patient_versions: 'SELECT',
    care_team: 'SELECT, INSERT, UPDATE (patient_id, removed_by, removed_at)',
    break_glass_grants: 'SELECT, INSERT, UPDATE (patient_id)',
    clinical_items: 'SELECT, INSERT, UPDATE (patient_id)',
    patient_names: 'SELECT, INSERT, DELETE',
    name_variants: 'SELECT, INSERT',
    patient_keys: 'SELECT, INSERT, DELETE',
    creation_turns: 'SELECT, INSERT, UPDATE',
    patient_merges: 'SELECT, INSERT',
    outbox: 'SELECT, INSERT, UPDATE, DELETE',
  },
}
