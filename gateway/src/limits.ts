import type { Request, Response } from 'express'
import { ipKeyGenerator, rateLimit } from 'express-rate-limit'
import { AppError } from '@caregate/common/errors'

/** Counts a request; @throws {AppError} 429 when it is one too many. Sets the headers of IETF draft 8. */
export type Limit = (req: Request, res: Response, key: string) => Promise<void>

export function buildLimit(identifier: string, limit: number): Limit {
  const count = rateLimit({
    windowMs: 60_000,
    limit,
    identifier,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: (_req, res) => String(res.locals.limitKey),
    handler: (_req, _res, next) => next(new AppError('rate_limited')),
  })
  return (req, res, key) => {
    res.locals.limitKey = key
    return new Promise(
      (resolve, reject) => void count(req, res, (error?: unknown) => (error ? reject(error) : resolve())),
    )
  }
}

/** An IPv6 client has a whole network to itself: its /56 counts as one. */
export const addressKey = (ip: string): string => ipKeyGenerator(ip, 56)
