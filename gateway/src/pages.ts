import type { IncomingMessage } from 'node:http'
import compression from 'compression'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { AppError } from '@caregate/common/errors'
import { addressKey, buildExpress, localsOf, unmatched, type Answer } from '@caregate/common/http'
import { describeRoutes } from '@caregate/common/openapi'
import type { Directory } from '@caregate/common/registry'
import { docsRouter } from './docs.ts'
import { healthRoute } from './health.ts'
import type { Limits } from './limits.ts'
import { openApiReader } from './openapi.ts'
import type { Revocations } from './revocations.ts'

interface PagesDeps {
  directory: Directory
  limits: Pick<Limits, 'address'>
  revocations: Pick<Revocations, 'loaded'>
  version: string
}

/** Whether somebody who watches over this process asks for it, by an address that nobody else knows it by. */
export const isProbe = (path: string): boolean => path === '/health/live' || path === '/health/ready'

/** What the gateway answers by itself: preflights, the state of health, the documentation, and that there is no more. */
export function buildPages(
  { directory, limits, revocations, version }: PagesDeps,
  preflight: RequestHandler,
  fail: (res: Answer, thrown: unknown) => void,
): (req: IncomingMessage, res: Answer) => void {
  const pages = buildExpress()
  const health = healthRoute(directory, version)
  pages.get('/health/live', (_req, res) => void res.json({ status: 'healthy' }))
  pages.get('/health/ready', (_req, res) => {
    res.status(revocations.loaded ? 200 : 503).json({ status: revocations.loaded ? 'healthy' : 'unhealthy' })
  })
  pages.options('/{*any}', preflight)
  pages.get('/health', async (_req, res) => {
    const { status = 200, body } = await health.handle({} as never)
    res.status(status).set('Cache-Control', 'no-store').json(body)
  })
  // compressed here alone: no secret shares an answer with what a client sent
  pages.use(compression(), docsRouter(openApiReader(directory, version, describeRoutes('gateway', [health]))))
  pages.use(async (_req, res) => {
    const locals = localsOf(res)
    locals.measuredAs = unmatched
    await limits.address(res, addressKey(locals.ip))
    throw new AppError('not_found', 'There is no such path.')
  })
  pages.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => fail(res, error))
  return pages
}
