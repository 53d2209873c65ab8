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
    createdAt: { name: 'created_at', type: 'timestamptz' },
  },
  indices: [{ name: 'users_email', columns: ['email'], unique: true }],
})

export interface SessionRow {
  id: string
  userId: string
  /** Of the refresh token that is good now. */
  generation: number
  rotatedAt: Date
  createdAt: Date
  expiresAt: Date
  endedAt: Date | null
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
}

export const signingKeyEntity = new EntitySchema<SigningKeyRow>({
  name: 'signing_keys',
  columns: {
    kid: { type: 'text', primary: true },
    algorithm: { type: 'text' },
    publicJwk: { name: 'public_jwk', type: 'jsonb' },
    privateSealed: { name: 'private_sealed', type: 'text' },
    createdAt: { name: 'created_at', type: 'timestamptz' },
  },
})

export const spec: DatabaseSpec = {
  service: 'auth',
  entities: [userEntity, sessionEntity, signingKeyEntity, outboxEntity],
  migrations: join(import.meta.dirname, 'migrations'),
  grants: {
    users: 'SELECT, INSERT, UPDATE',
    sessions: 'SELECT, INSERT, UPDATE',
    signing_keys: 'SELECT, INSERT',
    outbox: 'SELECT, INSERT, UPDATE, DELETE',
  },
}
