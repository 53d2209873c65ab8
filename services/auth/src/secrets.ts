import { createHash, randomBytes } from 'node:crypto'

/** 256 bits. */
export const newSecret = (): string => randomBytes(32).toString('base64url')

/** What the database knows of a secret that was drawn, not chosen: nobody guesses it, so the hash may be fast. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('base64url')
