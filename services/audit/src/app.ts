import { buildApp, type AppOptions, type ServiceApp } from '@caregate/common/app'
import type { Database } from '@caregate/common/database'
import { eventRoutes, type EventDeps } from './routes/events.ts'
import { holdRoutes, type HoldDeps } from './routes/holds.ts'
import { proofRoutes, type ProofDeps } from './routes/proofs.ts'
import { streamRoutes, type StreamDeps } from './routes/stream.ts'

type Deps = EventDeps &
  HoldDeps &
  ProofDeps &
  StreamDeps &
  Pick<AppOptions, 'log' | 'outbox' | 'verify' | 'trustedProxies'> & { db: Pick<Database, 'query'> }

export function buildAuditApp(deps: Deps): ServiceApp {
  return buildApp({
    ...deps,
    service: 'audit',
    refused: 'audit.request.refused',
    routes: [...eventRoutes(deps), ...proofRoutes(deps), ...streamRoutes(deps), ...holdRoutes(deps)],
    ready: () => deps.db.query('SELECT 1 FROM outbox LIMIT 1'),
  })
}
