import type { Express } from 'express'
import { buildApp, type AppOptions } from '@caregate/common/app'
import { auditRoutes, type Deps } from './routes.ts'

export function buildAuditApp(deps: Deps & Pick<AppOptions, 'log' | 'outbox' | 'verify' | 'trustedProxies'>): Express {
  return buildApp({
    ...deps,
    service: 'audit',
    refused: 'audit.request.refused',
    routes: auditRoutes(deps),
    ready: () => deps.db.query('SELECT 1'),
  })
}
