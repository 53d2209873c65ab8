/** What every Node peer does besides passing on: the token, checked once and known until it expires. */
import { createPublicKey, createSecretKey } from 'node:crypto'
import jwt from 'jsonwebtoken'

export const { PORT, UPSTREAM, ALGORITHM } = process.env
export const key =
  ALGORITHM === 'HS256' ? createSecretKey(Buffer.from(process.env.KEY)) : createPublicKey(process.env.KEY)
const known = new Map()

/** The claims of the token in an Authorization header; throws without a good one. */
export function check(header) {
  const token = header?.slice(7)
  const seen = known.get(token)
  if (seen && seen.exp * 1000 > Date.now()) return seen
  const claims = jwt.verify(token ?? '', key, { algorithms: [ALGORITHM] })
  known.set(token, claims)
  return claims
}
