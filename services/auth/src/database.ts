import { join } from 'node:path'
import { EntitySchema } from 'typeorm'
import type { Algorithm, Role } from '@caregate/common/auth'
import type { DatabaseSpec } from '@caregate/common/migrate'
import { outboxEntity } from '@caregate/common/outbox'

export interface UserRow {
  id: string
  /** In lower case. */
  email: string
  fullName: string
  roles: Role[]
  passwordHash: string
  /** Set while the password is a one-time password. */
  oneTimeUntil: Date | null
  patientId: string | null
  disabled: boolean
  /** The TOTP secret, sealed; set and not yet enabled while it is being enrolled. */
  totpSealed: string | null
  totpEnabled: boolean
  /** The time step of the last code that was taken: none is good twice. */
  totpStep: number
  /** Of the recovery codes that are left. */
  recoveryHashes: string[]
  createdAt: Date
}

export const userEntity = new EntitySchema<UserRow>({
  name: 'users',
  columns: {
    id: { type: 'uuid', primary: true },
    email: { type: 'text' },
    fullName: { name: 'full_name', type: 'text' },
    roles: { type: 'text', array: true },
    passwordHash: { name: 'password_hash', type: 'text' },
    oneTimeUntil: { name: 'one_time_until', type: 'timestamptz', nullable: true },
    patientId: { name: 'patient_id', type: 'uuid', nullable: true },
    disabled: { type: 'boolean', default: false },
    totpSealed: { name: 'totp_sealed', type: 'text', nullable: true },
    totpEnabled: { name: 'totp_enabled', type: 'boolean', default: false },
    totpStep: { name: 'totp_step', type: 'int', default: 0 },
    recoveryHashes: { name: 'recovery_hashes', type: 'text', array: true, default: '{}' },
    createdAt: { name: 'created_at', type: 'timestamptz' },
  },
  indices: [
    { name: 'users_email', columns: ['email'], unique: true },
    { name: 'users_patient', columns: ['patientId'], unique: true },
  ],
})

/** Of a user, or what the tokens of a service account have in common. */
export interface SessionRow {
  id: string
  userId: string
  /** Of the refresh token that is good now. */
  generation: number
  rotatedAt: Date
  createdAt: Date
  /** However much it is used. */
  expiresAt: Date
  endedAt: Date | null
  /** Where it was started from. */
  ip: string | null
  userAgent: string | null
}

export const sessionEntity = new EntitySchema<SessionRow>({
  name: 'sessions',
  columns: {
    id: { type: 'uuid', primary: true },
    userId: { name: 'user_id', type: 'uuid' },
    generation: { type: 'int' },
    rotatedAt: { name: 'rotated_at', type: 'timestamptz' },
    createdAt: { name: 'created_at', type: 'timestamptz' },
    expiresAt: { name: 'expires_at', type: 'timestamptz' },
    endedAt: { name: 'ended_at', type: 'timestamptz', nullable: true },
    ip: { type: 'text', nullable: true },
    userAgent: { name: 'user_agent', type: 'text', nullable: true },
  },
  indices: [
    { name: 'sessions_user', columns: ['userId'] },
    { name: 'sessions_ended', columns: ['endedAt'] },
  ],
})

export interface SigningKeyRow {
  kid: string
  algorithm: Algorithm
  publicJwk: Record<string, string>
  privateSealed: string
  createdAt: Date
  /** Published before, used from then on. */
  activeFrom: Date
}

export const signingKeyEntity = new EntitySchema<SigningKeyRow>({
  name: 'signing_keys',
  columns: {
    kid: { type: 'text', primary: true },
    algorithm: { type: 'text' },
    publicJwk: { name: 'public_jwk', type: 'jsonb' },
    privateSealed: { name: 'private_sealed', type: 'text' },
    createdAt: { name: 'created_at', type: 'timestamptz' },
    activeFrom: { name: 'active_from', type: 'timestamptz', default: () => 'now()' },
  },
})

/** A request for a mail that lets a user choose a new password. */
export interface PasswordResetRow {
  id: string
  userId: string
  createdAt: Date
  expiresAt: Date
  /** Of the token, made when the mail is. */
  tokenHash: string | null
  /** When an instance last set about mailing it. */
  takenAt: Date | null
  sentAt: Date | null
}

export const passwordResetEntity = new EntitySchema<PasswordResetRow>({
  name: 'password_resets',
  columns: {
    id: { type: 'uuid', primary: true },
    userId: { name: 'user_id', type: 'uuid' },
    createdAt: { name: 'created_at', type: 'timestamptz' },
    expiresAt: { name: 'expires_at', type: 'timestamptz' },
    tokenHash: { name: 'token_hash', type: 'text', nullable: true },
    takenAt: { name: 'taken_at', type: 'timestamptz', nullable: true },
    sentAt: { name: 'sent_at', type: 'timestamptz', nullable: true },
  },
  indices: [
    { name: 'password_resets_user', columns: ['userId'] },
    { name: 'password_resets_token', columns: ['tokenHash'], unique: true },
  ],
})

/** How often a secret was guessed at wrongly. */
export interface AttemptRow {
  /** A hash of what is counted: an account, an account from an address, an address. */
  key: string
  /** Gets less as time goes by. */
  failures: number
  blockedUntil: Date
  updatedAt: Date
  /** Of an account from an address: when that was last right. */
  succeededAt: Date | null
}

export const attemptEntity = new EntitySchema<AttemptRow>({
  name: 'attempts',
  columns: {
    key: { type: 'text', primary: true },
    failures: { type: 'float8' },
    blockedUntil: { name: 'blocked_until', type: 'timestamptz' },
    updatedAt: { name: 'updated_at', type: 'timestamptz' },
    succeededAt: { name: 'succeeded_at', type: 'timestamptz', nullable: true },
  },
  indices: [{ name: 'attempts_updated', columns: ['updatedAt'] }],
})

/** An account of a machine. */
export interface ServiceAccountRow {
  id: string
  name: string
  roles: Role[]
  secretHash: string
  createdAt: Date
  rotatedAt: Date
}

export const serviceAccountEntity = new EntitySchema<ServiceAccountRow>({
  name: 'service_accounts',
  columns: {
    id: { type: 'uuid', primary: true },
    name: { type: 'text' },
    roles: { type: 'text', array: true },
    secretHash: { name: 'secret_hash', type: 'text' },
    createdAt: { name: 'created_at', type: 'timestamptz' },
    rotatedAt: { name: 'rotated_at', type: 'timestamptz' },
  },
  indices: [{ name: 'service_accounts_name', columns: ['name'], unique: true }],
})

export const spec: DatabaseSpec = {
  service: 'auth',
  entities: [
    userEntity,
    sessionEntity,
    signingKeyEntity,
    passwordResetEntity,
    attemptEntity,
    serviceAccountEntity,
    outboxEntity,
  ],
  migrations: join(import.meta.dirname, 'migrations'),
  grants: {
    users: 'SELECT, INSERT, UPDATE',
    sessions: 'SELECT, INSERT, UPDATE, DELETE',
    signing_keys: 'SELECT, INSERT, UPDATE, DELETE',
    password_resets: 'SELECT, INSERT, UPDATE, DELETE',
    attempts: 'SELECT, INSERT, UPDATE, DELETE',
    service_accounts: 'SELECT, INSERT, UPDATE, DELETE',
    outbox: 'SELECT, INSERT, UPDATE, DELETE',
  },
  async beforeDown(query, migration) {
    // the one that made them
    if (migration !== 'Identity1795549347496') return
    const lost = await query<unknown[]>(
      'SELECT 1 FROM users WHERE totp_enabled UNION SELECT 1 FROM service_accounts LIMIT 1',
    )
    if (lost.length) throw new Error('Undoing the migration would destroy second factors and service accounts.')
  },
}
