import { buildApp, type AppOptions, type ServiceApp } from '@caregate/common/app'
import type { Database } from '@caregate/common/database'
import { measureService, type ServiceParts } from '@caregate/common/measure'
import { fhirRoutes } from './fhir/routes.ts'
import { measureLog } from './health.ts'
import { consoleRoutes, type ConsoleDeps } from './routes/console.ts'
import { eventRoutes, type EventDeps } from './routes/events.ts'
import { holdAnswer, holdRoutes, type HoldDeps } from './routes/holds.ts'
import { proofAnswer, proofRoutes, type ProofDeps } from './routes/proofs.ts'
import { accessAnswer, activityAnswer, reportRoutes, type ReportDeps } from './routes/reports.ts'
import { reviewAnswer, reviewRoutes, type ReviewDeps } from './routes/reviews.ts'
import { statusAnswer, statusRoutes, type StatusDeps } from './routes/status.ts'
import { streamRoutes, type StreamDeps } from './routes/stream.ts'
import { eventAnswer } from './schemas.ts'

type Deps = EventDeps &
  HoldDeps &
  ProofDeps &
  ReportDeps &
  ReviewDeps &
  StreamDeps &
  ConsoleDeps &
  StatusDeps &
  ServiceParts &
  Pick<AppOptions, 'log' | 'metrics' | 'outbox' | 'verify' | 'trustedProxies'> & {
    db: Pick<Database, 'query'>
  }

export function buildAuditApp(deps: Deps): ServiceApp {
  measureService(deps.metrics, deps)
  measureLog(deps.metrics, deps)
  return buildApp({
    ...deps,
    service: 'audit',
    refused: 'audit.request.refused',
    routes: [
      ...eventRoutes(deps),
      ...proofRoutes(deps),
      ...streamRoutes(deps),
      ...holdRoutes(deps),
      ...reportRoutes(deps),
      ...reviewRoutes(deps),
      ...statusRoutes(deps),
      ...consoleRoutes(deps),
      ...fhirRoutes(deps),
    ],
    vocabulary: {
      AuditEvent: eventAnswer,
      Review: reviewAnswer,
      Hold: holdAnswer,
      Access: accessAnswer,
      Activity: activityAnswer,
      LogStatus: statusAnswer,
      Proof: proofAnswer,
    },
    ready: () => deps.db.query('SELECT 1 FROM outbox LIMIT 1'),
  })
}
