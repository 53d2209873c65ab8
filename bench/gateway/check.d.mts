import type { KeyObject } from 'node:crypto'

export const key: KeyObject
export const PORT: string
export const UPSTREAM: string
export const ALGORITHM: 'HS256' | 'ES256'
