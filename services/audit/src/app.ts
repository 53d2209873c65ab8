import { buildApp, type AppOptions, type ServiceApp } from '@caregate/common/app'
import { auditRoutes, type Deps } from './routes.ts'

export function buildAuditApp(
  deps: Deps & Pick<AppOptions, 'log' | 'outbox' | 'verify' | 'trustedProxies'>,
): ServiceApp {
  return buildApp({
    ...deps,
    service: 'audit',
    refused: 'audit.request.refused',
    routes: auditRoutes(deps),
    ready: () => deps.db.query('SELECT 1 FROM outbox LIMIT 1'),
  })
}
